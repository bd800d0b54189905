"""What the console remembers of itself: the theme that was chosen last, and the panels that were hidden for each recipe. It is
a comfort, so that a file which cannot be read is forgotten, and one that cannot be written is not missed."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from platformdirs import user_state_path

from core.errors import UNREADABLE
from core.files import make_folder, read_plain, write_whole
from tui_trainer.settings import LARGEST, Layout

MOST_RECIPES = 200


class Remembered(msgspec.Struct, frozen=True):
    theme: str = ""
    layouts: dict[str, Layout] = {}
    """By recipe."""


class Memory:
    """Without a ``path``, or one that can be written, it lasts as long as the console."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._known = _read(path) if path else Remembered()

    @property
    def theme(self) -> str:
        return self._known.theme

    def remember_theme(self, name: str) -> None:
        self._keep(msgspec.structs.replace(self._fresh(), theme=name))

    def layout(self, recipe: str) -> Layout:
        return self._known.layouts.get(recipe, {})

    def remember_layout(self, recipe: str, layout: Layout) -> None:
        known = self._fresh()
        others = {name: kept for name, kept in known.layouts.items() if name != recipe}
        latest = dict([*others.items(), (recipe, layout)][-MOST_RECIPES:]) if any(layout.values()) else others
        self._keep(msgspec.structs.replace(known, layouts=latest))

    def _fresh(self) -> Remembered:
        """As another console may have written it meanwhile."""
        return _read(self._path) if self._path else self._known

    def _keep(self, known: Remembered) -> None:
        self._known = known
        if self._path:
            try:
                make_folder(self._path.parent)
                write_whole(self._path, msgspec.json.encode(known))
            except OSError:
                self._path = None


def path() -> Path:
    """It need not exist."""
    return folder() / "console.json"


def folder() -> Path:
    """Of what the console keeps by itself: ``TUI_TRAINER_STATE``, else where the user has such things."""
    given = os.environ.get("TUI_TRAINER_STATE")
    return Path(given) if given else user_state_path("tui-trainer")


def _read(path: Path) -> Remembered:
    try:
        return msgspec.json.decode(read_plain(path, LARGEST), type=Remembered)
    except (OSError, *UNREADABLE):
        return Remembered()
