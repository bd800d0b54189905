"""What the panels of a sweep share, and the one that says which keys matter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, NamedTuple, Protocol, cast

from rich.cells import cell_len
from rich.text import Text
from textual.geometry import Size

from core.run.folder import RunFolder
from core.sweep.folder import SweepFolder
from core.sweep.trials import FEWEST, Trial
from core.view.state import State
from tui_trainer.escape import printable
from tui_trainer.sweep_look import Look
from tui_trainer.theme import Palette
from tui_trainer.widgets.compared import shortened
from tui_trainer.widgets.glyphs import bar, cut, glyphs
from tui_trainer.widgets.panel import Panel, Reads

SHARE = 5
"""Cells of ``100 %``."""
BAR = 5
"""Cells of a bar, at the least."""


class Sweeping(Protocol):
    """Of the screen, what such a panel needs."""

    look: Look
    key: str
    """The one that is drawn."""

    @property
    def selected(self) -> Trial | None: ...


class SweepPanel(Panel[Reads], Generic[Reads]):
    """Over all trials. ``reads`` looks at the screen, since there is no one state."""

    SLOT = "left"

    def __init__(self, sweep: SweepFolder) -> None:
        super().__init__(RunFolder(sweep.path))

    @property
    def sweeping(self) -> Sweeping:
        return cast(Sweeping, self.screen)


class Shares(NamedTuple):
    keys: tuple[str, ...]
    importances: tuple[tuple[str, float], ...]
    """The largest first."""


class Importances(SweepPanel[Shares]):
    NAME = "what matters"

    def reads(self, state: State, now: float) -> Shares:
        look = self.sweeping.look
        found = {key: share for key, share in look.board.importances.items() if key in look.keys}
        return Shares(look.keys, tuple(sorted(found.items(), key=lambda item: (-item[1], item[0]))))

    def draw(self, reads: Shares, size: Size, colours: Palette) -> Sequence[Text]:
        if not reads.importances:
            return [cut(Text(line, colours.muted), size.width) for line in _why_none(reads.keys)]
        room = max(size.width - SHARE - BAR - 2, 6)
        names = _named(reads.keys, room)
        width = min(max(map(cell_len, names.values())), room)
        return [_line(names[key], share, width, size.width, colours) for key, share in reads.importances]


def _why_none(keys: Sequence[str]) -> tuple[str, ...]:
    if len(keys) < 2:
        return ("one key alone is searched",)
    return (f"told once {FEWEST} trials", "have finished")


def _named(keys: Sequence[str], room: int) -> dict[str, str]:
    """Keys as they are, or by their last parts where these tell them apart and there is no room for more."""
    last = {key: key.rpartition(".")[2] for key in keys}
    short = len(set(last.values())) == len(keys) and max(cell_len(printable(key)) for key in keys) > room
    return {key: printable(last[key] if short else key) for key in keys}


def _line(name: str, share: float, names: int, width: int, colours: Palette) -> Text:
    share = min(max(share, 0.0), 1.0)
    filled, empty = bar(share, max(width - names - SHARE - 2, 1), glyphs())
    line = cut(Text(shortened(name, names), colours.text), names, pad=True)
    line.append(" ").append(filled, colours.bar).append(empty, colours.track)
    return cut(line.append(f" {100 * share:3.0f} %", colours.text), width)
