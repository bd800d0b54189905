"""Checkpoints on disk: whole or not at all, checked on reading, bad ones set aside, old ones pruned."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core import checkpoint
from core.checkpoint import Best, Damaged, Manifest
from core.errors import UserError
from core.fallback import newest_good
from core.run import checkpoints
from core.run.folder import RunFolder
from core.run.verify import verify

FILES = {"model.safetensors": (100).to_bytes(8, "little") + b"{}".ljust(100), "state.json": b'{"progress": {}}'}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "run" / "checkpoints"
    path.mkdir(parents=True)
    return path


def publish(folder: Path, step: int, name: str = "", data: bytes = b"") -> Path:
    files = {**FILES, "model.safetensors": data or FILES["model.safetensors"]}
    return checkpoint.publish(folder, Manifest(step=step, epoch=1, name=name, files={}), files)


def test_what_was_published_is_read_back(folder: Path) -> None:
    path = publish(folder, 12)
    manifest, files = checkpoint.read(path)
    assert (path.name, manifest.step, files) == ("step-00000012", 12, FILES)
    assert checkpoint.pointed(folder, "last") == Best("step-00000012")


def test_nothing_is_visible_before_the_journal_is_safe(folder: Path) -> None:
    seen: list[list[Path]] = []
    checkpoint.publish(folder, Manifest(step=1, epoch=1, files={}), FILES, lambda: seen.append(checkpoint.listing(folder)))
    assert seen == [[]]
    assert len(checkpoint.listing(folder)) == 1


def test_a_failure_in_the_middle_leaves_nothing_behind(folder: Path) -> None:
    def disk_full() -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        checkpoint.publish(folder, Manifest(step=1, epoch=1, files={}), FILES, disk_full)
    assert list(folder.iterdir()) == []


def test_a_second_checkpoint_at_one_step_is_kept_beside_the_first(folder: Path) -> None:
    names = [publish(folder, 5).name for _ in range(3)]
    assert names == ["step-00000005", "step-00000005.1", "step-00000005.2"]
    assert [path.name for path in checkpoint.listing(folder)] == names


@pytest.mark.parametrize("damage", ["truncated", "flipped", "emptied", "removed", "link", "manifest", "foreign name"])
def test_damage_is_noticed_set_aside_and_the_one_before_is_taken(folder: Path, damage: str) -> None:
    good, bad = publish(folder, 1), publish(folder, 2)
    weights = bad / "model.safetensors"
    data = weights.read_bytes()
    match damage:
        case "truncated":
            weights.write_bytes(data[:-1])
        case "flipped":
            weights.write_bytes(data[:50] + bytes([data[50] ^ 1]) + data[51:])
        case "emptied":
            weights.write_bytes(b"")
        case "removed":
            weights.unlink()
        case "link":
            weights.unlink()
            weights.symlink_to(good / "model.safetensors")
        case "manifest":
            (bad / "MANIFEST.json").write_bytes(b'{"step": 2')
        case "foreign name":
            manifest = json.loads((bad / "MANIFEST.json").read_bytes())
            manifest["files"]["../../run.json"] = manifest["files"]["state.json"]
            (bad / "MANIFEST.json").write_text(json.dumps(manifest))
    with pytest.raises(Damaged):
        checkpoint.read(bad)
    found, aside = newest_good(folder)
    assert found == good
    assert len(aside) == 1 and "bad-step-00000002" in aside[0]
    assert (folder / "bad-step-00000002").is_dir()


def test_when_none_is_good_it_says_so_instead_of_beginning_again(folder: Path) -> None:
    (publish(folder, 1) / "state.json").write_bytes(b"other")
    for _ in range(2):  # also the second time, when it has been set aside already
        with pytest.raises(UserError, match="none of the checkpoints is whole"):
            newest_good(folder)


def test_never_a_checkpoint_is_another_thing(folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        newest_good(folder)


def test_pruning_keeps_the_latest_the_best_and_the_named(folder: Path) -> None:
    for step in range(1, 8):
        publish(folder, step, name="mine" if step == 2 else "")
    checkpoint.point(folder, "best", Best("step-00000003", "val.loss", 0.5))
    removed = checkpoint.prune(folder, keep=2)
    assert removed == ["step-00000001", "step-00000004", "step-00000005"]
    assert [path.name[-1] for path in checkpoint.listing(folder)] == ["2", "3", "6", "7"]


def test_a_pointer_to_nowhere_or_with_a_hostile_name_is_none(folder: Path) -> None:
    checkpoint.point(folder, "best", Best("step-00000009"))
    assert checkpoint.pointed(folder, "best") is None
    checkpoint.point(folder, "best", Best("../../etc"))
    assert checkpoint.pointed(folder, "best") is None


def test_finding_one_by_the_words_people_use(folder: Path) -> None:
    run = RunFolder(folder.parent)
    for step in (10, 20, 30):
        publish(folder, step, name="before-change" if step == 10 else "")
    checkpoint.point(folder, "best", Best("step-00000020", "val.loss", 0.5))
    asked = ["last", "best", "step-30", "step-00000010", "before-change"]
    assert [checkpoints.find(run, which).name[-2:] for which in asked] == ["30", "20", "30", "10", "10"]
    with pytest.raises(UserError, match="expected best, last or one of"):
        checkpoints.find(run, "step-7")


def test_verify_reports_each_and_changes_nothing(folder: Path) -> None:
    run = RunFolder(folder.parent)
    publish(folder, 1)
    (publish(folder, 2) / "state.json").write_bytes(b"other")
    before = sorted(path.name for path in folder.rglob("*"))
    findings = {finding.item: finding.good for finding in verify(run)}
    told = {item: findings[item] for item in ("step-00000001", "step-00000002", "last.json")}
    assert told == {"step-00000001": True, "step-00000002": False, "last.json": True}
    assert sorted(path.name for path in folder.rglob("*")) == before


def test_sweep_clears_what_a_killed_writer_left(folder: Path) -> None:
    publish(folder, 1)
    (folder / ".writing-00000002-abcd").mkdir()
    (folder / ".removing-step-00000000-ab").mkdir()
    checkpoint.sweep(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["last.json", "step-00000001"]
