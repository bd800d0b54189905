"""The run screen on recorded journals of real runs, over sizes: characters everywhere, styles at the middle size."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from core.run import journal
from core.run.folder import RunFile, RunFolder
from core.view.fold import fold
from core.view.state import State
from tests.tui.runs import NOW
from tests.tui.screens import FOLDER, check, console, settled, text_of, trained, until
from tui_trainer.theme import palette

JOURNALS = Path(__file__).parent.parent / "journals"
STATUS = {
    "healthy": "finished",
    "paused": "paused",
    "resumed": "finished",
    "diverged": "failed",
    "crashed": "lost",
    "early-stopped": "early-stopped",
}
TIME = re.compile(rb'"time":([0-9.]+),')
SIZES = [(80, 24), (120, 40), (200, 60)]


def recorded(runs: Path, name: str) -> RunFolder:
    """The run, moved in time so that its last word is two seconds old."""
    run = RunFolder(runs / name)
    run.create(RunFile(name=name, recipe={"name": "quickstart"}))
    source = JOURNALS / f"{name}.jsonl"
    later = NOW - 2 - max(event.time for event in journal.read_all(source))
    run.journal.write_bytes(TIME.sub(lambda found: b'"time":%.6f,' % (float(found[1]) + later), source.read_bytes()))
    return run


def styled(pilot: Pilot[Any]) -> str:
    """Each stretch of one style on a line of its own: colours, attributes, characters."""
    lines = []
    for number, strip in enumerate(pilot.app.screen._compositor.render_strips()):
        lines += [f"{number:2} {segment.style} |{segment.text}|" for segment in strip.simplify() if segment.text.strip()]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", STATUS)
def test_a_recorded_journal_folds_to_how_it_ended(name: str) -> None:
    state = fold(State(), journal.read_all(JOURNALS / f"{name}.jsonl"))
    assert state.status == STATUS[name] or (name, state.status) == ("crashed", "running")
    assert state.classes and state.series["train.loss"].recent


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", STATUS)
async def test_the_screen_of_a_recorded_run(runs: Path, name: str, size: tuple[int, int]) -> None:
    run = recorded(runs, name)
    with trained(run, live=name == "paused"):
        async with console(run).run_test(size=size) as pilot:
            screen = await settled(pilot, run)
            assert screen.state.status == STATUS[name]
            check(f"recorded-{name}-{size[0]}x{size[1]}", text_of(pilot))
            if size == (120, 40):
                check(f"recorded-{name}-styles", styled(pilot))


async def test_another_theme_recolours_a_run_that_says_nothing_any_more(runs: Path) -> None:
    run = recorded(runs, "healthy")
    async with console(run).run_test(size=(80, 24)) as pilot:
        await settled(pilot, run)
        dark = palette(pilot.app.theme_variables).train.lower()
        await pilot.press("t")
        light = palette(pilot.app.theme_variables).train.lower()
        assert dark != light
        await until(pilot, lambda: dark not in styled(pilot) and light in styled(pilot))


def test_no_snapshot_is_left_of_a_journal_that_is_gone() -> None:
    kept = {path.name.split("-")[1].split(".")[0] for path in FOLDER.glob("recorded-*.txt")}
    assert kept == {name.split("-")[0] for name in STATUS}
