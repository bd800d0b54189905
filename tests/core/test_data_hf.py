"""Data sets that the library of Hugging Face reads, without a network: from paths, as it stores them itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core import data
from core.data import fetching
from core.data.sources import hf
from core.errors import UserError
from core.models import Inputs
from core.sections import Data
from core.training import setup as setups
from tests.core.training import tiny

PIXELS = np.random.RandomState(0).randint(0, 256, (44, 20, 24, 3)).astype(np.uint8)


@pytest.fixture(autouse=True)
def _places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_TRAINER_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")


def settings(folder: Path, **values: Any) -> Data:
    return Data(source=f"hf:{folder}", **values)


def parquet(folder: Path, labels: str = "classes", **splits: slice) -> Path:
    """As ``push_to_hub`` stores a data set: one file a split, features in its metadata."""
    import datasets

    plain = {"numbers": datasets.Value("int64"), "texts": datasets.Value("string")}
    kinds = {"classes": datasets.ClassLabel(names=["ant", "bee"]), **plain}
    columns: dict[str, list[Any]] = {"classes": [0, 1] * 22, "numbers": [7, 3] * 22, "texts": ["b", "a"] * 22}
    values = columns[labels]
    features = datasets.Features({"note": datasets.Value("string"), "photo": datasets.Image(), "label": kinds[labels]})
    (folder / "data").mkdir(parents=True)
    for split, part in splits.items():
        images = [Image.fromarray(pixels) for pixels in PIXELS[part]]
        rows = {"note": ["x"] * len(images), "photo": images, "label": values[part]}
        datasets.Dataset.from_dict(rows, features=features).to_parquet(folder / "data" / f"{split}-00000-of-00001.parquet")
    return folder


@pytest.mark.others
@pytest.mark.usefixtures("library")
def test_splits_columns_and_classes_are_found(tmp_path: Path) -> None:
    chosen = settings(parquet(tmp_path / "mine", train=slice(30), validation=slice(30, 38), test=slice(38, 44)))
    assert data.from_text(chosen.source, Data()) == chosen
    assert data.availability(chosen).ready and data.inputs(chosen) is None
    dataset = data.load(chosen)
    assert dataset.classes == ("ant", "bee") and dataset.validation is not None
    assert [len(images.labels) for images in (dataset.train, dataset.validation, dataset.test)] == [30, 8, 6]
    assert dataset.train.pixels.shape[1:] == (3, 32, 32) and dataset.train.labels.tolist() == [0, 1] * 15
    assert dataset.notes == ("images of about 20 pixels are brought to 32, as data.size is left out",)
    exact = data.load(settings(tmp_path / "mine", size=20))
    assert np.array_equal(exact.train.pixels, PIXELS[:30, :, 2:22].transpose(0, 3, 1, 2))
    assert data.load(chosen).fingerprint == dataset.fingerprint and isinstance(data.load(chosen).train.pixels, np.memmap)


@pytest.mark.others
@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(("labels", "classes"), [("numbers", ("3", "7")), ("texts", ("a", "b"))])
def test_classes_without_names_are_their_values(tmp_path: Path, labels: str, classes: tuple[str, ...]) -> None:
    dataset = data.load(settings(parquet(tmp_path / "mine", labels, train=slice(44))))
    assert dataset.classes == classes and dataset.train.labels[:2].tolist() == [1, 0]
    assert dataset.notes[0].startswith("no test split") and (len(dataset.train.labels), len(dataset.test.labels)) == (40, 4)


@pytest.mark.others
@pytest.mark.usefixtures("library")
def test_a_folder_of_images_as_the_library_reads_it(tmp_path: Path) -> None:
    for name in ("ant", "bee"):
        for number in range(12):
            path = tmp_path / "mine" / "train" / name / f"{number:02}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(PIXELS[number, :, :, 0]).save(path)
    chosen = {"source": f"hf:{tmp_path / 'mine'}", "validation": 0.2}
    setup = setups.prepare(tiny(data=chosen), 1, data.silent)
    assert (setup.inputs, len(setup.train), len(setup.validation), len(setup.test)) == (Inputs(2, 1, 32), 18, 4, 2)


@pytest.mark.others
@pytest.mark.usefixtures("library")
def test_what_cannot_be_trained_on_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (tmp_path / "other").mkdir()
    datasets.Dataset.from_dict({"text": ["a", "b"], "label": [0, 1]}).to_parquet(tmp_path / "other" / "train.parquet")
    for text, words in (
        (str(tmp_path / "other"), "its columns are text, label; expected one of images, and one of classes or 'label'"),
        (str(tmp_path / "nowhere"), r"cannot be loaded \(.*\); check the name and the connection"),
        (str(parquet(tmp_path / "odd", test=slice(4))), "its splits are test; expected one that is called train"),
    ):
        with pytest.raises(UserError, match=words) as error:
            data.load(Data(source=f"hf:{text}"))
        assert str(error.value).isprintable()


@pytest.mark.others
def test_what_is_not_there_already_is_fetched_in_a_process_that_can_be_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name of the hub would need the network; a path goes through the same process."""
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    mine = parquet(tmp_path / "mine", train=slice(44))
    assert fetching.fetch([*hf.FETCH, str(mine), "", ""], tmp_path, data.silent) == ""
    assert fetching.size(tmp_path / "hf") > PIXELS[:44, :1].size
    came = list[str]()
    with pytest.raises(UserError, match=r"^hf:nobody/nothing: cannot be loaded \(.*\); check the name and the connection$"):
        data.load(Data(source="hf:nobody/nothing"), lambda phase, done, total, unit: came.append(phase))
    assert set(came) == {"download"} and len(came) > 1


def test_a_name_may_have_a_configuration_and_a_revision(tmp_path: Path) -> None:
    odd = tmp_path / "a:b@c"
    odd.mkdir()
    found = [hf._parts(Data(source=f"hf:{text}")) for text in ("beans", "me/mine:small@1a2b", "me/mine@main", str(odd))]
    assert found == [("beans", "", ""), ("me/mine", "small", "1a2b"), ("me/mine", "", "main"), (str(odd), "", "")]


def test_a_path_is_written_after_the_colon() -> None:
    for use in (data.availability, data.inputs):
        with pytest.raises(UserError, match="takes no path; write it after the colon"):
            use(Data(source="hf:beans", path="/somewhere"))
    with pytest.raises(UserError, match="expected hf:NAME"):
        data.from_text("hf", Data())
    with pytest.raises(UserError, match="its classes show only once it is fetched"):
        data.known_inputs(Data(source="hf:beans"))
