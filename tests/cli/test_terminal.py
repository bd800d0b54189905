"""``train`` on a terminal: what it is told beside the lines, and what the command is told that ``--notify`` gives."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from core import events as e
from core.run import journal
from core.run.folder import RunFolder
from tests.cli.conftest import COMMAND, SMALL, Cli, wait_for
from tests.tui.terminal import Terminal
from tui_trainer.cli.doctor import _terminal

NAMES = ["ACCURACY", "NAME", "RESULT", "RUN", "STATUS", "WEIGHTS"]
TELL = f'env | grep -E "^TUI_TRAINER_({"|".join(NAMES)})=" > "$TUI_TRAINER_RUN/told"'
NOTIFIED = re.compile(rb"\x07\x1b\]9;tui-trainer: shown: (finished: 1 epoch done, test accuracy [\d.]+ %)\x1b\\")
ITERM = {"TERM_PROGRAM": "iTerm.app", "TERM_PROGRAM_VERSION": "3.6.9"}
UNSET = ("CI", "NO_COLOR", "TMUX", "STY", *(f"TUI_TRAINER_{name}" for name in ("NOTIFY", *NAMES)))
TRAINING = (*COMMAND, "train", "quickstart", "--epochs", "1", "--name", "shown", *SMALL)


def test_a_training_on_a_terminal_that_tells_of_its_end(folder: Path, environment: dict[str, str]) -> None:
    run = RunFolder(folder / "runs" / "shown")
    command = [*TRAINING, "--runs", str(run.path.parent), "--notify", f"{TELL}; echo said by it; exit 7"]
    with Terminal(command, 100, 30, {**environment, **ITERM, **dict.fromkeys(UNSET, "")}) as terminal:
        status, written = terminal.left()
    assert status == 0
    assert b"\x1b]2;shown" in written and written.count(b"\x1b[22;0t") == written.count(b"\x1b]2;\x1b\\\x1b[23;0t") == 1
    assert (b"\x1b]9;4;1;" in written) == (written.count(b"\x1b]9;4;0;0\x1b\\") == 1)  # none of what lasts no second
    (result,) = NOTIFIED.findall(written)
    assert written.index(b"\x07") < written.index(b"\x1b[23;0t") < written.rindex(b"next: tui-trainer")
    said, (finished,) = told(run), journal.find(run.journal, e.RunFinished)
    assert sorted(said) == NAMES
    assert (said["NAME"], said["STATUS"], said["RUN"]) == ("shown", "finished", str(run.path))
    assert said["RESULT"].encode() == result and Path(said["WEIGHTS"]).is_file()
    assert float(said["ACCURACY"]) == pytest.approx(float(finished.metrics["test.accuracy"]), rel=1e-5)
    assert "said by it" in run.log.read_text() and warnings(run)[-1] == "--notify ended with status 7"
    assert not any(b"exit 7" in path.read_bytes() for path in run.path.rglob("*") if path.is_file())  # a resume has none


def test_a_signal_ends_a_resumed_training_soon_whatever_the_command_does(folder: Path, cli: Cli) -> None:
    run = RunFolder(folder / "runs" / "ended")
    assert cli("train", "quickstart", "--epochs", "1", "--name", "ended", *SMALL, cwd=folder).returncode == 0
    longer = ["--epochs", "100000", "--detach", "--notify", f"{TELL}; sleep 1000"]
    assert cli("resume", "ended", *longer, cwd=folder).returncode == 0
    wait_for(lambda: bool(journal.find(run.journal, e.RunResumed)))
    (resumed,) = journal.find(run.journal, e.RunResumed)
    os.kill(resumed.process, signal.SIGTERM)
    wait_for(lambda: not run.alive(), 40)  # the command would have a minute otherwise
    assert (told(run)["STATUS"], told(run)["RESULT"].partition(",")[0]) == ("stopped", "stopped: signal 15")
    assert warnings(run)[-1].startswith("--notify took longer than ")


def told(run: RunFolder) -> dict[str, str]:
    pairs = (line.partition("=")[::2] for line in (run.path / "told").read_text().splitlines())
    return {name.removeprefix("TUI_TRAINER_"): value for name, value in pairs}


def warnings(run: RunFolder) -> list[str]:
    return [event.text for event in journal.find(run.journal, e.MessageLogged) if event.level == "warning"]


def test_doctor_says_what_the_terminal_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TMUX", "STY", "TUI_TRAINER_NOTIFY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "foot")
    facts = _terminal()
    assert (facts["is told"], facts["notifies"]) == (["bell", "title", "notification 777"], True)
