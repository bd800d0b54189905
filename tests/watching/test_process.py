"""The process that reads, as whoever shows runs meets it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import UserError
from core.view.summary import summarise, with_liveness
from core.watching import folders
from core.watching.watching import watching
from tests.watching.written import event_file, scalars

KILLED = """
import sys, time
from pathlib import Path
from core.watching.watching import watching
with watching([Path(sys.argv[1])]) as found:
    print(found.root, found.process.pid, flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("TUI_TRAINER_CACHE", str(folder))
    return folder / folders.FOLDER


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def test_what_is_there_and_what_comes_later_lies_in_run_folders_that_live(tmp_path: Path, cache: Path) -> None:
    event_file(tmp_path / "first", scalars(range(5), {"train/loss": 1.0}))
    with watching([tmp_path]) as found:
        (run,) = found.runs
        wait_for(lambda: summarise(run).step == 4)
        assert (found.found, run.alive(), oct(found.root.stat().st_mode & 0o777)) == (1, True, "0o700")
        event_file(tmp_path / "first", scalars(range(5, 9), {"train/loss": 0.5}))
        wait_for(lambda: summarise(run).metrics == {"train.loss": 0.5})
        event_file(tmp_path / "second", scalars(range(3), {"train/loss": 1.0}))
        wait_for(lambda: [item.name for item in found.runs] == ["first", "second"])
    assert list(cache.iterdir()) == []


def test_nothing_is_written_to_what_is_watched(tmp_path: Path) -> None:
    file = event_file(tmp_path / "logs", scalars(range(5), {"train/loss": 1.0}))
    before = file.stat().st_mtime_ns, file.parent.stat().st_mtime_ns
    with watching([tmp_path], once=True) as found:
        found.wait()
    assert (file.stat().st_mtime_ns, file.parent.stat().st_mtime_ns) == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_who_is_killed_leaves_neither_process_nor_folder(tmp_path: Path, cache: Path) -> None:
    event_file(tmp_path / "run", scalars(range(5), {"train/loss": 1.0}))
    with subprocess.Popen([sys.executable, "-P", "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True) as viewer:
        assert viewer.stdout is not None
        root = Path(viewer.stdout.readline().split()[0])
        wait_for(lambda: root.is_dir())
        os.kill(viewer.pid, signal.SIGKILL)
    wait_for(lambda: not root.exists())
    assert list(cache.iterdir()) == []


def test_what_a_power_cut_left_is_removed_by_the_next_one(tmp_path: Path, cache: Path) -> None:
    event_file(tmp_path / "run", scalars(range(5), {"train/loss": 1.0}))
    left = cache / "1-left"
    left.mkdir(parents=True)
    os.utime(left, (1.0, 1.0))
    with watching([tmp_path], once=True) as found:
        found.wait()
        assert not left.exists()


def test_files_that_are_not_there_yet_are_waited_for(tmp_path: Path) -> None:
    with watching([tmp_path]) as found:
        assert (found.found, found.runs) == (0, [])
        event_file(tmp_path / "late", scalars(range(5), {"train/loss": 1.0}))
        wait_for(lambda: len(found.runs) == 1)


def test_what_is_wanted_now_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nothing to watch; looked for events\.out"), watching([tmp_path], once=True):
        pass


def test_a_cache_that_cannot_be_written_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_TRAINER_CACHE", "/dev/null/cache")
    event_file(tmp_path, scalars(range(5), {"train/loss": 1.0}))
    with pytest.raises(UserError, match="choose another folder with TUI_TRAINER_CACHE"), watching([tmp_path]):
        pass


def test_what_goes_wrong_with_who_watches_is_not_blamed_on_the_cache(tmp_path: Path) -> None:
    event_file(tmp_path, scalars(range(5), {"train/loss": 1.0}))
    with pytest.raises(BrokenPipeError), watching([tmp_path]):
        raise BrokenPipeError


def test_a_reader_that_ends_leaves_a_run_that_says_so(tmp_path: Path) -> None:
    event_file(tmp_path / "run", scalars(range(5), {"train/loss": 1.0}))
    with watching([tmp_path]) as found:
        (run,) = found.runs
        wait_for(lambda: summarise(run).step == 4)
        found.process.kill()
        found.process.wait()
        state = with_liveness(summarise(run), run.alive())
    assert (state.status, state.ending) == ("lost", "what read the files has ended; watch them again")
