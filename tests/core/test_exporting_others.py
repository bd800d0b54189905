"""Networks of all kinds as ONNX, run by onnxruntime, and what other libraries make of it: ``pytest -m others``."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch

from core import exporting
from core.exporting import _checking
from core.models import Inputs
from core.predicting import Stored
from core.training.evaluation import logits_of
from tests.core.exported import weights_of

pytestmark = pytest.mark.others
SMALL = {"name": "timm:vit_tiny_patch16_224", "patch_size": 8, "depth": 2}


@pytest.mark.parametrize(
    ("model", "inputs"),
    [
        ({"name": "convnet", "widths": [64, 128]}, Inputs(10, 3, 16)),
        ({"name": "convnet", "widths": [16, 16]}, Inputs(10, 1, 8)),
        ({"name": "resnet", "blocks": [1, 1], "channels": 8, "pool": 8, "dropout": 0.2}, Inputs(10)),
        ({"name": "preact", "blocks": [1, 1], "channels": [8, 16]}, Inputs(5, 1, 16)),
        ({"name": "wideresnet", "depth": 10}, Inputs(10, 3, 16)),
        ({"name": "shakeshake", "depth": 14, "channels": 8}, Inputs(10, 3, 16)),
        ({"name": "torchvision:resnet18"}, Inputs(10, 1, 28)),
        (SMALL, Inputs(10)),
        ({"name": "timm:convnext_atto"}, Inputs(4, 3, 32)),
    ],
    ids=lambda value: value["name"] if isinstance(value, dict) else "x".join(map(str, value)),
)
def test_onnxruntime_and_torch_compute_what_the_network_does(model: dict[str, Any], inputs: Inputs, tmp_path: Path) -> None:
    import onnx
    import onnxruntime

    weights = weights_of(tmp_path / "drawn.safetensors", model, inputs)
    found = exporting.export(weights, [tmp_path / "net.onnx", tmp_path / "net.pt2"], threads=1, synthetic=True)
    assert [file.images for file in found.files] == [_checking.IMAGES] * 2
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx", providers=["CPUExecutionProvider"])
    told = session.get_modelmeta().custom_metadata_map
    assert json.loads(told["classes"]) == [f"class {place}" for place in range(inputs.classes)]
    assert (told["recipe"], json.loads(told["size"])) == ("tiny", inputs.size)
    stored = Stored(weights)
    for count in (1, 3):
        images = torch.randint(0, 256, (count, inputs.channels, inputs.size, inputs.size), dtype=torch.uint8)
        (logits,) = session.run(["logits"], {"images": images.numpy()})
        with torch.no_grad():
            known = logits_of(stored.network(), images, stored.normalisation, "fp32")
        assert torch.allclose(torch.from_numpy(logits), known, rtol=0, atol=_checking.TOLERANCE * float(known.abs().max()))
    graph = onnx.load(tmp_path / "net.onnx").graph
    assert graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert {node.domain for node in graph.node} == {""}  # nothing that only torch has


def test_timm_takes_its_own_network_from_the_folder(tmp_path: Path) -> None:
    timm = import_module("timm")
    weights = weights_of(tmp_path / "drawn.safetensors", SMALL, Inputs(10))
    exporting.export(weights, [tmp_path / "model.safetensors"], threads=1, synthetic=True)
    network = timm.create_model(f"local-dir:{tmp_path}", pretrained=True).eval()
    settings = timm.data.resolve_model_data_config(network)
    stored, images = Stored(weights), torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8)
    assert tuple(settings["input_size"]) == (3, 32, 32)
    mean, std = (torch.tensor(settings[key]).view(-1, 1, 1) for key in ("mean", "std"))
    with torch.no_grad():
        known = logits_of(stored.network(), images, stored.normalisation, "fp32")
        assert torch.allclose(network((images / 255 - mean) / std), known, atol=1e-5)
