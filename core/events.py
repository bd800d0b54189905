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

import math
from typing import Annotated, Any, Literal, TypeAlias, cast

import msgspec
from msgspec import Meta

from core.errors import UNREADABLE

FORMAT = 1

Whole: TypeAlias = Annotated[int, Meta(ge=-(1 << 53), le=1 << 53)]
"""What a float holds exactly. A larger figure makes a line Unknown: no run has one, and computing with it could fail."""
Number: TypeAlias = float | Literal["nan", "inf", "-inf"]
Metrics: TypeAlias = dict[str, Number]
Split: TypeAlias = Literal["validation", "test"]
PREFIX: dict[str, str] = {"validation": "val", "test": "test"}
"""What a split's metrics are named by."""
MEASURING: dict[str, str] = {"validation": "validate", "test": "test"}
"""The phase in which a split is measured."""


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=True, gc=False):
    """Base of all events. They hold no cycles, so that the garbage collector need not look through millions of them."""

    time: float = 0.0
    seq: Whole = -1


class SessionStart(Event, frozen=True, kw_only=True):
    """What a worker knows of the run and of its machine once everything is prepared (base of the two that follow)."""

    run: str = ""
    """The run's id; older journals have none."""
    name: str = ""
    recipe: str = ""
    data: str = ""
    classes: tuple[str, ...] = ()
    model: str = ""
    parameters: Whole = 0
    macs: Whole = 0
    """Multiply-accumulates of one image's forward pass."""
    train_images: Whole = 0
    validation_images: Whole = 0
    test_images: Whole = 0
    batch_size: Whole = 0
    epochs: Whole = 0
    steps_per_epoch: Whole = 0
    monitor: str = ""
    """The metric that early stopping and 'best' go by, for instance ``val.loss``."""
    device: str = ""
    precision: str = ""
    threads: Whole = 0
    deterministic: bool = True
    process: Whole = 0


class RunStarted(SessionStart, frozen=True, kw_only=True):
    """Once a run, when its data and network are ready; only phases and messages come before it."""

    format: Whole = FORMAT


class RunResumed(SessionStart, frozen=True, kw_only=True):
    """A later session begins at a checkpoint; everything said after that checkpoint's step is taken back."""

    step: Whole = 0
    epoch: Whole = 0
    checkpoint: str = ""
    bit_exact: bool = True
    """Whether the rest of the run gets the bits of a run that never stopped; ``note`` says why not."""
    note: str = ""


class RunRewound(Event, frozen=True, kw_only=True):
    """Within a session the training went back to a checkpoint; everything said after its step is taken back, and so are the
    settings changed after it."""

    step: Whole = 0
    epoch: Whole = 0
    checkpoint: str = ""
    reason: str = ""
    validated: Whole = 0
    """Epochs measured at that checkpoint; as in SettingChanged."""


class RunPaused(Event, frozen=True, kw_only=True):
    """By a person or, with a ``reason`` (``disk full``), until everything can be saved again. Both may hold at a time."""

    step: Whole = 0
    epoch: Whole = 0
    reason: str = ""


class RunContinued(Event, frozen=True, kw_only=True):
    """``reason`` is that of the pause which is over."""

    step: Whole = 0
    epoch: Whole = 0
    reason: str = ""


class RunFinished(Event, frozen=True, kw_only=True):
    """The run reached its last epoch, or early stopping ended it (``early``)."""

    step: Whole = 0
    epoch: Whole = 0
    early: bool = False
    metrics: Metrics = {}
    weights: str = ""
    """The best weights, relative to the run folder."""


class RunStopped(Event, frozen=True, kw_only=True):
    """Ended on request, after saving; ``resume`` goes on from here."""

    step: Whole = 0
    epoch: Whole = 0
    reason: str = ""
    signal: Whole = 0
    weights: str = ""


class RunFailed(Event, frozen=True, kw_only=True):
    """Ended by an error; ``weights`` names the last good checkpoint."""

    step: Whole = 0
    epoch: Whole = 0
    kind: str = ""
    """``diverged``, ``data``, ``memory``, ``disk``, ``checkpoint``, ``use`` or ``error``."""
    reason: str = ""
    weights: str = ""


class ResumeRefused(Event, frozen=True, kw_only=True):
    """A session ended before it had resumed anything (wrong use, or a signal meanwhile); the run is as it was."""

    reason: str = ""


class PhaseStarted(Event, frozen=True, kw_only=True):
    """Something that a person waits for: ``download``, ``prepare``, ``validate``, ``test``, ``save`` ..."""

    phase: str = ""
    label: str = ""
    total: Whole = 0
    unit: str = ""


class PhaseProgressed(Event, frozen=True, kw_only=True):
    phase: str = ""
    done: Whole = 0
    total: Whole = 0


class PhaseEnded(Event, frozen=True, kw_only=True):
    phase: str = ""
    seconds: float = 0.0


class EpochStarted(Event, frozen=True, kw_only=True):
    epoch: Whole = 0
    step: Whole = 0
    learning_rate: float = 0.0


class StepDone(Event, frozen=True, kw_only=True):
    """Means over the window of ``steps`` optimizer steps that ends with ``step``."""

    step: Whole = 0
    epoch: Whole = 0
    steps: Whole = 1
    images: Whole = 0
    seconds: float = 0.0
    metrics: Metrics = {}


class ValidationDone(Event, frozen=True, kw_only=True):
    """One pass over a split. ``confusion[t][p]`` counts images of class t taken for p (left empty above 64 classes)."""

    split: Split = "validation"
    epoch: Whole = 0
    step: Whole = 0
    seconds: float = 0.0
    metrics: Metrics = {}
    correct: tuple[Whole, ...] = ()
    images: tuple[Whole, ...] = ()
    confusion: tuple[tuple[Whole, ...], ...] = ()
    checkpoint: str = ""
    """Set when other weights than the present ones were measured (the final test takes the best)."""


class EpochDone(Event, frozen=True, kw_only=True):
    epoch: Whole = 0
    step: Whole = 0
    seconds: float = 0.0
    metrics: Metrics = {}


class EarlyStoppingUpdated(Event, frozen=True, kw_only=True):
    enabled: bool = True
    metric: str = ""
    value: Number = "nan"
    best: Number = "nan"
    best_epoch: Whole = 0
    best_step: Whole = 0
    epoch: Whole = 0
    epochs_since: Whole = 0
    patience: Whole = 0
    min_delta: float = 0.0
    improved: bool = False


class EarlyStopped(Event, frozen=True, kw_only=True):
    epoch: Whole = 0
    step: Whole = 0
    reason: str = ""


class CheckpointSaved(Event, frozen=True, kw_only=True):
    checkpoint: str = ""
    """Folder name under ``checkpoints/``, for instance ``step-00001234``."""
    step: Whole = 0
    epoch: Whole = 0
    name: str = ""
    """The name given by a person who asked for it; such a checkpoint is never pruned."""
    reason: str = ""
    best: bool = False
    bytes: Whole = 0
    delay: float = 0.0
    """Seconds that training waited (the copy of the tensors)."""
    seconds: float = 0.0
    """Seconds until it was safe on disk, beside training."""


class CheckpointRemoved(Event, frozen=True, kw_only=True):
    checkpoint: str = ""
    reason: str = ""


class DeviceSampled(Event, frozen=True, kw_only=True):
    cpu_percent: float = 0.0
    """Of the whole machine, 0 to 100."""
    memory_bytes: Whole = 0
    """Resident memory of the worker process."""
    memory_total: Whole = 0
    gpu_percent: float | None = None
    gpu_memory_bytes: Whole | None = None
    gpu_memory_total: Whole | None = None
    gpu_celsius: float | None = None
    gpu_watts: float | None = None


class Heartbeat(Event, frozen=True, kw_only=True):
    """Every second, from a thread beside the trainer; ``step_age`` is how long the present step has lasted (seconds)."""

    step: Whole = 0
    step_age: float = 0.0


class MessageLogged(Event, frozen=True, kw_only=True):
    level: Literal["info", "warning", "error"] = "info"
    text: str = ""


class SettingChanged(Event, frozen=True, kw_only=True):
    """A live change: an amendment of the recipe that holds from ``step`` on and survives a resume."""

    step: Whole = 0
    epoch: Whole = 0
    key: str = ""
    """``learning_rate``, ``epochs``, ``early_stopping.enabled`` or ``early_stopping.patience``."""
    value: float = 0.0
    previous: float = 0.0
    note: str = ""
    validated: Whole = 0
    """Epochs measured so far: whether it came before or after the measurement that follows an epoch's last step."""
    again: bool = False
    """Not a new change: after a resume one that had come later than its checkpoint takes effect again, after a rewind what it
    took back is said."""
    attempt: Whole = 0
    """Set when the run chose the rate itself, after so many roll-backs into this epoch."""
    command: str = ""
    """Id of the command that asked for it; after a kill its answer is given by this."""


class RemarkAdded(Event, frozen=True, kw_only=True):
    step: Whole = 0
    epoch: Whole = 0
    text: str = ""
    command: str = ""


class CommandAccepted(Event, frozen=True, kw_only=True):
    id: str = ""
    command: str = ""
    step: Whole = 0
    note: str = ""


class CommandRejected(Event, frozen=True, kw_only=True):
    id: str = ""
    command: str = ""
    step: Whole = 0
    reason: str = ""


class Unknown(Event, frozen=True, kw_only=True):
    """An event of a type that this program does not know: kept, passed on, folded to nothing."""

    kind: str = ""
    raw: bytes = b""


KnownEvent: TypeAlias = (
    RunStarted | RunResumed | RunRewound | RunPaused | RunContinued | RunFinished | RunStopped | RunFailed | ResumeRefused
    | PhaseStarted | PhaseProgressed | PhaseEnded | EpochStarted | StepDone | ValidationDone | EpochDone
    | EarlyStoppingUpdated | EarlyStopped | CheckpointSaved | CheckpointRemoved | DeviceSampled | Heartbeat
    | MessageLogged | SettingChanged | RemarkAdded | CommandAccepted | CommandRejected
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


def to_number(value: Number) -> float:
    """A metric as a float, NaN and infinities included."""
    return float(value)


def from_number(value: float) -> Number:
    """A float as it travels on the wire."""
    if math.isfinite(value):
        return value
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
