"""The plots page with all that can be marked in it, as text; and what is seen of a long run from close by."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import events as e
from core.run import journal
from tests.tui import long_runs
from tests.tui import runs as made
from tests.tui.plots import place_of
from tests.tui.screens import PATIENCE, check, console, settled, text_of
from tui_trainer.widgets.metric import metrics
from tui_trainer.widgets.plot_grid import LEAST_HEIGHT, LEAST_WIDTH, Plot, PlotGrid, shape

SIZES = [(80, 24), (120, 40), (200, 60)]


async def shown(folder: Path, size: tuple[int, int], *keys: str) -> str:
    run = made.make(folder, "demo", made.eventful())
    with run.hold():
        async with console(run).run_test(size=size) as pilot:
            await settled(pilot, run)
            await pilot.press("2", *keys)
            await settled(pilot, run)
            return text_of(pilot)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_at_every_size(runs: Path, size: tuple[int, int]) -> None:
    check(f"plots-eventful-{size[0]}x{size[1]}", await shown(runs, size))


@pytest.mark.parametrize(
    ("name", "keys"),
    [("closer", ("plus", "plus")), ("crosshair", ("ctrl+left", "ctrl+left")), ("log", ("y", "o", "o", "o")), ("alone", ("z",))],
)
async def test_what_keys_change(runs: Path, name: str, keys: tuple[str, ...]) -> None:
    check(f"plots-{name}-120x40", await shown(runs, (120, 40), "tab", *keys))


async def test_what_is_told_while_the_page_is_made_comes_in_its_place(runs: Path) -> None:
    run = made.make(runs, "demo", made.eventful())
    async with console(run).run_test(size=(120, 40)) as pilot:
        screen = await settled(pilot, run)
        grid = PlotGrid(run)
        mounted = screen.mount(grid)
        grid.show(screen.state)  # before it has the plots that every run has
        await mounted
        grid.show(screen.state)
        await pilot.pause()
        assert [plot.metric.name for plot in grid.query(Plot)] == [item.name for item in metrics(screen.state.series)]


async def test_every_scalar_has_its_plot_as_soon_as_it_is_told(runs: Path) -> None:
    run = made.make(runs, "demo", made.running())
    with run.hold(), journal.JournalWriter(run.journal) as writer:
        async with console(run).run_test(size=(120, 40)) as pilot:
            screen = await settled(pilot, run)
            await pilot.press("2")
            told: e.Metrics = {"train.skipped_steps": 0.5, "system.celsius": 61.0, "val.loss": 0.7, "odd": "nan", "[/x]": 1.0}
            writer.append(e.StepDone(step=770, epoch=8, steps=10, images=1000, seconds=6.6, metrics=told))
            await settled(pilot, run)
            await settled(pilot, run)
            names = [plot.metric.name for plot in screen.query(Plot)]
            assert names == [item.name for item in metrics(screen.state.series)]
            assert names[:5] == ["loss", "accuracy", "learning_rate", "gradient_norm", "system.images_per_second"]
            assert sorted(names[5:]) == ["[/x]", "odd", "skipped_steps", "system.celsius"]
            text = text_of(pilot)
            assert "skipped steps  0.500" in text and "[/x]  1.000" in text and "diverged at step 770" in text


def test_splits_share_the_plot_of_their_metric() -> None:
    told = ["val.loss", "train.loss", "test.loss", "system.watts", "train.margin", "val.margin", "odd.one.out"]
    assert [item.name for item in metrics(told)] == [
        "loss", "accuracy", "learning_rate", "system.images_per_second", "margin", "odd.one.out", "system.watts",
    ]  # fmt: skip


@pytest.mark.parametrize("plots", range(1, 12))
@pytest.mark.parametrize("size", [(60, 14), (80, 21), (120, 37), (200, 57), (300, 20)])
def test_plots_are_no_smaller_than_can_be_read(plots: int, size: tuple[int, int]) -> None:
    width, height = size
    columns, rows = shape(plots, width, height)
    assert columns >= 1 and width // columns >= LEAST_WIDTH
    assert rows >= min(LEAST_HEIGHT, height)


async def test_tab_goes_through_all_plots_and_scrolls_to_them(runs: Path) -> None:
    run = made.make(runs, "demo", made.running())
    with run.hold():
        async with console(run).run_test(size=(80, 24)) as pilot:
            screen = await settled(pilot, run)
            await pilot.press("2")
            await settled(pilot, run)
            seen = []
            for _ in screen.query(Plot):
                await pilot.press("tab")
                await pilot.pause(0.3)
                assert isinstance(screen.focused, Plot)
                assert screen.query_one("#plots").region.contains_region(screen.focused.region)
                seen.append(screen.focused.metric.name)
            names = [plot.metric.name for plot in screen.query(Plot)]
            assert seen == [*names[1:], names[0]]  # the first one has the focus already


# A long run from close by


async def test_from_close_by_the_journals_own_points_are_seen(runs: Path) -> None:
    """Of 20,000 steps the whole keeps 1,024 bins or less, the State 1,024 recent points; these are older."""
    run = long_runs.make(runs / "long", 20_000)
    with run.hold():
        async with console(run).run_test(size=(120, 40)) as pilot:
            screen = await settled(pilot, run)
            await pilot.press("2")
            await settled(pilot, run)
            plot = screen.query(Plot).first()
            await pilot.click(plot, offset=place_of(plot, 9000))
            await pilot.press(*["plus"] * 6)
            for _ in range(PATIENCE):
                await pilot.pause(0.03)
                if screen.lens.stretch and plot._reads and plot._reads.stretch:
                    break
            assert screen.state.series["train.loss"].width > 8
            left, right = plot.view.edges(20_000)
            told = [event for event in journal.find(run.journal, e.StepDone) if left <= event.step <= right]
            shown = plot._points["train.loss"]
            spots = [spot for spot in zip(shown.steps, shown.lows, shown.highs, strict=True) if left <= spot[0] <= right]
            assert spots == [(event.step, event.metrics["train.loss"], event.metrics["train.loss"]) for event in told]
            assert len(spots) > 300 and right < 18_000
