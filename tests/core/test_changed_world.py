"""Going on in another world than the one in which the checkpoint was saved. One rule: another recipe or other data are refused
unless they are allowed by name, all else is told in RunResumed, and what does not fit is refused in any case."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pytest
import torch
from PIL import Image

from core import checkpoint
from core.events import ResumeRefused, RunResumed
from core.run import journal
from core.run.folder import RunFolder
from core.run.options import Options
from core.run.signals import Signals
from core.run.work import Session
from core.view.summary import summarise
from tests.core.training import fingerprint, new_run, tiny

Change: TypeAlias = Callable[[RunFolder], None]
CLASSES = ("ant", "bee", "zebra")
IMAGES = 8
"""Of each class, for training."""


class Row(NamedTuple):
    """What is changed between two sessions, what is allowed, and how the second one takes it."""

    changes: tuple[Change, ...] = ()
    allowed: tuple[str, ...] = ()
    refused: str = ""
    noted: tuple[str, ...] = ()
    threads: int = 1


def recipe(**changes: Any) -> Change:
    def change(run: RunFolder) -> None:
        described = json.loads(run.run_file.read_bytes())
        described["recipe"].update(changes)
        run.run_file.write_text(json.dumps(described))

    return change


def other_pixels(run: RunFolder) -> None:
    picture(run.path.parent / "images" / "train" / CLASSES[0] / "0.png", 250)


def more_images(run: RunFolder) -> None:
    for number in range(IMAGES):
        picture(run.path.parent / "images" / "train" / CLASSES[0] / f"{IMAGES + number}.png", number)


def another_class(run: RunFolder) -> None:
    for split in ("train", "test"):
        shutil.copytree(run.path.parent / "images" / split / CLASSES[0], run.path.parent / "images" / split / "wasp")


def saved_in(**world: Any) -> Change:
    """As if the newest checkpoint had been saved there; its manifest fits."""

    def change(run: RunFolder) -> None:
        place = checkpoint.listing(run.checkpoints)[-1]
        state = json.loads((place / "state.json").read_bytes())
        assert world.keys() <= state["world"].keys()
        state["world"].update(world)
        data = json.dumps(state).encode()
        (place / "state.json").write_bytes(data)
        manifest = json.loads((place / "MANIFEST.json").read_bytes())
        manifest["files"]["state.json"] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        (place / "MANIFEST.json").write_text(json.dumps(manifest))

    return change


SMOOTHED, WIDER = recipe(label_smoothing=0.1), recipe(model={"name": "resnet", "blocks": [1], "channels": 16, "pool": 8})
ROWS = {
    "nothing": Row(),
    "what does not decide the bits": Row((recipe(description="mine", checkpoint={"keep": 7}),)),
    "recipe": Row((SMOOTHED,), refused=r"^the recipe changed since .* resume with --allow-change recipe$"),
    "recipe, data allowed": Row((SMOOTHED,), ("data",), refused=r"^the recipe changed .*--allow-change recipe$"),
    "recipe, allowed": Row((SMOOTHED,), ("recipe",), noted=("recipe_hash was",)),
    "recipe of another model, allowed": Row((WIDER,), ("recipe",), refused="the checkpoint does not fit the changed recipe"),
    "data": Row((other_pixels,), refused=r"^the data changed since .* resume with --allow-change data$"),
    "data, recipe allowed": Row((other_pixels,), ("recipe",), refused=r"^the data changed .*--allow-change data$"),
    "data, allowed": Row((other_pixels,), ("data",), noted=("data_fingerprint was",)),
    "data of more steps, allowed": Row((more_images,), ("data",), refused="an epoch has another number of steps"),
    "data of more classes, allowed": Row((another_class,), ("data",), refused="the checkpoint does not fit the changed data"),
    "both, one allowed": Row(
        (SMOOTHED, other_pixels), ("data",),
        refused=r"^the recipe and the data changed .*--allow-change recipe --allow-change data$",
    ),
    "both, allowed": Row((SMOOTHED, other_pixels), ("data", "recipe"), noted=("recipe_hash was", "data_fingerprint was")),
    "torch": Row((saved_in(torch="2.9.0"),), noted=(f"torch was 2.9.0, is {torch.__version__}",)),
    "this package": Row((saved_in(tui_trainer="0.0.9"),), noted=("tui_trainer was 0.0.9, is",)),
    "package that noted no version": Row((saved_in(tui_trainer=""),)),
    "device": Row((saved_in(device="cuda:0 (NVIDIA H100)"),), noted=("device was cuda:0 (NVIDIA H100), is cpu",)),
    "precision": Row((saved_in(precision="bf16"),), noted=("precision was bf16, is fp32",)),
    "processor": Row((saved_in(processor="s390x DEFAULT"),), noted=("processor was s390x DEFAULT, is",)),
    "kernels": Row((saved_in(kernels="0123abcd"),), noted=("kernels was 0123abcd, is torch",)),
    "threads": Row(threads=2, noted=("threads was 1, is 2",)),
    "machine and recipe, allowed": Row(
        (saved_in(torch="2.9.0"), SMOOTHED), ("recipe",), noted=("recipe_hash was", "torch was 2.9.0")
    ),
    "machine and recipe": Row((saved_in(torch="2.9.0"), SMOOTHED), refused="the recipe changed"),
}  # fmt: skip


def picture(path: Path, shade: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), (shade, 10 * len(path.parent.name), 90)).save(path)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of one epoch, and its images beside it."""
    folder = tmp_path_factory.mktemp("trained")
    for name in CLASSES:
        for number in range(IMAGES):
            picture(folder / "images" / "train" / name / f"{number}.png", 20 * number)
        picture(folder / "images" / "test" / name / "0.png", 5)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run = new_run(
            folder / "run",
            tiny(
                epochs=1, batch_size=8, augment=[{"name": "flip"}], precision="fp32",
                model={"name": "resnet", "blocks": [1], "channels": 8, "pool": 8},
                data={"source": "folder", "path": "images", "size": 8, "validation": 0.2},
            ),
        )  # fmt: skip
        assert work(run) == 0
    return folder


def work(run: RunFolder, **options: Any) -> int:
    with run.hold():
        return Session(run, Options(**{"threads": 1, **options}), Signals()).work()


@pytest.mark.parametrize("name", ROWS)
def test_a_resume_refuses_or_tells_what_has_changed(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    shutil.copytree(trained, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    run, row = RunFolder(tmp_path / "copy" / "run"), ROWS[name]
    for change in row.changes:
        change(run)
    before, status = fingerprint(run), summarise(run).status
    ended = work(run, epochs=2, allow_change=row.allowed, threads=row.threads)
    resumes = journal.find(run.journal, RunResumed)
    if row.refused:
        (refusal,) = journal.find(run.journal, ResumeRefused)
        assert ended == 2 and resumes == [] and "\n" not in refusal.reason
        assert re.search(row.refused, refusal.reason), refusal.reason
        assert fingerprint(run) == before and summarise(run).status == status
    else:
        (resumed,) = resumes
        assert ended == 0 and resumed.bit_exact == (not row.noted)
        assert len(resumed.note.split("; ")) == max(1, len(row.noted)) and all(note in resumed.note for note in row.noted)
        assert summarise(run).status == "finished" and summarise(run).epoch == 2
