"""``verify`` and ``repair``: every file of a run, damaged in every way that comes to mind."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from core import checkpoint
from core.checkpoint import Damaged, Manifest
from core.errors import UserError
from core.fallback import newest_good
from core.run.folder import RunFolder
from core.run.repair import repair
from core.run.verify import verify
from core.training import snapshot
from core.training.setup import Setup
from core.view.summary import summarise
from tests.core.damage import CHECKPOINT_FILES, DAMAGES, emptied, flipped, swapped


@pytest.fixture
def run(copied_run: RunFolder) -> RunFolder:
    return copied_run


@pytest.fixture
def setup(its_setup: Setup) -> Setup:
    return its_setup


def go_on(run: RunFolder, setup: Setup) -> tuple[str, list[str]]:
    """What a resume would begin at, and what it sets aside on the way."""

    def accept(_: Path, manifest: Manifest, files: dict[str, bytes]) -> None:
        checkpoint.check_run(manifest, run.read().id)
        snapshot.restore(files, setup.network, setup.optimizer)

    found, aside = newest_good(run.checkpoints, accept)
    return found.name, aside


def test_a_whole_run_is_good(run: RunFolder) -> None:
    findings = verify(run)
    assert all(item.good for item in findings)
    assert {"run.json", "events.jsonl", "step-00000006", "last.json", "best.json"} <= {item.item for item in findings}
    assert repair(run) == []


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", CHECKPOINT_FILES)
def test_a_damaged_checkpoint_is_found_set_aside_and_the_one_before_is_taken(
    run: RunFolder, setup: Setup, name: str, damage: str
) -> None:
    *_, before, newest = checkpoint.listing(run.checkpoints)
    DAMAGES[damage](newest / name)
    assert [item.item for item in verify(run) if not item.good] == [newest.name]
    found, aside = go_on(run, setup)
    assert found == before.name
    assert len(aside) == 1 and f"bad-{newest.name}" in aside[0]
    assert "\n" not in aside[0] and len(aside[0]) < 300


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["run.json", "events.jsonl", "checkpoints/last.json", "checkpoints/best.json"])
def test_a_damaged_file_beside_the_checkpoints_is_said_and_hides_nothing(run: RunFolder, name: str, damage: str) -> None:
    DAMAGES[damage](run.path / name)
    bad = [item for item in verify(run) if not item.good]
    torn = name == "events.jsonl" and "truncated" in damage
    unnoticed = torn or "flipped" in damage  # another letter in a text
    assert [item.item for item in bad] == [Path(name).name] or (unnoticed and not bad)
    summarise(run)
    done = repair(run)
    assert bool(done) == bool(bad) or name in ("run.json", "events.jsonl")
    assert all(item.good for item in verify(run)) or name in ("run.json", "events.jsonl")
    assert len(checkpoint.listing(run.checkpoints)) == 3


def test_a_checkpoint_of_another_run_is_refused(run: RunFolder, setup: Setup) -> None:
    described = run.read()
    ids = {name: RunFolder(run.path.with_name(name)).read().id for name in ("run", "other")}
    assert ids["run"] != ids["other"]
    newest = checkpoint.listing(run.checkpoints)[-1]
    shutil.rmtree(newest)
    shutil.copytree(run.path.with_name("other") / "checkpoints" / newest.name, newest)
    assert [(item.item, item.text) for item in verify(run) if not item.good] == [(newest.name, "it is another run's")]
    found, aside = go_on(run, setup)
    assert found != newest.name and "another run" in aside[0]
    assert described == run.read()


@pytest.mark.parametrize("name", CHECKPOINT_FILES)
def test_a_file_of_another_run_does_not_fit_the_manifest(run: RunFolder, name: str) -> None:
    newest = checkpoint.listing(run.checkpoints)[-1]
    flipped(0.4)(run.path.with_name("other") / "checkpoints" / newest.name / name)
    swapped(newest / name)
    with pytest.raises(Damaged):
        checkpoint.read(newest)


def test_when_none_is_good_nothing_begins_again(run: RunFolder, setup: Setup) -> None:
    for place in checkpoint.listing(run.checkpoints):
        flipped(0.4)(place / "model.safetensors")
    for _ in range(2):
        with pytest.raises(UserError, match="none of the checkpoints is whole"):
            go_on(run, setup)


def test_repair_sets_aside_removes_and_mends(run: RunFolder) -> None:
    first, second, newest = checkpoint.listing(run.checkpoints)
    flipped(0.4)(newest / "state.json")
    emptied(run.checkpoints / "best.json")
    (run.checkpoints / ".writing-00000009-ab").mkdir()
    done = repair(run)
    assert [text.split(" ")[0] for text in done] == [
        newest.name, ".writing-00000009-ab", "best.json", "last.json", "best.json",
    ]  # fmt: skip
    assert checkpoint.pointed(run.checkpoints, "last") == checkpoint.Best(second.name)
    assert (run.checkpoints / f"bad-{newest.name}").is_dir() and (run.checkpoints / "bad-best.json").exists()
    assert all(item.good for item in verify(run))
    assert repair(run) == []
    assert first.is_dir()


def test_repair_keeps_off_a_run_in_training(run: RunFolder) -> None:
    with run.hold(), pytest.raises(UserError, match="is being trained"):
        repair(run)


def test_a_manifest_that_claims_more_than_memory_reads_nothing(run: RunFolder) -> None:
    newest = checkpoint.listing(run.checkpoints)[-1]
    manifest = checkpoint.read_manifest(newest)
    weights = newest / "model.safetensors"
    os.truncate(weights, 1 << 40)
    text = (newest / "MANIFEST.json").read_text().replace(str(manifest.files[weights.name].bytes), str(1 << 40))
    (newest / "MANIFEST.json").write_text(text)
    with pytest.raises(Damaged, match="at most 8,589,934,592 were expected"):
        checkpoint.read(newest)


@pytest.mark.parametrize("damage", ["a link", "a pipe"])
def test_a_command_that_is_no_plain_file_is_left_alone(run: RunFolder, damage: str) -> None:
    path = run.inbox / "00000000000000000001-abc.json"
    path.write_text("{}")
    DAMAGES[damage](path)
    assert all(item.item != "inbox" for item in verify(run))


@pytest.mark.parametrize("damage", ["a link", "a link to itself", "a pipe", "a folder"])
@pytest.mark.parametrize("name", ["lock", "worker.log", "reserve"])
def test_a_file_of_the_trainer_that_is_no_plain_file_is_set_aside(run: RunFolder, name: str, damage: str) -> None:
    path = run.path / name
    path.touch()
    DAMAGES[damage](path)
    assert [(item.item, item.text) for item in verify(run) if not item.good] == [(name, "not a plain file")]
    assert repair(run) == [f"{name} set aside as bad-{name}: not a plain file"]
    assert all(item.good for item in verify(run))


@pytest.mark.parametrize("name", ["inbox", "checkpoints"])
def test_a_folder_that_is_none_is_made_again(run: RunFolder, name: str) -> None:
    path = run.path / name
    shutil.rmtree(path)
    path.touch()
    assert name in [item.item for item in verify(run) if not item.good]
    assert repair(run) == [f"{name} set aside as bad-{name}: not a folder", f"{name} made"]
    assert name not in [item.item for item in verify(run) if not item.good]


def test_what_other_users_may_enter_is_warned_of(run: RunFolder) -> None:
    run.path.chmod(0o750)
    (finding,) = [item for item in verify(run) if "chmod" in item.text]
    assert finding.good and finding.text.endswith(f"chmod go= {run.path}")
