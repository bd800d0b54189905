"""What a run can be told. A command is one small JSON file in the run's inbox; the trainer applies it between two steps
and answers it with exactly one CommandAccepted or CommandRejected. All of them are idempotent."""

from __future__ import annotations

import math
from typing import TypeAlias

import msgspec

from core.sections import LARGEST_COUNT

LONGEST_NAME, LONGEST_REMARK = 100, 2000
"""Characters."""


class Command(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=True, forbid_unknown_fields=True):
    """Base of all commands; ``id`` is unique and names the command in its answer."""

    id: str = ""
    time: float = 0.0


class Pause(Command, frozen=True, kw_only=True):
    pass


class Continue(Command, frozen=True, kw_only=True):
    pass


class Save(Command, frozen=True, kw_only=True):
    """Save now; with a ``name`` the checkpoint is kept until a person removes it."""

    name: str = ""


class Stop(Command, frozen=True, kw_only=True):
    """Save, then leave."""


class StopAfterEpoch(Command, frozen=True, kw_only=True):
    """Leave once the present epoch is validated and saved."""


class Discard(Command, frozen=True, kw_only=True):
    """Leave at once without saving; the run is marked as discarded.

    Nothing is removed, neither by the trainer nor by whoever sent this: what a key was pressed for in error, or a script told
    in error, can still be resumed from its last checkpoint. The folder's owner removes it, with ``rm -r``.
    """


class Validate(Command, frozen=True, kw_only=True):
    """Measure the held-out split now, besides the end of the epoch."""


class SetLearningRate(Command, frozen=True, kw_only=True):
    """The schedule goes on from this rate over what remains."""

    value: float


class SetEpochs(Command, frozen=True, kw_only=True):
    """Another length; the schedule anneals anew from the present rate over what remains."""

    value: int


class SetEarlyStopping(Command, frozen=True, kw_only=True):
    """``None`` leaves that setting as it is."""

    enabled: bool | None = None
    patience: int | None = None


class Rewind(Command, frozen=True, kw_only=True):
    """Go back to a checkpoint of this run: ``last``, ``best``, ``step-N``, or the name that it was saved under.

    What came after it is taken back, the settings changed since then too. Later checkpoints are removed, but for those that a
    person has named: these are kept under ``left-step-N``, where nothing goes on from them.
    """

    checkpoint: str


class Remark(Command, frozen=True, kw_only=True):
    """A note pinned to the present step."""

    text: str


AnyCommand: TypeAlias = (
    Pause | Continue | Save | Stop | StopAfterEpoch | Discard | Validate | SetLearningRate | SetEpochs | SetEarlyStopping
    | Rewind | Remark
)  # fmt: skip

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyCommand] = msgspec.json.Decoder(AnyCommand)


def encode(command: Command) -> bytes:
    return _encoder.encode(command)


def decode(data: bytes) -> AnyCommand:
    """Raises :class:`msgspec.DecodeError` (or its child ValidationError) for anything that is no command."""
    return _decoder.decode(data)


def name_of(command: Command) -> str:
    return type(command).__name__


# What is wrong with a value, in words, for whoever asks for it and for the run that is told it; empty when nothing is.


def wrong_name(name: str) -> str:
    taken = name in ("best", "last") or name.startswith("step-")
    wrong = taken or len(name) > LONGEST_NAME or not name.isprintable()
    return f"name: expected at most {LONGEST_NAME} printable characters, and not best, last or step-N" if wrong else ""


def wrong_remark(text: str) -> str:
    return "" if text.strip() and len(text) <= LONGEST_REMARK else f"remark: expected 1 to {LONGEST_REMARK:,} characters"


def wrong_rate(value: float) -> str:
    good = math.isfinite(value) and 0 < value <= 100
    return "" if good else f"learning rate {value:g}: expected a number above 0, at most 100"


def wrong_epochs(value: int, under_way: int) -> str:
    if under_way <= value <= LARGEST_COUNT:
        return ""
    more = f", at most {LARGEST_COUNT:,}" if value > under_way else ""
    return f"epochs {value}: epoch {under_way} is under way, so expected that or more{more}"


def wrong_patience(value: int) -> str:
    good = 1 <= value <= LARGEST_COUNT
    return "" if good else f"patience {value}: expected 1 or more, at most {LARGEST_COUNT:,}"
