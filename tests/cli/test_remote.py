"""Runs of another machine from a shell: commands that are done there, and wrong use."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from core import events as e
from core.run.folder import RunFolder
from tests.cli.conftest import COMMAND, Cli, one_line
from tests.tui.runs import epochs, started

SSH = """#!/bin/sh
while [ "$1" != -- ]; do shift; done
cd {home} && exec sh -c "$3"
"""


@pytest.fixture
def there(tmp_path: Path) -> dict[str, str]:
    """An environment in which ssh leads to this machine, in a folder of its own."""
    program = tmp_path / "ssh"
    program.write_text(SSH.format(home=shlex.quote(str(tmp_path))))
    program.chmod(0o755)
    command = f"{shlex.quote(sys.executable)} -P -m tui_trainer"
    return {"TUI_TRAINER_SSH": str(program), "TUI_TRAINER_REMOTE_COMMAND": command}


@pytest.fixture
def run(make_run: Callable[[str, Sequence[e.Event]], RunFolder]) -> RunFolder:
    return make_run("demo", [started(), *epochs(1), e.RunStopped(step=100, epoch=1)])


def test_commands_are_done_there(cli: Cli, there: dict[str, str], run: RunFolder, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shown = cli("show", "ssh://far/~/demo", "--json", cwd=elsewhere, env=there)
    assert json.loads(shown.stdout)["state"] == "stopped", shown.stderr
    refused = cli("pause", f"ssh://far{run.path}", cwd=elsewhere, env=there)
    assert "no living trainer" in one_line(refused)
    listed = cli("runs", "--host", "far", "--sort", "best", cwd=elsewhere, env=there)
    assert "demo  stopped" in listed.stdout and listed.returncode == 0
    listed = cli("runs", f"--host=far{run.path.parent}", "--json", cwd=elsewhere, env=there)
    assert [item["name"] for item in json.loads(listed.stdout)] == ["demo"]


def test_what_the_other_machine_says_is_escaped(cli: Cli, there: dict[str, str], tmp_path: Path) -> None:
    hostile = "printf '\\033]0;x\\007hello\\n'; printf '\\033[2J' >&2; exit 2; true"
    said = cli("show", "ssh://far/a", cwd=tmp_path, env=there | {"TUI_TRAINER_REMOTE_COMMAND": hostile})
    assert said.stdout == "\\x1b]0;x\\x07hello\n" and said.stderr == "tui-trainer: \\x1b[2J\n" and said.returncode == 2


def test_a_line_without_an_end_is_passed_on_as_it_comes(there: dict[str, str], environment: dict[str, str]) -> None:
    """Cut in the middle of a letter of three bytes."""
    env = (
        environment
        | there
        | {"TUI_TRAINER_REMOTE_COMMAND": "printf '\\342\\202'; sleep 1; printf '\\254'; exec cat /dev/zero;"}
    )
    with subprocess.Popen([*COMMAND, "show", "ssh://far/a"], env=env, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = process.stdout.read(1 << 20).decode()
        assert said.startswith("\u20ac\\x00") and "\n" not in said
        process.kill()


def test_a_master_that_stays_behind_holds_nobody_up(cli: Cli, there: dict[str, str], run: RunFolder, tmp_path: Path) -> None:
    """One of ssh's ControlPersist keeps the standard error for as long as it lives."""
    program, master = tmp_path / "ssh", tmp_path / "master"
    program.write_text(
        program.read_text().replace("exec sh", f"{{ sleep 900 >/dev/null & echo $! >{shlex.quote(str(master))}; }}; exec sh")
    )
    try:
        done = cli("show", f"ssh://far{run.path}", cwd=tmp_path, env=there)
    finally:
        os.kill(int(master.read_text()), signal.SIGKILL)
    assert done.returncode == 0 and "stopped" in done.stdout


def test_an_ssh_that_is_killed_is_told_as_a_shell_does(cli: Cli, there: dict[str, str], tmp_path: Path) -> None:
    killed = cli("show", "ssh://far/a", cwd=tmp_path, env=there | {"TUI_TRAINER_REMOTE_COMMAND": "kill -TERM $$;"})
    assert killed.returncode == 128 + signal.SIGTERM


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("show ssh://far", "names no run; see which there are: tui-trainer runs --host far"),
        ("show ssh://-oProxyCommand=x/a", "expected ssh://[user@]host"),
        ("compare ssh://one/a ssh://two/a", "on several machines"),
        ("serve ssh://far/a", "serve takes no run of another machine"),
        ("attach ssh://far/a", "the console needs a terminal"),
        ("runs --host far/a --runs b", "names a folder already"),
        ("runs --host far;x", "expected ssh://"),
        ("show ssh://far/~/none", "run 'none' not found in runs"),
        ("--runs a attach ssh://far/a", "--runs: with a run of another machine the command comes first"),
        ("stream none", "run 'none' not found in runs"),
    ],
)
def test_wrong_use_is_one_line(cli: Cli, there: dict[str, str], tmp_path: Path, words: str, expected: str) -> None:
    assert expected in one_line(cli(*words.split(), cwd=tmp_path, env=there))


def test_without_ssh_or_without_tui_trainer_there(cli: Cli, there: dict[str, str], tmp_path: Path) -> None:
    none = cli("show", "ssh://far/a", cwd=tmp_path, env=there | {"TUI_TRAINER_SSH": "/nowhere/ssh"})
    assert "install OpenSSH's client" in one_line(none)
    none = cli("runs", "--host", "far", "--remote-command", "nonesuch", cwd=tmp_path, env=there)
    assert "say where it is: --remote-command" in one_line(none)


def test_stream_is_not_for_a_terminal(environment: dict[str, str], run: RunFolder) -> None:
    import pty

    leader, follower = pty.openpty()
    command = [sys.executable, "-P", "-m", "tui_trainer", "stream", str(run.path)]
    done = subprocess.run(command, env=environment, stdout=follower, stderr=subprocess.PIPE, text=True, check=False)
    os.close(follower)
    os.close(leader)
    assert done.returncode == 2 and "tui-trainer attach ssh://HOST/PATH" in done.stderr
