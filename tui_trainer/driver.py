"""Textual's driver for terminals, with two things that it has not: what the terminal says of itself when it is asked is told
apart from keys, and what is drawn can be followed by what lies over it."""

from __future__ import annotations

import os
import re
import selectors
import time
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from textual import constants, events
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

REPORT = re.compile(r"\x1b\[(?:\?[\d;]*[cS]|[46];\d+;\d+t)")
"""What it is (DA1), how much it has of something (XTSMGRAPHICS), how large it or one of its cells is (XTWINOPS)."""
BEGUN = re.compile(r"\x1b(?:\[(?:\?[\d;]*|[46](?:;\d*){0,2})?)?\Z")
"""One at the end of what was read, of which the rest may be on its way."""
LONGEST_BEGUN = 64
PATIENCE = 3.0
"""Seconds after a question within which a report may come in two parts."""
READ = 4096
LOOK = 0.1
"""Seconds between two looks at whether the rest of something begun has come, for a while after the last byte."""


class Report(events.Event, bubble=False):
    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = words


class ReportParser(XTermParser):
    """Textual takes a report for the keys that its characters are, of which some do something."""

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._begun, self._begun_at, self._expected_until = "", 0.0, 0.0

    def expect(self) -> None:
        self._expected_until = time.monotonic() + PATIENCE

    def feed(self, data: str) -> Iterator[Message]:
        at, known, self._begun = 0, self._begun + data, ""
        for found in REPORT.finditer(known):
            yield from self._keys(known[at : found.start()])
            yield Report(found[0])
            at = found.end()
        yield from self._keys(self._without_begun(known[at:]) if data else known[at:])
        if not data:  # which is how the end is told
            yield from super().feed("")

    def tick(self) -> Iterator[Message]:
        waited = time.monotonic() - self._begun_at
        if self._begun and waited > (constants.ESCAPE_DELAY if len(self._begun) < 3 else PATIENCE):
            begun, self._begun = self._begun, ""
            yield from self._keys(begun)
        yield from super().tick()

    def _keys(self, data: str) -> Iterable[Message]:
        return super().feed(data) if data else ()

    def _without_begun(self, data: str) -> str:
        """Kept back only while a report is expected: it may be the escape key as well, for which nobody should wait twice."""
        found = BEGUN.search(data) if time.monotonic() < self._expected_until else None
        if not found or len(found[0]) > LONGEST_BEGUN:
            return data
        self._begun, self._begun_at = found[0], time.monotonic()
        return data[: found.start()]


class TerminalDriver(LinuxDriver):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.follow: Callable[[str], str] | None = None
        """Given what was written, what is to be written after it."""
        self._parser = ReportParser(self._debug)
        self._end, self._ending = os.pipe()
        """Readable when the thread that reads keys is to end, which otherwise sleeps until there is a byte."""

    def ask(self, question: str) -> None:
        """The app gets the answers as Reports."""
        self._parser.expect()
        self.write(question)

    def write(self, data: str) -> None:
        super().write(data)
        if self.follow and (more := self.follow(data)):
            super().write(more)

    def disable_input(self) -> None:
        os.write(self._ending, b"\0")
        super().disable_input()
        os.read(self._end, 1)

    def run_input_thread(self) -> None:
        self._parser = parser = ReportParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        heard = time.monotonic()
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            selector.register(self._end, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                waiting = time.monotonic() - heard <= PATIENCE + LOOK
                ready = selector.select(LOOK if waiting else None)
                if any(key.fd == self.fileno for key, _ in ready):
                    heard = time.monotonic()
                    if text := decode(os.read(self.fileno, READ)):
                        self._tell(parser.feed(text))
                self._tell(parser.tick())
        self._tell(parser.feed(""))

    def _tell(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self.process_message(message)
