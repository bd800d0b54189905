"""``view.cache``: taken only where it is this user's own word about this very journal, and never needed."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from core.cache import cache_folder
from core.run import seal as seals
from core.run.folder import RunFolder
from core.run.journal import JournalWriter, read_all
from core.view import cache, history
from core.view.cache import HEAD, NAME, SEAL, History
from core.view.fold import fold
from core.view.state import State
from core.view.summary import opening
from tests.tui import long_runs
from tests.tui import runs as made


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_TRAINER_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return made.make(tmp_path / "runs", "demo", made.running())


@pytest.fixture
def kept(run: RunFolder) -> History:
    found = History(run.journal.stat().st_size, fold(opening(run), read_all(run.journal)))
    cache.keep(run, found)
    return found


def test_what_is_kept_is_there_again(run: RunFolder, kept: History) -> None:
    assert cache.load(run) == kept


def test_it_and_its_key_are_for_their_owner_alone(run: RunFolder, kept: History) -> None:
    before = os.umask(0)
    try:
        cache.keep(run, kept)
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in (run.path / NAME, cache_folder() / "view.key")} == {0o600}


def test_it_holds_for_a_journal_that_has_grown(run: RunFolder, kept: History) -> None:
    with JournalWriter(run.journal) as journal:
        journal.append(long_runs.step_done(770, 1000, alone=False))
    assert cache.load(run) == kept


def flipped(run: RunFolder) -> None:
    data = bytearray((run.path / NAME).read_bytes())
    data[len(data) // 2] ^= 1
    (run.path / NAME).write_bytes(data)


def seal_flipped(run: RunFolder) -> None:
    data = bytearray((run.path / NAME).read_bytes())
    data[0] ^= 1
    (run.path / NAME).write_bytes(data)


def offset_changed(run: RunFolder) -> None:
    data = (run.path / NAME).read_bytes()
    (run.path / NAME).write_bytes(data[:SEAL] + (1 << 62).to_bytes(HEAD - SEAL, "big") + data[HEAD:])


def truncated(run: RunFolder) -> None:
    os.truncate(run.path / NAME, 100)


def emptied(run: RunFolder) -> None:
    os.truncate(run.path / NAME, 0)


def huge(run: RunFolder) -> None:
    os.truncate(run.path / NAME, cache.LARGEST + 1)


def linked(run: RunFolder) -> None:
    real = (run.path / NAME).rename(run.path / "elsewhere")
    (run.path / NAME).symlink_to(real.name)


def pipe(run: RunFolder) -> None:
    (run.path / NAME).unlink()
    os.mkfifo(run.path / NAME)


def other_journal(run: RunFolder) -> None:
    """The same bytes in another file, as in a copy of the run."""
    copy = run.journal.with_name("copy")
    shutil.copy2(run.journal, copy)
    copy.replace(run.journal)


def rewritten(run: RunFolder) -> None:
    """In place, to the same length."""
    with run.journal.open("r+b") as file:
        data = file.read()
        file.seek(0)
        file.write(data.replace(b'"train.loss":0.7', b'"train.loss":0.1'))


def cut(run: RunFolder) -> None:
    os.truncate(run.journal, run.journal.stat().st_size - 1)


def other_key(run: RunFolder) -> None:
    (cache_folder() / "view.key").write_bytes(bytes(seals.KEY))


def short_key(run: RunFolder) -> None:
    (cache_folder() / "view.key").write_bytes(b"short")


def no_key(run: RunFolder) -> None:
    (cache_folder() / "view.key").unlink()


def forged(run: RunFolder) -> None:
    """Whole and well-formed, by somebody who may write here but has not the key."""
    body, offset = msgspec.msgpack.encode(State(name="forged")), run.journal.stat().st_size
    forgery = seals._seal(bytes(seals.KEY), cache._sealed(run, offset, body))
    (run.path / NAME).write_bytes(forgery + offset.to_bytes(HEAD - SEAL, "big") + body)


def unsealed(run: RunFolder) -> None:
    (cache_folder() / "view.key").unlink()
    (run.path / NAME).write_bytes(b"")


@pytest.mark.parametrize(
    "damage",
    [
        flipped, seal_flipped, offset_changed, truncated, emptied, huge, linked, pipe, other_journal, rewritten, cut, other_key,
        short_key, no_key, forged, unsealed,
    ],
)  # fmt: skip
def test_anything_else_is_not_taken(run: RunFolder, kept: History, damage: Callable[[RunFolder], None]) -> None:
    damage(run)
    assert cache.load(run) is None


def test_what_another_program_folded_is_not_taken(run: RunFolder, kept: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_program", lambda: b"of a later version")
    assert cache.load(run) is None


def test_where_it_cannot_be_kept_nothing_is_lost(run: RunFolder, kept: History) -> None:
    cache.keep(RunFolder(run.path.with_name("none")), kept)
    assert not run.path.with_name("none").exists()
    (run.path / NAME).unlink()
    (run.path / NAME).mkdir()
    cache.keep(run, kept)
    assert cache.load(run) is None


def test_a_long_journal_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = long_runs.make(tmp_path / "runs" / "long", 40_000)
    told = history.read(run, lambda offset: True)
    for _ in range(200):
        if (found := cache.load(run)) is not None:
            break
        time.sleep(0.02)  # it is kept once it has been told
    assert found == told == History(run.journal.stat().st_size, fold(opening(run), read_all(run.journal)))
    monkeypatch.setattr(sys, "executable", "/nowhere")
    assert cache.load(run) == told
