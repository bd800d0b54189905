"""What holds before any verb has begun: speed, imports, usage errors, a foreign package in the way."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.cli.conftest import COMMAND, Cli, one_line
from tui_trainer.cli import COMMANDS, application, console, opening

WAYS = ("half_blocks", "kitty", "sixel", "sixel_terminal", "overlay", "terminal_pictures")
"""Of showing pictures."""
HEAVY = ("torch", "torchvision", "numpy", "textual", "plotext", "rich")


def loaded_by(*arguments: str, cwd: Path, env: dict[str, str], among: tuple[str, ...] = HEAVY) -> set[str]:
    """The packages ``among`` some that a command imports."""
    program = (
        "import sys; sys.argv[0] = 'tui-trainer'\n"
        "from tui_trainer.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"sys.stderr.write(repr([name for name in {among!r} if name in sys.modules]))"
    )
    command = [sys.executable, "-P", "-c", program, *arguments]
    process = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=True)
    return set(eval(process.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("--version",),
        ("train", "--help"),
        ("export", "--help"),
        ("runs",),
        ("recipes",),
        ("show", "nothing"),
        ("stream", "nothing"),
    ],
)
def test_light_commands_import_nothing_heavy(arguments: tuple[str, ...], tmp_path: Path, environment: dict[str, str]) -> None:
    assert loaded_by(*arguments, cwd=tmp_path, env=environment) == set()


@pytest.mark.parametrize("arguments", [("attach", "nothing"), ()])
def test_the_console_waits_for_no_other_command_and_no_dialog(
    arguments: tuple[str, ...], tmp_path: Path, environment: dict[str, str]
) -> None:
    commands = (*(f"tui_trainer.cli.{place.partition('.')[0]}" for place in COMMANDS.values()), "typer", "click", "pydantic")
    assert loaded_by(*arguments, cwd=tmp_path, env=environment, among=commands) == set()
    program = (
        "import sys, tui_trainer.app, tui_trainer.screens.home, tui_trainer.screens.run; "
        "from tui_trainer.panels import panels; panels(); sys.stdout.write(' '.join(sys.modules))"
    )
    command = [sys.executable, "-P", "-c", program]
    loaded = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout.split()
    dialogs = (
        *(f"tui_trainer.screens.{name}" for name in ("ask", "confirm", "new_run", "pick")),
        *("tui_trainer.widgets.new_run_form", "tui_trainer.draft", "core.run.session", "importlib.metadata"),
    )
    pictures = ("PIL", *(f"tui_trainer.widgets.{name}" for name in WAYS))
    assert "tui_trainer.panels.mistakes" in loaded and not {*dialogs, *pictures} & set(loaded)


WORDS = st.sampled_from(["attach", "last", "runs/demo", "a b", "", "-", "--", "--runs", "--runs=x", "-h", "--nosuch"])


@settings(max_examples=20, deadline=None)
@given(st.tuples(st.just("attach"), WORDS | st.text()) | st.lists(WORDS, max_size=3))
@example(())
def test_what_the_console_reads_by_itself_the_parser_reads_in_the_same_way(words: Sequence[str]) -> None:
    opened = list[tuple[object, object]]()
    if asked := opening.plainly(words):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(console, "find", lambda run, runs: run)
            patch.setattr(console, "open_console", lambda runs, run=None: opened.append((runs, run)))
            application(words[:1])(words, standalone_mode=False)
        assert opened == [(None, asked.run)]


@pytest.mark.parametrize("words", ["--runs x", "attach", "attach -h", "attach x y", "attach x --runs=y", "show x", "nosuch"])
def test_all_else_is_for_the_parser(words: str) -> None:
    assert opening.plainly(words.split()) is None


def test_help_names_every_verb(cli: Cli, tmp_path: Path) -> None:
    text = cli("--help", cwd=tmp_path).stdout
    assert [verb for verb in COMMANDS if f"\n  {verb} " not in text] == []


def test_the_version_is_that_of_the_installed_package(cli: Cli, tmp_path: Path) -> None:
    assert cli("--version", cwd=tmp_path).stdout == f"tui-trainer {metadata.version('tui-trainer')}\n"


@pytest.mark.parametrize("arguments", [("nosuch",), ("train",), ("runs", "--nosuch"), ("train", "quickstart", "--epochs", "x")])
def test_usage_errors_exit_with_2(arguments: tuple[str, ...], cli: Cli, tmp_path: Path) -> None:
    line = one_line(cli(*arguments, cwd=tmp_path))
    assert line.endswith(" --help")


@pytest.mark.parametrize("arguments", [(), ("attach", "demo")])
def test_the_console_needs_a_terminal(arguments: tuple[str, ...], cli: Cli, tmp_path: Path) -> None:
    run = tmp_path / "runs" / "demo"
    run.mkdir(parents=True)
    (run / "run.json").write_text("{}")
    assert "needs a terminal" in one_line(cli(*arguments, cwd=tmp_path))


def test_a_wrong_way_of_showing_pictures_is_told_before_there_is_a_screen(cli: Cli, tmp_path: Path) -> None:
    told = one_line(cli(cwd=tmp_path, env={"TUI_TRAINER_PICTURES": "tube"}))
    assert "expected one of auto, blocks, kitty, sixel" in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("train", "quickstrat"), "did you mean 'quickstart'"),
        (("train", "quickstart", "--set", "optimizer.lrr=1"), "did you mean 'lr'"),
        (("train", "quickstart", "--set", "epochs=-1"), "epochs"),
        (
            ("train", "quickstart", "--data", "nosuch"),
            "expected one of arrays, cifar10, folder, hf:NAME, sample",
        ),
        (("train", "quickstart", "--name", "../x"), "--name"),
        (("train", "quickstart", "--require", "test.acc>=0.9"), "did you mean 'test.accuracy'"),
        (("train", "quickstart", "--require", "0.9"), "expected METRIC"),
        (("train", "quickstart", "--require", "test.accuracy>=90"), "accuracies go from 0 to 1"),
        (("train", "quickstart", "--require", "best.test.loss<1"), "expected best.val.loss"),
        (
            ("train", "quickstart", "--data", "folder", "--set", "data.path=/nowhere"),
            "no such folder; expected",
        ),
        (("train", "quickstart", "--set", "data.path=/nowhere"), "takes no path"),
        (("train", "quickstart", "--json", "--quiet"), "exclude each other"),
        (("train", "quickstart", "--detach", "--require", "test.loss<1"), "exclude each other"),
        (("train", "quickstart", "--detach", "--junit", "x.xml"), "exclude each other"),
        (("evaluate", "nosuch", "--require", "val.loss<1"), "known are test.loss"),
        (("show", "last"), "no runs in runs"),
        (("resume", "nosuch"), "not found"),
        (("evaluate", "nosuch.safetensors"), "no such file"),
        (("recipes", "nosuch"), "not known"),
        (("data", "get", "nosuch"), "not known"),
    ],
)
def test_wrong_use_is_one_line(arguments: tuple[str, ...], words: str, cli: Cli, tmp_path: Path) -> None:
    assert words in one_line(cli(*arguments, cwd=tmp_path))
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("arguments", [("runs",), ("show", "demo"), ("train", "quickstart")])
def test_runs_that_are_a_file(arguments: tuple[str, ...], cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "file: not a folder" in one_line(cli(*arguments, "--runs", "file", cwd=tmp_path))


@pytest.mark.parametrize(
    ("arguments", "redirection", "status", "words"),
    [
        (("recipes", "seed"), "| true", 141, ""),
        (("runs", "--json"), "| true", 141, ""),
        (("--help",), "| true", 141, ""),
        (("recipes",), ">/dev/full", 2, "No space left on device"),
        (("--help",), ">/dev/full", 2, "No space left on device"),
        (("runs", "--json"), ">/dev/full", 2, "No space left on device"),
        (("recipes",), ">&-", 2, "the standard output is closed"),
    ],
)
def test_an_output_that_takes_no_more(
    arguments: tuple[str, ...], redirection: str, status: int, words: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    if redirection == ">/dev/full" and not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    # The pause lets the reader leave before the first line comes.
    script = f"(sleep 0.2; exec {shlex.join([*COMMAND, *arguments])}) {redirection}; exit ${{PIPESTATUS[0]}}"
    process = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert process.returncode == status
    assert words in process.stderr and len(process.stderr.splitlines()) == bool(words)


@pytest.mark.parametrize("path", ["core.py", "core/__init__.py"])
def test_a_foreign_core_in_the_way_is_one_line(path: str, environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_text("raise SystemExit('the foreign core was run')")
    command = [sys.executable, "-m", "tui_trainer", "runs"]
    process = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert "hides tui-trainer's own package 'core'" in one_line(process)


def test_a_foreign_core_beside_the_installed_command_does_no_harm(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "core.py").write_text("raise SystemExit('the foreign core was run')")
    assert cli("recipes", cwd=tmp_path).returncode == 0


def test_hostile_names_are_written_out(cli: Cli, tmp_path: Path) -> None:
    line = one_line(cli("show", "\x1b[31mred\u202e[bold]", cwd=tmp_path))
    assert "\x1b" not in line and "\u202e" not in line
    assert "\\x1b[31mred\\u202e[bold]" in line
