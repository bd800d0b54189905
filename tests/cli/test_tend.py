"""``tag``, ``rename``, ``delete``, and ``runs`` filtered and ordered: as commands, and the console's trash at its end."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import pytest

from core import events as e
from core.run.folder import RunFolder, list_runs
from core.run.moving import TRASH
from tests.cli.conftest import COMMAND, Cli, as_from_a_shell, one_line, wait_for
from tests.cli.test_viewers import Terminal
from tests.core import strategies as runs
from tests.core.hostile import EVIL, lets_through

Make: TypeAlias = Callable[[str, Sequence[e.Event]], RunFolder]


def names(folder: Path) -> list[str]:
    return sorted(run.name for run in list_runs(folder))


def test_tags_are_pinned_taken_off_and_told(cli: Cli, make_run: Make, tmp_path: Path) -> None:
    make_run("demo", runs.healthy(1))
    assert cli("tag", "demo", "baseline", "hard", "v2", cwd=tmp_path).stdout == "baseline hard v2\n"
    assert cli("tag", "demo", "-hard", "-v2", "--runs", "runs", cwd=tmp_path).stdout == "baseline\n"
    assert "baseline" in cli("show", "demo", cwd=tmp_path).stdout
    assert "expected a word" in one_line(cli("tag", "demo", "a b", cwd=tmp_path))


def test_runs_are_filtered_ordered_and_told_with_their_tags(cli: Cli, make_run: Make, tmp_path: Path) -> None:
    make_run("one", [*runs.healthy(2), e.RunStopped(reason="asked")])
    tagged = make_run("two", runs.healthy(1))
    make_run("three", [])
    (tagged.path / "tags.json").write_text(json.dumps({"tags": ["good", EVIL]}))

    def listed(*options: str) -> list[str]:
        return [run["name"] for run in json.loads(cli("runs", "--json", *options, cwd=tmp_path).stdout)]

    assert listed("--sort", "-epoch", "--filter", "!three") == ["two", "one"]
    assert listed("--filter", "#good epoch<=2") == ["two"]
    text = cli("runs", "--filter", "#good", cwd=tmp_path).stdout
    assert "#good" in text and "evil" not in text and not lets_through(text)
    assert cli("runs", "--filter", "nothing", cwd=tmp_path).stdout == "no run in runs matches\n"
    assert "--filter: age: expected 10m" in one_line(cli("runs", "--filter", "age>2", cwd=tmp_path))
    assert "--sort 'nme': expected one of name" in one_line(cli("runs", "--sort", "nme", cwd=tmp_path))


def test_a_run_is_renamed(cli: Cli, make_run: Make, tmp_path: Path) -> None:
    run = make_run("demo", runs.healthy(1))
    make_run("other", [])
    assert cli("rename", "demo", "better", cwd=tmp_path).stdout == "demo is now better\n"
    assert names(tmp_path / "runs") == ["better", "other"] and not run.path.exists()
    assert "other: exists already; choose another name" in one_line(cli("rename", "better", "other", cwd=tmp_path))
    with RunFolder(tmp_path / "runs" / "better").hold():
        assert "is being trained and cannot be renamed" in one_line(cli("rename", "better", "x", cwd=tmp_path))


def test_a_run_is_deleted_only_with_a_yes(cli: Cli, make_run: Make, tmp_path: Path) -> None:
    run = make_run("demo", runs.healthy(1))
    assert "say so with --yes where nobody can be asked" in one_line(cli("delete", "demo", cwd=tmp_path))
    with run.hold():
        assert "is being trained and cannot be deleted" in one_line(cli("delete", "demo", "--yes", cwd=tmp_path))
    assert run.exists()
    assert cli("delete", "demo", "--yes", cwd=tmp_path).stdout == "demo is deleted\n"
    assert list((tmp_path / "runs").iterdir()) == []


@pytest.mark.parametrize(("answer", "status"), [(b"n\n", 130), (b"y\n", 0)])
def test_on_a_terminal_it_asks(answer: bytes, status: int, make_run: Make, environment: dict[str, str], tmp_path: Path) -> None:
    run, (screen, other) = make_run("demo", runs.healthy(1)), pty.openpty()
    command = subprocess.Popen(
        [*COMMAND, "delete", "demo"], cwd=tmp_path, env=environment, stdin=other, stdout=other, stderr=other
    )
    os.close(other)
    shown = b""
    while b"for good? [y/N]" not in shown:
        shown += os.read(screen, 1 << 16)
    os.write(screen, answer)
    assert command.wait(60) == status and run.exists() is (status != 0)
    os.close(screen)


def rest(terminal: Terminal) -> bytes:
    """All that is still written, to the end of the program."""
    said = b""
    with suppress(OSError):  # what Linux says at the end of a terminal
        while data := os.read(terminal.screen, 1 << 16):
            said += data
    return said


def test_what_a_console_deleted_goes_when_it_is_left_and_stays_when_it_is_killed(
    make_run: Make, environment: dict[str, str], tmp_path: Path
) -> None:
    for name in ("one", "two"):
        make_run(name, runs.healthy(1))
    folder = tmp_path / "runs"

    def console() -> Terminal:
        terminal = Terminal(as_from_a_shell(*COMMAND), tmp_path, environment)
        terminal.wait_for(names(folder)[0].encode())
        return terminal

    def delete(terminal: Terminal) -> None:
        before = len(names(folder))
        os.write(terminal.screen, b"D")
        terminal.wait_for(b"Delete")
        os.write(terminal.screen, b"y")
        wait_for(lambda: len(names(folder)) < before)

    killed = console()
    delete(killed)
    killed.process.kill()
    assert killed.process.wait(60) < 0 and len(list((folder / TRASH).iterdir())) == 1
    left = console()
    left.wait_for(b"1 deleted run in")
    os.write(left.screen, b"u")
    wait_for(lambda: names(folder) == ["one", "two"])
    left.wait_for(b"is back")
    delete(left)
    os.write(left.screen, b"q")
    assert b"1 deleted run removed for good" in rest(left)
    assert left.process.wait(60) == 0
    assert len(names(folder)) == 1 and not (folder / TRASH).exists()
    for terminal in (killed, left):
        terminal.close()
