"""The journal while the disk takes nothing: what was said stays in order, is written once, and nothing is said of it before."""

from __future__ import annotations

import errno
import time
from pathlib import Path

import pytest

from core import events
from core.errors import TrainingError, UserError
from core.events import Heartbeat, MessageLogged, PhaseProgressed
from core.run import disk, journal, pump
from core.run.disk import RESERVED, Reserve
from core.run.journal import JournalReader, JournalWriter
from core.run.pump import Pump
from tests.core.disks import fill, longest_file, mode, small_disk

SIZE = 3000
"""Bytes after which the disk takes nothing, in these tests."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def said(path: Path) -> list[str]:
    """The texts in a journal whose events must be numbered without a gap."""
    found = journal.read_all(path)
    assert [event.seq for event in found] == list(range(len(found)))
    return [event.text for event in found if isinstance(event, MessageLogged)]


def test_a_line_that_breaks_off_anywhere_is_read_once(path: Path) -> None:
    """Also where only its newline is missing."""
    line = len(events.encode(MessageLogged(seq=10, time=1.5, text="text 10")))
    for cut in range(SIZE, SIZE + line + 2):
        path.unlink(missing_ok=True)
        refused, texts = 0, [f"text {number}" for number in range(10, 60)]
        with JournalWriter(path) as writer:
            for text in texts:
                event = MessageLogged(time=1.5, text=text)
                try:
                    with longest_file(cut):
                        writer.append(event)
                except OSError as error:
                    assert error.errno == errno.EFBIG
                    refused += 1
                    writer.append(event)
        assert refused >= 1
        assert said(path) == texts
        assert journal.find(path, MessageLogged) == journal.read_all(path)


def test_what_the_disk_does_not_take_waits_in_order_and_is_written_once(path: Path) -> None:
    written, texts = Pump(path), [f"text {number}" for number in range(100)]
    with longest_file(SIZE):
        for text in texts[:50]:
            written.put(MessageLogged(text=text))
        with pytest.raises(OSError, match="File too large"):
            written.sync()
        assert written.trouble and disk.words(written.trouble) == "file-size limit reached"
        for text in texts[50:]:
            written.put(Heartbeat())  # true for a moment, not worth keeping
            written.put(MessageLogged(text=text))
        with pytest.raises(OSError, match="File too large"):
            written.sync()
        before = time.time()
    written.sync()
    assert written.trouble is None and written.unwritten == 0
    written.close()
    assert said(path) == texts
    assert not journal.find(path, Heartbeat)
    assert all(event.time <= before for event in journal.read_all(path))  # when it was said, not when there was room
    reader = JournalReader(path)
    reader.read()
    assert reader.broken <= 1


def test_it_tries_again_by_itself(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pump, "RETRY", 0.02)
    written = Pump(path)
    with longest_file(0), pytest.raises(OSError, match="File too large"):
        written.put(MessageLogged(text="here"))
        written.sync()
    deadline = time.monotonic() + 10
    while written.trouble and time.monotonic() < deadline:
        time.sleep(0.01)
    written.close()
    assert said(path) == ["here"]


def test_more_than_can_be_kept_ends_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pump, "MOST_WAITING", 5)
    written = Pump(path)
    with longest_file(0), pytest.raises(TrainingError, match="File too large") as ended:
        for _ in range(20):
            written.put(MessageLogged())
            with pytest.raises(OSError, match="File too large"):
                written.sync()
    assert ended.value.kind == "disk"
    written.close()


def test_what_never_found_room_is_counted(path: Path) -> None:
    written = Pump(path)
    with longest_file(0):
        written.put(MessageLogged())
        written.put(PhaseProgressed())
        written.put(MessageLogged())
        written.close()
    assert 2 <= written.unwritten <= 3
    assert said(path) == []


def test_the_reserve_makes_room_for_last_words_and_comes_back(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "8m") as small:
        reserve = Reserve(small / "reserve")
        reserve.make()
        assert (reserve.path.stat().st_size, mode(reserve.path)) == (RESERVED, 0o600)
        assert reserve.path.stat().st_blocks * 512 >= RESERVED  # real bytes
        written = Pump(small / "events.jsonl", reserve.release)
        fill(small)
        texts = [f"{number}" + "x" * 1000 for number in range(100)]
        for text in texts:
            written.put(MessageLogged(text=text))
        written.sync()
        assert said(small / "events.jsonl") == texts
        assert not reserve.path.exists()
        reserve.restore()
        assert not reserve.path.exists()  # there is some room, but not plenty
        (small / "filler").unlink()
        reserve.restore()
        assert reserve.path.exists()
        written.close()


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "2m") as small:
        fill(small)
        with pytest.raises(UserError, match=r"disk: cannot be written: disk full \(No space left on device\); mend that"):
            Reserve(small / "reserve").make()
        assert sorted(path.name for path in small.iterdir()) == ["filler"]


@pytest.mark.parametrize(
    ("free", "there", "refused", "warned"),
    [(19, 0, True, False), (20, 0, False, True), (49, 0, False, True), (50, 0, False, False),
     (9, 1, True, False), (10, 1, False, True), (40, 1, False, False), (9, 5, True, False), (10, 5, False, False),
     (None, 0, False, False)],
)  # fmt: skip
def test_room_for_checkpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int | None, there: int, refused: bool, warned: bool
) -> None:
    """Of 10 bytes each, the last 3 kept."""
    monkeypatch.setattr(disk, "free_bytes", lambda folder: free)
    for step in range(there):
        (tmp_path / f"step-{step:08d}").mkdir()
    if refused:
        with pytest.raises(UserError, match=f"{free} B free, and the run needs {20 if not there else 10} B there"):
            disk.check_room(tmp_path, 10, keep=3)
    else:
        assert bool(disk.check_room(tmp_path, 10, keep=3)) == warned
