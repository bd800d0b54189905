"""The screen of a sweep: every size and state, its keys, what is new meanwhile, the ways in and out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.color import Color
from textual.pilot import Pilot

from core.run import tags
from core.sweep.trials import Board, Trial
from tests.core.hostile import lets_through
from tests.tui import runs as made_runs
from tests.tui import sweeps as made
from tests.tui.screens import check, seen, text_of, until
from tests.tui.sweeps import console, settled
from tui_trainer import actions, theme
from tui_trainer.screens.home import HomeScreen
from tui_trainer.screens.run import RunScreen
from tui_trainer.screens.sweep import SweepScreen
from tui_trainer.sweep_look import best_first
from tui_trainer.widgets.sweep_panel import Importances
from tui_trainer.widgets.sweep_plots import HistoryPlot, KeyPlot
from tui_trainer.widgets.trial_table import TrialTable

SIZES = ((60, 16), (80, 24), (120, 40), (200, 60))


def said(pilot: Pilot[Any]) -> str:
    """The latest notification."""
    return list(pilot.app._notifications)[-1].message


@pytest.mark.parametrize(("number", "sizes"), [(0, SIZES[1:2]), (1, SIZES[1:3]), (12, SIZES), (200, SIZES[1:2])])
async def test_at_every_size(runs: Path, number: int, sizes: tuple[tuple[int, int], ...]) -> None:
    sweep = made.make(runs, number)
    async with console(sweep).run_test(size=sizes[0]) as pilot:
        for width, height in sizes:
            await pilot.resize_terminal(width, height)
            await settled(pilot)
            check(f"sweep/{number}-{width}x{height}", text_of(pilot))


async def test_n_goes_through_the_best_so_far_and_every_key_and_back(runs: Path) -> None:
    async with console(made.make(runs, 12)).run_test(size=(80, 24)) as pilot:
        screen = await settled(pilot)
        shown = []
        for key in ("n", "tab", "n", "n", "n", "N", "shift+tab"):
            shown.append(screen.key)
            await pilot.press(key)
            history, plot = screen.query_one(HistoryPlot), screen.query_one(KeyPlot)
            assert (history.display, plot.display) == (screen.key == "", screen.key != "")
        keys = ["", *screen.look.keys]
        assert [*shown, screen.key] == [*keys, keys[0], keys[-1], keys[-2]]
        await settled(pilot)
        check("sweep/12-choice-80x24", text_of(pilot))
        await pilot.resize_terminal(120, 40)
        await settled(pilot)
        assert history.display and plot.display
        await pilot.press("n", "n")
        assert screen.key == keys[1]  # the best so far is shown anyway


async def test_o_shows_the_best_first(runs: Path) -> None:
    async with console(made.make(runs, 200)).run_test(size=(80, 24)) as pilot:
        screen = await settled(pilot)
        await pilot.press("down", "down")
        assert screen.selected and screen.selected.number == 3
        await pilot.press("o")
        await settled(pilot)
        assert screen.selected == screen.look.best and "trials, the best first" in text_of(pilot)
        await pilot.press("end")
        assert screen.selected and screen.selected.state == "failed"
        await pilot.press("o")
        assert screen.selected and screen.selected.number == 1


def test_the_best_first_is_by_what_is_measured() -> None:
    trials = [
        Trial(number=1, state="failed"),
        Trial(number=2, state="pruned", value=0.1),
        Trial(number=3, state="finished", value=0.4),
        Trial(number=4, state="running"),
        Trial(number=5, state="finished", value=0.3),
    ]
    assert [trial.number for trial in best_first(trials, "val.loss")] == [5, 3, 2, 4, 1]
    assert [trial.number for trial in best_first(trials, "val.accuracy")] == [3, 5, 2, 4, 1]


async def test_what_is_new_is_shown_and_the_cursor_stays(runs: Path) -> None:
    sweep = made.make(runs, 3)
    async with console(sweep).run_test(size=(120, 40)) as pilot:
        screen = await settled(pilot)
        await pilot.press("down")
        with sweep.hold():
            trial = made.under_way(sweep, epoch=3, value=0.21)
            await seen(pilot, "● running")
            assert "n3  running  3 of 20 trials" in text_of(pilot) and "3/25" in text_of(pilot)
            assert screen.selected and screen.selected.number == 2
        await seen(pilot, "‖ interrupted")
        board = sweep.read_board()
        done = [*board.trials[:-1], Trial(number=4, run=trial.run, state="finished", value=0.9, values=trial.values, epoch=25)]
        sweep.write_board(Board(trials=tuple(done), importances=made.IMPORTANCES))
        await seen(pilot, "best val.accuracy 90.00 %, trial 4")
        await seen(pilot, "71 %")


async def test_enter_opens_the_run_and_h_comes_back_to_home(runs: Path) -> None:
    sweep = made.make(runs, 3)
    made_runs.make(runs, "n3-001", made_runs.stopped())
    app = console(sweep)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("down", "enter")
        assert said(pilot) == "run n3-002 is gone, or has another name"
        await pilot.press("up", "enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen) and app.screen.run.name == "n3-001")
        await pilot.press("h")  # to where one came from
        await settled(pilot)
        await pilot.press("h")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))


async def test_home_leads_to_the_one_sweep_that_there_is(runs: Path) -> None:
    made_runs.make(runs, "alone", made_runs.stopped())
    from tui_trainer.app import TrainerApp

    app = TrainerApp(runs, clock=lambda: made_runs.NOW)
    async with app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, "alone")
        await pilot.press("s")
        await until(pilot, lambda: said(pilot) == "there are no sweeps; tui-trainer sweep begins one")
        made.make(runs, 12)
        await pilot.press("s")
        await settled(pilot)
        assert isinstance(app.screen, SweepScreen) and app.screen.sweep.name == "n12"
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))


async def test_home_leads_to_one_of_several_first_that_of_the_selected_run(runs: Path) -> None:
    for number in (1, 3, 12):
        made.make(runs, number)
    tags.write(made_runs.make(runs, "n3-001", made_runs.stopped()), ["n3"])
    from tui_trainer.app import TrainerApp

    async with TrainerApp(runs, clock=lambda: made_runs.NOW).run_test(size=(80, 24)) as pilot:
        await seen(pilot, "#n3")
        await pilot.press("s")
        await seen(pilot, "interrupted, 12 of 20 trials")
        await pilot.press("enter")
        screen = await settled(pilot)
        assert screen.sweep.name == "n3"


async def test_help_and_palette_know_the_keys(runs: Path) -> None:
    async with console(made.make(runs, 12)).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        names = {command.title for command in pilot.app.get_system_commands(pilot.app.screen)}
        assert {"Open", "Next plot", "Order", "Home", "Theme"} <= names
        await pilot.press("question_mark")
        await seen(pilot, "On a sweep")


def test_each_action_has_a_method() -> None:
    for action in actions.for_scope("sweep"):
        assert callable(getattr(SweepScreen, f"action_{action.id}", None))
    keys = [key for action in actions.for_scope("sweep") for key in action.keys]
    assert len(keys) == len(set(keys))


async def test_a_sweep_that_cannot_be_read_says_so(runs: Path) -> None:
    sweep = made.make(runs, 12)
    sweep.file.write_bytes(b"{")
    async with console(sweep).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert "sweep.json: damaged" in text_of(pilot)
        for key in ("n", "o", "enter", "down", "N"):
            await pilot.press(key)
        made.make(runs, 3)
        sweep.file.write_bytes((runs / "n3.sweep" / "sweep.json").read_bytes())
        await seen(pilot, "12 of 20 trials")


async def test_hostile_names_texts_and_figures(runs: Path) -> None:
    async with console(made.hostile(runs)).run_test(size=(200, 60)) as pilot:
        await settled(pilot)
        for key in ("n", "n", "n", "n", "n", "n", "down", "o"):
            await pilot.press(key)
            await settled(pilot)
            text = text_of(pilot)
            assert lets_through(text) == [] and "[bold]red" in text


async def test_another_theme_recolours_all(runs: Path) -> None:
    async with console(made.make(runs, 12)).run_test(size=(120, 40)) as pilot:
        screen = await settled(pilot)
        pilot.app.theme = theme.DARK.name
        await settled(pilot)
        assert screen.look.best
        best, table = str(screen.look.best.number), screen.query_one(TrialTable)
        (place,) = [at for at, column in enumerate(table.ordered_columns) if column.label.plain.strip() == "val.accuracy"]
        dark = table.get_row(best)[place].style
        pilot.app.theme = theme.LIGHT.name
        await settled(pilot)
        light = table.get_row(best)[place].style
        assert dark != light and Color.parse(str(theme.LIGHT.success)).hex6.lower() in str(light).lower()
        assert screen.query_one(Importances)._lines


async def test_plain_characters_where_there_are_no_others(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tui_trainer.widgets.glyphs import glyphs

    monkeypatch.setenv("LC_ALL", "C")
    glyphs.cache_clear()
    try:
        async with console(made.make(runs, 12)).run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            assert text_of(pilot).isascii()
    finally:
        glyphs.cache_clear()


async def test_x_asks_before_it_ends_the_sweep(runs: Path) -> None:
    sweep = made.make(runs, 3)
    async with console(sweep).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("x")  # nothing is under way
        assert not sweep.stop.exists() and isinstance(pilot.app.screen, SweepScreen)
        with sweep.hold():
            await seen(pilot, "x Stop")
            await pilot.press("x", "escape")
            await settled(pilot)
            assert not sweep.stop.exists()
            await pilot.press("x", "s")
            await settled(pilot)
            assert sweep.stop.exists() and said(pilot) == "n3 ends once its trial is saved"
