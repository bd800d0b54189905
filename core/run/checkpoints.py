"""A run's checkpoints as people speak of them: by name."""

from __future__ import annotations

import re
from pathlib import Path

from core import checkpoint
from core.checkpoint import WEIGHTS, Damaged
from core.errors import UserError
from core.files import read_plain
from core.run.folder import RunFolder, write_whole


def find(run: RunFolder, which: str) -> Path:
    """A checkpoint by ``best``, ``last``, ``step-N`` (as listed, or with the bare number) or the name it was saved under."""
    found = checkpoint.listing(run.checkpoints)
    if not found:
        raise UserError(f"run '{run.name}' has no checkpoint in {run.checkpoints}")
    if which == "last":
        return found[-1]
    if which == "best":
        best = checkpoint.pointed(run.checkpoints, "best")
        return run.checkpoints / best.checkpoint if best else found[-1]
    number = re.fullmatch(r"step-(\d{1,12})", which)
    for folder in reversed(found):
        if which == folder.name or (number and checkpoint.position(folder.name)[0] == int(number[1])):
            return folder
        if _name_of(folder) == which:
            return folder
    names = ", ".join([*(entry.name for entry in found[-5:]), *filter(None, map(_name_of, found))])
    raise UserError(f"run '{run.name}' has no checkpoint '{which}'; expected best, last or one of {names}")


def weights_file(run: RunFolder, which: str) -> Path:
    """The weights of a checkpoint, once they match its manifest; raises UserError."""
    folder = find(run, which)
    try:
        manifest, _ = checkpoint.read(folder, only=WEIGHTS)
        checkpoint.check_run(manifest, run.read().id)
    except Damaged as error:
        raise UserError(f"{folder}: damaged ({error}); try another one with --checkpoint") from None
    return folder / WEIGHTS


def export(run: RunFolder, which: str, folder: Path) -> Path:
    """Copy the weights of a checkpoint, once they match its manifest, into a folder, under a name that is free there; returns
    the copy. Raises UserError."""
    weights = weights_file(run, which)
    stem, number = f"{run.name}-{weights.parent.name}", 1
    while (target := folder / f"{stem}{'' if number == 1 else f'-{number}'}.safetensors").exists():
        number += 1
    try:
        write_whole(target, read_plain(weights, checkpoint.LARGEST))
    except OSError as error:
        raise UserError(f"{target}: cannot be written: {error.strerror}") from None
    return target


def _name_of(folder: Path) -> str:
    try:
        return checkpoint.read_manifest(folder).name
    except Damaged:
        return ""
