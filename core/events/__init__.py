"""What a run says: the closed set of events, which is also the journal's wire format.

One event is one JSON object on one line, tagged by ``type`` (the class name). Every field has a default, so that a line
written by an older program still decodes; a line whose type is not known decodes to :class:`Unknown` and is passed on.

Conventions
    ``time``    Unix seconds, UTC, when the event was written.
    ``seq``     position in the journal, from 0; assigned by the journal writer.
    ``step``    optimizer steps completed since the beginning of the run.
    ``epoch``   counted from 1.
    ``metrics`` scalars named ``train.* val.* test.* system.*``. JSON has no NaN and no infinity, so those three
                travel as the strings ``"nan"``, ``"inf"`` and ``"-inf"``; see :func:`to_number`.
"""

from __future__ import annotations

from typing import Any, TypeAlias, cast

import msgspec

from core.errors import UNREADABLE
from core.events.base import MEASURING, PREFIX, Event, Metrics, Number, Split, Unknown, Whole, from_number, to_number
from core.events.beside import (
    CheckpointRemoved,
    CheckpointSaved,
    DeviceSampled,
    Heartbeat,
    MessageLogged,
    PhaseEnded,
    PhaseProgressed,
    PhaseStarted,
    RanksSampled,
)
from core.events.sessions import (
    FORMAT,
    ResumeRefused,
    RunContinued,
    RunFailed,
    RunFinished,
    RunPaused,
    RunResumed,
    RunRewound,
    RunStarted,
    RunStopped,
    SessionStart,
)
from core.events.told import CommandAccepted, CommandRejected, RemarkAdded, Setting, SettingChanged
from core.events.training import (
    EarlyStopped,
    EarlyStoppingUpdated,
    EpochDone,
    EpochStarted,
    PicturesLogged,
    StepDone,
    ValidationDone,
)

__all__ = [
    "FORMAT",
    "MEASURING",
    "PREFIX",
    "CheckpointRemoved",
    "CheckpointSaved",
    "CommandAccepted",
    "CommandRejected",
    "DeviceSampled",
    "EarlyStopped",
    "EarlyStoppingUpdated",
    "EpochDone",
    "EpochStarted",
    "Event",
    "Heartbeat",
    "KnownEvent",
    "MessageLogged",
    "Metrics",
    "Number",
    "PhaseEnded",
    "PhaseProgressed",
    "PhaseStarted",
    "PicturesLogged",
    "RanksSampled",
    "RemarkAdded",
    "ResumeRefused",
    "RunContinued",
    "RunFailed",
    "RunFinished",
    "RunPaused",
    "RunResumed",
    "RunRewound",
    "RunStarted",
    "RunStopped",
    "SessionStart",
    "Setting",
    "SettingChanged",
    "Split",
    "StepDone",
    "Unknown",
    "ValidationDone",
    "Whole",
    "decode",
    "decode_lines",
    "encodable",
    "encode",
    "from_number",
    "to_number",
]

KnownEvent: TypeAlias = (
    RunStarted | RunResumed | RunRewound | RunPaused | RunContinued | RunFinished | RunStopped | RunFailed | ResumeRefused
    | PhaseStarted | PhaseProgressed | PhaseEnded | EpochStarted | StepDone | ValidationDone | PicturesLogged | EpochDone
    | EarlyStoppingUpdated | EarlyStopped | CheckpointSaved | CheckpointRemoved | DeviceSampled | RanksSampled
    | Heartbeat | MessageLogged | SettingChanged | RemarkAdded | CommandAccepted | CommandRejected
)  # fmt: skip


class _Header(msgspec.Struct):
    type: str
    time: float = 0.0
    seq: Whole = -1


_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[KnownEvent] = msgspec.json.Decoder(KnownEvent)
_header_decoder = msgspec.json.Decoder(_Header)


def encode(event: Event) -> bytes:
    """One line of the journal, without its newline."""
    if isinstance(event, Unknown):
        return event.raw
    try:
        return _encoder.encode(event)
    except UnicodeEncodeError:  # a path that is not UTF-8, in the text of an error
        return _encoder.encode(encodable(msgspec.to_builtins(event)))


def encodable(value: Any) -> Any:
    """Plain values (dicts, lists, texts ...) with what UTF-8 cannot hold written out."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {encodable(key): encodable(item) for key, item in value.items()}
    return [encodable(item) for item in value] if isinstance(value, (list, tuple)) else value


def decode(line: bytes) -> Event:
    """The event on a line; raises :class:`msgspec.DecodeError` when the line is no event at all (torn, not JSON)."""
    try:
        return _decoder.decode(line)
    except msgspec.ValidationError:
        header = _header_decoder.decode(line)
        return Unknown(time=header.time, seq=header.seq, kind=header.type, raw=bytes(line))


def decode_lines(data: bytes) -> list[Event] | None:
    """What is on many whole lines, in half the time that one by one takes; None when any of them is not one known event."""
    try:
        found = _decoder.decode_lines(data)
    except UNREADABLE:
        return None
    return cast(list[Event], found) if len(found) == data.count(b"\n") else None  # JSON may go over several lines
