"""TensorBoard's event files of one folder, which are one run: in the order of their times, and live.

A trainer that starts again writes another file beside the ones before; that its steps go back is seen by the translator."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from core.files import open_plain
from core.view.words import count
from core.watching.growing import Growing
from core.watching.protobuf import Malformed
from core.watching.records import Records
from core.watching.rows import Again, Item, Note, Row, whole
from core.watching.summaries import Told, decode

PREFIX = "events.out.tfevents."
CHUNK = 256 << 10
"""Bytes that are read at a time: some thousand scalars."""
MOST_FILES = 1000
"""Of one folder, the newest."""
TIME = re.compile(r"events\.out\.tfevents\.(\d+)")


class EventFile(Growing):
    """One of them, read on from where it was read before."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.records = Records()
        self.malformed = 0
        self.begun = False
        """Whether it has told a scalar yet."""

    def read(self) -> list[Told]:
        """Of the next bytes. Raises OSError."""
        with open_plain(self.path) as file:
            file.seek(self.offset)
            data = file.read(CHUNK)
        self.offset += len(data)
        return [told for record in self.records.feed(data) if (told := self._decoded(record)) is not None]

    def _decoded(self, record: bytes) -> Told | None:
        try:
            return decode(record)
        except Malformed:
            self.malformed += 1
            return None

    @property
    def losses(self) -> int:
        return self.malformed + self.records.damaged


class EventFiles:
    """See :class:`core.watching.rows.Reader`."""

    LABEL: ClassVar[str] = "TensorBoard"

    def __init__(self, folder: Path, prefix: str = "") -> None:
        """``prefix`` comes before every tag."""
        self.folder, self._prefix = folder, prefix
        self._files: dict[Path, EventFile] = {}
        self._others, self._said = Counter[str](), Counter[str]()
        self._losses = 0
        self._trouble = ""

    def restart(self) -> None:
        self._files = {}
        self._said, self._losses = self._others.copy(), 0
        self._others.clear()

    def end(self) -> None:
        """Half a record is none."""

    @property
    def size(self) -> int:
        return sum(file.size for file in self._files.values())

    @property
    def behind(self) -> int:
        return sum(max(file.size - file.offset, 0) for file in self._files.values())

    def read(self) -> list[Item]:
        """Of the first file that has something new; the ones before it are at their end."""
        self._look()
        for file in self._files.values():
            if file.size < file.offset:
                self.restart()
                return [Again(f"{file.path.name} has been written anew")]
            if file.size > file.offset:
                return [*self._rows(file), *self._notes(file)]
        return list(self._summary())

    def _look(self) -> None:
        """For further files. One that sorts before those that are read comes after them all the same."""
        try:
            found = sorted(self.folder.glob(f"{PREFIX}*"), key=_order)[-MOST_FILES:]
        except OSError:
            return
        for path in found:
            if path not in self._files:
                self._files[path] = EventFile(path)

    def _rows(self, file: EventFile) -> Iterator[Row]:
        """What follows each other at one step is one row."""
        step, time, values, first = 0, 0.0, dict[str, float](), not file.begun
        for told in self._told(file):
            self._others.update(told.others)
            if values and (whole(told.step) != step or not values.keys().isdisjoint(told.scalars)):
                yield Row(step, values, time, first=first)
                values, first = {}, False
            if told.scalars:
                step, time = whole(told.step), told.time
                values.update(told.scalars)
                file.begun = True
        if values:
            yield Row(step, values, time, first=first)

    def _told(self, file: EventFile) -> Iterator[Told]:
        try:
            found = file.read()
        except OSError as error:
            file.offset, self._trouble = file.size, f"{file.path.name} cannot be read: {error.strerror}"
            return
        for told in found:
            if self._prefix:
                told = told._replace(scalars={f"{self._prefix}{tag}": value for tag, value in told.scalars.items()})
            yield told

    def _notes(self, file: EventFile) -> Iterator[Note]:
        if self._trouble:
            yield Note(self._trouble)
            self._trouble = ""
        losses = sum(item.losses for item in self._files.values())
        if losses > self._losses:
            yield Note(f"{count(losses, 'damaged record')} skipped, the latest in {file.path.name}")
            self._losses = losses

    def _summary(self) -> Iterator[Note]:
        """Once all has been read, what else there is; said again when another kind of it comes."""
        if self._others.keys() > self._said.keys():
            kinds = ", ".join(count(number, kind) for kind, number in sorted(self._others.items()))
            yield Note(f"not shown: {kinds}", warning=False)
            self._said = self._others.copy()


def _order(path: Path) -> tuple[int, str]:
    found = TIME.match(path.name)
    return int(found[1][:20]) if found else 0, path.name


class Joined:
    """Keras writes a run's training and validation into two folders; here they are one run again."""

    LABEL: ClassVar[str] = EventFiles.LABEL
    PARTS = {"train": "train/", "validation": "val/"}
    """By folder, what comes before its tags."""

    def __init__(self, folder: Path) -> None:
        self._readers = [EventFiles(folder / name, prefix) for name, prefix in self.PARTS.items()]

    def restart(self) -> None:
        for reader in self._readers:
            reader.restart()

    def end(self) -> None:
        for reader in self._readers:
            reader.end()

    @property
    def size(self) -> int:
        return sum(reader.size for reader in self._readers)

    @property
    def behind(self) -> int:
        return sum(reader.behind for reader in self._readers)

    def read(self) -> list[Item]:
        """In the order of their times, as far as both have been read."""
        found = [item for reader in self._readers for item in reader.read()]
        return sorted(found, key=lambda item: item.time if isinstance(item, Row) else 0.0)
