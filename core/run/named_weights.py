"""Which weights a person means by RUN or FILE, and whether their network is code that may be run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from core.errors import UserError
from core.run.folder import find, runs_folder


class Code(NamedTuple):
    """Of the user's own, which a run of theirs runs: its name as a model, and the folder where it lies."""

    model: str
    code: Path


def model_of(named: str | None, known: Code | None) -> dict[str, Any]:
    """What :func:`core.evaluate` is told of the code that is the model: what the user names, else what they had named for the
    run."""
    return {"model": named} if named or known is None else known._asdict()


class Named(NamedTuple):
    """What RUN|FILE means: a weights file, the code that the run may run, and what they are called: as the run, or as the
    file."""

    weights: Path
    code: Code | None
    name: str


def weights_of(target: str, checkpoint: str, runs: Path | None) -> Named:
    """Raises UserError where it means none."""
    path = Path(target)
    if path.exists() and not path.is_dir():
        return Named(path, None, path.stem)
    if target.endswith(".safetensors"):
        raise UserError(f"{target}: no such file; expected a run or a model.safetensors of one")
    from core.run.checkpoints import weights_file
    from core.run.code import permitted

    run = find(target, runs_folder(runs))
    folder = permitted(run)
    code = Code(run.read().recipe["model"]["name"], folder) if folder else None
    return Named(weights_file(run, checkpoint), code, run.path.absolute().name)
