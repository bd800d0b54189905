"""What is found from a user's own images: splits, size, channels. And what a recipe makes of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core import data, recipe
from core.data import Dataset, shaping
from core.data.adapting import adapted, note
from core.errors import UserError
from core.models import Inputs
from core.run.folder import RunFile, RunFolder
from core.sections import Data
from core.training import setup as setups
from core.training.recipe_hash import recipe_hash
from tests.core.training import tiny


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_TRAINER_CACHE", str(tmp_path / "cache"))


def picture(path: Path, level: int = 0, mode: str = "RGB", size: tuple[int, int] = (8, 8)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, level).convert(mode).save(path)


def fill(folder: Path, mode: str = "RGB", side: int = 8, **counts: int) -> Path:
    """So many images of each class; the grey level is the number of the image."""
    for name, count in counts.items():
        for number in range(count):
            picture(folder / name / f"{number:03}.png", number, mode, (side, side))
    return folder


def settings(root: Path, **values: object) -> Data:
    return Data(**{"source": "folder", "path": str(root), **values})  # type: ignore[arg-type]


def levels(dataset: Dataset, split: str, label: int) -> list[int]:
    images = getattr(dataset, split)
    return [int(level) for level in images.pixels[images.labels == label, 0, 0, 0]]


def test_every_tenth_image_of_each_class_is_kept_for_test(tmp_path: Path) -> None:
    dataset = data.load(settings(fill(tmp_path / "mine", ant=25, bee=3, cow=10)))
    assert dataset.classes == ("ant", "bee", "cow")
    assert [levels(dataset, "test", label) for label in range(3)] == [[9, 19], [2], [9]]
    assert levels(dataset, "train", 1) == [0, 1] and len(dataset.train.labels) == 38 - 4
    assert dataset.notes[0] == "no test split: every tenth image of each class is kept for test"
    assert data.load(dataset_settings := settings(tmp_path / "mine")).notes == dataset.notes  # from the cache too
    assert data.inputs(dataset_settings) == Inputs(3, 3, 32)


def test_a_folder_of_classes_is_recognised(tmp_path: Path) -> None:
    root = fill(tmp_path / "mine", ant=2)
    with pytest.raises(UserError, match="its content is none of the known forms"):
        data.from_text(str(root), Data())
    fill(root, bee=2)
    assert data.from_text(str(root), Data()) == settings(root)


def test_images_of_its_own_are_held_out(tmp_path: Path) -> None:
    root = tmp_path / "mine"
    for split, count in (("train", 10), ("validation", 4), ("test", 3)):
        fill(root / split, ant=count, bee=count)
    dataset = data.load(settings(root))
    assert dataset.validation is not None and len(dataset.validation.labels) == 8
    assert (len(dataset.train.labels), len(dataset.test.labels), dataset.notes[1:]) == (20, 6, ())
    chosen = {"source": "folder", "path": str(root), "validation": 0.1}
    setup = setups.prepare(tiny(data=chosen, augment=[]), 1, data.silent)
    assert (len(setup.train), len(setup.validation), len(setup.test)) == (20, 8, 6)
    unwatched = {"early_stopping": {"enabled": False}, "evaluation": {"weights": "last"}}
    setup = setups.prepare(tiny(data={**chosen, "validation": 0.0}, augment=[], **unwatched), 1, data.silent)
    assert (len(setup.train), len(setup.validation)) == (20, 0)
    assert "the data's own validation split is not looked at, since data.validation is 0" in setup.notes


def test_held_out_images_are_part_of_the_fingerprint(tmp_path: Path) -> None:
    root = tmp_path / "mine"
    for split in ("train", "val"):
        fill(root / split, ant=11, bee=11)
    first = data.load(settings(root))
    assert len(first.train.labels) == 20 and len(first.test.labels) == 2  # val, and no test
    picture(root / "val" / "ant" / "000.png", 200)
    assert data.load(settings(root)).fingerprint != first.fingerprint


@pytest.mark.parametrize("split", ["val", "test"])
def test_a_class_that_a_split_lacks_is_one_line(tmp_path: Path, split: str) -> None:
    root = tmp_path / "mine"
    fill(root / "train", ant=2, bee=2)
    fill(root / split, ant=2)
    name = "validation" if split == "val" else split
    with pytest.raises(UserError, match=f"the class 'bee' is in 'train' but not in '{name}'; both need the same classes"):
        data.load(settings(root))
    (root / split / "ant").rename(root / "elsewhere")
    with pytest.raises(UserError, match=f"the class 'ant' is in 'train' but not in '{name}'"):
        data.load(settings(root))


def test_a_single_image_cannot_be_trained_on_and_tested(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="bee': a single image, and one is kept for test"):
        data.load(settings(fill(tmp_path / "mine", ant=2, bee=1)))


@pytest.mark.parametrize(("side", "size"), [(8, 32), (32, 32), (63, 32), (64, 64), (300, 64)])
def test_the_size_is_found_from_the_images(tmp_path: Path, side: int, size: int) -> None:
    root = fill(tmp_path / "mine", side=side, ant=3, bee=2)
    assert data.inputs(settings(root)) == Inputs(2, 3, size)
    dataset = data.load(settings(root))
    assert dataset.train.pixels.shape[1:] == (3, size, size)
    told = [f"images of about {side} pixels are brought to {size}, as data.size is left out"] * (side != size)
    assert list(dataset.notes[1:]) == told
    assert data.load(settings(root, size=8)).train.pixels.shape[1:] == (3, 8, 8)


def test_a_few_large_images_do_not_decide_the_size(tmp_path: Path) -> None:
    root = fill(tmp_path / "mine", side=40, ant=3, bee=3)
    fill(root, side=500, ant=2)
    assert data.inputs(settings(root)) == Inputs(2, 3, 32)


@pytest.mark.parametrize("mode", ["L", "1", "LA"])
def test_grey_images_have_one_channel(tmp_path: Path, mode: str) -> None:
    root = fill(tmp_path / "mine", mode, ant=3, bee=3)
    dataset = data.load(settings(root))
    assert dataset.train.pixels.shape == (4, 1, 32, 32) and len(dataset.mean) == len(dataset.std) == 1
    assert "all images are grey: the network takes one channel" in dataset.notes
    assert data.inputs(settings(root)) == Inputs(2, 1, 32)
    coloured = data.load(settings(root, color_mode="rgb"))
    assert coloured.train.pixels.shape[1] == 3 and np.array_equal(coloured.train.pixels[:, :1], dataset.train.pixels)


def test_one_image_with_colours_gives_all_three_channels(tmp_path: Path) -> None:
    root = fill(tmp_path / "mine", "L", ant=3, bee=3)
    Image.new("RGB", (8, 8), (200, 100, 0)).save(root / "ant" / "001.png")
    assert data.load(settings(root)).train.pixels.shape[1] == 3
    grey = data.load(settings(root, color_mode="grayscale"))
    assert grey.train.pixels.shape[1] == 1 and int(grey.train.pixels[1, 0, 0, 0]) == round(0.299 * 200 + 0.587 * 100)


def test_colours_among_images_that_were_not_looked_at_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.data.sources import folder

    monkeypatch.setattr(folder, "LOOKED_AT", 3)
    root = fill(tmp_path / "mine", "L", ant=3, bee=3)
    picture(root / "ant" / "001.png")
    with pytest.raises(UserError, match=r'001\.png\': has colours, while .* are grey; set data\.color_mode to "rgb"'):
        data.load(settings(root))


def test_split_by_labels_needs_no_order() -> None:
    labels = np.array([0, 1] * 15 + [0] * 10)
    kept = shaping.kept_for_test(labels)
    assert np.flatnonzero(kept & (labels == 0)).tolist() == [18, 34] and kept[labels == 1].sum() == 1


def test_pixels_of_a_recipe_grow_with_the_images() -> None:
    strong = recipe.load("strong")
    assert adapted(strong, 32) == strong and not note(strong, 32)
    larger = adapted(strong, 64)
    assert [getattr(item, "padding", getattr(item, "size", None)) for item in larger.augment] == [8, None, 24]
    assert [(part.size, part.epochs) for part in larger.low_resolution] == [(48, strong.low_resolution[0].epochs)]
    assert "2 times the recipe's" in note(strong, 64)
    chosen = recipe.load("strong", ["data.size=64"])
    assert adapted(chosen, 64) == chosen and not note(chosen, 64)


@pytest.mark.parametrize("name", recipe.names())
@pytest.mark.parametrize(("side", "mode"), [(8, "L"), (64, "RGB")])
def test_every_recipe_takes_small_grey_images_and_large_ones(tmp_path: Path, name: str, side: int, mode: str) -> None:
    root = fill(tmp_path / "mine", mode, side, **{f"class {number}": 4 for number in range(11)})
    chosen = recipe.load(name, ["data.source=folder", f"data.path='{root}'", "parameter_limit=9_000_000", "device=cpu"])
    setup = setups.prepare(chosen, 1, data.silent)
    assert setup.inputs == Inputs(11, 1 if mode == "L" else 3, max(side, 32))
    assert data.inputs(chosen.data) == setup.inputs


def test_a_run_of_before_keeps_its_three_channels(tmp_path: Path) -> None:
    root = fill(tmp_path / "mine", "L", ant=12, bee=12)
    chosen = tiny(data={"source": "folder", "path": str(root), "validation": 0.1, "size": 32}, augment=[])
    found = []
    for name in ("now", "before"):
        table = recipe.to_table(chosen)
        if name == "before":
            del table["data"]["color_mode"], table["data"]["class_weights"]
        run = RunFolder(tmp_path / name)
        run.create(RunFile(id=name, name=name, recipe=table))
        read = recipe.from_table(run.read().recipe)
        found.append((setups.prepare(read, 1, data.silent).inputs.channels, recipe_hash(read)))
    assert [channels for channels, _ in found] == [1, 3] and found[0][1] == found[1][1]


def test_what_does_not_fit_a_size_is_one_line(tmp_path: Path) -> None:
    root = fill(tmp_path / "mine", ant=3, bee=3)
    chosen = recipe.load("quickstart", ["data.source=folder", f"data.path='{root}'", "data.size=8"])
    with pytest.raises(UserError, match=r"model\.pool: 8 is larger than the 2x2 feature map"):
        setups.prepare(chosen, 1, data.silent)
