"""A sweep's folder, ``runs/NAME.sweep``, beside the runs of its trials: ``sweep.json`` says what is searched, ``study.db`` is
Optuna's own file, ``trials.json`` is what it has come to, ``lock`` is held by the one process that conducts it, and ``stop``
asks that one to end."""

from __future__ import annotations

import re
import shlex
import shutil
from contextlib import AbstractContextManager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec

from core.errors import UNREADABLE, UserError
from core.events import FORMAT
from core.files import create, make_folder, read_plain, write_whole
from core.format import Newer, decode, prepare
from core.run import lock
from core.run.folder import RunFolder, Taken, check_name, default_runs, last_write
from core.run.tags import WORD
from core.sweep.space import Space
from core.sweep.trials import Board, at_rest

SUFFIX = ".sweep"
LARGEST = 16 << 20
"""Bytes of a file here."""
LONGEST_STEM = 20
Sampler: TypeAlias = Literal["tpe", "random", "grid"]
Pruner: TypeAlias = Literal["median", "hyperband", "none"]


class SweepFile(msgspec.Struct, frozen=True, kw_only=True):
    """``sweep.json``."""

    format: int = FORMAT
    name: str = ""
    created: float = 0.0
    recipe: dict[str, Any] = {}
    """What all trials have in common."""
    space: Space = {}
    metric: str = ""
    seed: int = 0
    sampler: Sampler = "tpe"
    prune: Pruner = "median"
    threads: int | None = None
    trials: int = 0
    """How many were asked for; the only thing that a later call may change."""


prepare(SweepFile)


class SweepFolder:
    """Paths of one sweep; holds no state of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name.removesuffix(SUFFIX)
        self.runs = path.parent
        self.file = path / "sweep.json"
        self.board = path / "trials.json"
        self.database = path / "study.db"
        self.lock = path / "lock"
        self.log = path / "sweep.log"
        """What a sweep that was left to itself has said."""
        self.stop = path / "stop"
        """Whose being there asks the sweep to end."""

    def __repr__(self) -> str:
        return f"SweepFolder({str(self.path)!r})"

    def run(self, name: str) -> RunFolder:
        return RunFolder(self.runs / name)

    def exists(self) -> bool:
        return self.file.is_file()

    def create(self, file: SweepFile) -> None:
        """Raises Taken when there is something of that name, UserError when it cannot be written."""
        try:
            make_folder(self.runs)
            try:
                self.path.mkdir(mode=0o700)
            except FileExistsError:
                raise Taken(f"{self.path}: exists already; choose another --name") from None
            self._fill(file)
        except OSError as error:
            raise UserError(f"{self.path}: cannot create the sweep: {error.strerror}; choose another --runs folder") from None

    def _fill(self, file: SweepFile) -> None:
        try:
            self.write(file)
        except BaseException:
            shutil.rmtree(self.path, ignore_errors=True)
            raise

    def write(self, file: SweepFile) -> None:
        write_whole(self.file, msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n")

    def write_board(self, board: Board) -> None:
        write_whole(self.board, msgspec.json.encode(board) + b"\n")

    def read(self) -> SweepFile:
        """Raises UserError when it is missing, damaged, or a later version's."""
        try:
            return decode(read_plain(self.file, LARGEST), SweepFile)
        except FileNotFoundError:
            raise UserError(f"{self.path}: not a sweep (it has no sweep.json)") from None
        except OSError as error:
            raise UserError(f"{self.file}: cannot be read: {error.strerror}") from None
        except Newer as error:
            raise UserError(f"{self.file}: {error}; update tui-trainer to use this sweep") from None
        except UNREADABLE as error:
            raise UserError(f"{self.file}: damaged ({error}); restore it from a copy of the sweep") from None

    def read_board(self) -> Board:
        """What it has come to, nothing where that cannot be read; the lock is looked at first."""
        alive = self.alive()
        try:
            board = decode(read_plain(self.board, LARGEST), Board)
        except (OSError, *UNREADABLE):
            board = Board()
        return board if alive else at_rest(board)

    def alive(self) -> bool:
        """Whether a process conducts it now."""
        return lock.held(self.lock)

    def ask_to_stop(self) -> None:
        """Raises UserError when nobody conducts it."""
        if not self.alive():
            go_on = f"tui-trainer sweep --resume {reference(self)}"
            raise UserError(f"sweep '{self.name}' is not under way; go on with it by: {go_on}")
        try:
            with suppress(FileExistsError):
                create(self.stop).close()
        except OSError as error:
            raise UserError(f"{self.stop}: cannot be written: {error.strerror}") from None

    def hold(self) -> AbstractContextManager[None]:
        """Be the one that conducts it. Raises UserError when another process does."""
        return lock.hold(self.lock, 1.0, partial(busy, self))


def list_sweeps(runs: Path) -> list[SweepFolder]:
    """All of a runs folder, the most recently active first."""
    try:
        found = [SweepFolder(path) for path in runs.iterdir() if path.name.endswith(SUFFIX)]
    except OSError:
        return []
    return sorted((sweep for sweep in found if sweep.exists()), key=last_activity, reverse=True)


def last_activity(sweep: SweepFolder) -> float:
    """Unix seconds."""
    return last_write(sweep.board, sweep.file)


def find(name: str, runs: Path) -> SweepFolder:
    """By its name, its path, or as ``last``. Raises UserError naming what there is."""
    known = list_sweeps(runs)
    if name == "last" and known:
        return known[0]
    for path in (runs / f"{name}{SUFFIX}", Path(name)):
        if SweepFolder(path).exists():
            return SweepFolder(path)
    if not known:
        raise UserError(f"no sweeps in {runs}; begin one with: tui-trainer sweep quickstart --set optimizer.lr=log:1e-4..1e-1")
    raise UserError(f"sweep '{name}' not found in {runs}; the sweeps there: {', '.join(item.name for item in known[:8])}")


def busy(sweep: SweepFolder) -> UserError:
    look = f"look at it with: tui-trainer sweep --show {reference(sweep)}"
    return UserError(f"sweep '{sweep.name}' is under way in another process; {look}")


def reference(sweep: SweepFolder) -> str:
    """How a command names it, quoted for a shell."""
    return shlex.quote(sweep.name if sweep.runs == default_runs() else str(sweep.path))


def check_sweep_name(name: str) -> str:
    """A name that is a folder's and a tag's, by which its runs are found. Raises UserError."""
    check_name(name)
    if not WORD.fullmatch(name):
        raise UserError(f"--name {name!r}: expected at most 32 letters, digits, '.', '_', '+' or '-': its runs get it as a tag")
    return name


def free_sweep_name(recipe: str, runs: Path) -> str:
    """``quickstart-sweep``, else with a number: the first that is neither a sweep nor the name of runs."""
    stem = re.sub(r"[^A-Za-z0-9._+-]+", "-", recipe)[:LONGEST_STEM].strip("-._+") or "recipe"
    number = 1
    while _taken(name := f"{stem}-sweep" if number == 1 else f"{stem}-sweep-{number}", runs):
        number += 1
    return name


def _taken(name: str, runs: Path) -> bool:
    return (runs / f"{name}{SUFFIX}").exists() or trial_name(name, 1) in {path.name for path in runs.glob(f"{name}-*")}


def trial_name(sweep: str, number: int) -> str:
    return f"{sweep}-{number:03d}"
