"""What a sweep searches: how it is written, and what of it a recipe takes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import recipe
from core.errors import UserError
from core.sweep.beginning import check_held_out, check_metric
from core.sweep.space import Choice, Range, checked, divided, overrides, read
from core.sweep.study import grid_size

QUICKSTART = recipe.load("quickstart")
NUMBERS = st.floats(min_value=-1e12, max_value=1e12, allow_nan=False)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("log:1e-4..1e-1", Range(1e-4, 1e-1, log=True)),
        ("0.0..0.5", Range(0.0, 0.5)),
        ("-1.5..+.5", Range(-1.5, 0.5)),
        ("0.1..0.5/0.1", Range(0.1, 0.5, step=0.1)),
        ("1..10", Range(1, 10, whole=True)),
        ("16..128/16", Range(16, 128, step=16, whole=True)),
        ("log:16..256", Range(16, 256, log=True, whole=True)),
        ("1..2.5", Range(1, 2.5)),
        ("adam|sgd|muon", Choice(("adam", "sgd", "muon"))),
        ("[1,1,1] | [2,2,2]", Choice(("[1,1,1]", "[2,2,2]"))),
        ("\"a|b\"|'c'", Choice(('"a|b"', "'c'"))),
        ("true|false", Choice(("true", "false"))),
    ],
)
def test_a_range_or_a_choice(text: str, found: Range | Choice) -> None:
    assert read(text) == found


@pytest.mark.parametrize("text", ["1e-3", "adam", "../images", '"a|b"', "[1, 2]", "1.", "", "logarithmic"])
def test_anything_else_is_one_value(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1e-4..", "expected a range as in log:1e-4..1e-1"),
        ("1..x", "expected a range"),
        ("log:1e-4", "expected a range"),
        ("log:adam|sgd", "expected a range"),
        ("2..1", "a smaller number before '..'"),
        ("1..1", "a smaller number before '..'"),
        ("1..1e400", "a smaller number before '..'"),
        ("log:0..1", "begins above 0"),
        ("log:1..8/2", "has no steps"),
        ("0..1/0", "a step above 0"),
        ("0..1/2", "a step above 0 and no larger than the range"),
        (f"0..{1 << 60}", "told apart up to"),
        ("adam|", "one '|' between each two"),
        ("adam||sgd", "one '|' between each two"),
        ("adam|adam", "twice"),
    ],
)
def test_what_is_none_is_told_in_one_line_with_its_key(text: str, words: str) -> None:
    with pytest.raises(UserError) as told:
        divided([f"optimizer.lr={text}"])
    assert str(told.value).startswith(f"--set 'optimizer.lr={text}': ") and words in str(told.value)
    assert "\n" not in str(told.value)


@given(st.text("0123456789.eE+-:/|log\"' x[]", max_size=30))
def test_whatever_the_text_it_is_read_or_refused_in_words(text: str) -> None:
    try:
        read(text)
    except UserError as error:
        assert str(error)


@given(NUMBERS, NUMBERS, st.booleans())
def test_a_range_that_is_written_is_read_back(low: float, high: float, log: bool) -> None:
    text = f"{'log:' * log}{low!r}..{high!r}"
    if low < high and not (log and low <= 0):
        assert read(text) == Range(low, high, log)
    else:
        with pytest.raises(UserError):
            read(text)


@given(st.integers(-50, 50), st.integers(1, 40), st.integers(1, 9))
def test_the_points_of_a_range_lie_in_it_and_are_as_many_as_it_says(low: int, span: int, parts: int) -> None:
    for dimension in (Range(low, low + span, whole=True), Range(low, low + span, step=span / parts)):
        points = [float(dimension.point(place)) for place in range(dimension.size)]
        assert points[0] == low and points[-1] <= low + span + 1e-9 and len(set(points)) == len(points)
        assert len(points) == (span + 1 if dimension.whole else parts + 1)


def test_the_last_word_on_a_key_counts() -> None:
    fixed, space = divided(["epochs=3", "optimizer.lr=0.1", "optimizer.lr=0.1..1", "batch_size=1..9", "batch_size=64"])
    assert (fixed, list(space)) == (["epochs=3", "batch_size=64"], ["optimizer.lr"])


def test_whole_numbers_where_the_key_takes_nothing_else() -> None:
    settings = ["batch_size=16..64", "optimizer.weight_decay=0..1", "model.channels=8..32/8", "mixing.mixup=0..2/1"]
    space = checked(QUICKSTART, divided(settings)[1])
    whole = {key: dimension.whole for key, dimension in space.items() if isinstance(dimension, Range)}
    assert whole == {
        "batch_size": True, "optimizer.weight_decay": False, "model.channels": True, "mixing.mixup": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("optimizer.lrr=0.1..1", "did you mean 'lr'"),
        ("optimizer.lr=0..1", "optimizer.lr"),
        ("optimizer.momentum=0.5..1", "optimizer.momentum"),
        ("optimizer.name=adam|sdg", "expected one of adam, adamw, sgd, muon, got 'sdg'"),
        ("batch_size=0..9", "batch_size"),
        ("batch_size=1.5..2.5", "batch_size"),
        ("seed=abc|1", "seed"),
        ("name=a|b", "trains nothing"),
        ("data.validation=0.1..0.3", "on other images"),
        ("early_stopping.split=validation|test", "no trial may choose by the test split"),
    ],
)
def test_each_end_and_each_choice_makes_a_recipe(setting: str, words: str) -> None:
    with pytest.raises(UserError) as told:
        checked(QUICKSTART, divided([setting])[1])
    assert words in str(told.value) and "\n" not in str(told.value)


def test_nothing_to_search() -> None:
    with pytest.raises(UserError, match="nothing to search: give --set a range or a choice"):
        checked(QUICKSTART, {})


def test_what_is_proposed_is_set_as_if_it_had_been_typed() -> None:
    space = checked(QUICKSTART, divided(["optimizer.lr=log:1e-5..1", "batch_size=16..64/16", "optimizer.name=adam|sgd"])[1])
    chosen = overrides(space, {"optimizer.lr": 2.5e-5, "batch_size": 48, "optimizer.name": "sgd"})
    assert chosen == ["optimizer.lr=2.5e-05", "batch_size=48", "optimizer.name=sgd"]
    made = recipe.changed(QUICKSTART, chosen)
    assert (made.optimizer.lr, made.batch_size, made.optimizer.name) == (2.5e-5, 48, "sgd")
    assert Range(0.1, 0.5, step=0.1).text(0.1 + 2 * 0.1) == "0.3"


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("seed", [], "watches the test split.*: --set data.validation=0.1 --set early_stopping.split=validation"),
        ("seed", ["data.validation=0.1"], "watches the test split.*: --set early_stopping.split=validation$"),
        ("fast", [], "holds no images out.*: --set data.validation=0.1$"),
    ],
)
def test_no_sweep_chooses_by_the_test_split(name: str, settings: list[str], words: str) -> None:
    with pytest.raises(UserError, match=words) as told:
        check_held_out(recipe.load(name, settings))
    mended = [*settings, *(word for word in str(told.value).partition("give it some: ")[2].split() if word != "--set")]
    check_held_out(recipe.load(name, mended))
    assert recipe.load(name, mended).monitor.startswith("val.")


@pytest.mark.parametrize("metric", ["test.accuracy", "train.loss", "accuracy", ""])
def test_metrics_of_held_out_images_alone(metric: str) -> None:
    with pytest.raises(UserError, match=r"expected val\.accuracy or val\.balanced_accuracy or val\.loss"):
        check_metric(metric)


def test_a_grid_has_an_end() -> None:
    space = checked(QUICKSTART, divided(["batch_size=16..64/16", "optimizer.lr=0.001|0.01|0.1"])[1])
    assert grid_size(space) == math.prod((4, 3))
    with pytest.raises(UserError, match=r"--sampler grid: optimizer\.lr goes from 0\.0001 to 0\.1, logarithmic without steps"):
        grid_size(divided(["optimizer.lr=log:1e-4..1e-1"])[1])
    with pytest.raises(UserError, match="take larger steps"):
        grid_size({"batch_size": Range(1, 1_000_000_000, whole=True)})
