"""The page of classes: table, confusion matrix, worst pairs, and two epochs compared."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from core import events as e
from core.events import Event
from core.run.folder import RunFolder
from core.run.journal import JournalWriter
from core.view import measurement_index
from tests.tui import runs as made
from tests.tui.screens import check, console, panel, seen, settled, text_of, trained
from tui_trainer.panels.class_table import ClassTable
from tui_trainer.panels.confusion_matrix import ConfusionMatrix
from tui_trainer.screens.run import RunScreen
from tui_trainer.widgets.glyphs import glyphs

SIZES = [(80, 24), (120, 40), (200, 60)]


def many(count: int) -> Iterator[Event]:
    """A run of so many classes, two of whose epochs were measured."""
    yield made.started(classes=tuple(f"class {number}" for number in range(count)))
    for epoch in (1, 2):
        yield from made.training(epoch)
        correct = tuple(20 + (number * 7 + epoch * 5) % 30 for number in range(count))
        confusion = made.confusion(correct, 60) if count <= 64 else ()
        yield e.ValidationDone(
            epoch=epoch, step=epoch * made.STEPS, metrics={"val.loss": 1.0, "val.accuracy": 0.5}, correct=correct,
            images=(60,) * count, confusion=confusion,
        )  # fmt: skip


def unwatched() -> Iterator[Event]:
    yield made.started(monitor="")
    yield from made.training(1)


def unwatched_ended() -> Iterator[Event]:
    yield from unwatched()
    yield made.validation(9, "test", checkpoint="step-00000100")
    yield e.RunFinished(step=100, epoch=1)


STATES: dict[str, tuple[Callable[[], Iterator[Event]], bool]] = {
    "many": (lambda: many(40), True),
    "too_many": (lambda: many(100), True),
    "unwatched": (unwatched, True),
    "unwatched_ended": (unwatched_ended, False),
    "hostile": (made.hostile, True),
}


async def opened(pilot: Pilot[Any], run: RunFolder) -> RunScreen:
    screen = await settled(pilot, run)
    await pilot.press("3")
    await settled(pilot, run)
    await pilot.pause()
    return screen


@pytest.mark.parametrize("state", STATES)
async def test_other_states_at_80x24(runs: Path, state: str) -> None:
    told, live = STATES[state]
    run = made.make(runs, "demo", told())
    with trained(run, live):
        async with console(run).run_test(size=(80, 24)) as pilot:
            await opened(pilot, run)
            text = text_of(pilot)
            assert "\x1b" not in text and "\u202e" not in text
            check(f"classes-{state}-80x24", text)


@pytest.mark.parametrize("size", SIZES[1:], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_many_in_larger_terminals(runs: Path, size: tuple[int, int]) -> None:
    run = made.make(runs, "demo", many(40))
    with run.hold():
        async with console(run).run_test(size=size) as pilot:
            await opened(pilot, run)
            check(f"classes-many-{size[0]}x{size[1]}", text_of(pilot))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_two_epochs_compared(runs: Path, size: tuple[int, int]) -> None:
    """The best and the latest to begin with; the journal has what the State does not keep."""
    run = made.make(runs, "demo", made.early_stopped())
    async with console(run).run_test(size=size) as pilot:
        await opened(pilot, run)
        await pilot.press("m")
        await seen(pilot, "epoch 9 against 14")
        await seen(pilot, "ep 14")
        check(f"classes-compared-{size[0]}x{size[1]}", text_of(pilot))


async def test_what_80x24_must_show(runs: Path) -> None:
    """Ten classes in the table and in the matrix, and the worst pairs in words."""
    run = made.make(runs, "demo", made.running())
    with run.hold():
        async with console(run).run_test(size=(80, 24)) as pilot:
            screen = await opened(pilot, run)
            text = text_of(pilot)
            matrix = panel(screen, "ConfusionMatrix")
            assert isinstance(matrix, ConfusionMatrix)
            assert (matrix._view.rows, matrix._view.columns) == (10, 10)
    assert all(text.count(name[:4]) >= 2 for name in made.CLASSES)
    counts = made.validation(7).confusion
    mistakes = [(counts[truth][guess], truth, guess) for truth in range(10) for guess in range(10) if truth != guess]
    worst = max(mistakes, key=lambda mistake: mistake[0])
    words = f"{made.CLASSES[worst[1]]} taken for {made.CLASSES[worst[2]]}: {worst[0]} of 500"
    assert text.count(words[:30]) >= 2  # the chosen cell, and the first of the pairs


def names(screen: RunScreen) -> list[str]:
    table = panel(screen, "ClassTable")
    return [str(table._lines[place]).split()[0] for place in range(1, len(table._lines))]


async def test_o_sorts_by_each_column_and_shift_o_turns_it_round(runs: Path) -> None:
    run = made.make(runs, "demo", made.running())
    correct = dict(zip(made.CLASSES, made.validation(7).correct, strict=True))
    before = dict(zip(made.CLASSES, made.validation(6).correct, strict=True))
    with run.hold():
        async with console(run).run_test(size=(80, 24)) as pilot:
            screen = await opened(pilot, run)
            assert names(screen) == list(made.CLASSES)
            await pilot.press("o")
            assert [correct[name] for name in names(screen)] == sorted(correct.values())
            await pilot.press("O")
            assert [correct[name] for name in names(screen)] == sorted(correct.values(), reverse=True)
            await pilot.press("o")
            changes = [correct[name] - before[name] for name in names(screen)]
            assert changes == sorted(changes)
            await pilot.press("o", "o")
            assert names(screen) == list(made.CLASSES)


async def test_a_click_on_the_head_sorts_and_a_second_one_turns_it_round(runs: Path) -> None:
    run = made.make(runs, "demo", made.running())
    with run.hold():
        async with console(run).run_test(size=(120, 40)) as pilot:
            screen = await opened(pilot, run)
            table = panel(screen, "ClassTable")
            head = str(table._lines[0])
            at = (1 + head.index("change") + 2 + table.styles.padding.left, 1)
            await pilot.click(ClassTable, offset=at)
            once = names(screen)
            await pilot.click(ClassTable, offset=at)
            assert names(screen) == once[::-1] and once != list(made.CLASSES)


async def test_the_head_stays_and_only_what_is_in_view_is_drawn(runs: Path) -> None:
    run = made.make(runs, "demo", many(1000))
    with run.hold():
        async with console(run).run_test(size=(80, 24)) as pilot:
            screen = await opened(pilot, run)
            table = panel(screen, "ClassTable")
            assert len(table._strips) < 40
            table.scroll_end(animate=False)
            await seen(pilot, "class 999")
            assert "change" in text_of(pilot).splitlines()[3]
            assert len(table._strips) < 80


async def test_the_arrows_choose_a_cell_and_it_is_said_in_words(runs: Path) -> None:
    run = made.make(runs, "demo", made.running())
    counts = made.validation(7).confusion
    with run.hold():
        async with console(run).run_test(size=(80, 24)) as pilot:
            await opened(pilot, run)
            await pilot.press("tab", "home")
            await seen(pilot, f"airplane: {counts[0][0]} of 500 right")
            await pilot.press("down", "right", "right")
            await seen(pilot, f"automobile taken for bird: {counts[1][2]} of")
            await pilot.press("up", "right")
            await seen(pilot, f"airplane taken for cat: {counts[0][3]} of 500")
            await pilot.press("down", "left", "left", "left", "j", "k", "k")
            await seen(pilot, f"airplane: {counts[0][0]} of 500 right")
            await pilot.press("end")
            await seen(pilot, f"truck: {counts[9][9]} of 500 right")
            await pilot.press("down", "right")
            await seen(pilot, f"truck: {counts[9][9]} of 500 right")


async def test_a_click_chooses_a_cell(runs: Path) -> None:
    run = made.make(runs, "demo", made.running())
    with run.hold():
        async with console(run).run_test(size=(120, 40)) as pilot:
            screen = await opened(pilot, run)
            matrix = panel(screen, "ConfusionMatrix")
            assert isinstance(matrix, ConfusionMatrix)
            view, left = matrix._view, 1 + matrix.styles.padding.left
            await pilot.click(ConfusionMatrix, offset=(left + view.label + 5 * view.cell + 1, 1 + 1 + 3))
            await seen(pilot, "cat taken for dog:")


async def test_the_matrix_scrolls_to_the_chosen_cell(runs: Path) -> None:
    run = made.make(runs, "demo", many(60))
    with run.hold():
        async with console(run).run_test(size=(80, 24)) as pilot:
            screen = await opened(pilot, run)
            matrix = panel(screen, "ConfusionMatrix")
            assert isinstance(matrix, ConfusionMatrix)
            await pilot.press("tab", "end")
            await seen(pilot, "class 59: ")
            view = matrix._view
            assert (view.top + view.rows, view.left + view.columns) == (60, 60)
            await pilot.press("home")
            await seen(pilot, "class 0: ")
            assert (matrix._view.top, matrix._view.left) == (0, 0)


async def test_per_cent_or_images(runs: Path) -> None:
    run = made.make(runs, "demo", made.running())
    with run.hold():
        async with console(run).run_test(size=(200, 60)) as pilot:
            await opened(pilot, run)
            right = made.validation(7).correct[0]
            await pilot.press("tab", "percent_sign")
            await seen(pilot, "confusion images")
            assert f" {right} " in text_of(pilot)
            await pilot.press("percent_sign")
            await seen(pilot, "confusion %")


async def test_the_keys_choose_which_epochs_are_compared(runs: Path) -> None:
    run = made.make(runs, "demo", made.early_stopped())
    async with console(run).run_test(size=(120, 40)) as pilot:
        await opened(pilot, run)
        await pilot.press("m")
        await seen(pilot, "epoch 9 against 14")
        await pilot.press("less_than_sign", "less_than_sign")
        await seen(pilot, "epoch 7 against 14")
        await pilot.press("comma")
        await seen(pilot, "epoch 7 against 13")
        await pilot.press("greater_than_sign", "full_stop", "full_stop")
        await seen(pilot, "epoch 8 against 14")
        await pilot.press(*["less_than_sign"] * 8)
        await seen(pilot, "epoch 1 against 14")
        correct, before = made.validation(14).correct[0], made.validation(1).correct[0]
        line = next(line for line in text_of(pilot).splitlines() if line.lstrip("│ ").startswith("airplane"))
        assert f"{before / 5:.1f}" in line and f"{correct / 5:.1f}" in line and f"{abs(correct - before) / 5:.1f}" in line
        await pilot.press("m")
        await seen(pilot, "validation  epoch 14")


async def test_the_journal_is_read_beside_the_screen(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readers = set[str]()
    original = measurement_index.MeasurementIndex.read

    def noted(self: measurement_index.MeasurementIndex, *arguments: Any) -> Any:
        readers.add(threading.current_thread().name)
        return original(self, *arguments)

    monkeypatch.setattr(measurement_index.MeasurementIndex, "read", noted)
    run = made.make(runs, "demo", made.early_stopped())
    async with console(run).run_test(size=(120, 40)) as pilot:
        await opened(pilot, run)
        await pilot.press("m", *["less_than_sign"] * 9)
        await seen(pilot, "epoch 1 against 14")
    assert readers and threading.main_thread().name not in readers


async def test_one_measurement_is_nothing_to_compare_with(runs: Path) -> None:
    run = made.make(runs, "demo", [*made.greeting(), *made.epochs(1)])
    with run.hold(), JournalWriter(run.journal) as journal:
        async with console(run).run_test(size=(120, 40)) as pilot:
            await opened(pilot, run)
            await pilot.press("m")
            await seen(pilot, "nothing to compare with yet")
            journal.append(made.validation(2))
            await seen(pilot, "epoch 1 against 2")


async def test_the_latest_is_followed(runs: Path) -> None:
    run = made.make(runs, "demo", [*made.greeting(), *made.epochs(3)])
    with run.hold(), JournalWriter(run.journal) as journal:
        async with console(run).run_test(size=(80, 24)) as pilot:
            await opened(pilot, run)
            await seen(pilot, "validation  epoch 3")
            journal.append(made.validation(4))
            await seen(pilot, "validation  epoch 4")


ODD: dict[str, dict[str, Any]] = {
    "ragged": {"confusion": ((1,), (), (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12))},
    "below nothing": {"confusion": ((-5, 5), (2**53, -(2**53))), "correct": (-3,) * 10, "images": (-1,) * 10},
    "beyond counting": {"confusion": ((2**53,) * 10,) * 10, "correct": (2**53,) * 10, "images": (1,) * 10},
    "of other classes": {"confusion": ((1, 2), (3, 4)), "correct": (1, 2), "images": (3, 7)},
}


@pytest.mark.parametrize("odd", ODD)
async def test_counts_that_no_run_has_are_shown_somehow(runs: Path, odd: str) -> None:
    told = [*made.greeting(), *made.epochs(2), replace(made.validation(3), **ODD[odd])]
    run = made.make(runs, "demo", told)
    with run.hold():
        async with console(run).run_test(size=(80, 24)) as pilot:
            await opened(pilot, run)
            await seen(pilot, "epoch 3")
            await pilot.press(
                "c", "less_than_sign", "tab", "end", "percent_sign", "up", "left", "c", "shift+tab", "o", "o", "O"
            )
            await settled(pilot, run)
            assert "by class" in text_of(pilot)


@pytest.mark.parametrize(("how", "classes"), [("ascii", 10), ("no-colour", 40), ("sixteen", 40)])
async def test_few_colours(runs: Path, monkeypatch: pytest.MonkeyPatch, how: str, classes: int) -> None:
    """Numbers where there is room, else characters."""
    if how == "no-colour":
        monkeypatch.setenv("NO_COLOR", "1")
    else:
        monkeypatch.setenv("TERM", "linux" if how == "ascii" else "xterm-16color")
        monkeypatch.delenv("COLORTERM")
    glyphs.cache_clear()
    run = made.make(runs, "demo", made.running() if classes == 10 else many(classes))
    try:
        with run.hold():
            async with console(run).run_test(size=(80, 24)) as pilot:
                await opened(pilot, run)
                assert how != "ascii" or text_of(pilot).isascii()
                check(f"classes-few-colours-{how}", text_of(pilot))
    finally:
        glyphs.cache_clear()
