"""A sweep under way: one trial after the other, each a run with a worker of its own, looked at from the outside."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

from msgspec.structs import replace

from core import recipe as recipes
from core.errors import UserError
from core.recipe import Recipe
from core.run import session, tags
from core.run.folder import RunFolder
from core.sweep.folder import SweepFile, SweepFolder
from core.sweep.space import overrides
from core.sweep.study import Study
from core.sweep.told import AnyTold, SweepEnded, SweepStarted, TrialEnded, TrialMeasured, TrialStarted
from core.sweep.trials import Board, State, Trial, best, ended
from core.sweep.watched import WatchedRun, Worker, signal_of

INTERVAL = 0.1
"""Seconds between two looks at a trial's run."""
IN_A_ROW = 3
"""Trials that may fail one after the other; what is wrong then is not what they try."""


class Conductor:
    """``go`` conducts the sweep of a folder, whose description says what is searched, until it is through, until ``leave`` is
    called, or for so many ``seconds``. What its trials came to is in the folder, so that it can go on at any time."""

    def __init__(self, folder: SweepFolder, file: SweepFile, seconds: float | None = None) -> None:
        self.folder, self.file, self._seconds = folder, file, seconds
        self._base = recipes.from_table(file.recipe, str(folder.file))
        self.signal = 0
        """Of the first ``leave``."""
        self._watched: WatchedRun | None = None
        self._asked = False
        self._why = ""
        """Why it ends before its last trial."""
        self._failures = 0
        self._importances = dict[str, float]()
        self._until: float | None = None
        """When its time is over (monotonic seconds)."""
        self._study: Study

    def leave(self, number: int) -> None:
        """The trial under way is stopped with a checkpoint, a second time at once. May be called by a signal's handler."""
        self.signal = self.signal or number
        self._ask(number)

    def _ask(self, number: int) -> None:
        if self._watched:
            self._asked = True
            self._watched.leave(number)

    def go(self) -> Iterator[AnyTold]:
        """Raises UserError, also when another process conducts it."""
        with self.folder.hold():
            self._study = Study(self.folder, self.file, self._base.epochs)
            self.folder.stop.unlink(missing_ok=True)  # of before
            self._until = time.monotonic() + self._seconds if self._seconds else None
            self._importances = self._study.importances()
            yield SweepStarted(sweep=self.file, done=ended(self._write()))
            for trial in self._study.under_way():
                if not self._over():
                    yield from self._trial(trial, resumed=True)
            while not self._over():
                yield from self._trial(self._study.propose(), resumed=False)
            yield self._ended()

    def _over(self) -> bool:
        if ended(self._study.trials()) >= self.file.trials:
            return True
        self._why = self._why or (f"signal {self.signal}" if self.signal else self._called_off())
        return bool(self._why)

    def _ended(self) -> SweepEnded:
        trials = self._write()
        failed = self._failures >= IN_A_ROW or not (self._why or best(trials, self.file.metric))
        return SweepEnded(
            best=best(trials, self.file.metric), trials=ended(trials), importances=self._importances,
            reason=self._why or ("no trial came to a result" if failed else ""), failed=failed, signal=self.signal,
        )  # fmt: skip

    # One trial

    def _trial(self, trial: Trial, resumed: bool) -> Iterator[AnyTold]:
        run = self.folder.run(trial.run)
        resumed = resumed and run.exists()
        yield TrialStarted(trial=trial, resumed=resumed)
        self._write()
        try:
            worker = None if run.alive() else self._launch(run, trial)
        except UserError as error:
            yield self._end(trial, "failed", note=str(error))
            return
        self._watch(run, worker)
        yield from self._follow(trial)

    def _launch(self, run: RunFolder, trial: Trial) -> Worker | None:
        """None where there is nothing left to be trained. Raises UserError."""
        if not run.exists():
            if trial.epoch:
                raise UserError(f"{run.path}: the run is gone, or has another name")
            session.create(self._recipe(trial), self.folder.runs, trial.run, self.file.threads)
        elif recipes.from_table(run.read().recipe) != self._recipe(trial):
            raise UserError(f"{run.path}: a run of another recipe lies there")
        tags.write(run, tags.changed(tags.read(run), [self.file.name]))
        known = WatchedRun(run, self.file.metric, None)
        while not known.look():
            time.sleep(INTERVAL)
        began = known.state.seq >= 0
        return None if began and known.verdict()[0] != "waits" else session.start(run, tied=True)

    def _recipe(self, trial: Trial) -> Recipe:
        return recipes.changed(self._base, overrides(self.file.space, trial.values))

    def _watch(self, run: RunFolder, worker: Worker | None) -> None:
        self._watched, self._asked = WatchedRun(run, self.file.metric, worker), False
        if self.signal:  # which came before there was anybody to tell
            self._ask(self.signal)

    def _follow(self, trial: Trial) -> Iterator[AnyTold]:
        watched = self._watched
        assert watched is not None
        over = False
        while not over:
            over = watched.look()
            for epoch, value in watched.measured(after=trial.epoch):
                why = self._study.report(trial, epoch, value)
                trial = replace(trial, epoch=epoch, value=value)
                yield TrialMeasured(number=trial.number, run=trial.run, epoch=epoch, epochs=trial.epochs, value=value)
                self._write()
                if why:
                    yield from self._prune(trial, why)
                    return
            if not over and self._heeded(watched):
                return
            if not over:
                time.sleep(INTERVAL)
        yield from self._judge(trial, watched)

    def _called_off(self) -> str:
        """What ends the sweep, beside a signal; empty for nothing."""
        if self.folder.stop.exists():
            return "asked to stop"
        return "its time is over" if self._until and time.monotonic() >= self._until else ""

    def _heeded(self, watched: WatchedRun) -> bool:
        """Whether the trial goes on without the sweep, which has to end: somebody else trains it."""
        if not self._asked and self._called_off():
            self._ask(signal.SIGTERM)
        return self._asked and watched.worker is None

    def _prune(self, trial: Trial, why: str) -> Iterator[AnyTold]:
        """Settled first, and then told: who is killed in between has not forgotten it."""
        watched = self._watched
        assert watched is not None
        yield self._end(trial, "pruned", note=why, seconds=watched.seconds)
        watched.stop(f"pruned by the sweep {self.file.name} ({self.file.prune}): {why}")
        while not watched.look() and not self._heeded(watched):
            time.sleep(INTERVAL)
        self._watched = None

    def _judge(self, trial: Trial, watched: WatchedRun) -> Iterator[AnyTold]:
        self._watched = None
        verdict, why = watched.verdict()
        if verdict == "finished" and (result := watched.result(self._recipe(trial).evaluation.weights == "best")):
            trial = replace(trial, best_epoch=result[0])
            yield self._end(trial, "finished", result[1], seconds=watched.seconds)
        elif verdict == "finished":
            why = f"its {self.file.metric} is not a finite number" if trial.epoch else f"it has told no {self.file.metric}"
            yield self._end(trial, "failed", note=why, seconds=watched.seconds)
        elif verdict == "left" and trial.epoch:
            yield self._end(trial, "pruned", note=why, seconds=watched.seconds)
        elif verdict == "waits" and watched.worker is None and not self._asked:
            yield from self._trial(trial, resumed=True)  # by a worker of our own
        elif verdict == "waits" and (self._asked or signal_of(watched.run)):
            self.signal = self.signal or (0 if self._asked else signal_of(watched.run))
            self._study.trained(trial, watched.seconds)
        else:
            yield self._end(trial, "failed", note=why, seconds=watched.seconds)

    def _end(self, trial: Trial, state: State, value: float | None = None, note: str = "", seconds: float = 0.0) -> TrialEnded:
        done = self._study.end(trial, state, value, note, seconds)
        self._failures = self._failures + 1 if state == "failed" else 0
        if self._failures >= IN_A_ROW:
            self._why = f"{IN_A_ROW} trials in a row failed, the last one: {note}"
        if state == "finished":
            self._importances = self._study.importances()
        trials = self._write()
        return TrialEnded(trial=done, best=best(trials, self.file.metric) == done)

    def _write(self) -> tuple[Trial, ...]:
        """For whoever looks on."""
        watched = self._watched
        trials = tuple(
            replace(trial, seconds=watched.seconds) if watched and trial.run == watched.run.name and not trial.ended else trial
            for trial in self._study.trials()
        )
        self.folder.write_board(Board(trials=trials, importances=self._importances, note=self._why))
        return trials
