"""Progress of data as events: from the beginning, from the middle, and without a known end."""

from __future__ import annotations

from core.events import Event, PhaseEnded, PhaseProgressed, PhaseStarted
from core.run.phases import Phases
from core.view.fold import fold
from core.view.state import State


def told(*steps: tuple[str, int, int]) -> list[Event]:
    said: list[Event] = []
    phases = Phases(said.append)
    for phase, done, total in steps:
        phases(phase, done, total, "bytes")
    return said


def kinds(said: list[Event]) -> list[type[Event]]:
    return [type(event) for event in said]


def test_a_phase_from_beginning_to_end() -> None:
    said = told(("prepare", 0, 2), ("prepare", 1, 2), ("prepare", 2, 2))
    assert kinds(said) == [PhaseStarted, PhaseProgressed, PhaseEnded]


def test_a_download_that_goes_on_in_the_middle_is_shown() -> None:
    state = fold(State(), told(("download", 70, 100)))
    assert state.phase is not None and (state.phase.name, state.phase.done, state.phase.total) == ("download", 70, 100)


def test_a_total_that_is_not_known_never_ends_it_early() -> None:
    said = told(("download", 0, 0), ("download", 5, 0), ("download", 9, 0), ("prepare", 1, 6))
    assert kinds(said) == [PhaseStarted, PhaseProgressed, PhaseProgressed, PhaseEnded, PhaseStarted, PhaseProgressed]


def test_the_same_phase_can_come_again() -> None:
    assert kinds(told(("prepare", 2, 2), ("prepare", 2, 2))) == [PhaseStarted, PhaseEnded] * 2


def test_a_phase_that_did_not_say_how_long_it_is_ends_with_the_next_one() -> None:
    said = told(("prepare", 0, 0), ("build", 0, 0), ("build", 1, 1))
    assert [(type(event).__name__, getattr(event, "phase", "")) for event in said] == [
        ("PhaseStarted", "prepare"), ("PhaseEnded", "prepare"), ("PhaseStarted", "build"), ("PhaseEnded", "build"),
    ]  # fmt: skip
