"""Media files are hostile until they were checked."""

from __future__ import annotations

import hashlib
import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from core.checkpoint import Damaged
from core.run import media
from core.run.folder import RunFolder
from core.run.repair import repair
from core.run.verify import verify
from core.view import pictures
from tests.core.training import new_run, tiny


def tensors(count: int = 2, channels: int = 3, side: int = 8) -> dict[str, torch.Tensor]:
    return {
        "pixels": torch.arange(count * channels * side * side).to(torch.uint8).view(count, channels, side, side),
        "samples": torch.arange(count), "labels": torch.arange(count), "guesses": torch.arange(count) + 1,
        "confidences": torch.full((count,), 0.5),
    }  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    run = new_run(tmp_path / "run", tiny())
    run.media.mkdir(mode=0o700)
    return run


def put(run: RunFolder, data: bytes) -> str:
    name = hashlib.sha256(data).hexdigest()
    (run.media / name).write_bytes(data)
    return name


def test_what_was_put_in_comes_out(run: RunFolder) -> None:
    first, second = pictures.read(run, put(run, save(tensors())), "mistakes")
    assert (first.channels, first.height, first.width) == (3, 8, 8)
    assert (second.sample, second.label, second.other, second.share) == (1, 1, 2, 0.5)
    assert first.pixels + second.pixels == tensors()["pixels"].numpy().tobytes()


class Boom:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("unpickled",)


WRONG: dict[str, bytes] = {
    "empty": b"",
    "a pickle": pickle.dumps(Boom()),
    "cut off": save(tensors())[:-7],
    "with more behind it": save(tensors()) + b"x",
    "a header that never ends": b"\xff" * 8 + b"{}",
    "no pictures": save({"labels": torch.arange(2)}),
    "no labels": save({key: value for key, value in tensors().items() if key != "labels"}),
    "labels of another length": save({**tensors(), "labels": torch.arange(3)}),
    "labels of another type": save({**tensors(), "labels": torch.zeros(2)}),
    "pictures of floats": save({**tensors(), "pixels": torch.zeros(2, 3, 8, 8)}),
    "pictures of three dimensions": save({**tensors(), "pixels": torch.zeros(2, 8, 8, dtype=torch.uint8)}),
    "two channels": save(tensors(channels=2)),
    "no rows": save({**tensors(), "pixels": torch.zeros(2, 3, 0, 8, dtype=torch.uint8)}),
    "sides without end": save({**tensors(1), "pixels": torch.zeros(1, 1, 1, 5000, dtype=torch.uint8)}),
    "too many": save(tensors(2000, 1, 1)),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_set_of_pictures_is_refused(run: RunFolder, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.path)
    with pytest.raises(Damaged):
        pictures.read(run, put(run, WRONG[name]), "mistakes")
    assert not Path("unpickled").exists()


def test_a_batch_is_not_read_as_mistakes(run: RunFolder) -> None:
    with pytest.raises(Damaged, match="others"):
        pictures.unpacked(save(tensors()), "batch")


def test_what_does_not_match_its_name_or_cannot_be_followed_is_refused(run: RunFolder) -> None:
    found = put(run, save(tensors()))
    path = run.media / found
    path.write_bytes(save(tensors(3)))
    with pytest.raises(Damaged, match="SHA-256"):
        pictures.read(run, found, "mistakes")
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(Damaged, match="link"):
        pictures.read(run, found, "mistakes")
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(Damaged, match="not a plain file"):
        pictures.read(run, found, "mistakes")
    path.unlink()
    with path.open("wb") as file:
        file.truncate(media.LARGEST + 1)
    with pytest.raises(Damaged, match="bytes"):
        pictures.read(run, found, "mistakes")


@pytest.mark.parametrize("name", ["", "..", "../run.json", "x" * 64, "a" * 63, "A" * 64, "/etc/passwd"])
def test_no_other_name_is_looked_for(run: RunFolder, name: str) -> None:
    with pytest.raises(Damaged, match="no name"):
        media.read(run.media, name)


def test_a_folder_that_is_a_link_is_not_entered(run: RunFolder, tmp_path: Path) -> None:
    found = put(run, save(tensors()))
    elsewhere = run.media.rename(tmp_path / "elsewhere")
    (elsewhere / f".{'a' * 64}.01234567.tmp").write_bytes(b"somebody's")
    run.media.symlink_to(elsewhere)
    with pytest.raises(Damaged, match="link"):
        pictures.read(run, found, "mistakes")
    with pytest.raises(OSError):
        media.Media(run.media).keep(b"data")
    assert len(list(elsewhere.iterdir())) == 2
    assert [finding.text for finding in verify(run) if not finding.good] == ["not a folder"]
    assert repair(run) == ["media set aside as bad-media: not a folder"]


def test_verify_names_what_is_damaged_and_repair_sets_it_aside(run: RunFolder) -> None:
    good, bad = put(run, save(tensors())), put(run, save(tensors(3)))
    (run.media / bad).write_bytes(b"other bytes")
    (run.media / f".{'b' * 64}.01234567.tmp").write_bytes(b"half")
    findings = {finding.item: finding for finding in verify(run)}
    assert findings["media"].good and findings["media"].text.startswith("1 files")
    assert not findings[f"media/{bad[:12]}"].good
    done = repair(run)
    assert any("does not match its SHA-256" in text for text in done) and any("half-done" in text for text in done)
    assert all(finding.good for finding in verify(run))
    assert pictures.read(run, good, "mistakes") and repair(run) == []
