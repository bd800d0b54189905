"""``tui-trainer demo`` on a terminal of its own, from a folder that it leaves as it was."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import COMMAND, Cli, one_line, wait_for
from tests.tui.terminal import CONTROL, Terminal


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@pytest.fixture
def demo(temporary: Path, environment: dict[str, str]) -> Iterator[Terminal]:
    with Terminal([*COMMAND, "demo", "--speed", "60"], 100, 30, environment | {"TMPDIR": str(temporary)}) as terminal:
        yield terminal


def written(demo: Terminal) -> bytes:
    return CONTROL.sub(b"", b"".join(data for _, data in demo.written))


def test_it_plays_and_q_leaves_nothing_behind(demo: Terminal, temporary: Path) -> None:
    demo.seen(b"demo 60x")
    demo.seen(b", playing")
    assert [path.name.startswith("tui-trainer-") for path in temporary.iterdir()] == [True]
    demo.press(b"q")
    assert demo._program.wait(60) == 0
    wait_for(lambda: b"That was a recording. Train for yourself: tui-trainer train quickstart" in written(demo))
    assert list(temporary.iterdir()) == []


def test_with_its_terminal_closed_it_leaves_nothing_behind(demo: Terminal, temporary: Path) -> None:
    demo.seen(b", playing")
    demo._program.send_signal(signal.SIGHUP)
    assert demo._program.wait(60) == -signal.SIGHUP
    assert list(temporary.iterdir()) == []


def test_it_needs_a_terminal(cli: Cli, tmp_path: Path) -> None:
    assert "needs a terminal" in one_line(cli("demo", cwd=tmp_path))


@pytest.mark.parametrize("speed", ["0", "nan", "1e9"])
def test_a_speed_is_a_number_above_0(speed: str, cli: Cli, tmp_path: Path) -> None:
    assert "--speed" in one_line(cli("demo", "--speed", speed, cwd=tmp_path))


def test_it_knows_no_torch(tmp_path: Path, environment: dict[str, str]) -> None:
    program = "import sys, tui_trainer.demo, tui_trainer.recording, tui_trainer.screens.demo\n"
    program += "from tui_trainer.panels import panels\npanels()\nsys.stdout.write(' '.join(sys.modules))"
    command = [sys.executable, "-P", "-c", program]
    loaded = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout.split()
    assert "tui_trainer.panels.loss" in loaded and not {"torch", "torchvision", "core.run.session"} & set(loaded)
