"""Tags of a run: what may be one, what a hostile file comes to, and that its file is its owner's alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import UserError
from core.run import tags
from core.run.folder import RunFile, RunFolder
from tests.core.hostile import EVIL


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    run = RunFolder(tmp_path / "demo")
    run.create(RunFile(name="demo"))
    return run


def test_what_is_written_is_read_and_nobody_else_can(run: RunFolder) -> None:
    tags.write(run, ["baseline", "größe-2", "Baseline"])
    assert tags.read(run) == ("baseline", "größe-2")
    assert (run.path / tags.NAME).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in run.path.iterdir() if path.name.startswith(".")] == []
    tags.write(run, [])
    assert tags.read(run) == () and not (run.path / tags.NAME).exists()


def test_words_are_put_to_and_taken_off() -> None:
    assert tags.changed(("old", "kept"), ["new", "-OLD", "-absent"]) == ("kept", "new")


@pytest.mark.parametrize("word", ["", "a b", "#a", "-", "--x", "x" * 33, "a\x1b[31m", "\u202ea", EVIL])
def test_what_is_no_tag_is_refused_in_one_line(word: str) -> None:
    with pytest.raises(UserError, match="expected a word") as refused:
        tags.changed((), [word])
    assert "\n" not in str(refused.value)


def test_a_run_has_at_most_sixteen(run: RunFolder) -> None:
    with pytest.raises(UserError, match="17 tags, where at most 16"):
        tags.write(run, map(str, range(17)))


@pytest.mark.parametrize(
    "data",
    [b"", b"null", b"[1]", b'{"tags": 3}', b"\xff\xfe", b"[" * 100_000, b'{"tags": [' + b'"a",' * 30_000 + b'"a"]}'],
)
def test_a_file_that_is_something_else_has_no_tags(run: RunFolder, data: bytes) -> None:
    (run.path / tags.NAME).write_bytes(data)
    assert tags.read(run) == ()
    tags.write(run, ["mended"])
    assert tags.read(run) == ("mended",)


def test_of_a_hostile_list_the_words_are_kept(run: RunFolder, tmp_path: Path) -> None:
    (run.path / tags.NAME).write_text(json.dumps({"tags": [EVIL, 1, None, ["x"], "good", "GOOD", *map(str, range(40))]}))
    assert tags.read(run) == ("good", *map(str, range(15)))
    (tmp_path / "elsewhere").write_text('{"tags": ["stolen"]}')
    (run.path / tags.NAME).unlink()
    (run.path / tags.NAME).symlink_to(tmp_path / "elsewhere")
    assert tags.read(run) == ()


def test_a_folder_in_its_place_is_told(run: RunFolder) -> None:
    (run.path / tags.NAME).mkdir()
    with pytest.raises(UserError, match=r"tags\.json: cannot be written"):
        tags.write(run, ["a"])
