"""What a worker must know before it goes on with a run: what was said, what has changed, whether there is anything left."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import msgspec

from core.errors import UserError
from core.events import RunFinished, RunResumed, SettingChanged
from core.run import journal
from core.run.folder import RunFolder

if TYPE_CHECKING:
    from core.training.progress import Amendment, Progress
    from core.training.setup import Setup
    from core.training.snapshot import World


def about(setup: Setup, name: str, progress: Progress) -> dict[str, Any]:
    """The fields that RunStarted and RunResumed share."""
    from core.training.progress import epochs

    return {
        "name": name,
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
        "monitor": setup.recipe.early_stopping.monitor,
        "device": setup.world.device,
        "precision": setup.precision,
        "threads": setup.threads,
        "deterministic": setup.recipe.deterministic,
        "process": os.getpid(),
    }


def refuse_change(was: World, now: World, allowed: bool) -> None:
    """Raises UserError when the recipe or the data are not those that the checkpoint was trained with."""
    changed = {"recipe": was.recipe_hash != now.recipe_hash, "data": was.data_fingerprint != now.data_fingerprint}
    names = [name for name, differs in changed.items() if differs]
    if names and not allowed:
        raise UserError(
            f"the {' and the '.join(names)} changed since the checkpoint; resume with --allow-change to go on all the same"
        )


def changes_not_in(progress: Progress, run: RunFolder) -> tuple[Amendment, ...]:
    """Live changes that the journal knows of and the checkpoint does not, since they came after it."""
    from core.training.progress import Amendment

    known = list(progress.amendments)
    later = []
    for event in journal.find(run.journal, SettingChanged):
        if not isinstance(event, SettingChanged) or event.again:
            continue
        amendment = msgspec.convert({"step": event.step, "key": event.key, "value": event.value}, Amendment)
        if amendment in known:
            known.remove(amendment)
        else:
            later.append(amendment)
    return tuple(sorted(later, key=lambda amendment: amendment.step))


def finished(run: RunFolder) -> RunFinished | None:
    """The run's RunFinished, unless it was resumed since."""
    ends = journal.find(run.journal, RunFinished, RunResumed)
    return ends[-1] if ends and isinstance(ends[-1], RunFinished) else None
