"""Why something cannot be done to a run now, in words."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from core.view.state import State
from tui_trainer import possible
from tui_trainer.actions import Action


def why_not(action: Action, state: State, shown: Callable[[str], str]) -> str:
    """Why an action cannot be done to the run now, in words; empty when it can. ``shown`` gives the key of another one."""
    if action.enabled(state):
        return ""
    if state.program and (why := _of_program(action, state)):
        return why
    if state.origin:
        return f"{action.label}: this run is only watched; whoever trains it steers it"
    if state.address and state.ended and action.id in ("resume", "go_back"):
        return elsewhere(state, action.id)
    if action.id == "resume":
        return "it has finished; more epochs: tui-trainer resume RUN --epochs N" if state.ended else "it is training already"
    if state.status == "lost":
        return f"nobody trains this run any more; {shown('resume')} resumes it"
    if state.ended:
        return f"the run has ended ({state.status})" + (f"; {shown('resume')} resumes it" if possible.can_resume(state) else "")
    if state.status == "preparing":
        return "training has not begun yet"
    return _why_not_yet(action, state, shown)


def elsewhere(state: State, action_id: str) -> str:
    """How what needs the other machine's files is done there."""
    finished = state.status in ("finished", "early-stopped")
    chosen = " --from CHECKPOINT" if action_id == "go_back" else " --epochs N" if finished else ""
    return f"that is for the other machine: tui-trainer resume --detach{chosen} {shlex.quote(state.address)}"


def _of_program(action: Action, state: State) -> str:
    """What nobody but a run's own program can do."""
    if action.id == "resume" and state.ended:
        return f"its own program trains this run: run {state.program} again"
    if action.enabled in (possible.can_rewind, possible.can_go_back, possible.can_validate, possible.can_stop_early):
        return f"its own program's affair: {state.program}"
    return ""


def _why_not_yet(action: Action, state: State, shown: Callable[[str], str]) -> str:
    """Of a run that trains or is paused."""
    if action.id == "rewind":
        return "there is no checkpoint yet"
    if state.unwatched and action.enabled in (possible.can_validate, possible.can_stop_early):
        return "this run holds no images out to measure on"
    if possible.is_paused(state):
        return f"the run is paused; {shown('continue')} goes on"
    return "a split is being measured right now" if possible.is_measuring(state) else "not now"
