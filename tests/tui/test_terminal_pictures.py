"""Pictures by their pixels: what a terminal that has kitty's placeholders is sent, and what others are spared."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.drivers.headless_driver import HeadlessDriver
from textual.pilot import Pilot

from core.errors import UserError
from core.run.folder import RunFolder
from core.view.pictures import Picture
from tests.tui import runs as made
from tests.tui.kitty_terminal import KittyTerminal
from tests.tui.pictured import image, with_pictures
from tests.tui.screens import console, until
from tests.tui.terminal import LONGEST, Terminal
from tests.tui.test_pictures_page import drawn_all, opened
from tui_trainer import pixels
from tui_trainer.widgets import kitty

COMMAND = (sys.executable, "-P", "-m", "tui_trainer")
SIZE = (120, 40)
UNMARKED = dict.fromkeys((*pixels.MULTIPLEXERS, pixels.SETTING), "")
ON_A_PAGE = 12 + 6
"""Mistakes and pictures of the batch, at that size."""
Shown = dict[tuple[int, int], tuple[int, int, int]]


@pytest.fixture
def ended(runs: Path) -> RunFolder:
    return with_pictures(runs, made.early_stopped())


def attached(run: RunFolder, screen: KittyTerminal, **environment: str) -> Terminal:
    """The console in a terminal with these marks."""
    return Terminal([*COMMAND, "attach", str(run.path.absolute())], *SIZE, {**UNMARKED, **environment}, screen.feed)


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LONGEST
    while not holds():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.02)


def numbers(screen: KittyTerminal) -> set[int]:
    return {number for number, _, _ in screen.shown().values()}


def check_whole(screen: KittyTerminal) -> None:
    """All parts of each picture are there, side by side, and each is one that the terminal has."""
    corners = {place: part[0] for place, part in screen.shown().items() if part[1:] == (0, 0)}
    expected: Shown = {}
    for (row, column), number in corners.items():
        found = screen.images[number]
        parts = [(y, x) for y in range(found.rows) for x in range(found.columns)]
        expected |= {(row + y, column + x): (number, y, x) for y, x in parts}
    assert screen.shown() == expected and set(corners.values()) == set(screen.images)


def test_in_kitty_from_the_first_picture_to_the_last(ended: RunFolder) -> None:
    """By what ssh leaves of its marks."""
    screen = KittyTerminal()
    with attached(ended, screen, TERM="xterm-kitty", COLORTERM="") as terminal:
        terminal.seen(b"early")
        assert not screen.images and screen.most_images == 0
        terminal.press(b"4")
        wait_until(lambda: len(numbers(screen)) == ON_A_PAGE, "a page of pictures")
        terminal.quiet(0.5)
        check_whole(screen)
        check_first_mistake(screen)
        first = set(screen.images)
        terminal.press(b"?")  # dims what is below it, and with it the colours that name the pictures
        wait_until(lambda: not screen.shown() and "keys and commands" in screen.text(), "a dialog without pictures below")
        assert "▀" in screen.text() and set(screen.images) == first
        terminal.press(b"\x1b")
        wait_until(lambda: numbers(screen) == first, "the same pictures")
        terminal.press(b".")
        wait_until(lambda: len(numbers(screen) - first) == 12, "the next page")
        terminal.quiet(0.5)
        check_whole(screen)
        assert len(screen.images) == ON_A_PAGE and screen.most_images <= ON_A_PAGE + 1
        terminal.press(b"q")
        assert terminal.ended() == 0
    assert screen.images_left == 0 and not screen.in_other_screen


def check_first_mistake(screen: KittyTerminal) -> None:
    """Its pixels are those of the run, each as often as it takes for the terminal not to blur them."""
    found = screen.images[screen.shown()[(3, 2)][0]]
    times = found.width // 32
    expected = image(0).repeat_interleave(times, 1).repeat_interleave(times, 2).permute(1, 2, 0).contiguous()
    assert (found.width, found.height, found.columns, found.rows) == (128, 128, 16, 8) and found.virtual
    assert found.pixels == bytes(expected.flatten().tolist())


@pytest.mark.parametrize("kind", ["silent", "old"])
def test_a_terminal_without_them_has_half_blocks_and_loses_no_key(ended: RunFolder, kind: str) -> None:
    """One that never answers, and a kitty from before there were placeholders."""
    screen = KittyTerminal(placeholders=False, silent=kind == "silent")
    with attached(ended, screen, KITTY_WINDOW_ID="1") as terminal:
        terminal.seen(b"early")
        terminal.press(b"4")
        wait_until(lambda: "1-12/37" in screen.text(), "a page of pictures")
        terminal.press(b"..z")  # while the question waits for its answer
        wait_until(lambda: "25-30/37" in screen.text(), "zoomed, on the third page")
        terminal.quiet(0.5)
        assert "▀" in screen.text() and not screen.shown() and screen.most_images == 0 and screen.questions == 1
        terminal.press(b"q")
        assert terminal.ended() == 0


# In the process of the test: a headless console draws nothing, yet writes what the terminal is to keep


@pytest.fixture
def headless(monkeypatch: pytest.MonkeyPatch) -> KittyTerminal:
    screen = KittyTerminal()
    monkeypatch.setenv(pixels.SETTING, "kitty")
    monkeypatch.setattr(HeadlessDriver, "write", lambda driver, words: screen.feed(words.encode()))
    return screen


def on_screen(pilot: Pilot[Any]) -> set[int]:
    """Numbers of the pictures that the cells of the screen have the colours of."""
    strips = pilot.app.screen._compositor.render_strips()
    found = (segment for strip in strips for segment in strip if segment.text.startswith(kitty.PLACEHOLDER))
    colours = (segment.style.color.triplet for segment in found if segment.style and segment.style.color)
    return {colour.red << 16 | colour.green << 8 | colour.blue for colour in colours if colour}


async def test_what_is_shown_no_more_is_freed(ended: RunFolder, headless: KittyTerminal) -> None:
    async with console(ended).run_test(size=SIZE) as pilot:
        await opened(pilot, ended)
        seen = on_screen(pilot)
        assert len(seen) == ON_A_PAGE and set(headless.images) == seen
        for keys in (["full_stop"], ["i"], ["0"], ["less_than_sign"], ["z"], ["tab"], ["z"], ["t"]):
            await pilot.press(*keys)
            await drawn_all(pilot, ended)
            assert on_screen(pilot) <= set(headless.images) and len(headless.images) <= ON_A_PAGE
        before = set(headless.images)
        await pilot.press("1", "4")
        await drawn_all(pilot, ended)
        assert on_screen(pilot) == set(headless.images) == before  # a look at another page costs nothing
    assert not headless.images


async def test_the_past_has_pictures_of_its_own(ended: RunFolder, headless: KittyTerminal) -> None:
    async with console(ended).run_test(size=SIZE) as pilot:
        await opened(pilot, ended)
        present = on_screen(pilot)
        await pilot.press("b")
        await until(pilot, lambda: len(on_screen(pilot) - present) == ON_A_PAGE)
        assert set(headless.images) == present | on_screen(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: on_screen(pilot) == present == set(headless.images))


async def test_a_console_that_was_suspended_sends_them_again(ended: RunFolder, headless: KittyTerminal) -> None:
    async with console(ended).run_test(size=SIZE) as pilot:
        await opened(pilot, ended)
        headless.images.clear()
        pilot.app.app_resume_signal.publish(pilot.app)
        await until(pilot, lambda: len(headless.images) == ON_A_PAGE and on_screen(pilot) == set(headless.images))


@pytest.mark.parametrize("setting", ["blocks", "auto"])
async def test_no_terminal_is_written_to_that_was_not_found_to_have_them(
    ended: RunFolder, headless: KittyTerminal, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    """A console without a terminal, as in these tests, is not asked either."""
    monkeypatch.setenv(pixels.SETTING, setting)
    monkeypatch.setenv("TERM", "xterm-kitty")
    async with console(ended).run_test(size=(80, 24)) as pilot:
        await opened(pilot, ended)
        assert not on_screen(pilot)
    assert headless.questions == headless.most_images == 0


# Parts


@pytest.mark.parametrize(
    ("environ", "asked"),
    [
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM": "xterm-ghostty"}, True),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "3"}, True),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "ghostty"}, True),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, False),
        ({"TERM": "xterm-256color", "KONSOLE_VERSION": "230804"}, False),
        ({"TERM": "foot"}, False),
        ({"TERM": "tmux-256color", "KITTY_WINDOW_ID": "3"}, False),
        ({"TERM": "xterm-kitty", "TMUX": "/tmp/tmux-0/default,1,0"}, False),
        ({"TERM": "xterm-kitty", "STY": "1.pts-0"}, False),
        ({"TERM": "xterm-kitty", "ZELLIJ": "0"}, False),
        ({"TERM": "eterm-color", "KITTY_WINDOW_ID": "3"}, False),
        ({}, False),
    ],
)
def test_which_terminals_are_asked(environ: dict[str, str], asked: bool) -> None:
    assert pixels.may_ask(environ) is asked
    assert ("kitty's" in pixels.words(environ)) is asked


def test_a_setting_that_there_is_not() -> None:
    with pytest.raises(UserError, match="PICTURES: 'tube' is not known; expected one of auto, blocks, kitty, sixel"):
        pixels.choice({pixels.SETTING: "tube"})
    assert pixels.choice({pixels.SETTING: ""}) == "auto"


def test_no_cell_is_cut_wherever_a_strip_is() -> None:
    (strip, *_) = kitty.placeholders(0xABCDEF, 32, 16, "#000000")
    assert strip.cell_length == sum(segment.cell_length for segment in strip) == 32
    for first in range(32):
        for last in range(first + 1, 33):
            part = strip.crop(first, last)
            cells = [kitty.PLACEHOLDER + kitty.ACCENTS[0] + accent for accent in kitty.ACCENTS[first:last]]
            assert "".join(segment.text for segment in part) == "".join(cells)


@pytest.mark.parametrize(("channels", "side"), [(1, 5), (3, 32), (3, 200)])
def test_pictures_of_any_size_arrive(channels: int, side: int) -> None:
    picture = Picture(random.Random(side).randbytes(channels * side * side), channels, side, side, 0, 0, 1, 0.5)
    found, screen = kitty.encoded(picture), KittyTerminal()
    screen.feed(kitty.sent(7, found, 16, 8).encode())
    (image,) = screen.images.values()
    times = image.width // side
    for place in range(side):
        row = image.pixels[place * times * image.width * 3 :][: image.width * 3 : times * 3]
        assert row == picture.pixels[place * side : (place + 1) * side]
    screen.feed(kitty.forgotten(7).encode())
    assert not screen.images
