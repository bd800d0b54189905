"""What a mirror's link says, in the State of its run: the journal tells nothing of it."""

from __future__ import annotations

from msgspec.structs import replace

from core.run import link as links
from core.run.folder import RunFolder
from core.run.link import Link
from core.view.parts import appended, short
from core.view.state import KEPT_ANSWERS, KEPT_MESSAGES, Answer, Message, State
from core.view.words import format_duration


def linked(state: State, run: RunFolder, now: float) -> State:
    """The same object while the link stands as it stood, and for a run of this machine. ``now``: Unix seconds."""
    link = links.read(run.path)
    if link is None:
        return state
    state = _answered(_said(state, link, now), link)
    known = (state.address, state.away, state.unlinked, state.shut, state.fetched)
    if known == (link.address, link.away, link.why, link.shut, link.fetched):
        return state
    return replace(state, address=link.address, away=link.away, unlinked=link.why, shut=link.shut, fetched=link.fetched)


def _said(state: State, link: Link, now: float) -> State:
    """Each time that it breaks, is there again, or is away for a reason that has not been said since it broke: a night of
    attempts that fail now so, now so, would leave no other message."""
    if link.away and (link.away, link.why) != (state.away, state.unlinked):
        text = short(f"no link: {link.why}")
        known = any(message.text == text and message.time >= link.away for message in state.messages)
        return state if known else _with(state, now + link.ahead, "warning", text)
    if state.away and not link.away:
        lasted = max(now + link.ahead - state.away, 0.0)
        return _with(state, now + link.ahead, "info", f"the link is back after {format_duration(lasted)}")
    return state


def _with(state: State, time: float, level: str, text: str) -> State:
    return replace(state, messages=appended(state.messages, Message(time, level, short(text)), KEPT_MESSAGES))


def _answered(state: State, link: Link) -> State:
    """Commands that never reached the run are answered too."""
    known = {answer.id for answer in state.answers}
    for item in link.refused:
        if item.id not in known:
            answer = Answer(item.id, item.command, False, short(item.reason))
            state = replace(state, answers=appended(state.answers, answer, KEPT_ANSWERS))
    return state
