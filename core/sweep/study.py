"""Optuna's part: which values a trial gets, whether it is worth going on with, which keys matter. Nothing else imports it.

What is proposed is a pure function of the sweep's seed, the trial's number, and what the trials before it came to: each trial
has a sampler of its own, so that a sweep that was interrupted proposes what it would have proposed anyway.
"""

from __future__ import annotations

import hashlib
import math
import sqlite3
import statistics
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from core.errors import UserError
from core.files import create
from core.sweep.folder import SweepFile, SweepFolder, trial_name
from core.sweep.space import Choice, Dimension, Range, Space, Value
from core.sweep.trials import FEWEST, State, Trial
from core.view.words import format_metric, lower_is_better

MISSING = "a sweep needs Optuna, which is not installed; install it with: pip install 'tui-trainer[sweep]'"
STARTUP = 5
"""Trials that have to be done before the median of others ends one."""
LARGEST_GRID = 100_000


def check_installed() -> None:
    """Raises UserError in one line where it is not."""
    _optuna()


def _optuna() -> Any:
    try:
        import optuna
        import sqlalchemy.exc  # noqa: F401  # what optuna's storage stands on
    except ImportError:
        raise UserError(MISSING) from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def grid_size(space: Space) -> int:
    """How many trials a grid has. Raises UserError where it is endless."""
    for key, dimension in space.items():
        if not dimension.size:
            raise UserError(
                f"--sampler grid: {key} goes from {dimension} without steps; give it some, as in 0.1..0.5/0.1, or a choice"
            )
    size = math.prod(dimension.size for dimension in space.values())
    if size > LARGEST_GRID:
        raise UserError(f"--sampler grid: {size:,} trials, where at most {LARGEST_GRID:,} were expected; take larger steps")
    return size


class Study:
    """One sweep's, in its ``study.db``. Everything raises UserError where that file does not do its part."""

    def __init__(self, folder: SweepFolder, file: SweepFile, epochs: int) -> None:
        self._file, self._optuna = file, _optuna()
        self._where, self._epochs = folder.database, epochs
        with suppress(FileExistsError):
            create(folder.database).close()  # for its owner alone
        with self._told():
            storage = self._optuna.storages.RDBStorage("sqlite://", engine_kwargs={"creator": self._connected})
            self._study = self._optuna.create_study(
                storage=storage, study_name=file.name, load_if_exists=True, pruner=self._pruner(),
                direction="minimize" if lower_is_better(file.metric) else "maximize",
            )  # fmt: skip

    def _connected(self) -> sqlite3.Connection:
        """Not by an address, in which some characters of a path would mean something."""
        return sqlite3.connect(self._where, timeout=10.0)

    @contextmanager
    def _told(self) -> Iterator[None]:
        from sqlalchemy.exc import SQLAlchemyError

        errors = (self._optuna.exceptions.OptunaError, SQLAlchemyError, sqlite3.Error)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        except errors as error:
            why = (str(error.__cause__ or error).splitlines() or [type(error).__name__])[0]
            raise UserError(f"{self._where}: the study cannot be read or written: {why}") from None

    # What is tried

    def propose(self) -> Trial:
        """The next trial, with its values, under way from here on."""
        with self._told():
            waiting = self._trials("WAITING")
            number = waiting[0].number if waiting else len(self._study.get_trials(deepcopy=False))
            self._study.sampler = self._sampler(number)
            if self._file.sampler == "grid" and not waiting:
                self._study.enqueue_trial(self._grid_point(number))
            return self._valued(self._study.ask())

    def under_way(self) -> list[Trial]:
        """Those that a sweep left, in its day, before they were through."""
        with self._told():
            return [self._valued(self._again(item)) for item in self._trials("RUNNING")]

    def _again(self, frozen: Any) -> Any:
        self._study.sampler = self._sampler(frozen.number)
        return self._optuna.trial.Trial(self._study, frozen._trial_id)

    def _valued(self, trial: Any) -> Trial:
        """What it has got already is kept; a sweep may have been killed in the midst of this."""
        for key, dimension in self._file.space.items():
            _suggested(trial, key, dimension)
        return self._trial(self._study.get_trials(deepcopy=False)[trial.number])

    def _grid_point(self, place: int) -> dict[str, Value]:
        """The last key changes from trial to trial, the first one seldom."""
        found = dict[str, Value]()
        for key, dimension in reversed(self._file.space.items()):
            place, digit = divmod(place, dimension.size)
            found[key] = dimension.point(digit)
        return found

    def _sampler(self, number: int) -> Any:
        digest = hashlib.sha256(f"{self._file.seed}/{number}".encode()).digest()
        seed, samplers = int.from_bytes(digest[:4]), self._optuna.samplers
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return samplers.TPESampler(seed=seed) if self._file.sampler == "tpe" else samplers.RandomSampler(seed=seed)

    def _pruner(self) -> Any:
        pruners = self._optuna.pruners
        if self._file.prune == "median":
            first = 1 + max(1, self._epochs // 10)  # what the earliest epochs give says little
            return pruners.MedianPruner(n_startup_trials=STARTUP, n_warmup_steps=first)
        if self._file.prune == "hyperband":
            return pruners.HyperbandPruner(min_resource=1, max_resource=max(self._epochs, 1), reduction_factor=3)
        return pruners.NopPruner()

    # What becomes of it

    def report(self, trial: Trial, epoch: int, value: float) -> str:
        """What a trial's held-out images gave after an epoch; why it is not worth going on with, empty when it is."""
        with self._told():
            live = self._again(self._frozen(trial))
            if math.isfinite(value) and epoch not in self._frozen(trial).intermediate_values:
                live.report(value, epoch)
            return self._why(epoch, value) if epoch < trial.epochs and live.should_prune() else ""

    def _why(self, epoch: int, value: float) -> str:
        metric, others = self._file.metric, list[float]()
        for item in self._trials("COMPLETE"):
            others += [found for place, found in item.intermediate_values.items() if place == epoch]
        held = f"{metric} {format_metric(metric, value)} at epoch {epoch}"
        if not others:
            return f"{held} is not among the best there"
        return f"{held}, where the median of the others is {format_metric(metric, statistics.median(others))}"

    def end(self, trial: Trial, state: State, value: float | None = None, note: str = "", seconds: float = 0.0) -> Trial:
        """It is over: ``finished`` with a value, ``pruned`` or ``failed``."""
        states = self._optuna.trial.TrialState
        with self._told():
            live = self._again(self._frozen(trial))
            for name, told in (("note", note), ("seconds", seconds), ("best_epoch", trial.best_epoch)):
                live.set_user_attr(name, told)
            if state == "finished":
                self._study.tell(live, value)
            else:
                self._study.tell(live, state=states.PRUNED if state == "pruned" else states.FAIL)
            return self._trial(self._frozen(trial))

    def trained(self, trial: Trial, seconds: float) -> None:
        """How long until now, of one that goes on another time."""
        with self._told():
            self._again(self._frozen(trial)).set_user_attr("seconds", seconds)

    def importances(self) -> dict[str, float]:
        """How much of what makes a trial good is owed to each key, together 1; empty while that cannot be told."""
        keys = list(self._file.space)
        with self._told():
            finished = len(self._trials("COMPLETE"))
            if len(keys) < 2 or finished < FEWEST:
                return {}
            evaluator = _evaluator(self._optuna.importance.PedAnovaImportanceEvaluator, min(max(5 / finished, 0.1), 0.5))
            found = self._optuna.importance.get_param_importances(self._study, evaluator=evaluator, params=keys)
            return {key: float(share) for key, share in found.items() if math.isfinite(share)}

    # How it stands

    def trials(self) -> tuple[Trial, ...]:
        with self._told():
            return tuple(self._trial(item) for item in self._study.get_trials(deepcopy=False) if item.state.name != "WAITING")

    def _trials(self, state: str) -> list[Any]:
        wanted = getattr(self._optuna.trial.TrialState, state)
        found: list[Any] = self._study.get_trials(deepcopy=False, states=(wanted,))
        return found

    def _frozen(self, trial: Trial) -> Any:
        return self._study.get_trials(deepcopy=False)[trial.number - 1]

    def _trial(self, frozen: Any) -> Trial:
        state, told = STATES[frozen.state.name], frozen.user_attrs
        last = frozen.last_step or 0
        values = {key: frozen.params[key] for key in self._file.space if key in frozen.params}
        value = frozen.value if state in ("finished", "pruned") else frozen.intermediate_values.get(last)
        return Trial(
            number=frozen.number + 1, run=trial_name(self._file.name, frozen.number + 1), state=state,
            values=values, value=value if value is None or math.isfinite(value) else None, epoch=last,
            epochs=int(values.get("epochs", self._epochs)),
            best_epoch=int(told.get("best_epoch", 0)), seconds=float(told.get("seconds", 0.0)), note=str(told.get("note", "")),
        )  # fmt: skip


STATES: dict[str, State] = {"RUNNING": "running", "COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "failed"}


def _evaluator(kind: Any, share: float) -> Any:
    """What sets the best ``share`` of all trials apart. Of few trials a tenth would be one or two."""
    try:
        return kind(target_quantile=share)
    except TypeError:  # as Optuna called it before 4.7
        return kind(baseline_quantile=share)


def _suggested(trial: Any, key: str, dimension: Dimension) -> None:
    match dimension:
        case Choice(values):
            trial.suggest_categorical(key, values)
        case Range(whole=True):
            low, high, step = int(dimension.low), int(dimension.high), int(dimension.step or 1)
            trial.suggest_int(key, low, high, step=step, log=dimension.log)
        case Range():
            trial.suggest_float(key, dimension.low, dimension.high, step=dimension.step or None, log=dimension.log)
