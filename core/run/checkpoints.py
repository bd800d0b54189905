"""A run's checkpoints as people speak of them: by name."""

from __future__ import annotations

import re
from pathlib import Path

from core import checkpoint
from core.checkpoint import WEIGHTS, Damaged
from core.errors import UserError
from core.files import read_plain, write_whole
from core.run.folder import RunFolder
from core.run.line import LEFT


def find(run: RunFolder, which: str) -> Path:
    """See :func:`choose`; also one that a run was taken back behind, by the name it was saved under."""
    try:
        return choose(run.checkpoints, which)
    except UserError as error:
        left = [folder for folder in sorted(run.checkpoints.glob(f"{LEFT}step-*")) if _name_of(folder) == which]
        if left:
            return left[-1]
        raise UserError(f"run '{run.name}' has {error}") from None


def choose(folder: Path, which: str) -> Path:
    """The checkpoint in a folder of them by ``best``, ``last``, ``step-N`` (as listed, or with the bare number) or the name it
    was saved under."""
    found = checkpoint.listing(folder)
    if not found:
        raise UserError(f"no checkpoint in {folder}")
    if which == "last":
        return found[-1]
    if which == "best":
        best = checkpoint.pointed(folder, "best")
        return folder / best.checkpoint if best else found[-1]
    number = re.fullmatch(r"step-(\d{1,12})", which)
    for place in reversed(found):
        if which == place.name or (number and checkpoint.position(place.name)[0] == int(number[1])):
            return place
        if _name_of(place) == which:
            return place
    names = ", ".join([*(entry.name for entry in found[-5:]), *filter(None, map(_name_of, found))])
    raise UserError(f"no checkpoint '{which}'; expected best, last or one of {names}")


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
