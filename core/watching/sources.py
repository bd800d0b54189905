"""What there is to be watched below some paths: folders with event files, Lightning's folders, CSV and JSON lines."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

from core.errors import UserError
from core.watching.axis import EPOCH, STEP
from core.watching.event_files import PREFIX, EventFiles, Joined
from core.watching.hyperparameters import NAME
from core.watching.json_lines import JsonLines
from core.watching.rows import Reader
from core.watching.tables import DELIMITERS, LightningTable, Table
from core.watching.tail import LONGEST_LINE, Tail

WANTED = f"{PREFIX}*, version_N/metrics.csv, *.csv, *.tsv or *.jsonl"
"""What is looked for, in words."""
DEEPEST = 6
"""Folders within folders."""
MOST_ENTRIES = 20_000
"""Files and folders that are looked at."""
MOST = 64
"""Runs that are watched at once, the newest."""
TABLES, LINES = (".csv", ".tsv"), (".jsonl", ".ndjson")
TELLING = ("loss", "acc", "metric", "reward", "score")
"""Words in a table's names that make it a log of a training."""
OURS = "run.json"
LIGHTNING = "metrics.csv"

Kind: TypeAlias = type[EventFiles] | type[Joined] | type[LightningTable] | type[Table] | type[JsonLines]


class Found(NamedTuple):
    """One run: its folder of event files, or its file."""

    path: Path
    kind: Kind
    name: str
    changed: float
    """Unix seconds."""

    def reader(self) -> Reader:
        return self.kind(self.path)

    @property
    def beside(self) -> Path:
        """The hyperparameters that Lightning writes."""
        return (self.path if self.path.is_dir() else self.path.parent) / NAME


def find(paths: Sequence[Path]) -> list[Found]:
    """The newest first; none where there is nothing yet. Raises UserError for a path that is not there or cannot be watched."""
    found = dict[Path, Found]()
    for path in paths:
        for item in _below(path, several=len(paths) > 1):
            found.setdefault(item.path, item)
    return sorted(found.values(), key=lambda item: item.changed, reverse=True)[:MOST]


def _below(path: Path, several: bool) -> Iterator[Found]:
    if not path.exists():
        raise UserError(f"{path}: not found; watch takes files and folders in which there are {WANTED}")
    if (path / OURS).is_file():
        raise UserError(f"{path}: a run of tui-trainer; look at it with: tui-trainer attach {path}")
    if path.is_dir():
        yield from _in_folder(path, path.absolute().name if several else "")
    elif path.name.startswith(PREFIX):
        yield _found(path.parent, EventFiles, path.absolute().parent.name)
    elif path.suffix.casefold() in (*TABLES, *LINES) or _kind(path, named=True):
        yield _found(path, _kind(path, named=True) or Table, path.stem)
    else:
        raise UserError(f"{path}: none of what watch reads: {WANTED}")


def _in_folder(root: Path, before: str) -> Iterator[Found]:
    looked = 0
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        looked += len(files) + len(folders)
        if OURS in files or looked > MOST_ENTRIES or len(here.relative_to(root).parts) >= DEEPEST:
            folders.clear()
        if OURS not in files:
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            inside = "/".join(filter(None, (before, *here.relative_to(root).parts)))
            yield from _of_one(here, sorted(files), folders, inside)


def _of_one(here: Path, files: Sequence[str], folders: list[str], inside: str) -> Iterator[Found]:
    """Called by where it lies, seen from the path that was given."""
    name = inside or here.absolute().name
    if all(part in folders and _has_events(here / part) for part in Joined.PARTS):
        yield _found(here, Joined, name)
        folders[:] = [folder for folder in folders if folder not in Joined.PARTS]
    events = any(file.startswith(PREFIX) for file in files)
    if events:
        yield _found(here, EventFiles, name)
    for file in files:
        path = here / file
        if file == LIGHTNING and events:  # both loggers of Lightning say the same
            continue
        if (kind := _kind(path)) is not None:
            yield _found(path, kind, name if kind is LightningTable else "/".join(filter(None, (inside, path.stem))))


def _has_events(folder: Path) -> bool:
    try:
        return any(entry.name.startswith(PREFIX) for entry in folder.iterdir())
    except OSError:
        return False


def _found(path: Path, kind: Kind, name: str) -> Found:
    return Found(path.absolute(), kind, name or "run", _changed(path))


def _changed(path: Path) -> float:
    """When something in it was written last."""
    try:
        inside = [entry.stat().st_mtime for entry in os.scandir(path)] if path.is_dir() else []
        return max([path.stat().st_mtime, *inside])
    except OSError:
        return 0.0


def _kind(path: Path, named: bool = False) -> Kind | None:
    """Of a file by its name and its first line; one that a person has ``named`` need not look like a log of a training."""
    suffix = path.suffix.casefold()
    if not named and (suffix not in (*TABLES, *LINES) or path.is_symlink()):
        return None
    if (line := _first_line(path)) is None:
        return None
    if suffix in LINES or (named and suffix not in TABLES and line.startswith("{")):
        return JsonLines if JsonLines(path).cells(line) or (named and not line) else None
    if path.name == LIGHTNING and path.parent.name.startswith("version_"):
        return LightningTable
    names = [word.strip(" \"'#").casefold() for word in _words(line)]
    telling = any(name in (*STEP, *EPOCH) or any(word in name for word in TELLING) for name in names)
    return Table if telling or (named and (len(names) > 1 or suffix in TABLES)) else None


def _first_line(path: Path) -> str | None:
    """None where it cannot be read; empty while there is none."""
    tail = Tail(path)
    try:
        lines = tail.lines() if path.is_file() else None
    except OSError:
        return None
    return None if lines is None else next(iter(lines), "")[:LONGEST_LINE]


def _words(line: str) -> list[str]:
    return line.split(max(DELIMITERS, key=line.count))
