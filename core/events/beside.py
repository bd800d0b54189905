"""What goes on beside the training: phases, checkpoints, the device, signs of life, messages."""

from __future__ import annotations

from typing import Literal

from core.events.base import Event, Whole


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


class RanksSampled(Event, frozen=True, kw_only=True):
    """What each of several processes has come to by itself in the windows since the last one, in the order of their ranks."""

    step: Whole = 0
    images_per_second: tuple[float, ...] = ()
    """Of their own work: the time in which one waits for the others is left out."""
    memory_bytes: tuple[Whole, ...] = ()
    """Resident memory of each process."""
    gpu_memory_bytes: tuple[Whole, ...] = ()
    """What torch holds of each one's GPU; empty on CPUs."""


class Heartbeat(Event, frozen=True, kw_only=True):
    """Every second, from a thread beside the trainer; ``step_age`` is how long the present step has lasted (seconds)."""

    step: Whole = 0
    step_age: float = 0.0


class MessageLogged(Event, frozen=True, kw_only=True):
    level: Literal["info", "warning", "error"] = "info"
    text: str = ""
