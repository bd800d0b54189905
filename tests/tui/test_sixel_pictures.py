"""Pictures by sixel: what a terminal that has it shows when, and that nothing is torn, left over, or sent to another."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from core.run.folder import RunFolder
from tests.tui import runs as made
from tests.tui.pictured import image, with_pictures
from tests.tui.sixel_terminal import SixelTerminal
from tests.tui.terminal import NOBODYS, Terminal
from tests.tui.test_outside import IN_A_BROWSER, read_until
from tests.tui.test_terminal_pictures import ON_A_PAGE, SIZE, UNMARKED, attached, wait_until
from tui_trainer import pixels

TMUX = {"TERM": "tmux-256color", "TMUX": "/tmp/tmux-0/default,1,0"}
NONE = "62;22"
"""Of a terminal that has colours, and no sixel."""

WITH_LASTING_TOASTS = """
from tui_trainer.__main__ import main
from tui_trainer.app import TrainerApp

TrainerApp.NOTIFICATION_TIMEOUT = 600
main()
"""
ONE_A_FRAME = """
from tui_trainer.__main__ import main
from tui_trainer.widgets import overlay

overlay.MOST = 1
main()
"""
CLICK = b"\x1b[<0;60;%dM\x1b[<0;60;%dm"


@pytest.fixture
def ended(runs: Path) -> RunFolder:
    return with_pictures(runs, made.early_stopped())


def opened(terminal: Terminal, screen: SixelTerminal, count: int = ON_A_PAGE) -> dict[tuple[int, int], int]:
    terminal.seen(b"early")
    terminal.press(b"4")
    return shown(screen, count)


def shown(screen: SixelTerminal, count: int = ON_A_PAGE) -> dict[tuple[int, int], int]:
    """By where they are, which of those that were sent, once so many are."""
    found: dict[tuple[int, int], int] = {}

    def whole() -> bool:
        nonlocal found
        found = screen.whole() or {}
        return len(found) == count

    wait_until(whole, f"{count} pictures")
    return found


def alone(screen: SixelTerminal, words: str) -> bool:
    return words in screen.text() and not screen.over


def in_per_cent(number: int) -> list[list[tuple[int, ...]]]:
    rows = (image(number).permute(1, 2, 0).double() / 2.55).round().int().tolist()
    return [[tuple(pixel) for pixel in row] for row in rows]


def test_from_the_first_picture_to_the_last(ended: RunFolder) -> None:
    screen = SixelTerminal()
    with attached(ended, screen) as terminal:
        terminal.seen(b"early")
        assert screen.asked == []
        first = opened(terminal, screen)
        assert screen.asked == ["c", "16t", "14t", "?1;1;0S", "c"]
        mistake = screen.sent[first[3, 2]]
        assert (mistake.width, mistake.height) == (16 * 8, 8 * 16)
        for y, row in enumerate(in_per_cent(0)):
            assert mistake.row(y * 4) == [pixel for pixel in row for _ in range(4)]
        terminal.quiet(0.5)
        assert len(screen.sent) == ON_A_PAGE and "▀" in screen.text()
        terminal.press(b".")
        wait_until(lambda: len(screen.sent) == ON_A_PAGE + 12, "the next page")
        second = shown(screen)
        assert len(set(second.values()) & set(first.values())) == 6  # of the other panel, which are not sent again
        terminal.press(b"q")
        assert terminal.ended() == 0
    assert not screen.in_other_screen and not screen.over and b"\x1b_G" not in terminal.everything()


def test_whatever_comes_before_them_or_instead(ended: RunFolder) -> None:
    screen = SixelTerminal()
    with attached(ended, screen) as terminal:
        places = set(opened(terminal, screen))
        for keys, words in ((b"?", "keys and commands"), (b"\x10", "Search for commands"), (b"1", "learning rate")):
            terminal.press(keys)
            wait_until(partial(alone, screen, words), f"{words} alone")
            terminal.press(b"4" if keys == b"1" else b"\x1b")
            assert set(shown(screen)) == places
        terminal.press(b"b")
        wait_until(lambda: "replay" in screen.text(), "the past")
        assert set(shown(screen)) == places
        terminal.press(b"\x1b")
        wait_until(lambda: "replay" not in screen.text(), "the present")
        shown(screen)
        terminal.press(b"z")
        large = shown(screen, 6)
        assert {screen.sent[number][:2] for number in large.values()} == {(32 * 8, 16 * 16)}


def test_one_that_is_partly_covered_is_not_there(ended: RunFolder) -> None:
    screen = SixelTerminal()
    screen.size = (24, 80)
    command = [sys.executable, "-P", "-c", WITH_LASTING_TOASTS, "attach", str(ended.path.absolute())]
    with Terminal(command, 80, 24, UNMARKED, screen.feed) as terminal:
        opened(terminal, screen, 8)
        terminal.quiet(1)
        before = shown(screen, 8)
        terminal.press(b"xx")
        wait_until(lambda: screen.text().count("the run has ended") == 2, "two toasts")
        left = shown(screen, 6)
        assert {place: number for place, number in before.items() if place[0] == 3}.items() <= left.items()
        for row, column in set(before) - set(left):
            assert screen.cells[row, column].text == "▀"
        terminal.press(CLICK % (22, 22))
        assert set(shown(screen, 8)) == set(before)


def test_too_much_for_one_frame_comes_by_and_by_and_once(ended: RunFolder) -> None:
    screen = SixelTerminal()
    command = [sys.executable, "-P", "-c", ONE_A_FRAME, "attach", str(ended.path.absolute())]
    with Terminal(command, *SIZE, UNMARKED, screen.feed) as terminal:
        opened(terminal, screen)
        terminal.quiet(1)
        assert len(screen.sent) == ON_A_PAGE


@pytest.mark.parametrize(("columns", "rows", "count"), [(90, 30, 8), (SIZE[0], SIZE[1], ON_A_PAGE)])
def test_another_size_of_the_terminal_or_of_its_cells(ended: RunFolder, columns: int, rows: int, count: int) -> None:
    screen = SixelTerminal()
    with attached(ended, screen) as terminal:
        opened(terminal, screen)
        screen.cell, screen.size = (10, 20), (rows, columns)
        terminal.resize(columns, rows, columns * 10, rows * 20)
        wait_until(lambda: screen.asked.count("16t") > 1, "a question")
        numbers = shown(screen, count).values()
        assert {screen.sent[number][:2] for number in numbers} == {(160, 160)}


def test_a_console_that_was_suspended(ended: RunFolder) -> None:
    screen = SixelTerminal()
    with attached(ended, screen) as terminal:
        places = set(opened(terminal, screen))
        terminal.signal(signal.SIGTSTP)
        wait_until(lambda: not screen.in_other_screen, "the shell's screen")
        sent = len(screen.sent)
        terminal.signal(signal.SIGCONT)
        wait_until(lambda: len(screen.sent) >= sent + ON_A_PAGE, "all of them anew")
        assert set(shown(screen)) == places


def test_xterm_that_says_nothing_of_its_size(ended: RunFolder) -> None:
    """The system knows how large its window is: with a border, and room for half a line."""
    screen = SixelTerminal(measured=False, colours=16)
    with attached(ended, screen) as terminal:
        terminal.resize(*SIZE, 8 * SIZE[0] + 4, 16 * SIZE[1] + 4 + 11)
        numbers = opened(terminal, screen).values()
        assert {screen.sent[number][:2] for number in numbers} == {(128, 128)}
        assert max(len(set(screen.sent[number].pixels.values())) for number in numbers) <= 16


@pytest.mark.parametrize(
    ("screen", "environment"),
    [
        (SixelTerminal(NONE), {}),
        (SixelTerminal(silent=True), {}),
        (SixelTerminal(measured=False), {}),
        (SixelTerminal("1;2;4"), TMUX),
        (SixelTerminal(), {"TERM": "screen", "STY": "1.pts-0"}),
        (SixelTerminal(), {"NO_COLOR": "1"}),
        (SixelTerminal(), {pixels.SETTING: "blocks"}),
        (SixelTerminal(), {"TERM": "linux"}),
    ],
    ids=["none", "silent", "of no size", "tmux", "screen", "colourless", "unwanted", "not asked"],
)
def test_others_have_half_blocks_and_lose_no_key(ended: RunFolder, screen: SixelTerminal, environment: dict[str, str]) -> None:
    with attached(ended, screen, **environment) as terminal:
        terminal.seen(b"early")
        terminal.press(b"4")
        wait_until(lambda: "1-12/37" in screen.text(), "a page of pictures")
        terminal.press(b"..z")  # while the question waits for its answer
        wait_until(lambda: "25-30/37" in screen.text(), "zoomed, on the third page")
        terminal.quiet(0.5)
        assert not screen.sent and b"\x1bP" not in terminal.everything()
        terminal.press(b"q")
        assert terminal.ended() == 0


@pytest.mark.parametrize(
    ("screen", "environment"),
    [
        (SixelTerminal("1;2;4"), {**TMUX, pixels.SETTING: "sixel"}),
        (SixelTerminal(NONE), {pixels.SETTING: "sixel"}),
        (SixelTerminal(colours=None), {"TERM": "xterm", "COLORTERM": ""}),
    ],
    ids=["tmux", "wanted", "sixteen colours"],
)
def test_who_has_them_too(ended: RunFolder, screen: SixelTerminal, environment: dict[str, str]) -> None:
    with attached(ended, screen, **environment) as terminal:
        opened(terminal, screen)


def test_kittys_are_better(ended: RunFolder) -> None:
    screen = SixelTerminal(placeholders=True)
    with attached(ended, screen, TERM="xterm-kitty") as terminal:
        terminal.seen(b"early")
        terminal.press(b"4")
        wait_until(lambda: len(screen.images) == ON_A_PAGE, "a page of pictures")
        terminal.quiet(0.5)
        assert not screen.sent and len(screen.images) == ON_A_PAGE


def test_a_browser_is_not_asked(ended: RunFolder) -> None:
    environment = {**os.environ, **NOBODYS, "TERM": "xterm-256color", "COLORTERM": "truecolor", pixels.SETTING: "sixel"}
    environment["TEXTUAL_DRIVER"] = "textual.drivers.web_driver:WebDriver"
    command = [sys.executable, "-P", "-c", IN_A_BROWSER, str(ended.path)]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as browser:
        written = read_until(b"early", browser)
        assert browser.stdin is not None
        browser.stdin.write(b"D\x00\x00\x00\x014")
        browser.stdin.flush()
        written += read_until("▀".encode(), browser)
        browser.kill()
    assert b"\x1b[c" not in written and b"\x1bP" not in written
