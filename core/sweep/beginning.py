"""From what a person asked for to a sweep's description, all of it checked before anything starts."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from core import recipe as recipes
from core.errors import UserError
from core.models import is_code
from core.recipe import Recipe
from core.run import session
from core.sweep import study
from core.sweep.folder import (
    SUFFIX,
    Pruner,
    Sampler,
    SweepFile,
    SweepFolder,
    busy,
    check_sweep_name,
    free_sweep_name,
    list_sweeps,
    reference,
    trial_name,
)
from core.sweep.space import Space, checked
from core.sweep.trials import ended

METRICS = ("val.accuracy", "val.balanced_accuracy", "val.loss")
TRIALS = 20
"""Where nobody says how many."""


class Wish(NamedTuple):
    """``base`` is what all trials have in common."""

    base: Recipe
    space: Space
    metric: str = ""
    """Empty for what the recipe watches."""
    trials: int | None = None
    sampler: Sampler = "tpe"
    prune: Pruner = "median"
    threads: int | None = None


def described(wish: Wish) -> SweepFile:
    """Without a name yet. Raises UserError, in one line, for whatever would make a trial fail that can be seen before."""
    study.check_installed()
    if is_code(wish.base.model):
        raise UserError(
            f"recipe '{wish.base.name}': a sweep takes no code of your own ({wish.base.model['name']}); train it by itself"
        )
    check_held_out(wish.base)
    space = checked(wish.base, wish.space)
    metric = check_metric(wish.metric or wish.base.monitor)
    trials = wish.trials or TRIALS
    if wish.sampler == "grid":
        size = study.grid_size(space)
        trials = min(wish.trials or size, size)
    session.check(wish.base, wish.threads)
    _check_models(wish.base, space)
    return SweepFile(
        recipe=recipes.to_table(wish.base), space=space, metric=metric, seed=wish.base.seed, sampler=wish.sampler,
        prune=wish.prune, threads=wish.threads, trials=trials,
    )  # fmt: skip


def check_metric(metric: str) -> str:
    if metric not in METRICS:
        why = ": no sweep may choose by the test split" if metric.startswith("test.") else ""
        raise UserError(f"--metric {metric!r}: expected {' or '.join(METRICS)}{why}")
    return metric


def check_held_out(base: Recipe) -> None:
    """Raises UserError unless each epoch is measured on images that no trial is trained on and that are not the test split."""
    needed = [] if base.data.validation else ["--set data.validation=0.1"]
    if base.early_stopping.split == "test" and (base.watches or needed):
        needed.append("--set early_stopping.split=validation")
    if needed:
        watches = "watches the test split" if base.monitor.startswith("test.") else "holds no images out"
        raise UserError(
            f"recipe '{base.name}' {watches}, and a sweep chooses by held-out images alone; give it some: {' '.join(needed)}"
        )


def _check_models(base: Recipe, space: Space) -> None:
    """A model's keys are known by its own file only, which a child process loads; what is known already is not asked again."""
    for key in (key for key in space if key == "model" or key.startswith("model.")):
        for text in space[key].ends():
            try:
                session.check(recipes.changed(base, [f"{key}={text}"]))
            except UserError as error:
                raise UserError(f"--set {key}={text}: {error}") from None


def begun(file: SweepFile, name: str | None, runs: Path) -> tuple[SweepFolder, SweepFile]:
    """A new sweep's folder; or the one that the same call has begun before and that is not through. Raises UserError."""
    if name is not None:
        folder = SweepFolder(runs / f"{check_sweep_name(name)}{SUFFIX}")
        if folder.exists():
            return folder, _gone_on(folder, file)
    elif unfinished := [sweep for sweep in list_sweeps(runs) if _is_rest_of(sweep, file)]:
        return unfinished[0], unfinished[0].read()
    chosen = name or free_sweep_name(base_name(file), runs)
    if (runs / trial_name(chosen, 1)).exists():
        raise UserError(f"--name {chosen}: there is a run {trial_name(chosen, 1)} already; choose another name")
    named = replace(file, name=chosen, created=time.time())
    folder = SweepFolder(runs / f"{chosen}{SUFFIX}")
    folder.create(named)
    return folder, named


def resumed(folder: SweepFolder, trials: int | None) -> SweepFile:
    """Its description, with as many trials as are wanted now. Raises UserError."""
    study.check_installed()
    file = folder.read()
    return _with_trials(folder, file, trials) if trials else file


def _gone_on(folder: SweepFolder, wanted: SweepFile) -> SweepFile:
    known = folder.read()
    if differs := differences(known, wanted):
        raise UserError(
            f"sweep '{folder.name}' is there already and is another one ({'; '.join(differs)}); choose another --name, "
            f"or go on with it: tui-trainer sweep --resume {reference(folder)}"
        )
    return _with_trials(folder, known, wanted.trials)


def _with_trials(folder: SweepFolder, file: SweepFile, trials: int) -> SweepFile:
    if file.sampler == "grid":
        trials = min(trials, study.grid_size(file.space))
    if trials != file.trials:
        if folder.alive():
            raise busy(folder)
        file = replace(file, trials=trials)
        try:
            folder.write(file)
        except OSError as error:
            raise UserError(f"{folder.file}: cannot be written: {error.strerror}") from None
    return file


def _is_rest_of(folder: SweepFolder, wanted: SweepFile) -> bool:
    try:
        known = folder.read()
    except UserError:
        return False
    same = not differences(known, wanted) and known.trials == wanted.trials
    return same and not folder.alive() and ended(folder.read_board().trials) < known.trials


def differences(known: SweepFile, wanted: SweepFile) -> list[str]:
    """In words; the number of trials may differ."""
    found = [
        f"{name} {getattr(known, name)}, not {getattr(wanted, name)}"
        for name in ("metric", "seed", "sampler", "prune", "threads")
        if getattr(known, name) != getattr(wanted, name)
    ]
    keys = {**known.space, **wanted.space}
    found += [
        f"{key} {_words(known.space, key)}, not {_words(wanted.space, key)}"
        for key in keys
        if known.space.get(key) != wanted.space.get(key)
    ]
    same = recipes.from_table(known.recipe) == recipes.from_table(wanted.recipe)
    return found if found or same else ["another recipe"]


def _words(space: Space, key: str) -> str:
    return str(space.get(key, "not searched"))


def base_name(file: SweepFile) -> str:
    return str(file.recipe.get("name", "recipe"))
