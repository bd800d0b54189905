"""How a run begins, goes on and ends."""

from __future__ import annotations

from core.events.base import Event, Metrics, Whole
from core.events.told import Setting

FORMAT = 1


class SessionStart(Event, frozen=True, kw_only=True):
    """What a worker knows of the run and of its machine once everything is prepared (base of the two that follow)."""

    run: str = ""
    """The run's id; older journals have none."""
    name: str = ""
    recipe: str = ""
    program: str = ""
    """As in ``run.json``: what trains the run in a loop of its own."""
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
    processes: Whole = 1
    """That train together; ``process`` is the first one's id."""
    hosts: tuple[str, ...] = ()
    """Where each of them is, in the order of their ranks; empty where all are on one machine."""
    origin: str = ""
    """Of a run of others that is only watched: what it is read from, for instance ``TensorBoard``."""


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
    settings changed after it. By itself, to its newest one, or because a person asked for it, to any: then the checkpoints
    that are later than that one no longer count (:mod:`core.run.line`)."""

    step: Whole = 0
    epoch: Whole = 0
    checkpoint: str = ""
    reason: str = ""
    validated: Whole = 0
    """Epochs measured at that checkpoint; as in SettingChanged."""
    settings: tuple[Setting, ...] = ()
    """Those that had been changed since, as they are now again."""
    asked: bool = False
    """By a person."""
    command: str = ""
    """Id of the command that did."""


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
    """Ended on request, after saving; ``resume`` goes on from here. One that was ``discarded`` was not saved: ``resume`` goes
    on from its last checkpoint, should it turn out to be wanted after all."""

    step: Whole = 0
    epoch: Whole = 0
    reason: str = ""
    signal: Whole = 0
    weights: str = ""
    discarded: bool = False


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
