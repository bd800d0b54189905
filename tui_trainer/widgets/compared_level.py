"""Compared runs at the same place: the last that all which have begun have reached, so that one that trains is held against
one that is done."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from core.view.comparing import Level
from tui_trainer.theme import Palette
from tui_trainer.widgets.compared import plain
from tui_trainer.widgets.compared_grid import Grid, head, laid_out
from tui_trainer.widgets.compared_plot import PARTS, place_words, scalar_words
from tui_trainer.widgets.metric import metric_of


def level_lines(same: Level, runs: int, width: int, colours: Palette) -> list[Text]:
    trained = " trained" if same.by == "time" else ""
    title = f"at {place_words(same.place * PARTS[same.by], same.by)}{trained}, as far as all runs that have begun have come"
    heads = (Text(""), *(head(place, "", 1, colours) for place in range(runs)))
    rows = tuple(_row(name, values, colours) for name, values in same.rows)
    return [plain(title, f"bold {colours.text}", width), *laid_out(Grid(heads, rows), width)]


def _row(name: str, values: Sequence[float | None], colours: Palette) -> tuple[Text, ...]:
    shown = metric_of(name)
    words = [None if value is None else shown.written(value * shown.factor) for value in values]
    return Text(scalar_words(name), colours.muted), *(
        Text(text or "-", colours.text if text else colours.faint) for text in words
    )
