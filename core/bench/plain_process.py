"""The plain step in a process of its own, so that neither side's process-wide settings (kernels, determinism, memory) are the
other's."""

from __future__ import annotations

import subprocess
import sys
from types import TracebackType
from typing import Any

import msgspec

from core.errors import TrainingError
from core.recipe import Recipe, to_table

COMMAND = (sys.executable, "-P", "-m", "core.bench.plain")


class Question(msgspec.Struct, frozen=True):
    """The first line that the process reads; each further line asks for one more block."""

    recipe: dict[str, Any]
    threads: int


class Answer(msgspec.Struct, frozen=True):
    """A line of what it says: first of how it is set up, when it is warm, then of each block."""

    workers: int = 0
    images_per_second: float = 0.0
    error: str = ""


class PlainProcess:
    """Entering returns when the step is warm. Raises TrainingError, also later, with what the process ended of."""

    def __init__(self, recipe: Recipe, threads: int) -> None:
        self.workers = 0
        self._question = msgspec.json.encode(Question(to_table(recipe), threads))

    def __enter__(self) -> PlainProcess:
        self._process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is this process's to deal with
        )
        try:
            self.workers = self._ask(self._question).workers
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end()

    def block(self) -> float:
        """One :data:`core.bench.alternating.Block`."""
        return self._ask(b"").images_per_second

    def _ask(self, line: bytes) -> Answer:
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()
            answer = msgspec.json.decode(self._process.stdout.readline(), type=Answer)
        except (BrokenPipeError, msgspec.DecodeError):
            raise TrainingError("error", f"the plain step's process ended with status {self._process.wait()}") from None
        if answer.error:
            raise TrainingError("error", f"the plain step does not work here: {answer.error}")
        return answer

    def _end(self) -> None:
        """It takes its own processes with it."""
        self._process.terminate()
        self._process.communicate()
