"""``train`` on a terminal: what it is told beside the lines, and what the command is told that ``--notify`` gives."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.conftest import COMMAND, SMALL
from tests.tui.terminal import Terminal
from tui_trainer.cli.doctor import _terminal

NOTIFIED = re.compile(rb"\x07\x1b\]9;tui-trainer: shown: (finished: 20 epochs done, test accuracy [\d.]+ %)\x1b\\")


def test_a_training_on_a_terminal(folder: Path, environment: dict[str, str]) -> None:
    command = [*COMMAND, "train", "quickstart", "--epochs", "20", "--set", "early_stopping.patience=99", "--name", "shown"]
    iterm = {"TERM_PROGRAM": "iTerm.app", "TERM_PROGRAM_VERSION": "3.6.9", "TMUX": "", "STY": "", "TUI_TRAINER_NOTIFY": ""}
    options = [*SMALL, "--runs", str(folder / "runs"), "--notify", f'echo "$TUI_TRAINER_RESULT" > {folder}/told']
    with Terminal([*command, *options], 100, 30, {**environment, **iterm, "CI": "", "NO_COLOR": ""}) as terminal:
        status, written = terminal.left()
    assert status == 0
    assert written.count(b"\x1b[22;0t") == written.count(b"\x1b]2;\x1b\\\x1b[23;0t") == 1
    assert b"\x1b]2;shown" in written and b"\x1b]9;4;1;" in written and written.count(b"\x1b]9;4;0;0\x1b\\") == 1
    (result,) = NOTIFIED.findall(written)
    assert (folder / "told").read_bytes() == result + b"\n"
    assert written.index(b"\x07") < written.index(b"\x1b[23;0t") < written.rindex(b"next: tui-trainer")


def test_doctor_says_what_the_terminal_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TMUX", "STY", "TUI_TRAINER_NOTIFY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "foot")
    facts = _terminal()
    assert (facts["is told"], facts["notifies"]) == (["bell", "title", "notification 777"], True)
