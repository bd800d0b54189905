"""Commands about runs as folders: ``tag``, ``rename``, ``delete``. None of them touches a training."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from core.errors import UserError
from core.run import moving, tags
from core.run.folder import RunFolder, find, reference, runs_folder
from tui_trainer.cli import options
from tui_trainer.cli.say import say
from tui_trainer.escape import printable


def tag(
    run: options.Run,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORD|-WORD]...", help="Pin a word to the run, or take it off.", show_default=False),
    ] = None,
    runs: options.Runs = None,
) -> None:
    """Pin words to a run, or take them off with a '-' before; without any, print those that it has."""
    found = find(run, runs_folder(runs))
    kept = tags.read(found)
    if words:
        kept = tags.changed(kept, words)
        tags.write(found, kept)
    say(" ".join(kept) or f"{found.name} has no tags")


def rename(
    run: options.Run,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new one.", show_default=False)],
    runs: options.Runs = None,
) -> None:
    """Give a run another name, which its folder gets too."""
    before = _placed(find(run, runs_folder(runs)))
    after = moving.rename(before, name)
    say(f"{before.name} is now {after.name}")


def delete(
    run: options.Run,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    runs: options.Runs = None,
) -> None:
    """Remove a run for good, with its checkpoints and all else. Asks first."""
    found = _placed(find(run, runs_folder(runs)))
    if not yes:
        _ask(found)
    moving.remove(moving.delete(found))
    say(f"{found.name} is deleted")


def _ask(run: RunFolder) -> None:
    """Raises UserError where nobody can be asked, and typer's Abort for a no."""
    from core.run.size import folder_bytes
    from core.view.words import format_bytes

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UserError(f"delete {reference(run)}: removes it for good; say so with --yes where nobody can be asked")
    size = format_bytes(folder_bytes(run.path))
    typer.confirm(f"Delete {printable(run.name)}, {size} on disk, for good?", abort=True, err=True)


def _placed(run: RunFolder) -> RunFolder:
    """By the name of its folder, also where it was given as ``.``"""
    return run if run.name not in ("", "..") else RunFolder(Path(os.path.realpath(run.path)))
