"""For whoever shows what others wrote: the process that reads it, and the folder of runs in which it lies then."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError
from core.run.folder import RunFolder, list_runs
from core.watching.companion import Companion, companion
from core.watching.folders import FOLDER
from core.watching.sources import WANTED, find

MODULE = "core.watching.process"
SILENT = "the reading process ended without a word"
SECONDS = 5.0
"""That the process is given to end."""


@dataclass(frozen=True)
class Watching:
    """``found`` is how many runs there were at first."""

    beside: Companion
    found: int

    @property
    def root(self) -> Path:
        """The folder of runs."""
        return self.beside.root

    @property
    def process(self) -> subprocess.Popen[bytes]:
        return self.beside.process

    @property
    def runs(self) -> list[RunFolder]:
        """Those that there are now, by their names."""
        return sorted(list_runs(self.root), key=lambda run: run.name)

    def wait(self) -> None:
        """With ``once``, until all has been read. Raises UserError when that has failed."""
        if self.process.wait():
            raise UserError(f"the files cannot be read: {self.last_words()}")

    def last_words(self) -> str:
        return self.beside.last_words(SILENT)


@contextmanager
def watching(paths: Sequence[Path], once: bool = False) -> Iterator[Watching]:
    """Raises UserError for paths that cannot be watched, and with ``once`` where there is nothing yet."""
    if not find(paths) and once:
        names = ", ".join(map(str, paths))
        raise UserError(f"{names}: nothing to watch; looked for {WANTED}")
    words = [*(str(path.absolute()) for path in paths), *["--once"] * once]
    with companion(FOLDER, MODULE, words, SECONDS, own_session=True) as beside:
        yield Watching(beside, _found(beside))


def _found(beside: Companion) -> int:
    said = beside.said().strip()
    if not said.isdigit():
        beside.process.wait()
        raise UserError(f"the files cannot be read: {beside.last_words(SILENT)}")
    return int(said)
