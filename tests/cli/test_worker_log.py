"""The last lines of a worker that is gone without a word."""

from __future__ import annotations

import os
import time
from pathlib import Path

from core.run.folder import RunFolder
from core.view.state import State
from tui_trainer.escape import LONGEST
from tui_trainer.follow import last_words
from tui_trainer.result import result_lines
from tui_trainer.worker_log import TAIL, last_lines, note

FIRST = ("Fatal Python error: Segmentation fault", "Current thread 0x01 (most recent call first):", "  File a.py, line 1")
CRASH = "\n".join(FIRST) + "\n"


def run_with(folder: Path, log: bytes) -> RunFolder:
    run = RunFolder(folder)
    run.log.write_bytes(log)
    return run


def test_the_last_lines_are_bounded_and_safe_to_print(tmp_path: Path) -> None:
    assert last_lines(RunFolder(tmp_path / "none"), 3) == ()
    run = run_with(tmp_path, b"x" * 10 * TAIL + b"\n\none\n\xff\x1b[2J\n  \nthree\n")
    assert last_lines(run, 3) == ("one", "\ufffd\\x1b[2J", "three")
    run.log.write_bytes(b"x" * 10 * TAIL)
    assert sum(map(len, last_lines(run, 3))) == LONGEST + len(" ...")


def test_of_a_crash_its_first_lines_are_the_last_words(tmp_path: Path) -> None:
    rest = 20 * "  File b.py, line 2 in main\n" + "\nExtension modules: numpy"
    run = run_with(tmp_path, f"before\n{CRASH}{rest}".encode())
    assert last_lines(run, 3) == FIRST


def test_what_an_earlier_session_left_is_not_the_last_ones_word(tmp_path: Path) -> None:
    run = run_with(tmp_path, CRASH.encode())
    os.utime(run.log, (1000.0, 1000.0))
    assert last_lines(run, 3, since=2000.0) == () and last_lines(run, 3, since=500.0)


def test_what_is_said_of_trackers_is_not_the_workers_word(tmp_path: Path) -> None:
    run = run_with(tmp_path, b"MemoryError: 8 GiB\n")
    note(run, "wandb failed:\nno network")
    assert run.log.read_text().splitlines()[-1] == "tui-trainer log: wandb failed: no network"
    assert last_lines(run, 3) == ("MemoryError: 8 GiB",)
    assert last_words(run, State()) == "MemoryError: 8 GiB"
    run.log.write_text("")
    note(run, "wandb failed")
    assert last_words(run, State()).startswith("the worker ended without a word; see ")


def test_a_session_that_begins_in_the_future_hides_no_last_words(tmp_path: Path) -> None:
    """The clock was set back since, and cannot tell whose words they are."""
    run = run_with(tmp_path, CRASH.encode())
    assert last_lines(run, 3, since=time.time() + 3600) == FIRST


def test_a_link_or_a_pipe_is_no_log(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.log.symlink_to("/etc/hostname")
    assert last_lines(run, 3) == ()
    run.log.unlink()
    os.mkfifo(run.log)
    started = time.monotonic()
    assert last_lines(run, 3) == () and time.monotonic() - started < 5


def test_a_lost_run_ends_with_its_last_words_and_the_way_on(tmp_path: Path) -> None:
    run = run_with(tmp_path, b"\x1b]0;title\x07 std::bad_thing\n")
    lines = result_lines(run, State(status="lost"))
    assert "worker.log: \\x1b]0;title\\x07 std::bad_thing" in lines
    assert lines[-1] == f"next: tui-trainer resume {tmp_path}"
    assert not any("worker.log: " in line for line in result_lines(run, State(status="stopped", ending="asked")))
