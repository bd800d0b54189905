"""What can be done to a run, by how it stands."""

from __future__ import annotations

from core.events import MEASURING
from core.view.state import State


def always(state: State) -> bool:
    return True


def never(state: State) -> bool:
    return False


def is_running(state: State) -> bool:
    return state.status == "running"


def is_paused(state: State) -> bool:
    return state.status == "paused"


def is_training(state: State) -> bool:
    return state.status in ("running", "paused")


def is_live(state: State) -> bool:
    return not state.ended and state.status != "watched"


def is_queued(state: State) -> bool:
    """No run yet: it waits for a device."""
    return state.status == "queued"


def can_leave(state: State) -> bool:
    return not state.ended


def can_resume(state: State) -> bool:
    return state.status in ("stopped", "discarded", "failed", "lost") and not (state.program or state.origin or state.address)


def can_validate(state: State) -> bool:
    return is_running(state) and not state.unwatched and not is_measuring(state) and not state.program


def is_measuring(state: State) -> bool:
    return state.phase is not None and state.phase.name in MEASURING.values()


def can_stop_early(state: State) -> bool:
    return is_training(state) and not state.unwatched and not state.program


def can_rewind(state: State) -> bool:
    return is_training(state) and bool(state.checkpoints) and not state.program


def can_go_back(state: State) -> bool:
    there = is_training(state) or (state.ended and not state.address)
    return there and bool(state.checkpoints) and not state.program
