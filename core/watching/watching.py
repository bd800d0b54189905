"""For whoever shows what others wrote: the process that reads it, and the folder of runs in which it lies then."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError
from core.run.folder import RunFolder, list_runs
from core.watching.folders import temporary
from core.watching.sources import WANTED, find

PROCESS = (sys.executable, "-P", "-m", "core.watching.process")
LOG = "watch.log"
SECONDS = 5.0
"""That the process is given to end."""


@dataclass(frozen=True)
class Watching:
    """``root`` is the folder of runs, ``found`` how many there were at first."""

    root: Path
    found: int
    process: subprocess.Popen[bytes]

    @property
    def runs(self) -> list[RunFolder]:
        """Those that there are now, by their names."""
        return sorted(list_runs(self.root), key=lambda run: run.name)

    def wait(self) -> None:
        """With ``once``, until all has been read. Raises UserError when that has failed."""
        if self.process.wait():
            raise UserError(f"the files cannot be read: {self.last_words()}")

    def last_words(self) -> str:
        with suppress(OSError):
            lines = (self.root / LOG).read_text("utf-8", "replace").strip().splitlines()
            return lines[-1] if lines else "the reading process ended without a word"
        return "the folder of the cache is gone"


@contextmanager
def watching(paths: Sequence[Path], once: bool = False) -> Iterator[Watching]:
    """Raises UserError for paths that cannot be watched, and with ``once`` where there is nothing yet."""
    if not find(paths) and once:
        names = ", ".join(map(str, paths))
        raise UserError(f"{names}: nothing to watch; looked for {WANTED}")
    try:
        with temporary() as root:
            process = _start(root, paths, once)
            try:
                yield Watching(root, _found(process, root), process)
            finally:
                _end(process)
    except OSError as error:
        raise UserError(
            f"{error.filename or 'cache'}: {error.strerror}; choose another folder with TUI_TRAINER_CACHE"
        ) from None


def _start(root: Path, paths: Sequence[Path], once: bool) -> subprocess.Popen[bytes]:
    command = [*PROCESS, str(root), *(str(path.absolute()) for path in paths), *["--once"] * once]
    with (root / LOG).open("wb") as log:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True)


def _found(process: subprocess.Popen[bytes], root: Path) -> int:
    assert process.stdout is not None
    said = process.stdout.readline().strip()
    if not said.isdigit():
        process.wait()
        raise UserError(f"the files cannot be read: {Watching(root, 0, process).last_words()}")
    return int(said)


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None and process.stdout is not None
    with suppress(OSError):
        process.stdin.close()
    try:
        process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
