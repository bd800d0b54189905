"""The page of pictures: mistakes with their filters, batches, and what is said where there are none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load, save
from textual.pilot import Pilot

from core.run.folder import RunFolder
from core.run.journal import JournalWriter
from core.view.pictures import Picture
from core.view.summary import summarise
from tests.tui import runs as made
from tests.tui.pictured import event, image, mistakes, with_pictures
from tests.tui.screens import PATIENCE, check, console, panel, seen, settled, text_of
from tui_trainer.screens.run import RunScreen
from tui_trainer.theme import palette
from tui_trainer.widgets.glyphs import glyphs
from tui_trainer.widgets.half_blocks import drawn
from tui_trainer.widgets.picture_panel import PicturePanel
from tui_trainer.widgets.picture_words import short_names

SIZES = [(80, 24), (120, 40), (200, 60)]


@pytest.fixture
def live(runs: Path) -> Iterator[RunFolder]:
    run = with_pictures(runs, made.running())
    with run.hold():
        yield run


async def opened(pilot: Pilot[Any], run: RunFolder) -> RunScreen:
    screen = await settled(pilot, run)
    await pilot.press("4")
    await drawn_all(pilot, run)
    return screen


async def drawn_all(pilot: Pilot[Any], run: RunFolder) -> None:
    for _ in range(PATIENCE):
        await pilot.pause(0.03)
        screen = await settled(pilot, run)
        if not any(found.shelf.busy for found in screen.query(PicturePanel)) and "reading" not in text_of(pilot):
            await settled(pilot, run)
            await pilot.pause()
            return
    raise AssertionError("the pictures were never drawn")


async def test_a_run_that_kept_none_says_so(runs: Path) -> None:
    run = made.make(runs, "demo", made.early_stopped())
    async with console(run).run_test(size=(80, 24)) as pilot:
        await opened(pilot, run)
        check("pictures-ended-80x24", text_of(pilot))


async def test_the_pixels_on_the_screen_are_those_of_the_picture(live: RunFolder) -> None:
    """At their full size: two pixels a cell."""
    async with console(live).run_test(size=(200, 60)) as pilot:
        screen = await opened(pilot, live)
        strip, expected = panel(screen, "Mistakes")._strip(5), image(0)
        for column, segment in enumerate(list(strip)[:32]):
            style = segment.style
            assert segment.text == "▀" and style and style.color and style.bgcolor
            above, below = (tuple(expected[:, row, column].tolist()) for row in (10, 11))
            assert (style.color.triplet, style.bgcolor.triplet) == (above, below)


async def titles(pilot: Pilot[Any], run: RunFolder, *keys: str) -> str:
    """What the mistakes are headed by, after these keys."""
    await pilot.press(*keys)
    await drawn_all(pilot, run)
    found = panel(await settled(pilot, run), "Mistakes")
    return found.title(found._reads, palette(pilot.app.theme_variables)).plain


async def test_c_steps_through_the_classes_and_w_through_the_pairs(live: RunFolder) -> None:
    async with console(live).run_test(size=(120, 40)) as pilot:
        await opened(pilot, live)
        assert "/37" in await titles(pilot, live)
        title = await titles(pilot, live, "i")
        assert title.endswith("airplane") and "/4" in title
        assert (await titles(pilot, live, "i")).endswith("automobile")
        assert (await titles(pilot, live, "I", "I")).endswith("/37")
        assert (await titles(pilot, live, "I")).endswith("truck")
        first = await titles(pilot, live, "w")
        assert " taken for " in first and "1-4/4" in first
        assert await titles(pilot, live, "w") != first
        assert await titles(pilot, live, "W") == first
        assert (await titles(pilot, live, "0")).endswith("/37")


async def test_next_and_previous_pages(live: RunFolder) -> None:
    async with console(live).run_test(size=(80, 24)) as pilot:
        await opened(pilot, live)
        assert "1-6/37" in await titles(pilot, live)
        assert "7-12/37" in await titles(pilot, live, "full_stop")
        assert "13-18/37" in await titles(pilot, live, "pagedown")
        assert "7-12/37" in await titles(pilot, live, "comma")
        assert "1-6/37" in await titles(pilot, live, "pageup", "pageup")
        assert "37-37/37" in await titles(pilot, live, *["full_stop"] * 20)


async def test_earlier_and_later_epochs(live: RunFolder) -> None:
    async with console(live).run_test(size=(80, 24)) as pilot:
        await opened(pilot, live)
        assert "epoch 7" in await titles(pilot, live)
        title = await titles(pilot, live, "less_than_sign", "less_than_sign")
        assert "epoch 6" in title and "/36" in title
        assert "epoch 7" in await titles(pilot, live, "greater_than_sign", "greater_than_sign")


async def test_the_newest_is_followed(live: RunFolder) -> None:
    async with console(live).run_test(size=(80, 24)) as pilot:
        await opened(pilot, live)
        with JournalWriter(live.journal) as journal:
            journal.append(event(live, "mistakes", 8, mistakes(11), 11))
        await seen(pilot, "epoch 8")
        await drawn_all(pilot, live)
        assert "/11" in await titles(pilot, live)


async def test_z_shows_one_alone_and_tab_the_other(live: RunFolder) -> None:
    async with console(live).run_test(size=(80, 24)) as pilot:
        await opened(pilot, live)
        await pilot.press("z")
        await drawn_all(pilot, live)
        assert "1-8/37" in text_of(pilot)
        await pilot.press("tab")
        await drawn_all(pilot, live)
        assert "batch" in text_of(pilot) and "1-8/15" in text_of(pilot) and "70%" in text_of(pilot)


@pytest.mark.parametrize("harm", ["gone", "damaged", "a link", "pickled"])
async def test_what_cannot_be_read_is_said(live: RunFolder, harm: str) -> None:
    for path in list(live.media.iterdir()):
        path.unlink()
        if harm in ("damaged", "pickled"):
            path.write_bytes(b"\x80\x04N." if harm == "pickled" else b"x" * 5000)
        elif harm == "a link":
            path.symlink_to("/dev/zero")
    async with console(live).run_test(size=(120, 40)) as pilot:
        await opened(pilot, live)
        assert text_of(pilot).count("these pictures cannot be") == 2


async def test_numbers_that_fit_nothing_are_shown_as_such(runs: Path) -> None:
    """A class that there is not, no number at all, and names that would write to the terminal."""
    tensors = load(mistakes(3))
    tensors["labels"], tensors["guesses"] = torch.tensor([2**62, -1, 0]), torch.tensor([99, 1, 2])
    tensors["confidences"] = torch.tensor([torch.nan, torch.inf, -5.0])
    run = made.make(runs, "demo", made.hostile())
    with run.hold(), JournalWriter(run.journal) as journal:
        journal.append(event(run, "mistakes", 1, save(tensors), 3))
        async with console(run).run_test(size=(120, 40)) as pilot:
            await opened(pilot, run)
            assert "\x1b" not in text_of(pilot) and "\u202e" not in text_of(pilot)
            title = await titles(pilot, run, "i", "i", "w")
            assert "\u202e" not in title and "/1" in title


@pytest.mark.parametrize("how", ["ascii", "no-colour", "sixteen"])
async def test_few_colours_have_characters_for_brightness(live: RunFolder, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    if how == "no-colour":
        monkeypatch.setenv("NO_COLOR", "1")
    else:
        monkeypatch.setenv("TERM", "linux" if how == "ascii" else "xterm-16color")
        monkeypatch.delenv("COLORTERM")
    glyphs.cache_clear()
    try:
        async with console(live).run_test(size=(80, 24)) as pilot:
            await opened(pilot, live)
            text = text_of(pilot)
            assert "▀" not in text and ":" in text
            assert how != "ascii" or text.replace("●", "").isascii()
            check(f"pictures-few-colours-{how}", text)
    finally:
        glyphs.cache_clear()


def test_a_grey_picture_of_an_odd_size_is_drawn() -> None:
    grey = Picture(bytes(range(35)), 1, 5, 7, 0, 0, 1, 0.5)
    for few in (True, False):
        assert [strip.cell_length for strip in drawn(grey, 16, 8, few)] == [16] * 8


def test_bright_pixels_are_bright_on_either_ground() -> None:
    halves = Picture(bytes([250] * 16 + [5] * 16), 1, 8, 4, 0, 0, 1, 0.5)
    dark, light = ([strip.text for strip in drawn(halves, 4, 4, True, ground)] for ground in (False, True))
    assert dark == light[::-1] == ["@@@@", "@@@@", "....", "...."]


def test_names_share_the_room() -> None:
    assert short_names(("automobile", "cat"), 9) == ("automo", "cat")
    assert short_names(("cat", "automobile"), 9) == ("cat", "automo")
    assert short_names(("automobile", "airplane"), 10) == ("autom", "airpl")


def test_the_state_knows_the_sets(live: RunFolder) -> None:
    found = [(item.kind, item.epoch, item.pictures) for item in summarise(live).pictures]
    assert found == [("batch", 6, 14), ("mistakes", 6, 36), ("batch", 7, 15), ("mistakes", 7, 37)]
