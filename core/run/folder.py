"""A run is a folder. This file knows where things lie in it, who holds its lock, and how runs are found by name."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from core.errors import UNREADABLE, UserError
from core.events import FORMAT
from core.files import make_folder, read_plain, write_whole
from core.format import Newer, decode, prepare
from core.run import link, lock

LARGEST_RUN_FILE = 1 << 20
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


class OfLaterVersion(UserError):
    """A run that this version keeps its hands off."""


class RunFile(msgspec.Struct, frozen=True, kw_only=True):
    """``run.json``: written once, before training, by whoever creates the run."""

    format: int = FORMAT
    id: str = ""
    """Random; a checkpoint names it, so that one of another run is known for that. A copy of the run has it too."""
    name: str = ""
    created: float = 0.0
    recipe: dict[str, Any] = {}
    program: str = ""
    """File name of the program that trains it in a loop of its own; such a run has no recipe."""
    config: dict[str, Any] = {}
    """Settings that this program told."""
    threads: int | None = None
    versions: dict[str, str] = {}
    git: str = ""
    origin: str = ""
    """Of a run of others that is only watched: what it is read from. ``recipe`` has its settings then, as far as it tells."""


prepare(RunFile)


class Taken(UserError):
    """There is something of that name already."""


class RunFolder:
    """Paths of one run; holds no state of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        self.run_file = path / "run.json"
        self.journal = path / "events.jsonl"
        self.inbox = path / "inbox"
        self.checkpoints = path / "checkpoints"
        self.media = path / "media"
        self.log = path / "worker.log"
        self.lock = path / "lock"
        self.reserve = path / "reserve"
        self.ranks = path / "ranks"

    def __repr__(self) -> str:
        return f"RunFolder({str(self.path)!r})"

    def rank_log(self, rank: int) -> Path:
        """Of one of several processes that train the run together, but the first, whose words are in ``log``."""
        return self.ranks / f"rank-{rank}.log" if rank else self.log

    def exists(self) -> bool:
        return self.run_file.is_file()

    def create(self, run: RunFile) -> None:
        """Make the folder (0700) with its run.json; raises Taken when it exists, UserError when it cannot be written."""
        try:
            make_folder(self.path.parent)
            if not _made(self.path):
                raise Taken(f"{self.path}: exists already; choose another --name, or resume it")
            self._fill(run)
        except OSError as error:
            raise UserError(f"{self.path}: cannot create the run: {error.strerror}; choose another --runs folder") from None

    def _fill(self, run: RunFile) -> None:
        try:
            for folder in (self.inbox, self.checkpoints):
                folder.mkdir(mode=0o700)
            write_whole(self.run_file, msgspec.json.format(msgspec.json.encode(run), indent=2) + b"\n")
        except BaseException:
            shutil.rmtree(self.path, ignore_errors=True)
            raise

    def read(self) -> RunFile:
        """The run's own description; raises UserError when it is missing, damaged, or a later version's."""
        try:
            return _as_it_was(decode(read_plain(self.run_file, LARGEST_RUN_FILE), RunFile))
        except FileNotFoundError:
            raise UserError(f"{self.path}: not a run (it has no run.json)") from None
        except OSError as error:
            raise UserError(f"{self.run_file}: cannot be read: {error.strerror}") from None
        except Newer as error:
            raise OfLaterVersion(f"{self.run_file}: {error}; update tui-trainer to use this run") from None
        except UNREADABLE as error:
            raise UserError(f"{self.run_file}: damaged ({error}); restore it from a copy of the run") from None

    def identity(self) -> str:
        """The run's id; empty when its run.json cannot tell."""
        try:
            return self.read().id
        except UserError:
            return ""

    def alive(self) -> bool:
        """Whether a trainer holds the lock now. It is released by the system the moment that process is gone."""
        return lock.held(self.lock)

    def hold(self, patience: float = 2.0) -> AbstractContextManager[None]:
        """Be the run's one trainer. Raises UserError when another one is (looked at again for ``patience`` seconds), or when
        the folder cannot be written."""
        return lock.hold(self.lock, patience, partial(busy, self), "; mend that, then resume")


def _as_it_was(run: RunFile) -> RunFile:
    """Before there was a colour mode, which recipes of runs have written out since, a folder always gave three channels."""
    settings = run.recipe.get("data")
    if isinstance(settings, dict) and settings.get("source") == "folder":
        settings.setdefault("color_mode", "rgb")
    return run


def _made(folder: Path) -> bool:
    """Make a folder; of two processes that try at once one has made it."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return False
    return True


def leads_to(path: Path, known: os.stat_result) -> bool:
    """Whether a path still leads to the file that it led to; it counts as doing so while it may not be looked at."""
    try:
        return os.path.samestat(path.stat(), known)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True


def busy(run: RunFolder) -> UserError:
    return UserError(f"run '{run.name}' is being trained already; look at it with: tui-trainer attach {reference(run)}")


def reference(run: RunFolder) -> str:
    """How a command names this run, quoted for a shell: by its name where the default runs folder has it, else by its path, or
    by its address where this is the mirror of one elsewhere."""
    if mirrored := link.read(run.path):
        return shlex.quote(mirrored.address)
    return shlex.quote(run.name if run.path.parent == default_runs() else str(run.path))


def whereabouts(run: RunFolder, inside: str) -> str:
    """Where something in it lies, for people: on this machine, or on that whose run this is the mirror of."""
    mirrored = link.read(run.path)
    return f"{mirrored.address}/{inside}" if mirrored else str(run.path / inside)


def runs_folder(given: Path | None = None) -> Path:
    """``--runs``, else ``TUI_TRAINER_RUNS``, else ``./runs``; it need not exist. Raises UserError when it is a file."""
    runs = given or default_runs()
    if runs.exists() and not runs.is_dir():
        raise UserError(f"{runs}: not a folder; choose another --runs folder")
    return runs


def default_runs() -> Path:
    return Path(os.environ.get("TUI_TRAINER_RUNS") or "runs")


def list_runs(runs: Path) -> list[RunFolder]:
    """All runs below a folder, the most recently active first; an absent folder has none."""
    try:
        found = [RunFolder(entry) for entry in runs.iterdir() if (entry / "run.json").is_file()]
    except OSError:
        return []
    return sorted(found, key=last_activity, reverse=True)


def last_activity(run: RunFolder) -> float:
    """Unix seconds of the journal's last write, else of the run's creation."""
    return last_write(run.journal, run.run_file)


def last_write(*paths: Path) -> float:
    """Unix seconds, of the first of them that is there; 0 without any."""
    for path in paths:
        try:
            return path.stat().st_mtime
        except OSError:
            continue
    return 0.0


def find(run: str, runs: Path) -> RunFolder:
    """RUN as people give it: ``last``, a name under ``runs``, or a path. Raises UserError naming what there is."""
    known = list_runs(runs)
    if run == "last":
        if not known:
            raise UserError(f"no runs in {runs}; start one with: tui-trainer train quickstart")
        return known[0]
    for path in (runs / run, Path(run)):
        if RunFolder(path).exists():
            return RunFolder(path)
    names = ", ".join(folder.name for folder in known[:8]) or "none"
    raise UserError(f"run '{run}' not found in {runs}; the runs there: {names}")


def check_name(name: str, what: str = "--name") -> str:
    """A name that is safe as a folder and on a terminal; raises UserError."""
    if not NAME.fullmatch(name) or name == "last":
        expected = "1 to 100 letters (a to z, A to Z), digits, '.', '_', '+' or '-', and not 'last'"
        raise UserError(f"{what} {name!r}: expected {expected}")
    return name


def free_name(stem: str, runs: Path) -> str:
    """``stem``, else ``stem-2``, ``stem-3`` ...: the first that is no run yet."""
    stem = re.sub(r"[^A-Za-z0-9._+-]+", "-", stem).strip("-.") or "run"
    number = 1
    while os.path.lexists(runs / (name := stem if number == 1 else f"{stem}-{number}")):
        number += 1
    return name
