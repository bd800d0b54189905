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
    PhaseProgressed,
    PhaseStarted,
    RunFailed,
    RunResumed,
    RunStarted,
    RunStopped,
)
from core.recipe import Recipe, from_table
from core.run import journal
from core.run.folder import RunFile, RunFolder
from core.run.listener import Listener, listen_to_signals, tie_to_parent
from core.run.pulse import Pulse
from core.run.pump import Pump
from core.run.resume import about, changes_not_in, finished, refuse_change

if TYPE_CHECKING:
    from core.training.progress import Amendment
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
        self.trainer: Trainer | None = None
        self.pulse = Pulse(self.pump.put, self._beat)

    def work(self) -> int:
        """Train to the end of the run or of this session; returns the exit status."""
        try:
            self._clear_up()
            return self._train()
        except Interrupted:
            self.pump.put(RunStopped(reason=f"signal {self.listener.signal}", signal=self.listener.signal))
            return 128 + self.listener.signal
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
        self.pump.put(PhaseStarted(phase="start", label="loading torch"))
        from core.training import setup as setups

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
        from core.training.progress import Progress
        from core.training.saver import Saver
        from core.training.trainer import Trainer

        progress, opening, again = Progress(), list[Event](), tuple["Amendment", ...]()
        try:
            folder, aside, saved = self._restore(setup)
        except FileNotFoundError:
            if journal.find(self.run.journal, RunStarted):
                opening.append(MessageLogged(level="warning", text="ended before its first checkpoint; begins again"))
            opening.append(RunStarted(**about(setup, run_file.name, progress)))
        else:
            progress = saved.progress
            opening += [MessageLogged(level="warning", text=text) for text in aside]
            opening.append(self._resumed(setup, run_file, folder, saved))
            again = changes_not_in(progress, self.run)
        saver = Saver(self.run, setup.recipe, setup.world, setup.metadata(), self.pump.sync)
        trainer = Trainer(setup, progress, self.listener, saver, again)
        opening += self._extension(trainer)
        return trainer, opening

    def _restore(self, setup: Setup) -> tuple[Path, list[str], SavedState]:
        from core.training import snapshot

        states: list[SavedState] = []

        def accept(_: Path, __: checkpoint.Manifest, files: dict[str, bytes]) -> None:
            saved = snapshot.read_state(files)
            refuse_change(saved.world, setup.world, self.options.allow_change)
            states.append(snapshot.restore(files, setup.network, setup.optimizer))

        folder, aside = checkpoint.newest_good(self.run.checkpoints, accept)
        return folder, aside, states[-1]

    def _resumed(self, setup: Setup, run_file: RunFile, folder: Path, saved: SavedState) -> RunResumed:
        notes = [
            f"{field} was {getattr(saved.world, field)}, is {getattr(setup.world, field)}"
            for field in saved.world.__struct_fields__
            if getattr(saved.world, field) != getattr(setup.world, field)
        ]
        if not setup.recipe.deterministic:
            notes.append("deterministic is off")
        return RunResumed(
            **about(setup, run_file.name, saved.progress), step=saved.progress.step, epoch=saved.progress.validated + 1,
            checkpoint=folder.name, bit_exact=not notes, note="; ".join(notes),
        )  # fmt: skip

    def _extension(self, trainer: Trainer) -> Iterator[Event]:
        from core.training.steering import extend

        epochs = self.options.epochs
        if epochs is not None and epochs > trainer.progress.validated and epochs != trainer.epochs:
            yield from extend(trainer, epochs)

    # What goes on meanwhile

    def _say(self, event: Event) -> None:
        self.pump.put(event)
        if isinstance(event, (CommandAccepted, CommandRejected)):
            self.pump.sync()
            self.listener.answered(event.id)

    def _progress(self, phase: str, done: int, total: int, unit: str) -> None:
        self._check_signal()
        if done == 0:
            self.pump.put(PhaseStarted(phase=phase, total=total, unit=unit))
        elif done >= total:
            self.pump.put(PhaseEnded(phase=phase))
        else:
            self.pump.put(PhaseProgressed(phase=phase, done=done, total=total))

    def _check_signal(self) -> None:
        if self.listener.signal:
            raise Interrupted

    def _beat(self) -> tuple[int, float]:
        if self.trainer is None:
            return 0, 0.0
        return self.trainer.progress.step, time.monotonic() - self.trainer.steps.started

    # Beginning and end

    def _clear_up(self) -> None:
        checkpoint.sweep(self.run.checkpoints)
        answers = journal.find(self.run.journal, CommandAccepted, CommandRejected)
        known = [answer.id for answer in answers if isinstance(answer, (CommandAccepted, CommandRejected))]
        self.listener.refuse_all("sent before this session", known)

    def _fail(self, kind: str, reason: str, status: int) -> int:
        print(f"{kind}: {reason}", file=sys.stderr)  # noqa: T201 - the worker's own log
        step = self.trainer.progress.step if self.trainer else 0
        epoch = self.trainer.epoch if self.trainer else 0
        if self.trainer:
            self.trainer.saver.finish()
        last = checkpoint.pointed(self.run.checkpoints, "last")
        weights = f"checkpoints/{last.checkpoint}/{checkpoint.WEIGHTS}" if last else ""
        if not self.pump.failure:
            self.pump.put(RunFailed(step=step, epoch=epoch, kind=kind, reason=reason, weights=weights))
        return status

    def _close(self) -> None:
        self.pulse.close()
        if self.trainer:
            self.trainer.saver.close()
        if not self.pump.failure:
            self.listener.refuse_all("the session has ended")
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
                tie_to_parent()
            return session.work()
    except UserError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the worker's own log
        return 2
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)  # noqa: T201 - the worker's own log
        return 3


if __name__ == "__main__":
    sys.exit(main())
