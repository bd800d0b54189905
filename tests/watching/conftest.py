"""What a reader and the translator make of files, without the process that they run in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from core.run.journal import JournalReader, JournalWriter
from core.view.fold import fold
from core.view.state import State
from core.watching.sources import find
from core.watching.translator import Translator


class Reading:
    """``now()`` is the state after all that is in the files by now."""

    def __init__(self, path: Path, journal: Path) -> None:
        (found,) = find([path])
        self._writer = JournalWriter(journal)
        self.translator = Translator(self._writer, found.reader(), found.name, str(found.path))
        self._reader, self._state = JournalReader(journal), State()

    def now(self) -> State:
        while self.translator.poll() or self.translator.reader.behind:
            pass
        self.translator.poll()  # what only comes once all has been read
        while not self._reader.at_end:
            self._state = fold(self._state, self._reader.read())
        return self._state

    def close(self) -> None:
        self._writer.close()


Read: TypeAlias = Callable[[Path], Reading]


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Read]:
    """Read what a path leads to, which is one run."""
    opened = list[Reading]()

    def reading(path: Path) -> Reading:
        opened.append(Reading(path, tmp_path / f"journal-{len(opened)}.jsonl"))
        return opened[-1]

    yield reading
    for item in opened:
        item.close()
