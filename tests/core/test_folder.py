"""How a run is named in a command that is printed for pasting, and what is taken for a folder of runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import UserError
from core.run.folder import RunFolder, busy, reference, runs_folder


@pytest.fixture(autouse=True)
def _no_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUI_TRAINER_RUNS", raising=False)


@pytest.mark.parametrize(
    ("path", "named"),
    [("runs/demo", "demo"), ("runs/a b;c", "'a b;c'"), ("my runs/demo", "'my runs/demo'"), ("/data/demo", "/data/demo")],
)
def test_a_reference_can_be_pasted(path: str, named: str) -> None:
    run = RunFolder(Path(path))
    assert reference(run) == named
    assert str(busy(run)).endswith(f"tui-trainer attach {named}")


def test_the_default_folder_may_be_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_TRAINER_RUNS", "/data")
    assert reference(RunFolder(Path("/data/demo"))) == "demo"
    assert runs_folder() == Path("/data")


def test_a_file_holds_no_runs(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(UserError, match="file: not a folder"):
        runs_folder(file)
    assert runs_folder(tmp_path / "absent") == tmp_path / "absent"
    (tmp_path / "link").symlink_to(tmp_path)
    assert runs_folder(tmp_path / "link") == tmp_path / "link"
