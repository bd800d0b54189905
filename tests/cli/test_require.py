"""``--require`` read, held against what a recipe will tell, and against what was measured."""

from __future__ import annotations

import math

import pytest

from core.errors import UserError
from core.recipe import load
from core.view.measurement import ClassScore, Measurement
from core.view.state import State
from tui_trainer.cli.require import Requirement, check, check_classes, check_data, check_evaluated, judge, measured, parse
from tui_trainer.reporting.outcome import EVALUATED


@pytest.mark.parametrize(
    ("text", "requirement"),
    [
        ("test.accuracy>=0.9", Requirement("test.accuracy", ">=", 0.9)),
        (" val.loss < 1e-1 ", Requirement("val.loss", "<", 0.1)),
        ("best.val.loss==inf", Requirement("best.val.loss", "==", math.inf)),
        ("x>1", Requirement("x", ">", 1.0)),
        ("test.accuracy.a<b, or so>=0.5", Requirement("test.accuracy.a<b, or so", ">=", 0.5)),
    ],
)
def test_reading(text: str, requirement: Requirement) -> None:
    assert parse([text]) == [requirement]


@pytest.mark.parametrize(
    "text",
    ["", "test.accuracy", "test.accuracy>=", ">=1", "test.accuracy=>1", "test.accuracy>=x", "val.loss>nan"],
)
def test_what_cannot_be_read(text: str) -> None:
    with pytest.raises(UserError, match="--require"):
        parse([text])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("test.accuracy>=90", "accuracies go from 0 to 1"),
        ("best.val.loss<1", ""),
        ("best.test.loss<1", "this run watches val.loss; expected best.val.loss"),
        ("val.accuracy<=inf", "accuracies go from 0 to 1"),
        ("test.accuracy.cat>=80", "accuracies go from 0 to 1"),
        ("test.accuracy.cat>=0.8", ""),
        ("test.acuracy>=0.8", r"did you mean 'test.accuracy'\?\); known are .*train.loss"),
        ("test.tta_accuracy>=0.8", "this run has no TTA; set evaluation.tta"),
        ("train.gradient_norm<100", ""),
        ("system.images_per_second>10", ""),
    ],
)
def test_what_a_recipe_will_tell(text: str, words: str) -> None:
    recipe, requirements = load("quickstart"), parse([text])
    if words:
        with pytest.raises(UserError, match=words):
            check(requirements, recipe)
    else:
        check(requirements, recipe)


def test_a_recipe_that_watches_test_or_has_tta() -> None:
    check(parse(["best.test.loss<1"]), load("seed"))
    check(parse(["test.tta_accuracy>=0.9"]), load("fast"))
    with pytest.raises(UserError, match=r"watches no split; expected test\.\*"):
        check(parse(["best.val.loss<1"]), load("fast"))


def test_a_class_is_one_that_there_is() -> None:
    check_classes(parse(["test.accuracy.cat>0.1", "test.loss<1"]), ["cat", "dog"])
    with pytest.raises(UserError, match=r"class 'cta' is not known \(did you mean 'cat'\?\); known are cat, dog"):
        check_classes(parse(["val.accuracy.cta>0.1"]), ["cat", "dog"])


def test_what_the_data_let_be_measured() -> None:
    requirements = parse(["val.accuracy.cat>0.1", "val.loss<1", "test.loss<1"])
    check_data(requirements, State())
    check_data(requirements, State(classes=("cat", "dog"), validation_images=4))
    with pytest.raises(UserError, match="class 'cat' is not known; known are bee, wasp"):
        check_data(requirements, State(classes=("bee", "wasp"), validation_images=4))
    with pytest.raises(UserError, match=r"'val.loss<1': no images are held out; expected test.\*, or set data.validation"):
        check_data(requirements[1:], State(classes=("cat", "dog")))
    check_data(requirements[2:], State(classes=("cat", "dog")))


def test_an_evaluation_tells_of_test_alone() -> None:
    check_evaluated(parse(["test.loss<1", "test.balanced_accuracy>0.1", "test.accuracy.cat>0.1"]), EVALUATED)
    for text in ("val.accuracy>0.1", "val.accuracy.cat>0.1", "train.loss<1"):
        with pytest.raises(UserError, match=r"known are test\.loss, test\.accuracy, test\.balanced_accuracy, test"):
            check_evaluated(parse([text]), EVALUATED)


STATE = State(
    metrics={"val.loss": 0.5, "train.loss": math.nan, "val.accuracy": 0.25, "my.f1": 0.7},
    measurements={
        "validation": Measurement("validation", 1, 1, {}, (ClassScore("a cat", 3, 4), ClassScore("dog", 0, 0))),
    },
)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("val.loss>=0.5", True), ("val.loss<=0.5", True), ("val.loss==0.5", True), ("val.loss>0.5", False),
        ("val.loss<0.5", False), ("test.loss<9", False), ("train.loss<9", False), ("my.f1>0.69", True),
        ("val.accuracy.a cat>=0.75", True), ("val.accuracy.a cat>0.75", False), ("val.accuracy.dog>=0", False),
        ("val.balanced_accuracy>=0.25", True), ("val.balanced_accuracy>0.25", False), ("test.balanced_accuracy>=0", False),
    ],
)  # fmt: skip
def test_holding(text: str, holds: bool) -> None:
    (verdict,) = judge(parse([text]), measured(STATE))
    assert verdict.holds is holds and bool(verdict.why) is not holds


def test_why_it_does_not_hold() -> None:
    missed, never = judge(parse(["val.loss<0.25", "test.loss<9"]), measured(STATE))
    assert (missed.value, missed.why) == (0.5, "required val.loss<0.25, but it is 0.5")
    assert never.value is None
    assert never.why == (
        "required test.loss<9, but test.loss was not measured; measured are my.f1, train.loss, val.accuracy, "
        "val.accuracy.CLASS, val.balanced_accuracy, val.loss"
    )
    near, beside = judge(parse(["val.loss>0.50000000001", "my.f1==0.7000001"]), {"val.loss": 0.5, "my.f1": 0.70000008})
    assert near.why == "required val.loss>0.50000000001, but it is 0.5"
    assert beside.why == "required my.f1==0.7000001, but it is 0.7"
    (short,) = judge(parse(["test.accuracy>=0.9"]), {"test.accuracy": 0.89999999})
    assert short.why == "required test.accuracy>=0.9, but it is 0.89999999"
    (nothing,) = judge(parse(["test.loss<9"]), {})
    assert nothing.why.endswith("; nothing is measured")
