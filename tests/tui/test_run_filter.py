"""The language in which runs are filtered: what each word means, and what is said of one that means nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import UserError
from tui_trainer import run_filter
from tui_trainer.run_filter import NUMBERS, TEXTS, UNITS, Facts

DAY = 86_400.0
FAST = Facts(
    {"name": "bench-fast-1", "recipe": "fast", "state": "finished", "model": "convnet", "data": "cifar10", "device": "cpu"},
    {"acc": 0.937, "test": 0.93, "loss": 0.4, "epoch": 8, "params": 1_971_328, "size": 45e6, "age": 2 * DAY, "length": 1400},
    ("Baseline", "v2"),
)
SEED = Facts({"name": "first", "recipe": "seed", "state": "paused"}, {"acc": 0.6, "age": 600.0}, ())


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "!" * 9000 + "fast", "fast", "FAST", "bench", "finished", "baseline", "base", "fast finished !paused",
        "#baseline", "tag:v2",
        "!#slow", "recipe:fas", "recipe=fast", "recipe!=fas", "state:fin", "device:cpu", "acc>0.9", "acc>90%", "acc>=.937",
        "acc!=0.5", "!acc<0.9", "loss<0.5", "loss=4e-1", "epoch=8", "epoch==8", "params<2M", "params>1900k", "size>40MB",
        "size<45MiB", "size<1gb", "age>1d", "age<3d", "age<1w", "length>20m", "length<20000s", "length<20000S", "!val>0.1",
    ],
)  # fmt: skip
def test_what_holds_of_a_run(text: str) -> None:
    assert run_filter.parse(text).matches(FAST)


@pytest.mark.parametrize(
    "text",
    [
        "slow", "fast paused", "!fast", "#base", "#v", "tag:v", "recipe=fas", "recipe!=fast", "model:resnet", "acc<0.9",
        "acc>0.9 acc<0.93", "epoch>8", "size>45MiB", "age<2h", "val>0.1", "val<0.1", "!!paused", "left<1h",
    ],
)  # fmt: skip
def test_what_does_not(text: str) -> None:
    assert not run_filter.parse(text).matches(FAST)


def test_the_example_tells_two_runs_apart() -> None:
    wanted = run_filter.parse("fast acc>0.9 !paused #baseline recipe:fast")
    assert wanted.matches(FAST) and not wanted.matches(SEED)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("acc>", "acc: expected 0.9 or 90%"),
        ("acc>x", "acc: expected 0.9 or 90%, not 'x'"),
        ("acc>90", "accuracies go from 0 to 1, or to 100%"),
        ("ac>0.9", "'ac' cannot be compared (did you mean 'acc'?)"),
        (">0.9", "'' cannot be compared"),
        ("age>2", "age: expected 10m, 2h or 3d, not '2'"),
        ("size>5parsec", "size: expected 500MB, not '5parsec'"),
        ("epoch:5", "epoch is a figure"),
        ("recipe>seed", "recipe is a text: write recipe:WORD"),
        ("recipe:", "expected a word after recipe:"),
        ("!", "expected a word after '!'"),
        ("#", "expected a tag after '#'"),
        ("!#", "expected a tag after '#'"),
        ("loss<１", "loss: expected 0.5"),
    ],
)
def test_what_means_nothing_is_told_and_left_out(text: str, words: str) -> None:
    found = run_filter.read(f"fast {text} finished")
    assert words in found.error and found.matches(FAST) and not found.matches(SEED)
    with pytest.raises(UserError, match=r"^--filter: "):
        run_filter.parse(text)


words = st.one_of(
    st.text(),
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["", "!", "!!", "#"]),
        st.sampled_from([*NUMBERS, *TEXTS, "tag", "", "x"]),
        st.sampled_from([">", ">=", "<", "<=", "=", "==", "!=", ":", ""]),
        st.one_of(st.text(max_size=5), st.floats().map(str), st.sampled_from(["1e999", "-1", "90%", "9" * 400, "2h", "1kib"])),
    ),
)


@settings(max_examples=60)
@given(st.lists(words).map(" ".join))
def test_no_text_at_all_raises(text: str) -> None:
    found = run_filter.read(text)
    assert isinstance(found.matches(FAST), bool)
    assert "\n" not in found.error


@settings(max_examples=60)
@given(words.filter(lambda word: word.split() == [word] and not word.startswith("!")))
def test_what_is_negated_is_just_what_does_not_hold(word: str) -> None:
    plain, negated = run_filter.read(word), run_filter.read(f"!{word}")
    assert plain.error == negated.error
    if not plain.error:
        assert plain.matches(FAST) is not negated.matches(FAST)


@settings(max_examples=60)
@given(st.sampled_from(sorted(NUMBERS)), st.floats(0, 1), st.data())
def test_a_figure_is_compared_in_any_of_its_units(name: str, value: float, data: st.DataObject) -> None:
    unit = data.draw(st.sampled_from(sorted(UNITS[NUMBERS[name]])))
    scale = UNITS[NUMBERS[name]][unit]
    known = Facts({}, {name: value * scale})
    assert run_filter.parse(f"{name}={value!r}{unit}").matches(known)
    assert not run_filter.parse(f"{name}!={value!r}{unit}").matches(known)
