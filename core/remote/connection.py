"""One call of ssh, and why it ended."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import IO

from core.errors import UserError
from core.remote import messages as m

SILENCE = 15.0
"""Seconds without a byte after which a link is dead, whatever the system takes it for."""
SLOW = 60.0
"""The same until the far side has begun, where nobody is asked for a password."""
AHEAD = 8
"""Messages that are read before they are dealt with."""
KEPT = 8 << 10
"""Bytes of what ssh and the far side say in words."""
PATIENCE = 2.0
"""Seconds that ssh is given to end."""
UNREACHABLE, NOT_FOUND, NOT_EXECUTABLE, WRONG_USE = 255, 127, 126, 2
PREFIX = "tui-trainer: "


REFUSALS = ("Permission denied", "Host key verification failed", "Too many authentication failures")
"""In OpenSSH's words."""


class Cut(Exception):
    """The link is no more; ``str`` says why. ``refused``: ssh was not let in, as it will not be the next time."""

    def __init__(self, why: str, refused: bool = False) -> None:
        super().__init__(why)
        self.refused = refused


class Connection:
    """``asks``: ssh may ask the person at the terminal, which no screen holds yet. Raises UserError where there is no ssh."""

    def __init__(self, command: Sequence[str], host: str, asks: bool) -> None:
        self._host, self._asks = host, asks
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=not asks)
        except OSError as error:
            raise UserError(f"{command[0]}: cannot be started: {error.strerror}; install OpenSSH's client") from None
        self._heard = time.monotonic()
        self._greeted = False
        self._broken = ""
        self._words = bytearray()
        self._unpacker = m.Unpacker(m.FromFar)
        self._came: queue.Queue[m.Message | None] = queue.Queue(AHEAD)
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._read, self._read_words)]
        for thread in self._threads:
            thread.start()
        self._write(m.GREETING % m.PROTOCOL)

    def receive(self, seconds: float) -> list[m.Message]:
        """What has come within that time. Raises Cut when nothing will any more."""
        try:
            message = self._came.get(timeout=seconds)
        except queue.Empty:
            self._check()
            return []
        if message is None:
            raise self._end()
        self._greeted = True
        return [message]

    def send(self, message: m.Message) -> None:
        self._write(m.packed(message))

    def close(self) -> None:
        """A far side that listens ends with it."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        deadline = time.monotonic() + PATIENCE
        while self._threads[0].is_alive() and time.monotonic() < deadline:  # it may wait for room
            with suppress(queue.Empty):
                self._came.get(timeout=0.01)

    def _write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):  # that it has ended is seen by what comes from it
            self._process.stdin.write(data)
            self._process.stdin.flush()

    def _check(self) -> None:
        silence = time.monotonic() - self._heard
        if silence > (SILENCE if self._greeted else SLOW) and (self._greeted or not self._asks):
            raise Cut(f"not a word for {silence:.0f} s")

    def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            while data := os.read(self._process.stdout.fileno(), 1 << 16):
                self._heard = time.monotonic()
                for message in self._unpacker.unpack(data):
                    self._came.put(message)
        except m.Broken as error:
            self._broken = str(error)
        except OSError:
            pass
        self._came.put(None)

    def _read_words(self) -> None:
        stream: IO[bytes] | None = self._process.stderr
        assert stream is not None
        while data := os.read(stream.fileno(), 4096):
            self._words = (self._words + data)[-KEPT:]

    def _end(self) -> Cut:
        if self._broken:
            return Cut(f"{self._host}: {self._broken}")
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(PATIENCE)
        self._threads[1].join(PATIENCE)
        status, words = self._process.returncode, bytes(self._words).decode("utf-8", "replace")
        return Cut(reason(self._host, status, words, self._unpacker.said), status == UNREACHABLE and is_refusal(words))


def is_refusal(words: str) -> bool:
    return any(refusal in words for refusal in REFUSALS)


def reason(host: str, status: int | None, words: str, said: bytes = b"") -> str:
    """Why ssh has ended with this status, in one line, out of its own ``words`` and those of the far side."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    last = lines[-1] if lines else ""
    if status in (NOT_FOUND, NOT_EXECUTABLE):
        return f"{host}: tui-trainer is not found there ({last}); say where it is: --remote-command '.venv/bin/tui-trainer'"
    if status == UNREACHABLE and last.startswith("Host key verification failed"):
        return f"{host}: {last.rstrip('.')}; ssh says more: ssh {host}"
    if status == UNREACHABLE:
        return f"{host}: {last or 'ssh has ended without a word'}"
    if status == WRONG_USE and PREFIX in last:
        older = "; update tui-trainer there" if "No such command" in last else ""
        return f"{host}: {last.partition(PREFIX)[2]}{older}"
    other = said.decode("utf-8", "replace").strip().partition("\n")[0]
    return f"{host}: the far side has ended (status {status}){': ' if last or other else ''}{last or other}"
