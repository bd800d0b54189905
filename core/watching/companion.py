"""A process of ours beside this one, and the temporary folder of runs that it fills as long as this one wants it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError
from core.watching.folders import temporary

PYTHON = (sys.executable, "-P", "-m")
LOG = "process.log"
"""What it says on its standard error, in its folder."""


@dataclass(frozen=True)
class Companion:
    root: Path
    process: subprocess.Popen[bytes]

    def said(self) -> bytes:
        """Its next line, which is waited for; empty when it has ended."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def last_words(self, silent: str) -> str:
        """Of one that has ended; ``silent`` where it said nothing."""
        with suppress(OSError):
            lines = (self.root / LOG).read_text("utf-8", "replace").strip().splitlines()
            return lines[-1] if lines else silent
        return "the folder of the cache is gone"

    def end(self, seconds: float) -> None:
        """It ends when its standard input does, or else when that many seconds are over."""
        assert self.process.stdin is not None
        with suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def companion(kind: str, module: str, words: Sequence[str], seconds: float, own_session: bool) -> Iterator[Companion]:
    """``python -m MODULE FOLDER WORDS``, which is given so many ``seconds`` to end; in a session of its own no key of this
    terminal reaches it, nor can it ask there. Raises UserError where the cache has no room for it."""
    with ExitStack() as held:
        try:
            root = held.enter_context(temporary(kind))
            process = _started(root, [*PYTHON, module, str(root), *words], own_session)
        except OSError as error:
            where = error.filename or "cache"
            raise UserError(f"{where}: {error.strerror}; choose another folder with TUI_TRAINER_CACHE") from None
        assert process.stdout is not None
        held.callback(process.stdout.close)
        found = Companion(root, process)
        held.callback(found.end, seconds)
        yield found


def _started(root: Path, command: Sequence[str], own_session: bool) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    with (root / LOG).open("wb") as log:
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, start_new_session=own_session)
