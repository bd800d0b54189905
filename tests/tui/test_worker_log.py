"""Following a file that another process prints into."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tui_trainer import worker_log
from tui_trainer.worker_log import KEPT_LINES, Tail


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "worker.log"


def test_there_may_be_none_yet(log: Path) -> None:
    tail = Tail(log)
    tail.poll()
    assert (tail.lines, tail.trouble) == ((), "")
    log.write_text("one\n")
    tail.poll()
    assert tail.lines == ("one",)


def test_a_line_that_is_not_over_grows(log: Path) -> None:
    tail = Tail(log)
    for text, lines in (("one\ntw", ("one", "tw")), ("o", ("one", "two")), ("\n", ("one", "two")), ("x", ("one", "two", "x"))):
        with log.open("a") as file:
            file.write(text)
        tail.poll()
        assert tail.lines == lines


def test_a_progress_bar_is_its_last_state(log: Path) -> None:
    log.write_text(" 10%|#   |\r 50%|##  |\r100%|####|\r\nnext\r\n")
    tail = Tail(log)
    tail.poll()
    assert tail.lines == ("100%|####|", "next")


def test_what_would_steer_a_terminal_is_written_out(log: Path) -> None:
    log.write_bytes(b"\x1b]0;title\x07 \xff \xe2\x80\xae\n")
    tail = Tail(log)
    tail.poll()
    assert tail.lines == ("\\x1b]0;title\\x07 \ufffd \\u202e",)


def test_of_many_lines_the_last_are_kept_and_it_is_said_how_many_went(log: Path) -> None:
    log.write_text("".join(f"{number}\n" for number in range(KEPT_LINES)))
    tail = Tail(log)
    assert tail.poll() == 0
    with log.open("a") as file:
        file.write("a\nb\nc\n")
    assert tail.poll() == 3
    assert len(tail.lines) == KEPT_LINES and (tail.lines[0], tail.lines[-1]) == ("3", "c")


def test_of_a_huge_one_the_end_is_read(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_log, "KEPT_BYTES", 100)
    log.write_text("x" * 1000 + "\nend\n")
    tail = Tail(log)
    tail.poll()
    assert tail.lines[-1] == "end" and sum(map(len, tail.lines)) <= 100
    with log.open("a") as file:
        file.write("y" * 1000 + "\nlater\n")
    tail.poll()
    assert tail.lines[-1] == "later"


def test_another_file_and_a_shorter_one_are_read_from_their_beginning(log: Path) -> None:
    log.write_text("first session\n")
    tail = Tail(log)
    tail.poll()
    other = log.with_name("other")
    other.write_text("other file\n")
    other.replace(log)
    tail.poll()
    assert tail.lines == ("other file",)
    log.write_text("short\n")
    tail.poll()
    assert tail.lines == ("short",)


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_what_is_no_plain_file_is_not_read(log: Path, kind: str) -> None:
    if kind == "link":
        log.with_name("secret").write_text("secret\n")
        log.symlink_to("secret")
    elif kind == "pipe":
        os.mkfifo(log)
    else:
        log.mkdir()
    tail = Tail(log)
    tail.poll()
    assert tail.lines == ()
