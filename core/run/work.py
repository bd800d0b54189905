"""One worker's time with a run."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING

import msgspec

from core import checkpoint
from core.events import (
    CheckpointSaved,
    CommandAccepted,
    CommandRejected,
    Event,
    MessageLogged,
    PhaseEnded,
    PhaseStarted,
    ResumeRefused,
    RunFailed,
    RunFinished,
    RunPaused,
    RunStopped,
)
from core.run import beginning, disk, effects, failures, leading, notify
from core.run.code import permitted
from core.run.failures import Failure
from core.run.folder import RunFile, RunFolder, leads_to
from core.run.listener import Listener
from core.run.options import Options, recipe_of
from core.run.phases import Phases
from core.run.processes import PEER_LOST, Processes, last_words_of_ranks
from core.run.pulse import Pulse
from core.run.pump import Pump
from core.run.signals import Signals
from core.run.worker_log import log
from core.view.words import count

if TYPE_CHECKING:
    from core.training.distributed import Ranks
    from core.training.setup import Setup
    from core.training.trainer import Trainer


class Session:
    """One worker's time with a run, from its lock to its last event."""

    def __init__(self, run: RunFolder, options: Options, signals: Signals, processes: Processes = Processes()) -> None:
        self.run, self.options, self.signals, self.processes = run, options, signals, processes
        self.ranks: Ranks | None = None
        self.reserve = disk.Reserve(run.reserve)
        self.reserve.make()
        self.pump = Pump(run.journal, self.reserve.release)
        self.listener = Listener(run, self.pump.put, signals)
        self.phases = Phases(self.pump.put)
        self.trainer: Trainer | None = None
        self._ending: Event | None = None
        self._answers: list[str] = []
        self._lock = run.lock.stat()
        self.pulse = Pulse(self.pump.put, self._beat)

    def work(self) -> int:
        """Train to the end of the run or of this session; returns the exit status."""
        try:
            self._clear_up()
            return self._train()
        except failures.ENDS as error:
            return self._give_up(failures.failure(error, self.signals, self.processes))
        finally:
            self._close()

    def _train(self) -> int:
        run_file = self.run.read()
        recipe = recipe_of(self.run, run_file, self.options)
        started = time.monotonic()
        self.pump.put(PhaseStarted(phase="start", label="loading torch"))
        with self.signals.interrupting():
            from core.training import setup as setups

        self.pump.put(PhaseEnded(phase="start", seconds=time.monotonic() - started))
        with self.signals.interrupting():
            threads, code = self.processes.threads(self.options.threads or run_file.threads), permitted(self.run)
            self.ranks, recipe = leading.join(self.processes, recipe)
            begins = not checkpoint.listing(self.run.checkpoints)
            setup = setups.prepare(recipe, threads, self._progress, code=code, begins=begins, ranks=self.ranks)
        self.pulse.gpu = setup.device.index or 0 if setup.device.type == "cuda" else None
        self.trainer, opening = self._begin(setup, run_file)
        for event in opening:
            self.pump.put(event)
        status = 0
        for event in self.trainer.events():
            self._say(event)
            if isinstance(event, RunStopped) and event.signal:
                status = 128 + event.signal
        if self.ranks:
            self.pulse.close()  # the end has been told, and the other processes may take a while
            self.ranks.leave()
        return status

    def _begin(self, setup: Setup, run_file: RunFile) -> tuple[Trainer, Iterator[Event]]:
        from core.training.room import checkpoint_bytes

        place = beginning.find_place(self.run, run_file, setup, self.options.allow_change)
        warning = disk.check_room(self.run.checkpoints, checkpoint_bytes(setup), setup.recipe.checkpoint.keep)
        world = setup.world.after(place.saved.world) if place.saved else setup.world
        trainer = leading.trainer(self.run, setup, place, world, self.listener, self.pump)
        back = beginning.taken_back(trainer, self.options.checkpoint)
        rewound = list(islice(back, 1))  # the rest removes checkpoints, which it may do only once this is in the journal
        changes = list(beginning.extension(trainer, self.options.epochs))  # the beginning, told later, names the length
        leading.hand_over(self.ranks, trainer)
        notes = [MessageLogged(text=text) for text in setup.notes] if place.saved is None else []
        warnings = [MessageLogged(level="warning", text=text) for text in (*place.warnings, warning) if text]
        return trainer, chain(place.cleared, notes, warnings, [place.told(setup, run_file)], rewound, back, changes)

    def _say(self, event: Event) -> None:
        self.pump.put(event)
        match event:
            case CheckpointSaved():
                self.reserve.restore()
            case RunPaused() if event.reason:
                self.reserve.release()  # also for the commands that a person may want to send now
            case CommandAccepted() | CommandRejected():
                self._answers.append(event.id)
            case RunFinished() | RunStopped() | RunFailed():
                self._ending = event
        self._clear_answered()

    def _clear_answered(self) -> None:
        """Remove the files of commands whose answers are in the journal for good."""
        if self._answers:
            with contextlib.suppress(OSError):  # the answers wait for room, and their commands with them
                self.pump.sync()
                while self._answers:
                    self.listener.answered(self._answers.pop(0))

    def _progress(self, phase: str, done: int, total: int, unit: str) -> None:
        with self.signals.deferred():  # an interrupted queue would keep its lock
            self.phases(phase, done, total, unit)

    def _beat(self) -> tuple[int, float]:
        if not leads_to(self.run.lock, self._lock):
            self.pump.fail(disk.gone(self.run.path))
        if self.trainer is None:
            return 0, 0.0
        waiting = self.trainer.paused or self.trainer.hindrance
        return self.trainer.progress.step, 0.0 if waiting else time.monotonic() - self.trainer.steps.started

    def _clear_up(self) -> None:
        checkpoint.sweep(self.run.checkpoints)
        for answer in self.listener.refuse_all("sent before this session", effects.known(self.run)):
            self._say(answer)

    def _give_up(self, failure: Failure) -> int:
        if failure.kind == "signal":
            return self._end(RunStopped(reason=failure.reason, signal=self.signals.number))
        if failure.kind == "peer":
            return self._lost_peer(failure.reason)
        return self._fail(failure.kind, failure.reason, failure.status)

    def _fail(self, kind: str, reason: str, status: int) -> int:
        log(f"{kind}: {reason}")
        self._ending = RunFailed(kind=kind, reason=reason)
        if self.trainer:
            self.trainer.saver.finish()
        if not self.pump.failure:
            for event in self.trainer.saver.drain() if self.trainer else ():
                self._say(event)
            self._end(self._ending)
        return status

    def _lost_peer(self, reason: str) -> int:
        """Another process is gone, which is said; the rest is for whoever starts all anew, or says how the run ended."""
        log(reason)
        if leading.has_last_word(self.processes):
            words = last_words_of_ranks(self.run, self.processes)
            self._fail("rank", f"{failures.LOST}; {words}", 3)
        elif not self.pump.failure:
            self.pump.put(MessageLogged(level="error", text=failures.LOST))
        return PEER_LOST

    def _end(self, event: RunStopped | RunFailed) -> int:
        """Say how a session ended that the trainer could not end itself; one that came to nothing leaves the run as it was."""
        self._ending = event
        if self.trainer is None and checkpoint.listing(self.run.checkpoints):
            self.pump.put(ResumeRefused(reason=event.reason))
        else:
            self.pump.put(msgspec.structs.replace(event, **self._place()))
        return 128 + self.signals.number

    def _place(self) -> dict[str, object]:
        if self.trainer is None:
            return {}
        from core.training.saver import newest_weights

        weights = newest_weights(self.run.checkpoints)
        return {"step": self.trainer.progress.step, "epoch": self.trainer.epoch, "weights": weights}

    def _close(self) -> None:
        self.pulse.close()
        try:
            if self.trainer:
                self.trainer.saver.close()
            self.reserve.release()
            self._clear_answered()
            if not self.pump.trouble:
                for answer in self.listener.refuse_all("the session has ended"):
                    self._say(answer)
            if self.options.notify:
                self._notify(self.options.notify)
        finally:
            self.pump.close()
            if self.pump.unwritten:
                log(f"{self.run.journal}: the last {count(self.pump.unwritten, 'event')} could not be written")

    def _notify(self, command: str) -> None:
        with contextlib.suppress(OSError):
            self.pump.sync()
        if trouble := notify.at_end(command, self.run, self._ending, lambda: bool(self.signals.number)):
            log(trouble)
            if not self.pump.failure:
                self.pump.put(MessageLogged(level="warning", text=trouble))
