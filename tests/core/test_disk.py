"""A disk that is full, read-only or slow under a training: it waits, loses nothing, and touches no good checkpoint."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import msgspec
import pytest

from core import checkpoint, commands
from core.checkpoint import Best
from core.commands import Command
from core.events import (
    CheckpointRemoved,
    CheckpointSaved,
    CommandRejected,
    Event,
    MessageLogged,
    RunContinued,
    RunFinished,
    RunPaused,
    RunStopped,
    StepDone,
)
from core.fallback import newest_good
from core.run import journal
from core.run.folder import RunFolder
from core.training import room, trainer
from core.training.trainer import Trainer
from core.view.fold import fold
from core.view.state import State
from tests.core.disks import fill, forbid_writing, small_disk, unmount
from tests.core.training import Script, fingerprint, last_progress, new_run, tiny, train

Full: TypeAlias = tuple[RunFolder, Callable[[], object], Callable[[], object]]
"""A run, what fills its disk, and what makes room again."""


class Trouble(Script):
    """The disk takes nothing from a step on, until everything has been said that was to be said meanwhile."""

    def __init__(self, begin: Callable[[], object], end: Callable[[], object], *told: Command) -> None:
        super().__init__()
        self.begin, self.end, self.told = begin, end, list(told)
        self.begun = False
        self.before_told: Callable[[], object] = lambda: None

    def take(self) -> list[Command]:
        assert self.trainer is not None
        if self.trainer.progress.step == 6 and not self.begun:
            self.begun = True
            self.begin()
            return [commands.Save(id="met")]
        if self.trainer.hindrance and self.told:
            self.before_told()
            return [self.told.pop(0)]
        return super().take()

    def wait(self, seconds: float) -> None:
        assert self.trainer is not None
        if self.trainer.hindrance and not self.told:
            self.end()
        elif not self.trainer.hindrance:
            super().wait(seconds)


@pytest.fixture(autouse=True)
def _retries_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "RETRY", 0.0)


@pytest.fixture(scope="module")
def untroubled(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    run = new_run(tmp_path_factory.mktemp("whole") / "run", tiny())
    train(run)
    return run


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Full]:
    with small_disk(tmp_path / "disk", "16m") as disk:
        yield new_run(disk / "run", tiny()), lambda: fill(disk), lambda: (disk / "filler").unlink(missing_ok=True)


def of(kind: type[Event], said: list[Event]) -> list[Event]:
    return [event for event in said if isinstance(event, kind)]


def test_a_full_disk_pauses_the_training_and_changes_no_bit(full: Full, untroubled: RunFolder) -> None:
    run, begin, end = full
    script = Trouble(begin, end, commands.Continue(id="too early"), commands.Save(id="not now", name="mine"))
    good: list[Path] = []
    script.before_told = lambda: good.append(newest_good(run.checkpoints)[0])
    said = train(run, script)
    (paused,), (continued,) = of(RunPaused, said), of(RunContinued, said)
    assert (paused.reason, continued.reason) == ("disk full", "disk full")  # type: ignore[attr-defined]
    assert not of(StepDone, said[said.index(paused) : said.index(continued)])
    (error,) = [event for event in said if isinstance(event, MessageLogged) and event.level == "error"]
    assert "disk full: nothing can be saved in" in error.text and "No space left on device" in error.text
    refused = {event.id: event.reason for event in said if isinstance(event, CommandRejected)}
    assert refused.keys() == {"met", "too early", "not now"}
    assert all("disk full" in reason for reason in refused.values())
    assert [path.name for path in good] == ["step-00000005"] * 2
    assert not list(run.checkpoints.glob(".*"))
    assert isinstance(said[-1], RunFinished)
    assert (fingerprint(run), last_progress(run)) == (fingerprint(untroubled), last_progress(untroubled))
    assert [plain(event) for event in journal.read_all(run.journal)] == [plain(event) for event in said]


def plain(event: Event) -> Event:
    return msgspec.structs.replace(event, seq=-1, time=0.0)


def test_a_person_may_pause_it_meanwhile(full: Full, untroubled: RunFolder) -> None:
    run, begin, end = full
    script = Trouble(begin, end, commands.Pause(id="p"))
    script.waited = [commands.Continue(id="c")]
    said, state, seen = train(run, script), State(), list[tuple[str, bool, str]]()
    for event in said:
        state = fold(state, [event])
        if isinstance(event, (RunPaused, RunContinued)):
            seen.append((state.status, state.paused, state.hindrance))
    assert seen == [
        ("paused", False, "disk full"), ("paused", True, "disk full"), ("paused", True, ""), ("running", False, ""),
    ]  # fmt: skip
    assert fingerprint(run) == fingerprint(untroubled)


def test_a_stop_leaves_at_once_and_says_what_was_not_saved(full: Full, untroubled: RunFolder) -> None:
    run, begin, end = full
    said = train(run, Trouble(begin, end, commands.Stop(id="x")))
    stopped = said[-1]
    assert isinstance(stopped, RunStopped)
    good = checkpoint.listing(run.checkpoints)[-1].name
    assert stopped.reason.endswith(f"the newest state was not saved (disk full), the last good checkpoint is {good}")
    assert stopped.weights == f"checkpoints/{good}/model.safetensors"
    end()
    train(run)
    assert fingerprint(run) == fingerprint(untroubled)


def test_a_stop_after_room_was_made_saves_after_all(full: Full) -> None:
    run, begin, end = full
    script = Trouble(begin, end, commands.Stop(id="x"))
    script.before_told = end
    stopped = train(run, script)[-1]
    assert isinstance(stopped, RunStopped) and stopped.reason == "stopped on request"
    assert checkpoint.position(checkpoint.listing(run.checkpoints)[-1].name)[0] == stopped.step


def test_a_folder_that_becomes_read_only(tmp_path: Path, untroubled: RunFolder) -> None:
    run = new_run(tmp_path / "run", tiny())
    mounted: list[Path] = []

    def begin() -> None:
        forbid_writing(run.checkpoints)
        mounted.append(run.checkpoints)

    def end() -> None:
        if mounted:
            unmount(mounted.pop())

    try:
        said = train(run, Trouble(begin, end))
    finally:
        end()
    assert [event.reason for event in said if isinstance(event, RunPaused)] == ["disk read-only"]
    assert isinstance(said[-1], RunFinished) and fingerprint(run) == fingerprint(untroubled)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_permission_that_is_lost(tmp_path: Path, untroubled: RunFolder) -> None:
    run = new_run(tmp_path / "run", tiny())
    said = train(run, Trouble(lambda: run.checkpoints.chmod(0o500), lambda: run.checkpoints.chmod(0o700)))
    assert [event.reason for event in said if isinstance(event, RunPaused)] == ["no permission to write"]
    assert isinstance(said[-1], RunFinished) and fingerprint(run) == fingerprint(untroubled)


def test_a_pointer_that_cannot_be_set_does_not_write_the_checkpoint_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, point, failures = new_run(tmp_path / "run", tiny(epochs=1)), checkpoint.point, ["last", "best"]

    def failing(folder: Path, pointer: str, best: Best) -> None:
        if best.checkpoint != "step-00000000" and pointer in failures:
            failures.remove(pointer)
            raise OSError(28, "No space left on device")
        point(folder, pointer, best)

    monkeypatch.setattr(checkpoint, "point", failing)
    script = Script()
    script.wait = lambda seconds: None  # type: ignore[method-assign]
    said = train(run, script)
    assert not failures and of(RunPaused, said)
    assert [event.checkpoint for event in said if isinstance(event, CheckpointSaved)] == ["step-00000000", "step-00000005"]
    assert [path.name for path in checkpoint.listing(run.checkpoints)] == ["step-00000000", "step-00000005"]
    best = checkpoint.pointed(run.checkpoints, "best")
    assert best is not None and best.checkpoint == "step-00000005"


def test_old_checkpoints_that_cannot_be_removed_end_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = new_run(tmp_path / "run", tiny(epochs=2, checkpoint={"keep": 1}))
    rename, refused = Path.rename, list[str]()

    def renaming(path: Path, target: Path) -> Path:
        if ".removing-" in str(target) and not refused:
            refused.append(path.name)
            raise PermissionError(13, "Permission denied", str(path))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", renaming)
    said = train(run)
    assert isinstance(said[-1], RunFinished)
    assert any(isinstance(event, MessageLogged) and "old checkpoints not removed" in event.text for event in said)
    assert refused[0] in {event.checkpoint for event in said if isinstance(event, CheckpointRemoved)}  # the next time


def test_a_slow_disk_delays_no_step_and_saves_do_not_pile_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sync of the first checkpoint takes until three more steps are done: were they to wait for it, it would not end."""
    run = new_run(tmp_path / "run", tiny(epochs=1, batch_size=4, checkpoint={"every_seconds": 1e-6, "keep": 100}))
    monkeypatch.setattr(trainer, "WINDOW", 0.0)
    script, enough, stuck, fsync = Script(), threading.Event(), list[str](), os.fsync
    meanwhile: list[int] = []

    def slow(descriptor: int) -> None:
        assert script.trainer is not None
        if script.trainer.progress.step and not enough.wait(20):
            stuck.append(threading.current_thread().name)
        fsync(descriptor)

    def watch(trainer: Trainer) -> None:
        step = trainer.progress.step
        if step and trainer.saver.busy and step not in meanwhile:
            meanwhile.append(step)
        if len(meanwhile) >= 4:
            enough.set()

    monkeypatch.setattr(os, "fsync", slow)
    script.watch = watch
    said = train(run, script)
    assert not stuck
    first, second = [event.step for event in said if isinstance(event, CheckpointSaved) and event.step][:2]
    assert first <= meanwhile[0] and second >= meanwhile[3]


def test_the_size_of_a_checkpoint_is_known_before_there_is_one(tmp_path: Path) -> None:
    wide = {"name": "resnet", "blocks": [1, 1], "channels": 48, "pool": 16}
    muon = {"name": "muon", "lr": 0.02, "lookahead_steps": 2}
    for number, changes in enumerate(({}, {"optimizer": muon, "averaging": {"decay": 0.9}})):
        data = {"source": "sample", "limit": 20, "validation": 0.2}
        script, run = Script(), new_run(tmp_path / f"{number}", tiny(model=wide, epochs=1, data=data, **changes))
        said = train(run, script)
        assert script.trainer is not None
        expected = room.checkpoint_bytes(script.trainer.setup)
        last = [event.bytes for event in said if isinstance(event, CheckpointSaved)][-1]
        assert 0.8 * last < expected < 1.1 * last
