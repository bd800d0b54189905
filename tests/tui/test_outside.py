"""What a real terminal is written beside the screen: title, progress, bell, notification, and everything back at the end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.events import RunFailed, RunFinished
from core.run.folder import RunFolder
from tests.cli.conftest import COMMAND, wait_for
from tests.tui import runs as made
from tests.tui.terminal import CONTROL, Terminal

GHOSTTY = {"TERM_PROGRAM": "ghostty", "TMUX": "", "STY": "", "TUI_TRAINER_NOTIFY": ""}
SAVED, RESTORED = b"\x1b[22;0t", b"\x1b]2;\x1b\\\x1b[23;0t"
NO_PROGRESS = b"\x1b]9;4;0;0\x1b\\"
NOTIFIED = re.compile(rb"\x07\x1b\]777;notify;([^;\x1b]*);([^;\x1b]*)\x1b\\")
FAILING = """
from tui_trainer.__main__ import main
from tui_trainer.screens.run import RunScreen

def fail(screen):
    raise RuntimeError("a defect")

RunScreen.action_zoom = fail
main()
"""
IN_A_BROWSER = """
import sys
from pathlib import Path
from core.run.folder import RunFolder
from tui_trainer.app import TrainerApp

TrainerApp(Path("runs"), RunFolder(Path(sys.argv[1]))).run()
"""
TITLES = re.compile(rb"\x1b\]2;([^\x1b]*)\x1b\\")


def bells(written: bytes) -> int:
    """Those that do not end another control code."""
    return re.sub(rb"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)", b"", written).count(b"\x07")


def titles(written: bytes) -> list[str]:
    return [text.decode() for text in TITLES.findall(written)]


def looking_at(run: RunFolder, **environment: str) -> Terminal:
    return Terminal([*COMMAND, "attach", str(run.path)], 100, 30, {**GHOSTTY, **environment})


@pytest.fixture
def living(runs: Path) -> Iterator[RunFolder]:
    run = made.make(runs, "demo", made.running())
    with run.hold():
        yield run


def test_a_run_that_ends_while_one_looks(living: RunFolder) -> None:
    with looking_at(living) as terminal:
        terminal.wrote("\x1b]2;demo · epoch 8/20 · 68.8 %\x1b\\".encode())
        terminal.wrote(b"\x1b]9;4;1;38\x1b\\")
        made.say(living, [RunFailed(step=760, epoch=8, kind="data", reason="gone;\x1b]0;evil\x07")])
        terminal.wrote(b"\x1b]9;4;2;38\x1b\\")
        wait_for(lambda: NOTIFIED.search(terminal.everything()) is not None)
        terminal.press(b"q")
        status, written = terminal.left()
    assert status == 0
    assert titles(written)[-2:] == ["demo · failed · 68.8 %", ""]
    (told,) = NOTIFIED.findall(written)
    assert told[0] == b"demo" and told[1].startswith(b"failed: gone,\\x1b]0,evil\\x07, validation accuracy 68.")
    assert written.count(SAVED) == written.count(RESTORED) == written.count(NO_PROGRESS) == 1
    places = list(map(written.index, (SAVED, b"\x1b]777;", NO_PROGRESS, RESTORED)))
    assert places == sorted(places)


def test_an_ended_run_is_opened_in_silence(runs: Path) -> None:
    run = made.make(runs, "demo", made.early_stopped())
    with looking_at(run) as terminal:
        terminal.wrote("\x1b]2;demo · early-stopped".encode())
        terminal.press(b"h")
        terminal.wrote(RESTORED)
        terminal.press(b"q")
        _, written = terminal.left()
    assert bells(written) == 0 and b"\x1b]9;" not in written and b"\x1b]777;" not in written
    assert written.count(SAVED) == written.count(RESTORED) == 1


def test_a_console_that_fails_leaves_the_terminal_as_it_was(living: RunFolder) -> None:
    with Terminal([sys.executable, "-P", "-c", FAILING, "attach", str(living.path)], 100, 30, GHOSTTY) as terminal:
        terminal.wrote(b"\x1b]9;4;1;38\x1b\\")
        terminal.press(b"z")
        status, written = terminal.left()
    assert status == 1 and b"RuntimeError: a defect" in CONTROL.sub(b"", written)
    assert written.count(SAVED) == written.count(RESTORED) == written.count(NO_PROGRESS) == 1


def test_a_run_that_is_lost_rings_within_tmux(runs: Path) -> None:
    """Which passes on no more than the title and the bell."""
    run = made.make(runs, "demo", made.running())
    with run.hold():
        terminal = looking_at(run, TMUX="/tmp/tmux,1,0")
        terminal.wrote(b"\x1b]2;demo")
    with terminal:
        terminal.wrote("\x1b]2;demo · lost".encode())
        terminal.press(b"q")
        _, written = terminal.left()
    assert bells(written) == 1 and b"\x1b]9;" not in written and b"\x1b]777;" not in written
    assert written.count(SAVED) == written.count(RESTORED) == 1


def test_no_bell_where_none_is_wanted(living: RunFolder) -> None:
    with looking_at(living, TUI_TRAINER_NOTIFY="off") as terminal:
        terminal.wrote(b"\x1b]9;4;1;38\x1b\\")
        made.say(living, [RunFinished(step=2000, epoch=20)])
        terminal.wrote("\x1b]2;demo · finished".encode())
        terminal.press(b"q")
        _, written = terminal.left()
    assert bells(written) == 0 and b"\x1b]777;" not in written and NO_PROGRESS in written


def test_a_browser_is_told_nothing(living: RunFolder) -> None:
    """Its driver passes on whatever is written to it."""
    environment = {**os.environ, **GHOSTTY, "TERM": "xterm-256color", "TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver"}
    command = [sys.executable, "-P", "-c", IN_A_BROWSER, str(living.path)]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as browser:
        written = read_until(b"early stopping", browser)
        made.say(living, [RunFailed(step=760, epoch=8, kind="data", reason="gone")])
        written += read_until(b"failed", browser)
        browser.kill()
    assert TITLES.findall(written) == [] and SAVED not in written and b"\x1b]9;4;" not in written


def read_until(words: bytes, browser: subprocess.Popen[bytes]) -> bytes:
    assert browser.stdout is not None
    written = b""
    while words not in written:
        more = os.read(browser.stdout.fileno(), 1 << 16)
        assert more, written
        written += more
    return written
