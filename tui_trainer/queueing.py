"""Adding to a queue, from wherever: its runs are begun by a process of its own, which is started where there is none."""

from __future__ import annotations

from pathlib import Path

from core import recipe as recipes
from core.queue import changing
from core.queue.entries import Entry
from core.queue.folder import QueueFolder
from tui_trainer import background, recipe_keys
from tui_trainer.draft import AS_IN, Draft


def ensure_runner(queue: QueueFolder) -> bool:
    """Whether it had to be started. Raises UserError where it could not be."""
    if queue.conducted:  # it looks at the queue once more, and under its lock, before it ends
        return False
    words = ["queue", "run", f"--runs={queue.runs.absolute()}"]
    background.begin(words, queue.log, lambda: queue.conducted, "the process that runs the queue")
    return True


def enqueue(runs: Path, draft: Draft) -> Entry:
    """What was typed into the form, at the end of the queue. Raises UserError."""
    recipe = draft.build()
    known = recipes.load(recipe.name) if recipe.name in recipes.names() else recipe
    changes = (f"{key}={value}" for key, value in (recipe_keys.differences(known, recipe) or {}).items())
    asked = draft.own_name if draft.recipe == AS_IN else draft.recipe
    wish = changing.Wish(recipe, name=draft.name, asked=asked, changes=tuple(changes), code=draft.code)
    (entry,) = changing.add(QueueFolder(runs), wish)
    return entry
