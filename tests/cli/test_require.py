"""``--require`` read and held against a State."""

from __future__ import annotations

import math

import pytest

from core.errors import UserError
from core.view.state import State
from tui_trainer.cli.require import Requirement, check, parse, unmet


@pytest.mark.parametrize(
    ("text", "requirement"),
    [
        ("test.accuracy>=0.9", Requirement("test.accuracy", ">=", 0.9)),
        (" val.loss < 1e-1 ", Requirement("val.loss", "<", 0.1)),
        ("best.val.loss==inf", Requirement("best.val.loss", "==", math.inf)),
    ],
)
def test_reading(text: str, requirement: Requirement) -> None:
    assert parse([text]) == [requirement]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "test.accuracy",
        "test.accuracy>=",
        ">=1",
        "test.accuracy=>1",
        "test.accuracy>=x",
        "val.loss>nan",
        "test.accuracy>=90",
        "best.val.accuracy<-0.1",
        "val.accuracy<=inf",
    ],
)
def test_what_cannot_be_read(text: str) -> None:
    with pytest.raises(UserError, match="--require"):
        parse([text])


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("val.loss>=0.5", True), ("val.loss<=0.5", True), ("val.loss==0.5", True), ("val.loss>0.5", False),
        ("val.loss<0.5", False), ("test.loss<9", False), ("train.loss<9", False),
    ],
)  # fmt: skip
def test_holding(text: str, holds: bool) -> None:
    state = State(metrics={"val.loss": 0.5, "train.loss": math.nan})
    assert (unmet(parse([text]), state) == []) is holds


def test_only_the_watched_metric_has_a_best() -> None:
    check(parse(["best.val.loss<1", "test.accuracy>0.5"]), "val.loss")
    with pytest.raises(UserError, match=r"'best.val.loss<1': this run watches test.loss; expected best.test.loss"):
        check(parse(["best.val.loss<1"]), "test.loss")
