"""What a run can be told. A command is one small JSON file in the run's inbox; the trainer applies it between two steps
and answers it with exactly one CommandAccepted or CommandRejected. All of them are idempotent."""

from __future__ import annotations

from typing import TypeAlias

import msgspec


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


class Remark(Command, frozen=True, kw_only=True):
    """A note pinned to the present step."""

    text: str


AnyCommand: TypeAlias = (
    Pause | Continue | Save | Stop | StopAfterEpoch | Validate | SetLearningRate | SetEpochs | SetEarlyStopping | Remark
)

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyCommand] = msgspec.json.Decoder(AnyCommand)


def encode(command: Command) -> bytes:
    return _encoder.encode(command)


def decode(data: bytes) -> AnyCommand:
    """Raises :class:`msgspec.DecodeError` (or its child ValidationError) for anything that is no command."""
    return _decoder.decode(data)


def name_of(command: Command) -> str:
    return type(command).__name__
