"""What one session with a run is asked for, beside the run itself."""

from __future__ import annotations

import msgspec

from core.recipe import Recipe, from_table
from core.run.folder import RunFile, RunFolder


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What this session was asked for, beside the run itself."""

    epochs: int | None = None
    checkpoint: str | None = None
    """Where to begin, if not at the newest checkpoint."""
    allow_change: tuple[str, ...] = ()
    device: str | None = None
    threads: int | None = None
    notify: str | None = None
    """A command to be run at the end of this session."""
    tied: bool = False


def recipe_of(run: RunFolder, run_file: RunFile, options: Options) -> Recipe:
    """As this session trains it."""
    recipe = from_table(run_file.recipe, str(run.run_file))
    return msgspec.structs.replace(recipe, device=options.device) if options.device else recipe
