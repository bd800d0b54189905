"""The worker process of every rank but the first: it trains as that one says, and writes nothing into the run but a log."""

from __future__ import annotations

import os
import sys
import time
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from core.commands import Command
from core.events import RunStopped
from core.files import make_folder, open_to_append
from core.run import failures
from core.run.code import permitted
from core.run.folder import RunFolder
from core.run.options import Options, recipe_of
from core.run.processes import OPENING, Processes
from core.run.signals import Signals
from core.run.worker_log import log

if TYPE_CHECKING:
    from core.training.trainer import Trainer


class Ears:
    """The :class:`core.training.control.Control` of a process that is told nothing but signals."""

    def __init__(self, signals: Signals) -> None:
        self._signals = signals

    @property
    def signal(self) -> int:
        return self._signals.number

    def take(self) -> list[Command]:
        return []

    def wait(self, seconds: float) -> None:
        time.sleep(0)

    def interrupting(self) -> AbstractContextManager[None]:
        return self._signals.interrupting()


def follow(run: RunFolder, options: Options, signals: Signals, processes: Processes) -> int:
    """Train to the end of the run or of this session; returns the exit status."""
    _write_to_own_log(run, processes)
    try:
        return _train(run, options, signals, processes)
    except failures.ENDS as error:
        kind, reason, status = failures.failure(error, signals, processes)
    if kind != "signal":
        log(reason if kind in ("use", "peer") else f"{kind}: {reason}")
    if kind == "peer":
        os._exit(status)  # there is nothing to be saved, and torch would wait for the others once more
    return status


def _train(run: RunFolder, options: Options, signals: Signals, processes: Processes) -> int:
    run_file = run.read()
    recipe = recipe_of(run, run_file, options)
    with signals.interrupting():
        from core import data
        from core.training import distributed
        from core.training import setup as setups
        from core.training.agreeing import SilentSaver, taken_over
        from core.training.shared_trainer import SharedTrainer

        ranks, recipe = distributed.join(processes, recipe)
        threads = processes.threads(options.threads or run_file.threads)
        setup = setups.prepare(recipe, threads, data.silent, code=permitted(run), begins=False, ranks=ranks)
    progress, again = taken_over(ranks, setup)
    trainer = SharedTrainer(setup, progress, Ears(signals), SilentSaver(run, ranks), again)
    status = _status(trainer)
    ranks.leave()
    return status


def _status(trainer: Trainer) -> int:
    status = 0
    for event in trainer.events():
        if isinstance(event, RunStopped) and event.signal:
            status = 128 + event.signal
    return status


def _write_to_own_log(run: RunFolder, processes: Processes) -> None:
    """Whatever this process and its libraries print goes to ``ranks/rank-N.log``."""
    make_folder(run.ranks)
    descriptor = open_to_append(run.rank_log(processes.rank))
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(descriptor, stream.fileno())
    os.close(descriptor)
    log(f"{OPENING}rank {processes.rank} of {processes.size}, process {os.getpid()}")
