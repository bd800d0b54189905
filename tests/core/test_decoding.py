"""The fast way to decode a journal's lines: folded, they come to what the plain way comes to, whatever stands in them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import events as e
from core.events import Event
from core.view.decoding import Decoder
from core.view.fold import fold
from core.view.state import State
from tests.core import strategies as runs


def lines(events: list[Event]) -> bytes:
    return b"".join(e.encode(event) + b"\n" for event in events)


def typed(events: list[Event]) -> bool:
    return any(isinstance(event, e.StepDone) and not isinstance(event.metrics, dict) for event in events)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(runs.frequent, runs.journals.map(runs.numbered)), max_size=4))
def test_batch_after_batch_it_comes_to_the_same(batches: list[list[Event]]) -> None:
    decoder, fast, plain = Decoder(), State(), State()
    for batch in batches:
        told = decoder(lines(batch))
        plain_told = e.decode_lines(lines(batch))
        assert (told is None) == (plain_told is None)
        fast, plain = fold(fast, told or []), fold(plain, plain_told or [])
    assert repr(fast) == repr(plain)


def steps(*metrics: e.Metrics) -> list[Event]:
    return [e.StepDone(seq=seq, step=seq + 1, metrics=found) for seq, found in enumerate(metrics)]


def test_from_the_second_batch_on_steps_are_decoded_the_fast_way() -> None:
    decoder, told = Decoder(), lines(steps({"train.loss": 1.0}))
    first, second = decoder(told), decoder(told)
    assert first and second and not typed(first) and typed(second)
    assert fold(State(), first) == fold(State(), second)


@pytest.mark.parametrize(
    "other",
    [
        {"train.loss": "nan"}, {"train.loss": 1.0, "train.extra": 2.0}, {}, {"other": 1.0},
        {f"metric {number}": 1.0 for number in range(100)}, {'a "name"\\ of\x1b': 1.0},
    ],
    ids=["nan", "one more", "none", "another", "many", "odd"],
)  # fmt: skip
def test_other_names_and_values_are_taken_as_they_come(other: e.Metrics) -> None:
    decoder = Decoder()
    usual: e.Metrics = {"train.loss": 1.0}
    for metrics in (usual, usual, other, other, usual, usual):
        told = decoder(lines(steps(metrics, metrics)))
        assert told and repr(fold(State(), told)) == repr(fold(State(), steps(metrics, metrics)))


@pytest.mark.parametrize(
    "line",
    [
        b'{"type":"StepDone","step":99999999999999999999,"metrics":{"train.loss":1.0}}',
        b'{"type":"StepDone","epoch":"one","metrics":{"train.loss":1.0}}',
        b'{"type":"Later","seq":1}', b'{"type":"StepDone"', b'{"type":"StepDone",', b"", b"[]", b"\xff",
    ],
)  # fmt: skip
def test_what_is_no_known_event_is_left_to_the_slow_way(line: bytes) -> None:
    decoder, usual = Decoder(), lines(steps({"train.loss": 1.0}))
    decoder(usual)
    assert decoder(usual + line + b"\n") is None
    assert e.decode_lines(usual + line + b"\n") is None


def test_a_line_without_some_fields_has_their_defaults() -> None:
    decoder, usual = Decoder(), lines(steps({"train.loss": 1.0}))
    decoder(usual)
    (told,) = decoder(b'{"type":"StepDone","metrics":{"train.loss":2}}\n') or [e.Heartbeat()]
    assert isinstance(told, e.StepDone) and (told.seq, told.steps, told.time) == (-1, 1, 0.0)
