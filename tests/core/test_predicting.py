"""Evaluate and predict from a weights file alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

import core
from core import data
from core.errors import UserError
from core.events import ValidationDone
from core.models import Inputs, build, count_parameters
from core.predicting import Stored
from core.run.checkpoints import weights_file
from core.sections import Data
from tests.core.exported import weights_of
from tests.core.training import new_run, tiny, train


@pytest.fixture(scope="module")
def weights_and_test(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ValidationDone]:
    # In bfloat16 a network that is hardly trained has ties, which the size of a batch decides.
    run = new_run(tmp_path_factory.mktemp("run") / "run", tiny(epochs=2, precision="fp32"))
    said = train(run)
    (test,) = [event for event in said if isinstance(event, ValidationDone) and event.split == "test"]
    alone = tmp_path_factory.mktemp("alone") / "model.safetensors"
    shutil.copy(weights_file(run, "best"), alone)
    return alone, test


def test_evaluate_gives_the_runs_own_figures(weights_and_test: tuple[Path, ValidationDone]) -> None:
    weights, test = weights_and_test
    found = core.evaluate(weights, threads=1)
    assert found.accuracy == test.metrics["test.accuracy"]
    assert found.loss == pytest.approx(test.metrics["test.loss"], abs=1e-6)
    assert [tuple(row) for row in found.confusion] == list(test.confusion)
    assert found.images == sum(test.images)
    assert list(found.accuracy_by_class)[:2] == ["airplane", "automobile"]


def test_predict_agrees_with_evaluate_image_by_image(weights_and_test: tuple[Path, ValidationDone], tmp_path: Path) -> None:
    weights, test = weights_and_test
    dataset = data.load(Data(source="sample"))
    chosen = [label * 100 + place for label in range(10) for place in range(7)]  # limit = 70 takes the first 7 of each class
    paths = [tmp_path / f"{index}.png" for index in chosen]
    for index, path in zip(chosen, paths, strict=True):
        Image.fromarray(dataset.test.pixels[index].transpose(1, 2, 0)).save(path)
    found = core.predict(weights, paths, top=3)
    confusion = [[0] * 10 for _ in range(10)]
    for index, prediction in zip(chosen, found, strict=True):
        confusion[index // 100][dataset.classes.index(prediction.class_)] += 1
        assert len(prediction.top) == 3 and prediction.probability == max(prediction.top.values())
    assert [tuple(row) for row in confusion] == list(test.confusion)


NO_METADATA = b'\x16\0\0\0\0\0\0\0{"__metadata__": null}'


@pytest.mark.parametrize("content", [b"", b"\x80\x04.", b"PK\x03\x04", b"\x02\0\0\0\0\0\0\0{}", b"\xff" * 64, NO_METADATA])
def test_a_file_that_is_no_weights_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"expected a run, or a model\.safetensors of one") as caught:
        core.evaluate(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file"):
        core.evaluate(tmp_path / "none.safetensors")


def test_a_damaged_image_is_named(weights_and_test: tuple[Path, ValidationDone], tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"\x89PNG\r\n")
    with pytest.raises(UserError, match=r"bad\.png"):
        core.predict(weights_and_test[0], [bad])


def test_weights_are_in_memory_once_however_many_networks_there_are(tmp_path: Path) -> None:
    stored = Stored(weights_of(tmp_path / "drawn.safetensors", {"name": "convnet", "widths": [8, 8]}))
    one, other = (stored.network().state_dict() for _ in range(2))
    assert [tensor.data_ptr() for tensor in one.values()] == [tensor.data_ptr() for tensor in other.values()]


def test_weights_of_two_names_stay_one(tmp_path: Path) -> None:
    (tmp_path / "tied.py").write_text(
        "from torch import nn\n\n\ndef build(classes):\n    first, last = nn.Linear(192, 192), nn.Linear(192, 192)\n"
        "    last.weight = first.weight\n    return nn.Sequential(nn.Flatten(), first, last, nn.Linear(192, classes))\n"
    )
    name = "python:tied:build"
    stored = Stored(weights_of(tmp_path / "drawn.safetensors", {"name": name}, Inputs(2, 3, 8), code=tmp_path))
    network = stored.network(name, tmp_path)
    assert count_parameters(network) == count_parameters(build({"name": name}, Inputs(2, 3, 8), tmp_path))
