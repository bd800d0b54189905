"""The console on terminals that have few colours, none, or plain characters alone: on a real pseudo-terminal each."""

from __future__ import annotations

import re
import shlex
import string
import sys
from pathlib import Path

import pytest

from tests.tui import runs as made
from tests.tui.terminal import CONTROL, Terminal
from tui_trainer.widgets.ascii_only import plain

COMMAND = (sys.executable, "-P", "-m", "tui_trainer")
COLOUR = re.compile(rb"\x1b\[([0-9;]*)m")
NAME = "größe-蟻-▲"
FEW = {"TERM": "xterm", "COLORTERM": ""}
PLAIN = {
    "a Linux console": {"TERM": "linux", "COLORTERM": ""},
    "the C locale": {"LC_ALL": "C", **FEW},
    "no UTF-8": {"PYTHONIOENCODING": "latin-1", **FEW},
}


def screenfuls(runs: Path, environment: dict[str, str]) -> bytes:
    """What is written for Home, a run, its classes, the past and the help."""
    made.make(runs, NAME, made.stopped())
    keys = ((b"\r", b"3 classes"), (b"3", b"compare"), (b"b", b"Epoch +"), (b"?", b"esc closes"))
    with Terminal([*COMMAND, "--runs", str(runs)], 100, 30, environment) as terminal:
        terminal.seen(b"Open")
        for key, words in keys:
            terminal.seen(words, terminal.press(key))
        return b"".join(data for _, data in terminal.written)


@pytest.mark.parametrize("where", [*list(PLAIN)[:2], pytest.param("no UTF-8", marks=pytest.mark.torture)])
def test_plain_characters_and_sixteen_colours(runs: Path, where: str) -> None:
    """No others are asked for, and what is selected is not told by its colour alone."""
    written = screenfuls(runs, PLAIN[where])
    codes = [found.split(b";") for found in COLOUR.findall(written)]
    assert not any(b"38" in code or b"48" in code for code in codes) and any(b"7" in code for code in codes)
    shown = CONTROL.sub(b"", written).decode("latin-1" if where == "no UTF-8" else "utf-8")
    assert {character for character in shown if not character.isalpha()} <= set(string.printable)
    letters = "" if "locale" in where else "öß"
    assert {character for character in shown if not character.isascii()} == set(letters)
    assert "\\u" not in shown and "\\x" not in shown
    assert "+-" in shown and "enter Open" in shown and "left Back" in shown and "??-^" in shown


def test_no_colour(runs: Path) -> None:
    """Greys alone, as far as Textual goes, and what is selected is written otherwise."""
    written = screenfuls(runs, {"NO_COLOR": "1"})
    found = re.findall(rb"[34]8;2;(\d+);(\d+);(\d+)", written)
    assert found and all(red == green == blue for red, green, blue in found)
    assert any(b"7" in found.split(b";") for found in COLOUR.findall(written))


def test_a_terminal_that_cannot_move_its_cursor_is_told(runs: Path) -> None:
    with Terminal([*COMMAND, "--runs", str(runs)], 100, 30, {"TERM": "dumb"}) as terminal:
        assert terminal.ended() == 2
        terminal.quiet(0.1)
        said = b"".join(data for _, data in terminal.written)
    assert b"\x1b" not in said and said.count(b"\n") == 1 and b"needs a terminal that can move its cursor" in said


@pytest.mark.parametrize(
    ("text", "shown"),
    [("╭─┬╮│╰╯┃━╸", "+-++|++|--"), ("▲7.4 → 蟻…", "^7.4 > ??~"), ("⠁⠀⣿", ". ."), ("▌▏", "||"), ("plain", "plain"), ("é", "é")],
)
def test_each_character_has_one_as_wide(text: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        monkeypatch.setenv(name, "C.UTF-8")
    from rich.cells import cell_len

    assert plain(text) == shown
    assert cell_len(plain(text)) == cell_len(text)


def test_ctrl_z_leads_to_the_shell_and_fg_back(runs: Path) -> None:
    made.make(runs, NAME, made.stopped())
    with Terminal(["bash", "--norc", "-i"], 80, 24, {"PS1": "shell> "}) as terminal:
        terminal.seen(b"shell> ")
        started = terminal.press(f"{shlex.join(COMMAND)} --runs {runs}\r".encode())
        terminal.seen(b"Quit", started)
        pressed = terminal.press(b"\x1a")
        terminal.seen(b"Stopped", pressed)
        terminal.seen(b"shell> ", pressed)
        back = terminal.press(b"fg\r")
        terminal.seen(b"Quit", back)
        left = terminal.press(b"q")
        terminal.seen(b"shell> ", left)
