"""The process that trains one run: ``python -P -m core.run.worker RUN_DIR``. It outlives every screen.

Exit status: 0 finished, early-stopped or stopped on request; 2 wrong use; 3 training failed; 128 + n stopped by signal n.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core import checkpoint
from core.errors import TrainingError, UserError
from core.events import (
    CommandAccepted,
    CommandRejected,
    Event,
    MessageLogged,
    PhaseEnded,
    PhaseStarted,
    ResumeRefused,
    RunFailed,
    RunStarted,
    RunStopped,
)
from core.recipe import Recipe, from_table
from core.run import journal
from core.run.folder import RunFile, RunFolder
from core.run.listener import Listener, listen_to_signals, tie_to_parent
from core.run.phases import Phases
from core.run.pulse import Pulse
from core.run.pump import Pump
from core.run.resume import about, changes_not_in, check_length, finished, refuse_change, repair_best, resumed
from core.training.progress import Amendment, Progress

if TYPE_CHECKING:
    from core.training.setup import Setup
    from core.training.snapshot import SavedState
    from core.training.trainer import Trainer


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What this session was asked for, beside the run itself."""

    epochs: int | None = None
    allow_change: bool = False
    device: str | None = None
    threads: int | None = None
    tied: bool = False


class Interrupted(Exception):
    """A signal came before training had begun."""


class Session:
    """One worker's time with a run, from its lock to its last event."""

    def __init__(self, run: RunFolder, options: Options) -> None:
        self.run, self.options = run, options
        self.pump = Pump(run.journal)
        self.listener = Listener(run, self.pump.put)
        self.phases = Phases(self.pump.put)
        self.trainer: Trainer | None = None
        self.pulse = Pulse(self.pump.put, self._beat)

    def work(self) -> int:
        """Train to the end of the run or of this session; returns the exit status."""
        try:
            self._clear_up()
            return self._train()
        except Interrupted:
            return self._end(RunStopped(reason=f"signal {self.listener.signal}", signal=self.listener.signal))
        except UserError as error:
            return self._fail("use", str(error), 2)
        except TrainingError as error:
            return self._fail(error.kind, error.reason, 3)
        except Exception as error:
            traceback.print_exc()
            return self._fail("error", f"{type(error).__name__}: {error}", 3)
        finally:
            self._close()

    def _train(self) -> int:
        run_file = self.run.read()
        recipe = self._recipe(run_file)
        started = time.monotonic()
        self.pump.put(PhaseStarted(phase="start", label="loading torch"))
        from core.training import setup as setups

        self.pump.put(PhaseEnded(phase="start", seconds=time.monotonic() - started))
        self._check_signal()
        setup = setups.prepare(recipe, self.options.threads or run_file.threads, self._progress)
        self.pulse.gpu = setup.device.index or 0 if setup.device.type == "cuda" else None
        self.trainer, opening = self._begin_or_resume(setup, run_file)
        for event in opening:
            self.pump.put(event)
        status = 0
        for event in self.trainer.events():
            self._say(event)
            if isinstance(event, RunStopped) and event.signal:
                status = 128 + event.signal
        return status

    def _recipe(self, run_file: RunFile) -> Recipe:
        recipe = from_table(run_file.recipe, str(self.run.run_file))
        return msgspec.structs.replace(recipe, device=self.options.device) if self.options.device else recipe

    # Where to begin

    def _begin_or_resume(self, setup: Setup, run_file: RunFile) -> tuple[Trainer, list[Event]]:
        from core.training.saver import Saver
        from core.training.trainer import Trainer

        opening, again, place = list[Event](), tuple[Amendment, ...](), None
        try:
            place, aside, saved = self._restore(setup)
        except FileNotFoundError:
            progress = Progress()
            if journal.find(self.run.journal, RunStarted):
                opening.append(MessageLogged(level="warning", text="ended before its first checkpoint; begins again"))
        else:
            progress = saved.progress
            repair_best(self.run.checkpoints, progress, setup.recipe)
            opening += [MessageLogged(level="warning", text=text) for text in aside]
            again = changes_not_in(progress, self.run)
        saver = Saver(self.run, setup.recipe, setup.world, setup.metadata(), self.pump.sync)
        trainer = Trainer(setup, progress, self.listener, saver, again)
        extension = list(self._extension(trainer))  # before the beginning is told, which names the length
        if place is None:
            opening.append(RunStarted(**about(setup, run_file.name, progress)))
        else:
            opening.append(resumed(setup, run_file.name, place.name, saved))
        return trainer, [*opening, *extension]

    def _restore(self, setup: Setup) -> tuple[Path, list[str], SavedState]:
        from core.training import snapshot

        states: list[SavedState] = []

        def accept(_: Path, __: checkpoint.Manifest, files: dict[str, bytes]) -> None:
            saved = snapshot.read_state(files)
            changed = refuse_change(saved.world, setup.world, self.options.allow_change)
            try:
                states.append(snapshot.restore(files, setup.network, setup.optimizer, setup.average, setup.scaler))
            except checkpoint.Damaged as error:
                if not changed:
                    raise
                raise UserError(f"the checkpoint does not fit the changed {changed}: {error}") from None
            check_length(saved.progress, setup.steps_per_epoch)

        folder, aside = checkpoint.newest_good(self.run.checkpoints, accept)
        return folder, aside, states[-1]

    def _extension(self, trainer: Trainer) -> Iterator[Event]:
        from core.training.steering import extend

        epochs, progress = self.options.epochs, trainer.progress
        if epochs is None or (epochs == trainer.epochs and not progress.watch.stopped):
            return
        if epochs < trainer.epoch or epochs <= progress.validated:
            raise UserError(f"--epochs {epochs}: epoch {trainer.epoch} was under way; expected that or more")
        yield extend(trainer, epochs)

    # What goes on meanwhile

    def _say(self, event: Event) -> None:
        self.pump.put(event)
        if isinstance(event, (CommandAccepted, CommandRejected)):
            self.pump.sync()
            self.listener.answered(event.id)

    def _progress(self, phase: str, done: int, total: int, unit: str) -> None:
        self._check_signal()
        self.phases(phase, done, total, unit)

    def _check_signal(self) -> None:
        if self.listener.signal:
            raise Interrupted

    def _beat(self) -> tuple[int, float]:
        if self.trainer is None or self.trainer.paused:
            return self.trainer.progress.step if self.trainer else 0, 0.0
        return self.trainer.progress.step, time.monotonic() - self.trainer.steps.started

    # Beginning and end

    def _clear_up(self) -> None:
        checkpoint.sweep(self.run.checkpoints)
        known = [answer.id for answer in journal.find(self.run.journal, CommandAccepted, CommandRejected)]
        self.listener.refuse_all("sent before this session", known)

    def _fail(self, kind: str, reason: str, status: int) -> int:
        print(f"{kind}: {reason}", file=sys.stderr)  # noqa: T201 - the worker's own log
        if self.trainer:
            self.trainer.saver.finish()
        if self.pump.failure:
            return status
        if self.trainer:
            for event in self.trainer.saver.drain():
                self._say(event)
        self._end(RunFailed(kind=kind, reason=reason))
        return status

    def _end(self, event: RunStopped | RunFailed) -> int:
        """Say how a session ended that the trainer could not end itself; one that came to nothing leaves the run as it was."""
        if self.trainer is None and checkpoint.listing(self.run.checkpoints):
            self.pump.put(ResumeRefused(reason=event.reason))
        else:
            self.pump.put(msgspec.structs.replace(event, **self._place()))
        return 128 + self.listener.signal

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
            if not self.pump.failure:
                self.listener.refuse_all("the session has ended")
        finally:
            self.pump.close()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -P -m core.run.worker")
    parser.add_argument("run", type=Path)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--device")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--allow-change", action="store_true")
    parser.add_argument("--tied", action="store_true")
    given = vars(parser.parse_args(arguments))
    run, options = RunFolder(given.pop("run")), Options(**given)
    try:
        with run.hold():
            end = finished(run)
            if end and (options.epochs or 0) <= end.epoch:
                return 0
            session = Session(run, options)
            listen_to_signals(session.listener)
            if options.tied:
                tie_to_parent(session.listener)
            return session.work()
    except UserError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the worker's own log
        return 2
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)  # noqa: T201 - the worker's own log
        return 3


if __name__ == "__main__":
    sys.exit(main())
