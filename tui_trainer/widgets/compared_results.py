"""How compared runs stand: the best of each figure marked, one run a line where there is room, else one run a column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.text import Text
from textual.geometry import Size

from core.view.comparing import Level, Standing, bests, level, standings
from core.view.state import State
from core.view.words import format_count, format_duration, lower_is_better
from tui_trainer.escape import printable
from tui_trainer.theme import Palette
from tui_trainer.widgets.axis import short
from tui_trainer.widgets.compared import ComparedPanel, named, plain
from tui_trainer.widgets.compared_grid import GAP, Grid, head, laid_out
from tui_trainer.widgets.compared_level import level_lines
from tui_trainer.widgets.glyphs import cut
from tui_trainer.widgets.run_badge import WIDTH, run_badge

BEST = "*"
NOTHING = "-"
NOTES = (
    f"{BEST} the best of its kind; of trained times, among the runs that are done",
    "loss: in training, mean of the last whole epoch; images/s: of the latest steps",
)
DIFFERENT = "best: these runs watch different metrics, so none of them is the best in it"
HINT = "x step, epoch, time"


class Figure(NamedTuple):
    """Of a run; ``words`` are empty where it is not known."""

    title: str
    words: Callable[[Standing], str]
    column: str = ""
    """In which one run can be the best."""


class Results(NamedTuple):
    found: tuple[Standing, ...]
    best: tuple[tuple[str, frozenset[int]], ...]
    same: Level | None


class ComparedResults(ComparedPanel[Results]):
    NAME = "results"
    PERIOD = 0.5
    HEAD = 1

    def reads(self, state: State, now: float) -> Results:
        subjects = self.comparing.subjects
        found = standings(subjects)
        return Results(tuple(found), tuple(bests(found).items()), level(subjects, self.comparing.choice.by))

    def draw(self, reads: Results, size: Size, colours: Palette) -> Sequence[Text]:
        notes = [*NOTES, DIFFERENT] if len({item.metric for item in reads.found if item.metric}) > 1 else NOTES
        below = [Text(), *(plain(note, colours.muted, size.width) for note in notes)]
        if reads.same:
            below += [Text(), *level_lines(reads.same, len(reads.found), size.width, colours)]
        for figures, width, gap in LINES:
            grid = _by_line(reads, figures, width, colours)
            if grid.width(gap) <= size.width:
                return [*laid_out(grid, size.width), *below]
        runs = (_run(place, item, size.width, colours) for place, item in enumerate(reads.found))
        return [*laid_out(_by_column(reads, colours), size.width), Text(), *runs, *below]

    def subtitle(self, reads: Results, colours: Palette) -> Text | None:
        return Text(HINT, colours.muted) if reads.same else None


def _by_line(reads: Results, figures: Sequence[Figure], width: int, colours: Palette) -> Grid:
    """Names in so many cells at the most."""
    columns = [_column(reads, figure, colours) for figure in figures]
    names = [named(place, item.name, min(cell_len(printable(item.name)) + 2, width), colours) for place, item in _placed(reads)]
    states = [run_badge(item.state, colours) for item in reads.found]
    watched = [_plain(printable(item.metric), colours) for item in reads.found]
    before = [(Text("run", colours.muted), *names), (Text("state", colours.muted), *states)]
    before += [(Text("watched", colours.muted), *watched)] if any(item.metric for item in reads.found) else []
    return _grid([*before, *(column for column in columns if column)]).turned()._replace(words=len(before))


def _by_column(reads: Results, colours: Palette) -> Grid:
    """Only the numbers of the runs; what else there is to say of them is below."""
    numbers = (Text("run", colours.muted), *(head(place, item.name, 1, colours) for place, item in _placed(reads)))
    figures = [_column(reads, figure, colours) for figure in SHORT]
    return _grid([numbers, *(figure for figure in figures if figure)])


def _grid(rows: Sequence[tuple[Text, ...]]) -> Grid:
    return Grid(rows[0], tuple(rows[1:]))


def _placed(reads: Results) -> list[tuple[int, Standing]]:
    return list(enumerate(reads.found))


def _column(reads: Results, figure: Figure, colours: Palette) -> tuple[Text, ...]:
    """A figure's title and what it is in each run; empty where no run has it."""
    words = [figure.words(item) for item in reads.found]
    if not any(words):
        return ()
    best = dict(reads.best).get(figure.column, frozenset())
    cells = (_cell(text, bool(figure.column), place in best, colours) for place, text in enumerate(words))
    return Text(figure.title + (" " if figure.column else ""), colours.muted), *cells


def _cell(words: str, marked: bool, best: bool, colours: Palette) -> Text:
    """With room for the mark wherever one may be."""
    if best:
        return Text(f"{words}{BEST}", f"bold {colours.good}")
    return Text(f"{words or NOTHING}{' ' if marked else ''}", colours.text if words else colours.faint)


def _plain(words: str, colours: Palette) -> Text:
    return Text(words or NOTHING, colours.text if words else colours.faint)


def _run(place: int, item: Standing, width: int, colours: Palette) -> Text:
    watched = f"watches {printable(item.metric)}" if item.metric else "watches nothing"
    line = named(place, item.name, max(width - WIDTH - 24, 12), colours)
    line.append(" " * GAP).append_text(cut(run_badge(item.state, colours), WIDTH, pad=True))
    return cut(line.append(f"{' ' * GAP}{watched}", colours.muted), width)


def _best(item: Standing) -> str:
    if item.best is None:
        return ""
    return short(item.best) if lower_is_better(item.metric) else _percent(item.best)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.2f}%"


def _number(value: float | None, form: str = "{}") -> str:
    return "" if value is None else form.format(value)


def _loss(item: Standing) -> str:
    return "" if item.train_loss is None else short(item.train_loss)


def _epochs(item: Standing) -> str:
    return f"{item.epoch}/{item.epochs}" if item.epochs else str(item.epoch or "")


def _trained(item: Standing) -> str:
    return format_duration(item.trained_seconds) if item.trained_seconds else ""


def _trained_in_short(item: Standing) -> str:
    """``13m12s``."""
    return _trained(item).replace(" min", "m").replace(" ", "")


FIGURES = (
    Figure("best", _best, "best"),
    Figure("at epoch", lambda item: _number(item.best_epoch)),
    Figure("test", lambda item: _percent(item.test_accuracy), "test_accuracy"),
    Figure("TTA", lambda item: _percent(item.tta_accuracy), "tta_accuracy"),
    Figure("loss", _loss, "train_loss"),
    Figure("epoch", _epochs),
    Figure("trained", _trained, "trained_seconds"),
    Figure("images/s", lambda item: _number(item.images_per_second, "{:.0f}"), "images_per_second"),
    Figure("params", lambda item: format_count(item.parameters) if item.parameters else ""),
    Figure("seed", lambda item: _number(item.seed)),
)
IN_SHORT = {"trained": ("trained", _trained_in_short), "at epoch": ("at ep.", FIGURES[1].words)}
SHORT = tuple(
    figure._replace(title=IN_SHORT[figure.title][0], words=IN_SHORT[figure.title][1]) if figure.title in IN_SHORT else figure
    for figure in FIGURES
)
LINES = tuple((figures, width, gap) for figures, gap in ((FIGURES, 2), (SHORT, 2), (SHORT, 1)) for width in (48, 32, 24, 16))
"""How much a run's line may take, the roomiest first: its figures, cells of its name, and between two columns."""
