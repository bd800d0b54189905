"""What a trainer does with a run of which something is bad: goes on from what is good, or says why not and changes nothing."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core import checkpoint, events, files
from core.checkpoint import WEIGHTS, Damaged, Manifest, Unreadable
from core.errors import UserError
from core.events import CheckpointSaved, MessageLogged, ResumeRefused, RunResumed, RunStarted
from core.fallback import newest_good
from core.run import beginning, journal, session, tensors
from core.run.folder import RunFolder
from core.run.journal import JournalWriter
from core.run.repair import repair
from core.run.verify import verify
from core.training.setup import Setup
from core.view.summary import summarise
from tests.core.damage import DAMAGES, flipped, swapped


def listed(run: RunFolder) -> list[str]:
    return sorted(path.name for path in run.checkpoints.rglob("*"))


def test_no_good_checkpoint_ends_a_resume_with_2_and_changes_none(copied_run: RunFolder) -> None:
    run = copied_run
    for place in checkpoint.listing(run.checkpoints):
        flipped(0.4)(place / WEIGHTS)
    before = listed(run)
    assert session.start(run, epochs=3).wait(60) == 2
    (refused,) = journal.find(run.journal, ResumeRefused)
    assert "none of the checkpoints is whole" in refused.reason and "does not match its SHA-256" in refused.reason
    assert listed(run) == before
    assert repair(run) == [] and not all(item.good for item in verify(run))


def test_another_runs_description_leaves_the_checkpoints_as_they_are(copied_run: RunFolder, its_setup: Setup) -> None:
    swapped(copied_run.run_file)
    before = listed(copied_run)
    with pytest.raises(UserError, match="it is another run's"):
        beginning.find_place(copied_run, copied_run.read(), its_setup, ())
    repair(copied_run)
    assert listed(copied_run) == before


def test_another_runs_journal_is_refused_and_set_aside(copied_run: RunFolder) -> None:
    run = copied_run
    run.journal.unlink()
    with JournalWriter(run.journal) as writer:
        writer.append(MessageLogged(text="before the beginning"))
        writer.append(RunStarted(name="other"))
    with pytest.raises(UserError, match=r"is of the run 'other'; set it aside with: tui-trainer repair"):
        session.nothing_to_do(run, None)
    assert session.start(run).wait(60) == 2
    assert [item.text for item in verify(run) if item.item == "events.jsonl"] == ["it is of the run 'other'"]
    assert repair(run) == ["events.jsonl set aside as bad-events.jsonl: it is of the run 'other'"]


@pytest.mark.parametrize("earlier", [[], [RunStarted(name="run")]], ids=["its beginning", "a resume after an older version"])
def test_the_journal_of_another_run_of_the_same_name_is_noticed(copied_run: RunFolder, earlier: list[RunStarted]) -> None:
    run = copied_run
    run.journal.unlink()
    with JournalWriter(run.journal) as writer:
        for event in (*earlier, RunResumed(name="run", run="another") if earlier else RunStarted(name="run", run="another")):
            writer.append(event)
    with pytest.raises(UserError, match=r"is of another run of the name 'run'; set it aside with: tui-trainer repair"):
        session.nothing_to_do(run, None)
    assert [item.text for item in verify(run) if not item.good] == ["it is of another run of the name 'run'"]
    assert repair(run) == ["events.jsonl set aside as bad-events.jsonl: it is of another run of the name 'run'"]


def test_a_journal_that_names_this_run_or_none_is_its_own(copied_run: RunFolder) -> None:
    for begun in (RunStarted(name="run", run=copied_run.read().id), RunStarted(name="run")):
        copied_run.journal.unlink()
        with JournalWriter(copied_run.journal) as writer:
            writer.append(begun)
        assert all(item.good for item in verify(copied_run))


def test_checkpoints_that_the_journal_names_and_that_are_gone_are_no_beginning(copied_run: RunFolder, its_setup: Setup) -> None:
    shutil.rmtree(copied_run.checkpoints)
    with JournalWriter(copied_run.journal) as writer:
        writer.append(CheckpointSaved(checkpoint="step-00000001"))
    with pytest.raises(UserError, match="the checkpoints are gone"):
        beginning.find_place(copied_run, copied_run.read(), its_setup, ())
    assert ("events.jsonl", False) in {(item.item, item.good) for item in verify(copied_run)}


def test_what_cannot_be_looked_at_now_is_not_set_aside(copied_run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read all, so the error is made up."""
    newest = checkpoint.listing(copied_run.checkpoints)[-1]

    def forbidden(path: Path, largest: int) -> bytes:
        if path.parent == newest:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, largest)

    real = files.read_plain
    monkeypatch.setattr(checkpoint, "read_plain", forbidden)
    before = listed(copied_run)
    with pytest.raises(Unreadable):
        checkpoint.read(newest)
    with pytest.raises(UserError, match=r"MANIFEST\.json: Permission denied; mend that, then resume"):
        newest_good(copied_run.checkpoints)
    assert repair(copied_run) == [] and listed(copied_run) == before


@pytest.mark.parametrize("damage", ["a link", "a link to itself", "a pipe", "a folder"])
def test_no_writer_follows_a_link_or_waits_for_a_pipe(copied_run: RunFolder, damage: str) -> None:
    run = copied_run
    run.log.touch()
    for path in (run.journal, run.log):
        DAMAGES[damage](path)
    with pytest.raises(OSError, match=r"plain file|Is a directory"):
        JournalWriter(run.journal)
    with pytest.raises(UserError, match=r"worker\.log: cannot be written: .*; mend that, then resume"):
        session.start(run)
    assert summarise(run).status == "failed"
    assert journal.read_all(run.journal) == []


def test_names_with_dots_or_escape_codes_are_no_files(copied_run: RunFolder) -> None:
    newest = checkpoint.listing(copied_run.checkpoints)[-1]
    manifest = json.loads((newest / "MANIFEST.json").read_bytes())
    for name in ("../../run.json", "/etc/passwd", "\x1b[2J.json", "model.safetensors\n", "\u202etxt.json"):
        files = {**manifest["files"], name: manifest["files"]["state.json"]}
        (newest / "MANIFEST.json").write_text(json.dumps({**manifest, "files": files}))
        with pytest.raises(Damaged, match="is no file of a checkpoint") as caught:
            checkpoint.read(newest)
        assert str(caught.value).isprintable()


HEADERS: dict[str, Callable[[bytes], bytes]] = {
    "length of 2^60": lambda data: (1 << 60).to_bytes(8, "little") + data[8:],
    "no length": lambda data: data[:5],
    "not JSON": lambda data: data[:8] + b"\xff" + data[9:],
    "nested": lambda data: (100_000).to_bytes(8, "little") + b"[" * 100_000,
    "other offsets": lambda data: data.replace(b'"data_offsets":[0,', b'"data_offsets":[1,'),
    "other shape": lambda data: data.replace(b'"shape":[8]', b'"shape":[9]'),
    "other type": lambda data: data.replace(b'"dtype":"F32"', b'"dtype":"XXX"'),
    "more bytes": lambda data: data + b"\0",
    "a pickle": lambda _: b"\x80\x04\x95cos\nsystem\n" + bytes(8),
}


@pytest.mark.parametrize("damage", HEADERS)
def test_tensors_that_do_not_fill_their_file_are_found_without_torch(copied_run: RunFolder, damage: str) -> None:
    """Also when the manifest was made to fit."""
    newest = checkpoint.listing(copied_run.checkpoints)[-1]
    _, files = checkpoint.read(newest)
    tensors.check(WEIGHTS, files[WEIGHTS])
    bad = HEADERS[damage](files[WEIGHTS])
    assert bad != files[WEIGHTS]
    with pytest.raises(Damaged, match=WEIGHTS):
        tensors.check(WEIGHTS, bad)
    forged = checkpoint.publish(copied_run.checkpoints, Manifest(step=99, epoch=1, files={}), {**files, WEIGHTS: bad})
    assert [item.item for item in verify(copied_run) if not item.good] == [forged.name]


def test_a_journal_keeps_what_its_bad_lines_stand_between(copied_run: RunFolder) -> None:
    good = events.encode(MessageLogged(text="good"))
    bad = [
        good[:-3],
        b"[" * 100_000,
        b"\xff" * 100,
        b"null",
        b'{"type":"MessageLogged","seq":"x"}',
        b'{"type":7}',
        os.urandom(300),
    ]
    copied_run.journal.write_bytes(b"\n".join([good, *bad, good, b'{"type":"FromTheFuture","seq":3}']) + b"\n")
    found = journal.read_all(copied_run.journal)
    assert [type(event).__name__ for event in found] == ["MessageLogged", "MessageLogged", "Unknown"]
    (finding,) = [item for item in verify(copied_run) if item.item == "events.jsonl"]
    assert "torn or damaged lines are skipped" in finding.text and "1 are of a newer version" in finding.text
