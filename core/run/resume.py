"""What a worker must know before it goes on with a run: what was said, what has changed, whether there is anything left."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from core import checkpoint as checkpoints
from core.checkpoint import Best
from core.errors import UserError
from core.events import RunResumed, RunRewound, RunStarted, SettingChanged, to_number
from core.recipe import Recipe
from core.run import journal
from core.run.folder import RunFile, RunFolder, reference
from core.training.progress import Amendment, Progress, epochs

if TYPE_CHECKING:
    from core.training.setup import Setup
    from core.training.snapshot import SavedState, World

CHANGES = ("recipe", "data", "weights", "world_size")
"""What --allow-change takes. The rule: a resume refuses these unless they are allowed, since they say what the run is; all
else in :class:`World`, which says how it is computed, is only warned of, in RunResumed. Whatever has changed, a checkpoint that
does not fit is refused."""


def about(setup: Setup, run: RunFile, progress: Progress) -> dict[str, Any]:
    """The fields that RunStarted and RunResumed share."""
    return {
        "run": run.id,
        "name": run.name,
        "recipe": setup.recipe.name,
        "data": setup.data,
        "classes": setup.classes,
        "model": str(setup.recipe.model.get("name", "")),
        "parameters": setup.parameters,
        "macs": setup.macs,
        "train_images": len(setup.train),
        "validation_images": len(setup.validation),
        "test_images": len(setup.test),
        "batch_size": setup.recipe.batch_size,
        "epochs": epochs(setup.recipe, progress.amendments),
        "steps_per_epoch": setup.steps_per_epoch,
        "monitor": setup.recipe.monitor,
        "device": setup.world.device,
        "precision": setup.precision,
        "threads": setup.threads,
        "deterministic": setup.recipe.deterministic,
        "process": os.getpid(),
        "processes": setup.world.processes,
        "hosts": setup.ranks.hosts if setup.ranks else (),
    }


def resumed(setup: Setup, run: RunFile, checkpoint: str, saved: SavedState) -> RunResumed:
    """What a session says that begins at a checkpoint."""
    fields = [field for field in saved.world.__struct_fields__ if getattr(saved.world, field) and field != "weights"]
    notes = [
        f"{field} was {getattr(saved.world, field)}, is {getattr(setup.world, field)}"
        for field in fields
        if getattr(saved.world, field) != getattr(setup.world, field)
    ]
    if not setup.recipe.deterministic:
        notes.append("deterministic is off")
    progress = saved.progress
    over = progress.watch.stopped or progress.validated >= epochs(setup.recipe, progress.amendments)
    return RunResumed(
        **about(setup, run, progress), step=progress.step, epoch=progress.validated + (0 if over else 1),
        checkpoint=checkpoint, bit_exact=not notes, note="; ".join(notes),
    )  # fmt: skip


def refuse_change(was: World, now: World, allowed: Collection[str]) -> str:
    """What of the recipe, the data and the weights that it began from is not as the checkpoint knew it, in words; raises
    UserError unless that is allowed. Those weights may be gone."""
    differs = {
        "recipe": was.recipe_hash != now.recipe_hash,
        "data": was.data_fingerprint != now.data_fingerprint,
        "weights": bool(now.weights) and was.weights != now.weights,
        "world_size": was.processes != now.processes,
    }
    changed = [name for name in CHANGES if differs[name]]
    words = {"world_size": f"number of processes ({was.processes} then, {now.processes} now)"}
    what = " and the ".join(words.get(name, name) for name in changed)
    if not set(changed) <= set(allowed):
        options = " ".join(f"--allow-change {name}" for name in changed)
        raise UserError(f"the {what} changed since the checkpoint; to go on all the same, resume with {options}")
    return what


def check_changes(allowed: Iterable[str]) -> None:
    """Raises UserError for what --allow-change cannot allow."""
    for name in allowed:
        if name not in CHANGES:
            raise UserError(f"--allow-change {name}: expected {' or '.join(CHANGES)}")


def check_length(progress: Progress, steps_per_epoch: int) -> None:
    """Raises UserError when an epoch has another number of steps than it had: the place in it would mean nothing."""
    if not progress.validated * steps_per_epoch <= progress.step <= (progress.validated + 1) * steps_per_epoch:
        raise UserError("an epoch has another number of steps than when the checkpoint was saved; begin a new run")


def repair_best(folder: Path, progress: Progress, recipe: Recipe) -> None:
    """Point ``best.json`` to the best epoch's checkpoint again, which a kill between the two writes leaves undone."""
    watch, best = progress.watch, checkpoints.pointed(folder, "best")
    if not watch.best_epoch or (best and checkpoints.position(best.checkpoint)[0] == watch.best_step):
        return
    same = [path for path in checkpoints.listing(folder) if checkpoints.position(path.name)[0] == watch.best_step]
    if same:
        checkpoints.point(folder, "best", Best(same[-1].name, recipe.early_stopping.monitor, to_number(watch.best)))


def changes_not_in(progress: Progress, run: RunFolder) -> tuple[Amendment, ...]:
    """Live changes that the journal knows of and the checkpoint does not, since they came after it.

    A change overrules what was still to come under its key, a rewind drops what came after its checkpoint, and a run that began
    again has none.
    """
    made = list[Amendment]()
    for event in journal.find(run.journal, SettingChanged, RunRewound, RunStarted):
        match event:
            case RunStarted():
                made = []
            case RunRewound():
                made = [item for item in made if item.place <= (event.step, event.validated)]
            case SettingChanged() if not event.again:
                for amendment in _amendments(event):
                    made = [item for item in made if item.key != amendment.key or item.place < amendment.place]
                    made.append(amendment)
    return tuple(sorted((item for item in made if item not in progress.amendments), key=lambda item: item.place))


def _amendments(event: SettingChanged) -> Iterator[Amendment]:
    """Without the settings that this version does not know."""
    place = {"step": event.step, "validated": event.validated, "attempt": event.attempt}
    for setting in event.settings:
        with suppress(msgspec.ValidationError):
            yield msgspec.convert({"key": setting.key, "value": setting.value, **place}, Amendment)


def check_journal(run: RunFolder) -> None:
    """Raises UserError when the journal is another run's."""
    if other := stranger(run):
        raise UserError(f"{run.journal}: is of {other}; set it aside with: tui-trainer repair {reference(run)}")


def stranger(run: RunFolder) -> str:
    """Which other run the journal is of, in words; empty when it is this one's, or does not tell."""
    described = run.read()
    for begun in journal.find(run.journal, RunStarted, RunResumed):
        if begun.name != described.name:
            return f"the run {begun.name!r}"
        if begun.run and described.id:
            return "" if begun.run == described.id else f"another run of the name {begun.name!r}"
    return ""
