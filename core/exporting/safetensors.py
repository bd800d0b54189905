"""The weights alone, for whoever builds the network by themselves, with ``config.json`` beside them: network, classes and
preprocessing, under the names that timm and the Hugging Face hub have for them. ``tui-trainer evaluate`` takes the file too.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from core import models
from core.exporting import _use
from core.exporting._facts import Facts, shared, texts
from core.models import Inputs
from core.recipe import from_table, to_table

if TYPE_CHECKING:
    from core.exporting import Run
    from core.exporting._program import Model

CONFIG = "config.json"
BESIDE = (CONFIG,)
WORDS = f"the weights, with {CONFIG} beside them for network and preprocessing"


def check() -> None:
    """All that it needs is there."""


def files(model: Model, name: str) -> dict[str, bytes]:
    from core.training.weights_file import written

    about = replace(model.about, recipe=to_table(shared(from_table(model.about.recipe))))
    metadata = {"format": "pt", **about.metadata(), **texts(model.facts)}
    config = msgspec.json.format(msgspec.json.encode(_config(model)), indent=2) + b"\n"
    return {name: written(model.network.state_dict(), metadata), CONFIG: config}


def _config(model: Model) -> dict[str, Any]:
    """``architecture`` to ``pretrained_cfg`` are timm's, the rest is ours."""
    facts, settings = model.facts, dict(model.about.recipe["model"])
    name = settings["name"]
    arguments = {key: value for key, value in settings.items() if key != "name"}
    takes_size = name.startswith("timm:") and hasattr(getattr(model.network, "patch_embed", None), "img_size")
    return {
        "architecture": name.removeprefix("timm:"),
        "num_classes": len(facts.classes),
        "label_names": facts.classes,
        "model_args": {**arguments, **({"img_size": facts.size} if takes_size else {})},
        "pretrained_cfg": {
            "input_size": [facts.channels, facts.size, facts.size], "interpolation": "bicubic", "crop_pct": 1.0,
            "crop_mode": "center", "mean": facts.mean, "std": facts.std, "num_classes": len(facts.classes),
        },
        "model": settings,
        "facts": facts,
    }  # fmt: skip


def opened(path: Path, code: Path | None) -> Run:
    import safetensors.torch

    from core.exporting._program import Program, without_gradients
    from core.training.evaluation import Normalisation

    config = msgspec.json.decode((path.parent / CONFIG).read_bytes())
    cfg = config["pretrained_cfg"]
    network = models.build(config["model"], Inputs(config["num_classes"], *cfg["input_size"][:2]), code).eval()
    network.load_state_dict(safetensors.torch.load_file(path))

    return without_gradients(Program(network, Normalisation(tuple(cfg["mean"]), tuple(cfg["std"]))))


def use(facts: Facts, name: str) -> str:
    code = facts.architecture.startswith("python:")  # which lies in the present folder
    return _use.program(
        facts,
        ("import json", *(["from pathlib import Path"] if code else [])),
        ("import torch", "from safetensors.torch import load_file", "from core import models  # of tui-trainer"),
        f"""\
with open("{CONFIG}") as file:
    config = json.load(file)
classes, form = config["label_names"], config["pretrained_cfg"]
inputs = models.Inputs(len(classes), *form["input_size"][:2])
network = models.build(config["model"], inputs{", Path.cwd()" if code else ""}).eval()
network.load_state_dict(load_file({_use.quoted(name)}))
mean, std = (torch.tensor(form[key]).view(-1, 1, 1) for key in ("mean", "std"))""",
        "with torch.no_grad():\n    logits = network((torch.from_numpy(images) / 255 - mean) / std)",
    )
