"""What a person names on the command line may be a pipe; what lies in a folder may not."""

from __future__ import annotations

import io
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image
from safetensors.torch import save

import core
from core import models, recipe
from core.errors import UserError
from core.files import read_named
from core.models import Inputs
from core.recipe import from_table, to_table
from core.run.folder import RunFolder
from core.run.named_weights import weights_of
from core.training.evaluation import Normalisation
from core.training.weights_file import About
from tests.cli.conftest import COMMAND

MODEL = {"name": "resnet", "blocks": [1], "channels": 4, "pool": 4}


@contextmanager
def piped(content: bytes) -> Iterator[Path]:
    """A name for a pipe through which the content comes."""
    reading, writing = os.pipe()

    def feed() -> None:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(content)

    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        yield Path(f"/dev/fd/{reading}")
    finally:
        os.close(reading)
        feeder.join()


def weights() -> bytes:
    about = About(
        recipe=to_table(from_table({"model": MODEL})), classes=("ant", "bee"), inputs=Inputs(2, size=8),
        normalisation=Normalisation((0.5,) * 3, (0.2,) * 3),
    )  # fmt: skip
    return save(models.build(MODEL, Inputs(2, size=8)).state_dict(), about.metadata())


def image() -> bytes:
    content = io.BytesIO()
    Image.effect_noise((20, 20), 50).convert("RGB").save(content, "PNG")
    return content.getvalue()


def test_a_recipe_from_a_pipe_is_trained(environment: dict[str, str], tmp_path: Path) -> None:
    change = "sed 's/^epochs = .*/epochs = 1/'"
    tui_trainer = " ".join(COMMAND)
    script = f"{tui_trainer} train <({tui_trainer} recipes quickstart | {change}) --set data.limit=40 --threads 1"
    process = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process
    assert "finished: 1 epoch done" in process.stdout
    (run,) = (tmp_path / "runs").iterdir()
    assert RunFolder(run).read().recipe["epochs"] == 1


def test_a_recipe_without_a_name() -> None:
    with piped(b"epochs = 3") as path:
        loaded = recipe.load(path)
    assert (loaded.name, loaded.epochs) == ("unnamed", 3)


def test_weights_and_an_image_from_pipes(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(weights())
    (tmp_path / "image.png").write_bytes(image())
    expected = core.predict(tmp_path / "model.safetensors", [tmp_path / "image.png"])
    with piped((tmp_path / "model.safetensors").read_bytes()) as model, piped((tmp_path / "image.png").read_bytes()) as picture:
        found = core.predict(weights_of(str(model), "best", None).weights, [picture])
    assert found[0].top == expected[0].top and found[0].path == str(picture)


def test_what_is_no_weights_file_is_one_line() -> None:
    with piped(b"nothing of ours") as path, pytest.raises(UserError, match=r"/dev/fd/\d+: .*; expected a run, or a model"):
        core.predict(path, [])


def test_a_pipe_without_an_end_is_read_no_further_than_a_file() -> None:
    with pytest.raises(UserError, match=r"recipe file /dev/zero: more, where at most 1,048,576 bytes were expected; "):
        recipe.load("/dev/zero")
    with pytest.raises(OSError, match="more, where at most 10 bytes were expected"):
        read_named(Path("/dev/zero"), 10)


@pytest.mark.parametrize(("name", "reason"), [("folder", "Is a directory"), ("none", "No such file or directory")])
def test_what_is_neither_file_nor_pipe(name: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match=f"{name}: {reason}"):
        recipe.load(f"{tmp_path}/{name}")
