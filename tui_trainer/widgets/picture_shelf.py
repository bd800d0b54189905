"""The pictures that a panel has at hand. A thread reads their files and draws them, which takes some milliseconds each."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from textual.strip import Strip

from core.checkpoint import Damaged
from core.run.folder import RunFolder
from core.view import pictures
from core.view.pictures import Picture
from tui_trainer.pixels import BLOCKS, Way

if TYPE_CHECKING:
    from tui_trainer.widgets.kitty import Pixels

CACHED_FILES, CACHED_PICTURES = 8, 400
K = TypeVar("K")
V = TypeVar("V")


class Key(NamedTuple):
    """Of a picture as it is drawn; ``place`` in its file, -1 for the file alone."""

    media: str
    place: int = -1
    columns: int = 0
    rows: int = 0
    few_colours: bool = False
    light: bool = False
    """Whether the screen's ground is."""
    way: Way = BLOCKS
    """That the terminal has of showing it."""


class Shelf:
    """Looked at by the screen, filled by ``work`` in a thread."""

    def __init__(self, run: RunFolder, kind: str) -> None:
        self.run, self.kind = run, kind
        self.comings = 0
        """How often the thread has come back with something."""
        self._files: OrderedDict[str, tuple[Picture, ...] | str] = OrderedDict()
        self._drawn: OrderedDict[Key, tuple[list[Strip], Pixels | str | None]] = OrderedDict()
        self._wanted: list[Key] = []
        self._working = False

    @property
    def busy(self) -> bool:
        return self._working or bool(self._wanted)

    def pictures(self, name: str) -> tuple[Picture, ...] | str | None:
        """Of a media file; words where it cannot be read, None while it was not."""
        return self._files.get(name)

    def drawn(self, key: Key) -> list[Strip] | None:
        """In characters, also those of a time when nobody knew that the terminal has pixels."""
        found = self._drawn.get(key) or self._drawn.get(key._replace(way=BLOCKS))
        return found[0] if found else None

    def missing(self, keys: Iterable[Key]) -> list[Key]:
        return [key for key in keys if key not in self._drawn]

    def pixels(self, keys: Iterable[Key]) -> dict[Key, Pixels | str]:
        """As they are sent to the terminal, of those that are at hand."""
        found = ((key, self._drawn.get(key)) for key in keys)
        return {key: drawn[1] for key, drawn in found if drawn and drawn[1]}

    def want(self, keys: list[Key]) -> bool:
        """What is wanted now, and nothing else any more; whether a thread is to be started for it."""
        self._wanted = keys
        starts = bool(keys) and not self._working
        self._working = self._working or starts
        return starts

    def work(self) -> None:
        try:
            while key := self._next():
                self._fetch(key)
        finally:
            self._working = False
            self.comings += 1

    def _next(self) -> Key | None:
        try:
            return self._wanted.pop(0)
        except IndexError:  # the screen wants others by now, or none
            return None

    def _fetch(self, key: Key) -> None:
        if key.media not in self._files:
            _put(self._files, key.media, self._read(key.media), CACHED_FILES)
        known = self._files[key.media]
        if key.place >= 0 and not isinstance(known, str):
            _put(self._drawn, key, _drawn(known[key.place], key), CACHED_PICTURES)

    def _read(self, name: str) -> tuple[Picture, ...] | str:
        try:
            return pictures.read(self.run, name, self.kind)
        except Damaged as error:
            return str(error)


def _drawn(picture: Picture, key: Key) -> tuple[list[Strip], Pixels | str | None]:
    from tui_trainer.widgets import half_blocks  # which a console that shows no pictures starts without

    return half_blocks.drawn(picture, key.columns, key.rows, key.few_colours, key.light), _pixels(picture, key)


def _pixels(picture: Picture, key: Key) -> Pixels | str | None:
    from tui_trainer.widgets import kitty, sixel

    if key.way.name == "sixel":
        return sixel.encoded(picture, key.columns * key.way.width, key.rows * key.way.height, key.way.colours)
    return kitty.encoded(picture) if key.way.name == "kitty" else None


def _put(cache: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    cache[key] = value
    while len(cache) > most:
        cache.popitem(last=False)
