"""``config``, and what a wrong file of settings says, to a person who starts the console too."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from core.errors import UserError
from tests.cli.conftest import COMMAND, Cli
from tests.tui.terminal import Terminal
from tui_trainer import settings
from tui_trainer.actions import TABLE
from tui_trainer.cli.config import document
from tui_trainer.settings import Settings

MINE = """
theme = "nord"
marker = "dots"
[keys]
pause = ["f5"]
continue = ["f5"]
halve_rate = ["H"]
[layouts.default]
overview = ["device", "log"]
[layouts."my recipe"]
plots = ["gradient_norm"]
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "settings" / "config.toml"
    path.parent.mkdir()
    monkeypatch.setenv("TUI_TRAINER_CONFIG", str(path))
    return path


def test_without_a_file_all_is_as_delivered(file: Path) -> None:
    assert settings.path() == file and settings.load() == Settings()


def test_what_is_shown_is_a_file_that_says_the_same(file: Path) -> None:
    file.write_text(MINE)
    mine = settings.load()
    assert mine.keys["pause"] == ("f5",) and mine.layouts["default"]["overview"] == ("device", "log")
    file.write_text("\n".join(document(mine)))
    again = settings.load()
    assert (again.theme, again.marker, again.layouts) == (mine.theme, mine.marker, mine.layouts)
    assert all(again.keymap.keys(action) == mine.keymap.keys(action) for action in TABLE)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("theme =", "not valid TOML"),
        ("them = 'x'", "unknown key 'them' (did you mean 'theme'?)"),
        ("theme = 'drak'", "theme: no theme 'drak'; expected one of trainer-dark"),
        ("smoothing = 1.0", "smoothing: expected a number < 1.0 (given: 1.0)"),
        ("marker = 'x'", "marker: expected one of braille, quadrants, dots, ascii, got 'x'"),
        ("keys = 3", "keys: expected a table"),
        ("[keys]\nsave = 's'", "keys.save: expected a list of texts, for instance"),
        ("[keys]\nsav = ['f5']", "keys.sav: no such action (did you mean 'save'?)"),
        ("[layouts.a]\nover = []", "layouts.a: no page 'over' (did you mean 'overview'?)"),
        ("[layouts.a]\noverview = ['devic']", "layouts.a.overview: no panel 'devic' (did you mean 'device'?)"),
        ("log = 'tensorboard'", "log: expected"),
        ("log = ['tensorbord']", "log: 'tensorbord': no tracker 'tensorbord' (did you mean 'tensorboard'?)"),
        ("a = " + "[" * 5000, "nested too deeply"),
    ],
    ids=str,
)
def test_what_is_wrong_is_told_in_one_line(file: Path, text: str, words: str) -> None:
    file.write_text(text)
    with pytest.raises(UserError) as told:
        settings.load()
    assert str(told.value).startswith(str(file)) and words in str(told.value) and "\n" not in str(told.value)


def test_a_file_that_cannot_be_read_is_told(file: Path) -> None:
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="not UTF-8"):
        settings.load()
    file.unlink()
    file.mkdir()
    with pytest.raises(UserError, match="settings file"):
        settings.load()


def test_init_writes_a_file_once_that_changes_nothing(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "new" / "config.toml"
    env = {"TUI_TRAINER_CONFIG": str(file)}
    done = cli("config", "--init", cwd=tmp_path, env=env)
    assert (done.returncode, done.stdout) == (0, f"{file}\n")
    text = file.read_text()
    assert tomllib.loads(text) == {}
    taken = tomllib.loads(re.sub("(?m)^#(?=[a-z[])", "", text))  # with every mark taken away
    assert taken["keys"] == {action.id: list(action.keys) for action in TABLE} and taken["marker"] == "braille"
    again = cli("config", "--init", cwd=tmp_path, env=env)
    assert again.returncode == 2 and "nothing is written over it" in again.stderr
    assert file.read_text() == text
    shown = cli("config", cwd=tmp_path, env=env)
    assert shown.returncode == 0 and shown.stdout.startswith(f"# {file}\n")
    assert tomllib.loads(shown.stdout)["keys"]["pause"] == ["p"]


def test_the_console_does_not_start_on_a_wrong_one(tmp_path: Path, environment: dict[str, str]) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[keys]\npause = ['q']\n")
    with Terminal([*COMMAND, "--runs", str(tmp_path)], 100, 30, environment | {"TUI_TRAINER_CONFIG": str(file)}) as terminal:
        assert terminal.ended() == 2
        terminal.quiet(0.1)
        said = b"".join(data for _, data in terminal.written).decode()
    assert said.strip().count("\n") == 0 and "'q' would mean both 'pause' and 'quit'" in said
