"""Completion: what is offered where, and by the real shells."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.queue.entries import Entry
from core.queue.folder import QueueFolder
from core.run.folder import RunFile, RunFolder
from tests.cli.conftest import Cli, one_line
from tests.cli.test_start import loaded_by
from tests.core.hostile import NAME
from tests.tui.terminal import Terminal
from tui_trainer.cli import COMMANDS
from tui_trainer.cli.completing import candidates


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUI_TRAINER_RUNS", raising=False)
    for runs, name in (("runs", "first"), ("runs", "$(touch bad)"), ("runs", NAME), ("others", "second")):
        run = RunFolder(tmp_path / runs / name)
        run.create(RunFile(name="x", created=1.0))
    with QueueFolder(tmp_path / "runs").edit() as entries:
        entries += [Entry(id="0" * 16, name="night"), Entry(id="1" * 16, name="over", state="done")]
    return tmp_path


def offered(words: str) -> list[str]:
    return [item.value for item in candidates(f"tui-trainer {words}")]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("tra", ["train"]),
        ("--ver", ["--version"]),
        ("train qui", ["quickstart"]),
        ("recipes seed", ["seed", "seed-4.9m"]),
        ("train quickstart --set optimizer.lr", ["optimizer.lr="]),
        ("sweep quickstart --set optimizer.lr", ["optimizer.lr="]),
        ("train quickstart --data torchvision:mn", ["torchvision:mnist"]),
        ("train quickstart --data=cif", ["--data=cifar10"]),
        ("data get cif", ["cifar10"]),
        ("data sh", ["show"]),
        ("train quickstart --epochs 3 --mod", ["--model"]),
        ("train quickstart --quiet --model res", ["resnet"]),
        ("train quickstart --no-fore", ["--no-foreground"]),
        ("train quickstart --log wa", ["wandb"]),
        ("resume first --log=tens", ["--log=tensorboard"]),
        ("log first --to ", ["mlflow", "tensorboard", "trackio", "wandb"]),
        ("tell first learn", ["learning-rate="]),
        ("compare first --by t", ["time"]),
        ("show ", ["last", "first"]),
        ("show 'fir", ["first"]),
        ("compare first fi", ["first"]),
        ("--runs others show ", ["last", "second"]),
        ("show --runs others s", ["second"]),
        ("show --runs=none ", []),
        ("resume first --from la", ["last"]),
        ("predict first ", []),
        ("watch ", []),
        ("train quickstart --name ", []),
        ("completion --li", []),
        ("queue ca", ["cancel"]),
        ("queue add qui", ["quickstart"]),
        ("queue cancel ", ["night", "all"]),
        ("queue move ", ["night"]),
        ("nosuch ", []),
    ],
)
def test_what_is_offered(words: str, expected: list[str], place: Path) -> None:
    if words == "nosuch ":
        assert offered(words)[: len(COMMANDS)] == list(COMMANDS)  # it may still become one
    else:
        assert offered(words) == expected


def test_nothing_of_a_hostile_name_gets_to_a_shell(place: Path, cli: Cli) -> None:
    said = cli("completion", "--line", "tui-trainer attach ", cwd=place).stdout
    assert said == "last\nfirst\n"


def test_a_recipe_has_its_description_beside_it(cli: Cli, tmp_path: Path) -> None:
    value, _, words = cli("completion", "--line", "tui-trainer train qui", cwd=tmp_path).stdout.strip().partition("\t")
    assert value == "quickstart" and words.startswith("A first run")


@pytest.mark.parametrize(
    "line", ["tui-trainer ", "tui-trainer train ", "tui-trainer resume x --", "tui-trainer train seed --set "]
)
def test_it_loads_nothing_heavy(line: str, tmp_path: Path, environment: dict[str, str]) -> None:
    assert loaded_by("completion", "--line", line, cwd=tmp_path, env=environment) == set()


def test_a_shell_that_is_not_known(cli: Cli, tmp_path: Path) -> None:
    assert "expected one of bash, fish, zsh" in one_line(cli("completion", "tcsh", cwd=tmp_path))


@pytest.fixture
def world(place: Path, environment: dict[str, str]) -> dict[str, str]:
    """With the program where a shell finds it."""
    program = place / "bin" / "tui-trainer"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m tui_trainer "$@"\n')
    program.chmod(0o755)
    return environment | {"PATH": f"{program.parent}:{environment['PATH']}", "HOME": str(place)}


SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "source <(tui-trainer completion bash)"),
    "zsh": (["zsh", "-f", "-i"], "autoload -U compinit; compinit -u -D; source <(tui-trainer completion zsh)"),
}


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, world: dict[str, str]) -> Iterator[Terminal]:
    command, setup = SHELLS[request.param]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    with Terminal(command, 120, 30, world) as terminal:
        terminal.press(f"{setup}; echo rea''dy\n".encode())
        terminal.seen(b"ready")
        yield terminal
        terminal.press(b"\x15exit\n")
        terminal._program.wait(10)


def test_tabs_in_a_real_shell(shell: Terminal) -> None:
    for typed, comes in (
        (b"tra\t", b"train "),
        (b"show fi\t", b"show first "),
        (b"train quickstart --data torchvision:mn\t", b"--data torchvision:mnist "),
        (b"train quickstart --set optimizer.lr\t0.5", b"--set optimizer.lr=0.5"),
    ):
        since = shell.press(b"\x15tui-trainer " + typed)
        shell.seen(comes, since)


@pytest.mark.parametrize("option", ["nullglob", "failglob"])
def test_bash_takes_no_word_for_a_pattern(world: dict[str, str], place: Path, option: str) -> None:
    """The help of --model has brackets in it, which such a bash would drop or refuse."""
    script = (
        f"shopt -s {option}; source <(tui-trainer completion bash); COMP_LINE='tui-trainer train x --mod'; "
        'COMP_POINT=${#COMP_LINE}; _tui_trainer tui-trainer; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    command = ["bash", "--norc", "-c", script]
    done = subprocess.run(command, cwd=place, env=world, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("--model\n", "")


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_in_fish(world: dict[str, str], place: Path) -> None:
    script = (
        "tui-trainer completion fish | source; "
        "for line in 'show fi' 'train quickstart --set optimizer.lr' 'train qui'; complete -C \"tui-trainer $line\"; end"
    )
    done = subprocess.run(["fish", "-c", script], cwd=place, env=world, capture_output=True, text=True, check=True)
    assert [line.partition("\t")[0] for line in done.stdout.splitlines()] == ["first", "optimizer.lr=", "quickstart"]
