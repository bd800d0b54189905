"""The columns of the list of runs fit every width, and their texts fit the columns."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from core.run.folder import RunFolder
from core.view.fold import fold
from core.view.state import State, Status, Stopping
from tests.tui import runs as made
from tui_trainer.listing import ListedRun
from tui_trainer.theme import DARK, Palette, palette
from tui_trainer.widgets import glyphs as glyphs_file
from tui_trainer.widgets import run_columns
from tui_trainer.widgets.run_badge import GLYPHS, WIDTH, run_badge
from tui_trainer.widgets.run_columns import Row, ago, curve, percent, placed


@pytest.fixture
def colours() -> Palette:
    return palette(DARK.to_color_system().generate())


def row(state: State | None, colours: Palette, name: str = "demo") -> Row:
    return Row(ListedRun(RunFolder(Path("runs") / name), state, alive=False, active=made.NOW - 60), made.NOW, colours)


@pytest.mark.parametrize("width", range(56, 200))
def test_the_columns_fill_the_list_exactly(width: int, colours: Palette) -> None:
    places = placed(width)
    assert sum(place.width + place.gap for place in places) == width
    state = fold(State(), made.on_test())
    for place in places:
        for text in (place.label(), place.cell(row(state, colours, "n" * 300)), place.cell(row(None, colours))):
            assert text.cell_len <= place.width


def test_name_state_epoch_and_activity_are_there_at_the_least_width() -> None:
    titles = [place.column.title for place in placed(56)]
    assert {"name", "state", "epoch", "val", "active"} <= set(titles)
    assert "best" in [place.column.title for place in placed(76)]


def test_a_best_value_from_the_test_split_says_so(colours: Palette) -> None:
    def best(state: State) -> str:
        place = next(place for place in placed(76) if place.column.title == "best")
        return place.cell(row(state, colours)).plain.strip()

    assert best(State(monitor="test.loss", stopping=Stopping(best=0.5))) == "TEST 0.500"
    assert best(State(monitor="val.accuracy", stopping=Stopping(best=0.5))) == "val 50.0%"
    assert best(State(monitor="val.loss", stopping=Stopping(best=math.nan))) == ""
    assert best(State()) == ""


def test_every_state_has_a_badge_that_fits(colours: Palette, monkeypatch: pytest.MonkeyPatch) -> None:
    statuses: list[Status] = list(GLYPHS)
    assert len(statuses) == 11
    assert all(0 < run_badge(status, colours).cell_len <= WIDTH for status in statuses)
    assert run_badge("failed", colours).style == run_badge("lost", colours).style != run_badge("running", colours).style
    monkeypatch.setattr("tui_trainer.widgets.run_badge.glyphs", lambda: glyphs_file.ASCII)
    assert all(run_badge(status, colours).plain.isascii() for status in statuses)


def test_a_terminal_without_block_characters_gets_no_curve(colours: Palette, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_columns, "glyphs", lambda: glyphs_file.ASCII)
    state = fold(State(), made.running())
    cells = {place.column.title: place.cell(row(state, colours)).plain for place in placed(170)}
    assert cells["curve"] == ""
    assert cells["progress"].isascii()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "now"), (4, "now"), (59, "59s ago"), (60, "1m ago"), (7200, "2h ago"), (86_400 * 12, "12d ago"), (1e12, "long")],
)
def test_ago(seconds: float, text: str) -> None:
    assert ago(seconds) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "0.0%"), (0.4567, "45.7%"), (1.0, "100%"), (math.nan, "nan"), (math.inf, "inf")]
)
def test_percent(share: float, text: str) -> None:
    assert percent(share) == text


def test_curve_goes_from_the_lowest_block_to_the_highest() -> None:
    assert curve([0, 1, 2, 3, 4, 5, 6, 7], 8) == "▁▂▃▄▅▆▇█"
    assert curve([3, 3, 3], 8) == "▁▁▁"
    assert len(curve([float(value) for value in range(1000)], 16)) == 16


@pytest.mark.parametrize("values", [[], [math.nan], [math.inf, -math.inf], [1e308, -1e308]])
def test_curve_of_what_cannot_be_drawn_is_empty(values: list[float]) -> None:
    assert curve(values, 8) == ""
