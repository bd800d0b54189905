"""How a run is named in a command that is printed for pasting, and what is taken for a folder of runs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier

import pytest

from core.errors import UserError
from core.run.folder import RunFile, RunFolder, Taken, busy, free_name, reference, runs_folder


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


def test_of_many_that_make_a_run_of_one_name_one_does_and_no_other_touches_it(tmp_path: Path) -> None:
    for number in range(20):
        run, ready = RunFolder(tmp_path / str(number)), Barrier(4)

        def make(identity: str, run: RunFolder = run, ready: Barrier = ready) -> str:
            ready.wait()
            with suppress(Taken):
                run.create(RunFile(id=identity))
                return identity
            return ""

        with ThreadPoolExecutor(4) as pool:
            made = [identity for identity in pool.map(make, "abcd") if identity]
        assert made == [run.identity()]


def test_a_free_name_is_free_of_links_too(tmp_path: Path) -> None:
    (tmp_path / "demo").symlink_to(tmp_path / "nowhere")
    (tmp_path / "demo-2").touch()
    assert free_name("demo", tmp_path) == "demo-3"
    with pytest.raises(Taken, match="exists already"):
        RunFolder(tmp_path / "demo").create(RunFile())
