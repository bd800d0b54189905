"""A program on a pseudo-terminal, and when it wrote what: for measuring what a person would wait for."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

import psutil

CONTROL = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[PX^_].*?\x1b\\|\x1b.|[\x00-\x1f]", re.DOTALL
)
ANSWERS = (
    (b"\x1b[6n", b"\x1b[1;1R"),
    (b"\x1b[c", b"\x1b[?62;22c"),
    (b"\x1b]11;?", b"\x1b]11;rgb:0000/0000/0000\x1b\\"),
    (b"\x1b]10;?", b"\x1b]10;rgb:ffff/ffff/ffff\x1b\\"),
)
"""What programs ask a terminal before they draw, and wait for."""
NOBODYS = {"TUI_TRAINER_STATE": os.devnull, "TUI_TRAINER_CONFIG": "/nowhere/config.toml"}
"""Settings of nobody, and nothing that could be remembered."""
TRUE_COLOUR = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
LONGEST = 120.0
"""Seconds that anything may take."""
GOING = 5.0


def answers(data: bytes) -> bytes:
    """Of a terminal without anything special, to what it was sent."""
    return b"".join(answer for question, answer in ANSWERS if question in data)


class Terminal:
    """``columns`` x ``rows`` cells; ``began`` is when the program was started (monotonic seconds)."""

    def __init__(
        self, command: Sequence[str], columns: int, rows: int, environment: Mapping[str, str] | None = None,
        answers: Callable[[bytes], bytes] = answers,
    ) -> None:  # fmt: skip
        self._answers = answers
        self._screen, other = pty.openpty()
        self.resize(columns, rows)
        self.written: list[tuple[float, bytes]] = []
        """When, and what."""
        self.began = time.monotonic()
        self._program = psutil.Popen(
            command, stdin=other, stdout=other, stderr=other, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that it goes when this goes
            env={**_without_size(os.environ), **NOBODYS, **TRUE_COLOUR, **(environment or {})},
        )  # fmt: skip
        os.close(other)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        programs = self._programs() if self._program.poll() is None else []
        for program in programs:
            program.terminate()
        for program in psutil.wait_procs(programs, GOING)[1]:
            program.kill()

    def press(self, keys: bytes) -> float:
        """When they were pressed."""
        moment = time.monotonic()  # before: the program may have answered by the time that this goes on
        os.write(self._screen, keys)
        return moment

    def resize(self, columns: int, rows: int, width: int = 0, height: int = 0) -> None:
        """In cells, and in pixels."""
        fcntl.ioctl(self._screen, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, width, height))

    def signal(self, number: int) -> None:
        self._program.send_signal(number)

    def seen(self, words: bytes, since: float = 0.0) -> float:
        """When it had written these words, which it is waited for. They are told apart from what came before ``since``."""
        deadline = time.monotonic() + LONGEST
        while time.monotonic() < deadline and self._program.poll() is None:
            text = b""
            for moment, data in self.written[self._first(since) :]:
                text += data
                if words in CONTROL.sub(b"", text):
                    return moment
            time.sleep(0.002)
        raise TimeoutError(f"{words!r} was not written; the last was {CONTROL.sub(b' ', text)[-600:]!r}")

    def wrote(self, codes: bytes) -> None:
        """Wait until it had written these bytes, control codes and all."""
        deadline = time.monotonic() + LONGEST / 4
        while codes not in self.everything():
            if time.monotonic() > deadline or self._program.poll() is not None:
                raise TimeoutError(f"{codes!r} was not written; the last was {self.everything()[-600:]!r}")
            time.sleep(0.01)

    def everything(self) -> bytes:
        return b"".join(data for _, data in self.written)

    def left(self) -> tuple[int, bytes]:
        """Wait for its end: its exit status, and everything that it wrote."""
        return self.ended(), self.everything()

    def ended(self) -> int:
        """The program's exit status, once it has ended and all that it wrote was read."""
        status = self._program.wait(LONGEST)
        self._reader.join(GOING)
        return int(status)

    def drew(self, least: int, since: float) -> float:
        """When it had written so many bytes after a moment."""
        deadline, total = time.monotonic() + LONGEST, 0
        while time.monotonic() < deadline:
            total = 0
            for moment, data in self.written[self._first(since) :]:
                total += len(data)
                if total >= least:
                    return moment
            time.sleep(0.002)
        raise TimeoutError(f"{total} bytes were written where {least} were expected")

    def quiet(self, seconds: float) -> float:
        """When it had last written, once it has been quiet for so long."""
        deadline = time.monotonic() + LONGEST
        while time.monotonic() < deadline:
            last = self.written[-1][0] if self.written else self.began
            if time.monotonic() - last >= seconds:
                return last
            time.sleep(0.02)
        raise TimeoutError("it never was quiet")

    def busy(self, seconds: float) -> float:
        """The share of a core that it takes; what a thread took that ends meanwhile does not count."""
        before = self._used()
        time.sleep(seconds)
        return sum(used - before.get(thread, 0.0) for thread, used in self._used().items()) / seconds

    def resident(self) -> float:
        """MB, of all its processes."""
        return sum(program.memory_info().rss for program in self._programs()) / 1e6

    def _used(self) -> dict[int, float]:
        """Seconds of processor of each thread, to the nanosecond: by the ticks of a clock, which is all that psutil has, what
        wakes with the clock looks busier than it is."""
        threads = [folder for program in self._programs() for folder in Path(f"/proc/{program.pid}/task").iterdir()]
        return {int(folder.name): int((folder / "schedstat").read_text().split()[0]) / 1e9 for folder in threads}

    def _programs(self) -> list[psutil.Process]:
        return [self._program, *self._program.children(recursive=True)]

    def _first(self, since: float) -> int:
        """The place of the first that was written after a moment."""
        place = len(self.written)
        while place and self.written[place - 1][0] >= since:
            place -= 1
        return place

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._screen, 1 << 16)
            except OSError:  # the program has ended
                return
            self.written.append((time.monotonic(), data))
            if answer := self._answers(data):
                os.write(self._screen, answer)


def _without_size(environment: Mapping[str, str]) -> dict[str, str]:
    """Programs would take it for the terminal's, and pytest-xdist sets it."""
    return {name: value for name, value in environment.items() if name not in ("COLUMNS", "LINES")}


def burners(count: int) -> list[subprocess.Popen[bytes]]:
    """Processes that fill so many cores."""
    return [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
