"""The key that writes what is on the screen into files."""

from __future__ import annotations

import csv
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui import runs as made
from tests.tui.screens import PATIENCE, console, panel, seen, settled, text_of
from tests.tui.states import opened
from tui_trainer.svg import CELL_HEIGHT, CELL_WIDTH, alone


async def told(pilot: Pilot[Any], words: str) -> None:
    for _ in range(PATIENCE):
        if any(words in notice.message for notice in pilot.app._notifications):
            return
        await pilot.pause(0.03)
    raise AssertionError([notice.message for notice in pilot.app._notifications])


async def test_a_page_is_written_beside_what_is_there(runs: Path) -> None:
    run = made.make(runs, "demo", made.early_stopped())
    async with console(run).run_test(size=(120, 40)) as pilot:
        await opened(pilot, run, "classes")
        shown = text_of(pilot)
        await pilot.press("E")
        await told(pilot, "written: demo-classes.svg")
        await pilot.press("E")
        await told(pilot, "written: demo-classes-2.svg")
    first = Path("demo-classes.svg").read_text("utf-8")
    words = "".join(ElementTree.fromstring(first).itertext()).replace("\xa0", " ")
    assert all(word in words for word in re.findall(r"[a-z]{4,}", shown))
    assert sorted(path.name for path in Path().iterdir()) == ["demo-classes-2.svg", "demo-classes.svg", "runs"]


async def test_a_plot_that_has_the_focus_is_written_as_numbers_too(runs: Path) -> None:
    run = made.make(runs, "demo", made.early_stopped())
    async with console(run).run_test(size=(120, 40)) as pilot:
        await opened(pilot, run, "plots")
        await pilot.press("tab", "E")
        await told(pilot, "written: demo-plots.svg, demo-accuracy.csv")
    with Path("demo-accuracy.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[7:] == ["train.accuracy", "val.accuracy"]
    assert [sum(row["kind"] == kind for row in rows) for kind in ("step", "validation")] == [140, 14]


async def test_the_past_can_be_written_as_well(runs: Path) -> None:
    run = made.make(runs, "demo", made.early_stopped())
    async with console(run).run_test(size=(120, 40)) as pilot:
        await settled(pilot, run)
        await pilot.press("b")
        await pilot.pause()
        await pilot.press("E")
        await told(pilot, "written: demo-overview.svg")
    assert "replay:" in Path("demo-overview.svg").read_text("utf-8").replace("&#160;", " ")


async def test_what_is_typed_into_a_search_writes_nothing(runs: Path) -> None:
    run = made.make(runs, "demo", made.early_stopped())
    run.log.write_text("a line\n")
    async with console(run).run_test(size=(120, 40)) as pilot:
        screen = await settled(pilot, run)
        await pilot.press("5")
        await settled(pilot, run)
        panel(screen, "WorkerOutput").focus()
        await pilot.press("slash", "E")
        await seen(pilot, "/E_")
        await pilot.app.workers.wait_for_complete()
    assert [path.name for path in Path().iterdir()] == ["runs"]


async def test_a_folder_that_takes_nothing_is_told(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = made.make(runs, "demo", made.early_stopped())
    async with console(run).run_test(size=(120, 40)) as pilot:
        await settled(pilot, run)
        (tmp_path / "gone").mkdir()
        monkeypatch.chdir(tmp_path / "gone")
        (tmp_path / "gone").rmdir()
        await pilot.press("E")
        await told(pilot, "nothing can be written into the present folder: No such file or directory")
        monkeypatch.chdir(tmp_path)


def test_dots_of_braille_are_drawn_where_they_stand() -> None:
    svg = '<text class="t-r1" x="24.4" y="44.4" textLength="36.6" clip-path="url(#l)">a\u2801&#160;&lt;\u28ff</text>'
    drawn = alone(f"<svg>@font-face {{ src: url(http://x) }}{svg}</svg>")
    assert "http" not in drawn and "font-face" not in drawn and ">a\xa0\xa0&lt;\xa0</text>" in drawn
    path = ElementTree.fromstring(drawn).find("path")
    assert path is not None and path.get("class") == "t-r1"
    dots = [tuple(map(float, dot.split("h")[0].split(","))) for dot in path.attrib["d"].split("M")[1:]]
    assert len(dots) == 9
    left, top = 24.4 + CELL_WIDTH, 44.4 - 18.5
    assert left < dots[0][0] < left + CELL_WIDTH / 2 and top < dots[0][1] < top + CELL_HEIGHT / 4
    assert all(24.4 + 4 * CELL_WIDTH < x < 24.4 + 5 * CELL_WIDTH for x, _ in dots[1:])


def test_a_picture_without_braille_is_left_as_it_is() -> None:
    svg = '<svg><text class="t-r1" x="0" y="20" textLength="12.2">a</text></svg>'
    assert alone(svg) == svg
