"""Three hints for whoever opens the console for the first time, each given once ever. Which were given stands in a small file
of the user's; where that cannot be read or written there are none, rather than the same ones for ever."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from core.errors import UNREADABLE
from core.files import make_folder, read_plain, write_whole
from tui_trainer.memory import folder

HintId: TypeAlias = Literal["home", "detach", "pages"]
HINTS: dict[HintId, str] = {
    "home": "enter starts a first training, of a minute or two",
    "detach": "d detaches: back to the shell, and training goes on",
    "pages": "2 to 5 show the other pages, ? all keys",
}
WITH_RUNS = "enter opens the selected run, n starts a new one"
"""The first of them, where there are runs already."""
LARGEST = 4096


class Given(msgspec.Struct, frozen=True):
    """The file: the hints that were given, by their ids."""

    hints: tuple[str, ...] = ()


def path() -> Path:
    """It need not exist."""
    return folder() / "tour.json"


class Tour:
    """``left`` are the hints that have not been given yet."""

    def __init__(self, path: Path, left: Iterable[HintId]) -> None:
        self._path, self.left = path, set(left)

    @classmethod
    def opened(cls, path: Path) -> Tour:
        """As far as it had come; over, where its file is of no use."""
        try:
            given = msgspec.json.decode(read_plain(path, LARGEST), type=Given).hints
        except FileNotFoundError:
            given = ()
        except (OSError, *UNREADABLE):
            given = tuple(HINTS)
        return cls(path, (hint for hint in HINTS if hint not in given))

    def give(self, hint: HintId) -> bool:
        """Whether to show it now: it has not been given yet, and it is kept that it was."""
        if hint not in self.left:
            return False
        self.left.discard(hint)
        given = Given(tuple(sorted(set(HINTS) - self.left)))
        try:
            make_folder(self._path.parent)
            write_whole(self._path, msgspec.json.encode(given) + b"\n")
        except OSError:
            self.left.clear()
            return False
        return True
