"""Home: the list of runs, its keys, and the first run's form where there is none."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from core.errors import UserError
from core.events import Event, StepDone
from core.run import session
from core.run.folder import RunFolder
from core.run.journal import JournalWriter
from tests.tui import runs as made
from tests.tui.screens import PATIENCE, check, text_of, until
from tui_trainer.app import TrainerApp
from tui_trainer.screens.help import HelpScreen
from tui_trainer.screens.home import HomeScreen
from tui_trainer.screens.new_run import NewRunScreen
from tui_trainer.screens.run import RunScreen
from tui_trainer.widgets.run_table import RunTable

SIZES = ((60, 16), (80, 24), (120, 40), (200, 60))
LIVE = ("running", "paused")
STATES: dict[str, Callable[[], Iterator[Event]]] = {
    "running": made.running,
    "paused": made.paused,
    "stopped": made.stopped,
    "lost": made.one_point,
    "on-test-1e-3": made.on_test,
    "early-stopped": made.early_stopped,
    "diverged": made.diverged,
}


@pytest.fixture
def many(runs: Path) -> Iterator[Path]:
    """A run in every state, each a while older than the one before."""
    with ExitStack() as held:
        for place, (name, events) in enumerate(STATES.items()):
            run = add(runs, name, events(), age=5 * 8**place)
            if name in LIVE:
                held.enter_context(run.hold())
        yield runs


def add(runs: Path, name: str, events: Iterable[Event], age: float = 0) -> RunFolder:
    run = made.make(runs, name, events)
    os.utime(run.journal, (made.NOW - age, made.NOW - age))
    return run


def console(runs: Path) -> TrainerApp:
    return TrainerApp(runs, clock=lambda: made.NOW)


def has_footer(text: str) -> bool:
    """Textual empties it, and fills it a little later, whenever what can be done has changed."""
    return bool(text.splitlines()[-1].strip())


async def settled(pilot: Pilot[Any]) -> HomeScreen:
    """Home once its list is read and its picture is still."""
    last = ""
    for _ in range(PATIENCE):
        await pilot.pause(0.03)
        screen, text = pilot.app.screen, text_of(pilot)
        if isinstance(screen, HomeScreen) and selected(screen) and text == last:
            return screen
        last = text
    raise AssertionError(f"Home did not settle:\n{last}")


def selected(screen: HomeScreen) -> str:
    chosen = screen.query_one(RunTable).selected
    return chosen.run.name if chosen else ""


async def select(pilot: Pilot[Any], screen: HomeScreen, name: str) -> None:
    names = [item.run.name for item in screen._listed]
    await pilot.press("home", *["down"] * names.index(name))
    assert selected(screen) == name


def shown(pilot: Pilot[Any], words: str) -> Callable[[], bool]:
    """Whether the words are on the screen, be it over two lines."""
    return lambda: words in " ".join(text_of(pilot).split())


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_list_at_every_size(many: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    monkeypatch.chdir(many.parent)
    app = console(Path("runs"))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await until(pilot, lambda: has_footer(text_of(pilot)))
        check(f"home-{size[0]}x{size[1]}", text_of(pilot))


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_list_that_scrolls_keeps_its_last_column(runs: Path, size: tuple[int, int]) -> None:
    for number in range(40):
        add(runs, f"run-{number}", made.warming_up(), age=60 * 15)
    app = console(runs)
    async with app.run_test(size=size) as pilot:
        screen = await settled(pilot)
        await until(pilot, lambda: screen.query_one(RunTable).show_vertical_scrollbar and "15m ago" in text_of(pilot))
        rows = [row for row in text_of(pilot).splitlines() if "run-" in row and "ago" in row]
        assert rows and all("15m ago" in row for row in rows)
        assert text_of(pilot).splitlines()[2].rstrip("│ ▁▂▃▄▅▆▇█").endswith("active")


@pytest.mark.parametrize("size", [(59, 16), (60, 15)])
async def test_a_terminal_too_small_gets_one_line(many: Path, size: tuple[int, int]) -> None:
    app = console(many)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        assert text_of(pilot).strip() == f"This terminal is {size[0]}x{size[1]}; tui-trainer needs 60x16."
        await pilot.resize_terminal(60, 16)
        await until(pilot, lambda: "running" in text_of(pilot))


async def test_each_selected_run_says_how_it_stands(many: Path) -> None:
    app = console(many)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await settled(pilot)
        for name, words in {
            "running": "running, epoch 8 of 20",
            "stopped": "stopped: asked to stop",
            "lost": "lost: its trainer ended",
            "on-test-1e-3": "TEST split)",
            "diverged": "train.loss is NaN",
        }.items():
            await select(pilot, screen, name)
            await until(pilot, shown(pilot, words))


async def test_enter_opens_the_selected_run_and_home_comes_back(many: Path) -> None:
    app = console(many)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await settled(pilot)
        await pilot.press("down", "down")
        name = selected(screen)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))
        opened = pilot.app.screen
        assert isinstance(opened, RunScreen) and opened.run.name == name
        await pilot.press("h")
        assert selected(await settled(pilot)) == name


async def test_a_click_selects_and_a_second_one_opens(many: Path) -> None:
    app = console(many)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await settled(pilot)
        await pilot.click(RunTable, offset=(3, 3))
        assert selected(screen) == screen._listed[2].run.name
        await pilot.click(RunTable, offset=(3, 3))
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))


async def test_keys_of_the_footer(many: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app = console(many)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for key, kind in (("n", NewRunScreen), ("question_mark", HelpScreen)):
            await pilot.press(key)
            await pilot.pause()
            assert isinstance(pilot.app.screen, kind)
            await pilot.press("escape")
            await settled(pilot)
        before, colours = pilot.app.theme, pilot.app.screen.styles.background
        await pilot.press("t")
        assert pilot.app.theme != before
        await until(pilot, lambda: pilot.app.screen.styles.background != colours)
        await pilot.press("q")
    assert not app.is_running
    assert capsys.readouterr().err.splitlines() == [
        "run      running: training goes on, epoch 8/20, validation accuracy 68.84 %",
        "run      paused: it stays paused, epoch 8/20, validation accuracy 68.84 %",
        "next     come back with: tui-trainer attach running",
    ]


async def test_a_change_of_theme_colours_the_rows_anew(many: Path) -> None:
    app = console(many)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await settled(pilot)
        before = screen.query_one(RunTable).get_cell("running", "state").style
        await pilot.press("t")
        await until(pilot, lambda: screen.query_one(RunTable).get_cell("running", "state").style != before)


async def test_resume_starts_the_selected_run_and_opens_it(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []
    monkeypatch.setattr(session, "start", lambda run: begun.append(run.name))
    app = console(many)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await settled(pilot)
        await pilot.press("r")
        assert selected(screen) in LIVE and not begun
        await select(pilot, screen, "stopped")
        await pilot.press("r")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))
        assert begun == ["stopped"]


async def test_a_resume_that_fails_says_why(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(run: RunFolder) -> None:
        raise UserError(f"run '{run.name}' [bold]\x1b[31m is being trained already")

    monkeypatch.setattr(session, "start", refused)
    app = console(many)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        screen = await settled(pilot)
        await select(pilot, screen, "stopped")
        await pilot.press("r")
        await until(pilot, shown(pilot, "[bold]\\x1b[31m is being"))
        assert pilot.app.screen is screen


async def test_a_finished_run_cannot_be_resumed(runs: Path) -> None:
    add(runs, "demo", made.early_stopped())
    app = console(runs)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert "Resume" not in text_of(pilot)


async def test_the_list_follows_the_folder_and_the_cursor_stays_on_its_run(many: Path) -> None:
    app = console(many)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await settled(pilot)
        await pilot.press("down", "down", "down")
        name = selected(screen)
        newest = add(many, "newest", made.stopped(), age=-60)
        with JournalWriter(RunFolder(many / "running").journal) as journal:
            journal.append(StepDone(step=900, epoch=9, steps=1, metrics={"train.loss": 1.0}))
        screen.scan()
        await until(pilot, lambda: newest.name in text_of(pilot) and "9/20" in text_of(pilot))
        assert selected(screen) == name
        assert "8 runs, 2 training" in text_of(pilot)


async def test_home_looks_at_the_folder_by_itself(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_trainer.screens.home.REFRESH", 0.05)
    add(runs, "first", made.stopped())
    app = console(runs)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        add(runs, "second", made.stopped())
        await until(pilot, lambda: "second" in text_of(pilot))


async def test_without_runs_the_first_one_is_a_key_away(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    created: list[str] = []

    def create(recipe: Any, runs: Path, name: str | None = None, **options: Any) -> RunFolder:
        created.append(recipe.name)
        return add(runs, "demo", made.warming_up())

    monkeypatch.setattr(session, "create", create)
    monkeypatch.setattr(session, "start", lambda run: None)
    app = console(Path("runs"))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "ready:" in text_of(pilot) and "MACs" in text_of(pilot) and has_footer(text_of(pilot)))
        check("home-empty-80x24", text_of(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))
        assert created == ["quickstart"]
        await pilot.press("h")
        assert selected(await settled(pilot)) == "demo"


async def test_the_form_gives_way_to_the_list_and_comes_back(runs: Path) -> None:
    app = console(runs)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "start your first run" in text_of(pilot))
        run = add(runs, "demo", made.stopped())
        home = pilot.app.screen
        assert isinstance(home, HomeScreen)
        home.scan()
        assert selected(await settled(pilot)) == "demo"
        run.run_file.unlink()
        home.scan()
        await until(pilot, lambda: "start your first run" in text_of(pilot))


async def test_hostile_names_are_shown_as_text(runs: Path) -> None:
    name = "x\x1b[31m[bold]\u202ey"
    add(runs, name, made.hostile())
    app = console(runs)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        text = text_of(pilot)
        assert r"x\x1b[31m[bold]\u202ey" in text
        assert not {"\x1b", "\u202e"} & set(text)


async def test_quick_keys_before_anything_is_read_do_no_harm(many: Path) -> None:
    app = console(many)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("r", "down", "up", "end", "pageup", "t", "question_mark", "escape")
        await settled(pilot)
