"""Networks for other programs: what is written computes what ``evaluate`` measured, alone, or is not there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch
from msgspec.structs import replace
from torch import Tensor

import core
from core import data, exporting
from core.errors import UserError
from core.exporting import Export, _checking, _writing, pt2
from core.exporting._checking import Expected
from core.exporting._program import Model
from core.models import Inputs
from core.predicting import Evaluation, Stored
from core.run.checkpoints import weights_file
from core.sections import Data
from core.training import weights_file as stored_form
from core.training.evaluation import Normalisation, logits_of
from core.training.winograd import FEWEST_PAIRS, suits
from tests.core.exported import weights_of
from tests.core.training import new_run, tiny, train

CONVNET = {"name": "convnet", "widths": [8, 8]}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The average of a training, in a file alone."""
    run = new_run(tmp_path_factory.mktemp("run") / "run", tiny(epochs=1, precision="fp32", averaging={"decay": 0.5}))
    train(run)
    alone = tmp_path_factory.mktemp("alone") / "model.safetensors"
    shutil.copy(weights_file(run, "best"), alone)
    return alone


@pytest.fixture(scope="module")
def made(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Export:
    folder = tmp_path_factory.mktemp("exported")
    return exporting.export(weights, [folder / "net.pt2", folder / "net.safetensors"], threads=1, name="tiny")


def confusion(names: list[str]) -> list[list[int]]:
    """Of the images that ``evaluate`` measures, seven of each class in this order, from what they were taken for."""
    classes = data.load(Data(source="sample")).classes
    counts = [[0] * 10 for _ in range(10)]
    for place, name in enumerate(names):
        counts[place // 7][classes.index(name)] += 1
    return counts


def images() -> Tensor:
    pixels = data.load(Data(source="sample")).test.pixels
    return torch.from_numpy(np.concatenate([pixels[label * 100 : label * 100 + 7] for label in range(10)]))


def test_the_file_alone_says_by_name_what_evaluate_says(weights: Path, made: Export) -> None:
    about = {pt2.ABOUT: ""}
    network = torch.export.load(made.files[0].path, extra_files=about).module()
    facts = json.loads(about[pt2.ABOUT])
    names = [facts["classes"][place] for place in network(images()).argmax(1).tolist()]
    known = core.evaluate(weights, threads=1)
    assert confusion(names) == known.confusion
    assert facts["accuracy"] == known.accuracy == made.files[0].accuracy and facts["test_images"] == 70
    assert (facts["name"], facts["size"], facts["channels"], facts["recipe"]) == ("tiny", 32, 3, "tiny")
    assert len({len(network(images()[:count])) for count in (1, 2, 69)}) == 3


def test_the_weights_have_all_beside_them_that_it_takes_to_use_them(weights: Path, made: Export) -> None:
    file = made.files[1]
    (beside,) = file.beside
    config = json.loads(Path(beside).read_text())
    form = config["pretrained_cfg"]
    network = core.models.build(config["model"], Inputs(config["num_classes"], *form["input_size"][:2])).eval()
    network.load_state_dict(safetensors.torch.load_file(file.path))
    mean, std = (torch.tensor(form[key]).view(-1, 1, 1) for key in ("mean", "std"))
    with torch.no_grad():
        taken_for = network((images() / 255 - mean) / std).argmax(1).tolist()
    assert confusion([config["label_names"][place] for place in taken_for]) == core.evaluate(weights, threads=1).confusion


def test_exported_weights_are_weights_still(made: Export, weights: Path) -> None:
    assert replace(core.evaluate(Path(made.files[1].path), threads=1), checkpoint="") == replace(
        core.evaluate(weights, threads=1), checkpoint=""
    )


def test_the_same_export_twice_is_the_same_file(tmp_path: Path) -> None:
    weights = weights_of(tmp_path / "drawn.safetensors", CONVNET, Inputs(5, 3, 8))
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        targets = [tmp_path / name / "net.pt2", tmp_path / name / "net.safetensors"]
        exporting.export(weights, targets, threads=1, synthetic=True)
    for name in ("net.pt2", "net.safetensors", "config.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes(), name


def test_metadata_are_in_order_and_the_tensors_where_they_were(tmp_path: Path) -> None:
    tensors = {"b": torch.arange(6.0).view(2, 3).T, "a": torch.tensor([1], dtype=torch.uint8), "c": torch.empty(0)}
    metadata = dict.fromkeys(map(str, range(20)), 'Ωé\x1b"')
    (tmp_path / "net.safetensors").write_bytes(data := stored_form.written(tensors, metadata))
    with safetensors.safe_open(tmp_path / "net.safetensors", "pt") as file:
        assert file.metadata() == metadata and set(file.keys()) == set(tensors)
        for name, tensor in tensors.items():
            assert torch.equal(file.get_tensor(name), tensor)
    assert int.from_bytes(data[:8], "little") % 8 == 0 and data == stored_form.written(
        dict(reversed(tensors.items())), metadata
    )


def test_what_was_measured_is_told(made: Export) -> None:
    assert isinstance(made.evaluation, Evaluation) and made.evaluation.images == 70
    for file in made.files:
        assert (file.images, file.near_ties, file.largest_difference) == (70, 0, 0.0)
        assert Path(file.path).stat().st_size == file.bytes and Path(file.path).stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in Path(made.files[0].path).parent.iterdir()) == [
        "config.json",
        "net.pt2",
        "net.safetensors",
    ]


def test_minimal_filtering_is_not_in_what_is_exported_nor_what_the_machine_says_of_itself(tmp_path: Path) -> None:
    keys: dict[str, Any] = {"convolution": "winograd", "data": {"source": "sample", "path": "/home/mine/secret"}}
    model, inputs = {"name": "convnet", "widths": [64, 128]}, Inputs(3, 1, 8)
    weights = weights_of(tmp_path / "drawn.safetensors", model, inputs, **keys)
    targets = [tmp_path / "net.pt2", tmp_path / "net.safetensors"]
    found = exporting.export(weights, targets, threads=1, synthetic=True)
    assert [file.images for file in found.files] == [_checking.IMAGES] * 2 and found.evaluation is None
    assert found.facts.accuracy is None and found.facts.classes[-1] == f"class {inputs.classes - 1}"
    program = torch.export.load(targets[0])
    kinds = {str(node.target) for node in program.graph.nodes if node.op == "call_function"}
    assert suits(Stored(weights).network().get_submodule("groups.1.convolutions.0"), FEWEST_PAIRS[torch.float32])
    assert "aten.conv2d.default" in kinds and all(kind.startswith("aten.") for kind in kinds)
    for target in (*targets, tmp_path / "config.json"):
        assert b"secret" not in target.read_bytes() and core.__path__[0].encode() not in target.read_bytes()


def test_a_folder_that_a_library_reads_is_not_told_with_its_path(tmp_path: Path) -> None:
    source = f"hf:{tmp_path / 'secret' / 'cats'}"
    weights = weights_of(tmp_path / "drawn.safetensors", CONVNET, Inputs(5, 3, 8), data={"source": source})
    targets = [tmp_path / "net.pt2", tmp_path / "net.safetensors"]
    found = exporting.export(weights, targets, threads=1, synthetic=True)
    assert found.facts.data == found.recipe.data.source == "hf:./cats"
    for path in (*targets, tmp_path / "config.json"):
        assert b"secret" not in path.read_bytes()
    assert b"secret" not in msgspec.json.encode(found.facts)


def test_images_are_made_up_as_far_as_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = weights_of(tmp_path / "drawn.safetensors", CONVNET, Inputs(5, 3, 8))
    for room, count in ((10 * 3 * 8 * 8, 10), (1, 1)):
        monkeypatch.setattr(_writing, "MADE_UP", room)
        (file,) = exporting.export(weights, [tmp_path / "net.safetensors"], threads=1, synthetic=True, force=True).files
        assert (file.images, file.largest_difference) == (count, 0)


def test_what_was_trained_in_bf16_computes_in_fp32_and_says_so(tmp_path: Path) -> None:
    weights = weights_of(tmp_path / "drawn.safetensors", CONVNET, Inputs(5, 3, 8), precision="bf16")
    found = exporting.export(weights, [tmp_path / "net.safetensors"], device="cpu", threads=1, synthetic=True)
    assert (found.facts.precision, found.facts.checkpoint) == ("bf16", "drawn.safetensors")
    assert found.files[0].largest_difference == 0


def test_the_accuracy_is_that_of_fp32_beside_what_evaluate_says(weights: Path, tmp_path: Path) -> None:
    stored, half = Stored(weights), tmp_path / "half.safetensors"
    about = replace(stored.about, recipe={**stored.about.recipe, "precision": "bf16"})
    metadata = about.metadata()
    safetensors.torch.save_file(safetensors.torch.load_file(weights), half, metadata)
    found = exporting.export(half, [tmp_path / "net.safetensors"], device="cpu", threads=1)
    assert found.facts.accuracy == core.evaluate(weights, threads=1).accuracy == found.files[0].accuracy
    assert found.facts.evaluated_accuracy == core.evaluate(half, device="cpu", threads=1).accuracy
    assert found.evaluation is not None and found.evaluation.loss == core.evaluate(weights, threads=1).loss


def test_code_of_ones_own_is_exported_where_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "exportable.py").write_text(
        "from torch import nn\n\n\ndef build(classes):\n    return nn.Sequential(nn.Flatten(), nn.Linear(192, classes))\n"
    )
    model = {"name": "python:exportable:build"}
    weights = weights_of(tmp_path / "drawn.safetensors", model, Inputs(2, 3, 8), code=tmp_path)
    with pytest.raises(UserError, match="--model"):
        exporting.export(weights, [tmp_path / "net.pt2"], synthetic=True)
    targets = [tmp_path / "net.pt2", tmp_path / "net.safetensors"]
    exporting.export(weights, targets, threads=1, model=model["name"], code=tmp_path, synthetic=True)
    assert torch.export.load(tmp_path / "net.pt2").module()(torch.zeros(3, 3, 8, 8, dtype=torch.uint8)).shape == (3, 2)


def test_what_torch_cannot_follow_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "unfollowed.py").write_text(
        "from torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.linear = nn.Linear(192, 2)\n\n    def forward(self, x):\n"
        "        return self.linear(x.flatten(1)) if x.sum() > -1e9 else None\n"
    )
    model = {"name": "python:unfollowed:Net"}
    weights = weights_of(tmp_path / "drawn.safetensors", model, Inputs(2, 3, 8), code=tmp_path)
    with pytest.raises(UserError, match=r"net\.pt2: this network cannot be written so: .*; try another format") as caught:
        exporting.export(weights, [tmp_path / "net.pt2"], synthetic=True, model=model["name"], code=tmp_path)
    assert "\n" not in str(caught.value) and not (tmp_path / "net.pt2").exists()


# What does not compute the same


@pytest.fixture(scope="module")
def known(weights: Path) -> Expected:
    stored = Stored(weights)
    with torch.no_grad():
        taken_for = logits_of(stored.network(), images(), stored.normalisation, "fp32").argmax(1)
    return _checking.expected(stored.network(), stored.normalisation, images(), taken_for, "fp32", None)


def test_without_preprocessing_or_with_classes_in_another_order_it_is_not_the_network(weights: Path, known: Expected) -> None:
    stored = Stored(weights)
    network, (mean, std) = stored.network(), stored.normalisation

    def logits(images: Tensor, mean: tuple[float, ...] = mean, std: tuple[float, ...] = std) -> Tensor:
        with torch.no_grad():
            return logits_of(network, images, Normalisation(mean, std), "fp32")

    assert _checking.compare(logits, known).near_ties == 0
    wrong = {
        "no preprocessing": lambda images: logits(images, (0.0,) * 3, (1 / 255,) * 3),
        "scaled alone": lambda images: logits(images, (0.0,) * 3, (1.0,) * 3),
        "another deviation": lambda images: logits(images, mean, tuple(1.01 * each for each in std)),
        "colours turned round": lambda images: logits(images.flip(1)),
        "classes turned round": lambda images: logits(images).flip(1),
        "nothing": lambda images: logits(images) * torch.nan,
    }
    for run in wrong.values():
        with pytest.raises(UserError, match="its logits differ by up to"):
            _checking.compare(run, known)
    with pytest.raises(UserError, match=r"its logits are \[70, 9\], where \[70, 10\] were expected"):
        _checking.compare(lambda images: logits(images)[:, 1:], known)


def test_another_prediction_than_evaluates_is_counted_where_it_is_a_near_tie_and_else_refused(known: Expected) -> None:
    logits = torch.tensor([[1.0, 0.0], [0.5, 0.501], [0.0, 1.0]])
    near = Expected(images()[:3], logits, torch.tensor([0, 0, 1]), "fp32")
    far = near._replace(taken_for=torch.tensor([1, 1, 1]))
    rows = iter((logits[:1], logits[1:]))
    assert _checking.compare(lambda images: next(rows), near).near_ties == 1
    rows = iter((logits[:1], logits[1:]))
    with pytest.raises(UserError, match="1 of its predictions are not those of evaluate"):
        _checking.compare(lambda images: next(rows), far)


def test_a_file_that_is_not_the_network_is_not_left(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = pt2.files

    def unprepared(model: Model, name: str) -> dict[str, bytes]:
        plain = replace(model.about, normalisation=Normalisation((0.0,) * 3, (1.0,) * 3))
        return right(Model(model.network, plain, model.facts), name)

    (tmp_path / "net.pt2").write_bytes(b"of before")
    monkeypatch.setattr(pt2, "files", unprepared)
    with pytest.raises(UserError, match=r"net\.pt2: not written: its logits differ"):
        exporting.export(weights, [tmp_path / "net.pt2"], threads=1, force=True)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"of before"]
    monkeypatch.setattr(pt2, "files", lambda model, name: {name: b"PK\x03\x04 and no more"})
    with pytest.raises(UserError, match=r"net\.pt2: not written: it does not run: ") as caught:
        exporting.export(weights, [tmp_path / "net.pt2"], threads=1, force=True)
    assert "\n" not in str(caught.value) and [path.read_bytes() for path in tmp_path.iterdir()] == [b"of before"]


def test_what_has_come_to_be_there_meanwhile_stays(tmp_path: Path) -> None:
    weights, target = weights_of(tmp_path / "drawn.safetensors", CONVNET, Inputs(5, 3, 8)), tmp_path / "net.safetensors"

    def another(phase: str, done: int, total: int, unit: str) -> None:
        if phase == "verify":
            (tmp_path / "config.json").write_bytes(b"another's")

    with pytest.raises(UserError, match=r"config\.json: exists already; choose another name with --to"):
        exporting.export(weights, [target], threads=1, progress=another, synthetic=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "drawn.safetensors"]
    assert (tmp_path / "config.json").read_bytes() == b"another's"
    exporting.export(weights, [target], threads=1, progress=another, synthetic=True, force=True)
    assert json.loads((tmp_path / "config.json").read_bytes())["num_classes"] == 5


# Mistakes


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["net.onx"], r"net\.onx: expected a name that ends in one of \.onnx, \.pt2, \.safetensors \(did you mean 'onnx'\?\)"),
        (["net"], r"expected a name that ends in"),
        (["none/net.pt2"], r"there is no folder .*none; make it first"),
        (["there.pt2"], r"there\.pt2: exists already; choose another name with --to, or write over it with --force"),
        (["a.safetensors", "b.safetensors"], r"config\.json: would be written twice"),
        (["folder.pt2"], r"folder\.pt2: not a plain file"),
    ],
)
def test_a_place_that_will_not_do_is_one_line(weights: Path, names: list[str], words: str, tmp_path: Path) -> None:
    (tmp_path / "there.pt2").touch()
    (tmp_path / "folder.pt2").mkdir()
    with pytest.raises(UserError) as caught:
        exporting.export(weights, [tmp_path / name for name in names])
    assert re.search(words, str(caught.value)) and "\n" not in str(caught.value), caught.value
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.pt2", "there.pt2"]


def test_without_its_images_it_is_told_what_can_be_done(tmp_path: Path) -> None:
    weights = weights_of(tmp_path / "drawn.safetensors", CONVNET, data={"source": "folder", "path": str(tmp_path / "gone")})
    with pytest.raises(UserError, match=r"no test images to verify the export on: .*no such folder.*--data .*--synthetic"):
        exporting.export(weights, [tmp_path / "net.pt2"])


def test_without_the_library_it_is_told_how_to_get_it(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(
        UserError, match=r"ONNX needs onnx, onnxscript and onnxruntime .*; install them with: pip install 'tui-trainer\[onnx\]'"
    ):
        exporting.export(weights, [tmp_path / "net.onnx"])


@pytest.mark.parametrize(
    ("inputs", "normalisation"),
    [
        (Inputs(9), Normalisation((0.4,) * 3, (0.2,) * 3)),
        (Inputs(10), Normalisation((0.4,) * 2, (0.2,) * 2)),
        (Inputs(10), Normalisation((0.4,) * 3, (0.0,) * 3)),
        (Inputs(10, 3, 1_000_000), Normalisation((0.4,) * 3, (0.2,) * 3)),
        (Inputs(10, 3, 0), Normalisation((0.4,) * 3, (0.2,) * 3)),
        (Inputs(10, 3, -32), Normalisation((0.4,) * 3, (0.2,) * 3)),
        (Inputs(10, 0), Normalisation((), ())),
    ],
)
def test_metadata_that_do_not_fit_each_other_are_one_line(
    inputs: Inputs, normalisation: Normalisation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = Stored(weights_of(tmp_path / "drawn.safetensors", CONVNET))
    about = replace(stored.about, inputs=inputs, normalisation=normalisation)
    tensors = safetensors.torch.load_file(tmp_path / "drawn.safetensors")
    safetensors.torch.save_file(tensors, tmp_path / "odd.safetensors", about.metadata())
    for use in (core.evaluate, lambda path: exporting.export(path, [tmp_path / "net.pt2"])):
        with pytest.raises(UserError, match=r"its metadata .*; expected a run, or a model\.safetensors of one"):
            use(tmp_path / "odd.safetensors")


def test_what_is_checked_at_first_loads_no_torch(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from core import exporting as it\n"
        "it.check([Path(f'net.{name}') for name in it.names() if name != 'onnx'], force=True); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
