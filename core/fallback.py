"""Which checkpoint a run goes on from when later ones are bad."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core import checkpoint
from core.checkpoint import Best, Damaged, Manifest, Unreadable
from core.errors import UserError


def newest_good(
    folder: Path, accept: Callable[[Path, Manifest, dict[str, bytes]], None] = lambda *_: None
) -> tuple[Path, list[str]]:
    """The newest checkpoint that is whole and that ``accept`` does not refuse with :class:`Damaged`.

    Later ones are set aside; also returned is what was, in words. Raises UserError, and leaves all as it is, when there are
    checkpoints and none is good, or one cannot be looked at; and FileNotFoundError when there has never been one.
    """
    bad: list[tuple[Path, Damaged]] = []
    for place in reversed(checkpoint.listing(folder)):
        try:
            manifest, files = checkpoint.read(place)
            accept(place, manifest, files)
        except Unreadable as error:
            raise UserError(f"{place}: {error}; mend that, then resume") from None
        except Damaged as error:
            bad.append((place, error))
            continue
        aside = [_set_aside(path, error) for path, error in bad]
        if aside:
            checkpoint.point(folder, "last", Best(place.name))
        return place, aside
    if bad or any(folder.glob("bad-step-*")):
        why = f" ({bad[0][0].name}: {bad[0][1]})" if bad else ""
        raise UserError(f"{folder}: none of the checkpoints is whole{why}; restore one from a copy, or begin a new run")
    raise FileNotFoundError(folder)


def _set_aside(path: Path, error: Damaged) -> str:
    return f"checkpoint {path.name} is damaged ({error}) and was set aside as {checkpoint.set_aside(path).name}"
