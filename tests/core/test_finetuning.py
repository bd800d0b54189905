"""Training on from weights that are there: what fits is taken and the rest told, the last layer is new where the classes are
others, frozen parts stay to the bit, groups have rates of their own; a resume needs the file no more."""

from __future__ import annotations

import copy
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from core import checkpoint, data, models
from core.checkpoint import STATE
from core.commands import Save
from core.errors import UserError
from core.events import MessageLogged, ResumeRefused
from core.models import Inputs
from core.run import journal
from core.run.folder import RunFolder
from core.run.options import Options
from core.run.signals import Signals
from core.run.work import Session
from core.sections import FineTune, Optimizer, ParameterGroup
from core.training import finetuning, optimizers
from core.training import setup as setups
from core.training.progress import Progress
from core.training.recipe_hash import recipe_hash
from core.training.setup import Setup
from core.training.snapshot import read_state
from core.training.steps import Steps
from core.training.weights_file import read_weights
from tests.core.training import Script, fingerprint, new_run, tiny, train

NET: dict[str, Any] = {"name": "resnet", "blocks": [1, 1], "channels": 8, "pool": 16, "dropout": 0.2}
Tensors = dict[str, Tensor]


def state(classes: int = 10, channels: int = 3, seed: int = 5) -> Tensors:
    """Of such a network, other than what the recipe's seed draws."""
    torch.manual_seed(seed)
    return models.build(NET, Inputs(classes, channels)).state_dict()


def saved(path: Path, tensors: Tensors) -> str:
    safetensors.torch.save_file(tensors, path)
    return str(path)


def prepared(begins: bool = True, **changes: Any) -> Setup:
    return setups.prepare(tiny(model=NET, **changes), 1, data.silent, begins=begins)


def error(weights: str, **settings: Any) -> str:
    with pytest.raises(UserError) as caught:
        prepared(finetune={"weights": weights, **settings})
    assert "\n" not in str(caught.value)
    return str(caught.value)


# What is taken


def test_all_of_a_file_that_fits_is_taken(tmp_path: Path) -> None:
    tensors = state()
    setup = prepared(finetune={"weights": saved(tmp_path / "w.safetensors", tensors)})
    assert all(torch.equal(value, tensors[name]) for name, value in setup.network.state_dict().items())
    assert setup.notes == (f"begins from {tmp_path}/w.safetensors: {len(tensors)} of {len(tensors)} tensors",)
    assert len(setup.world.weights) == 64


def test_a_last_layer_of_other_classes_is_drawn_as_without_the_file(tmp_path: Path) -> None:
    path = saved(tmp_path / "w.safetensors", state(classes=7))
    setup, plain = prepared(finetune={"weights": path}), prepared()
    assert setup.notes[0].endswith("; drawn anew: linear.weight, linear.bias")
    assert torch.equal(setup.network.state_dict()["linear.weight"], plain.network.state_dict()["linear.weight"])
    assert torch.equal(setup.network.state_dict()["conv1.weight"], state(classes=7)["conv1.weight"])


def test_a_new_last_layer_can_be_asked_for(tmp_path: Path) -> None:
    setup = prepared(finetune={"weights": saved(tmp_path / "w.safetensors", state()), "new_head": True})
    assert "drawn anew: linear.weight, linear.bias" in setup.notes[0]


def wrapped(tensors: Tensors) -> Tensors:
    return {f"module.{name}": tensor for name, tensor in tensors.items()}


def halved(tensors: Tensors) -> Tensors:
    return {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}


def without_head(tensors: Tensors) -> Tensors:
    return {name: tensor for name, tensor in tensors.items() if not name.startswith("linear")}


def with_another(tensors: Tensors) -> Tensors:
    return {**tensors, "aux.weight": torch.zeros(3)}


def without_counters(tensors: Tensors) -> Tensors:
    return {name: tensor for name, tensor in tensors.items() if not name.endswith("num_batches_tracked")}


@pytest.mark.parametrize("change", [wrapped, halved, without_head, with_another, without_counters])
def test_files_of_other_programs_are_taken(tmp_path: Path, change: Callable[[Tensors], Tensors]) -> None:
    setup = prepared(finetune={"weights": saved(tmp_path / "w.safetensors", change(state()))})
    torch.testing.assert_close(setup.network.state_dict()["conv1.weight"], state()["conv1.weight"], rtol=1e-3, atol=1e-3)
    assert ("not in this model: aux.weight" in setup.notes[0]) == (change is with_another)


def test_filters_of_colours_see_grey_images_as_they_did() -> None:
    torch.manual_seed(0)
    network = models.build(NET, Inputs(10, 1)).eval()
    begin = finetuning.Begin("w", state(), (), "")
    finetuning.take(network, begin, FineTune(), tuple("0123456789"))
    coloured = models.build(NET, Inputs(10)).eval()
    coloured.load_state_dict(state())
    grey = torch.rand(2, 1, 32, 32)
    torch.testing.assert_close(network(grey), coloured(grey.expand(-1, 3, -1, -1)), rtol=1e-4, atol=1e-5)


def test_weights_of_a_run_with_other_class_names_get_a_new_last_layer() -> None:
    network = models.build(NET, Inputs(10))
    for classes, anew in ((tuple("0123456789"), False), (tuple("abcdefghij"), True)):
        words = finetuning.take(network, finetuning.Begin("w", state(), classes, ""), FineTune(), tuple("abcdefghij"[:10]))
        assert ("drawn anew" in words) != anew


# What is not


def pickled(path: Path) -> None:
    torch.save(state(), path)


def written(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def of(tensors: Callable[[], Tensors]) -> Callable[[Path], None]:
    return lambda path: safetensors.torch.save_file(tensors(), path)


def not_finite() -> Tensors:
    return {**state(), "bn1.bias": torch.full((8,), float("nan"))}


def another_network() -> Tensors:
    return models.build({"name": "preact", "blocks": [1], "channels": [4]}, Inputs(10)).state_dict()


def wider() -> Tensors:
    return models.build({**NET, "channels": 16}, Inputs(10)).state_dict()


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (pickled, r"is a pickle, which may run code.*weights_only=True\), \"new\.safetensors\"\)'$"),
        (written(b"\x80\x04."), "is a pickle, which may run code"),
        (written(b""), "expected a safetensors file"),
        (written(struct.pack("<Q", 2**60) + b"{}"), "expected a safetensors file"),
        (written(b"\xff" * 64), "expected a safetensors file"),
        (lambda path: None, "No such file or directory; expected a safetensors file"),
        (of(not_finite), "some of its numbers are NaN or infinite"),
        (of(another_network), r"\d+ of the model's \d+ tensors are missing or of another shape \(the first: "),
        (of(wider), r"the first: conv1\.weight \[8, 3, 3, 3\] is \[16, 3, 3, 3\] in the file\)"),
    ],
)
def test_a_file_that_does_not_serve_is_one_line(tmp_path: Path, write: Callable[[Path], object], words: str) -> None:
    path = tmp_path / "w.safetensors"
    write(path)
    message = error(str(path))
    assert message.startswith(f"finetune.weights: {path}") and re.search(words, message), message


def test_what_fits_is_taken_from_another_network_where_that_is_asked_for(tmp_path: Path) -> None:
    deeper = models.build({**NET, "blocks": [2, 1]}, Inputs(10)).state_dict()
    path = saved(tmp_path / "w.safetensors", {name: value for name, value in deeper.items() if "layers.1" not in name})
    assert "finetune.partial = true" in error(path)
    setup = prepared(finetune={"weights": path, "partial": True})
    assert torch.equal(setup.network.state_dict()["layers.0.0.conv1.weight"], deeper["layers.0.0.conv1.weight"])
    assert "partial" in error(saved(tmp_path / "none.safetensors", {"x": torch.zeros(2)}), partial=True)


# What does not train, and what trains otherwise


@pytest.mark.parametrize("patterns", [["conv1", "bn1", "layers.0"], ["conv1.*", "bn1.*", "layers.0.*"]])
def test_frozen_parts_stay_to_the_bit_and_their_norms_keep_their_statistics(patterns: list[str]) -> None:
    setup = prepared(finetune={"frozen": patterns}, averaging={"decay": 0.9})
    before = copy.deepcopy(setup.network.state_dict())
    Steps(setup, Progress()).take(1, 0.1)
    setup.network.eval().train()
    Steps(setup, Progress(step=1)).take(1, 0.1)
    for name, value in setup.network.state_dict().items():
        frozen = name.startswith(("conv1.", "bn1.", "layers.0."))
        assert torch.equal(value, before[name]) == frozen, name
    assert setup.parameters == sum(value.numel() for group in setup.optimizer.param_groups for value in group["params"])
    assert not setup.network.get_submodule("bn1").training and setup.network.get_submodule("layers.1.0.bn1").training
    assert isinstance(setup.network.get_submodule("bn1"), nn.BatchNorm2d)


@pytest.mark.parametrize(
    ("patterns", "words"),
    [
        (
            ["stem.*"],
            r"finetune\.frozen\[0\]: 'stem\.\*' fits no parameter that trains; the model's parts are conv1, bn1, layers",
        ),
        (["conv1", "conv1.*"], r"finetune\.frozen\[1\]: 'conv1\.\*' fits no|leaves nothing"),
        (["*"], r"finetune\.frozen: leaves nothing to train"),
    ],
)
def test_a_pattern_that_makes_no_sense_is_one_line(patterns: list[str], words: str) -> None:
    network = models.build(NET, Inputs(10))
    if patterns == ["conv1", "conv1.*"]:
        finetuning.freeze(network, tuple(patterns))  # both may name the same
        return
    with pytest.raises(UserError, match=words):
        finetuning.freeze(network, tuple(patterns))


def test_groups_have_rates_and_decays_of_their_own_and_the_first_counts() -> None:
    network = models.build(NET, Inputs(10))
    groups = (
        ParameterGroup(match="linear", lr=1.0), ParameterGroup(match="layers.*.weight", weight_decay=0.0),
        ParameterGroup(match="l*", lr=9.0, weight_decay=0.5),
    )  # fmt: skip
    settings = Optimizer(name="sgd", lr=0.1, weight_decay=0.01, vector_lr=0.2, groups=groups)
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    built = optimizers.build(settings, network).param_groups
    found = {names[id(each)]: (group["lr"], group["weight_decay"]) for group in built for each in group["params"]}
    assert found["conv1.weight"] == (0.1, 0.01) and found["bn1.weight"] == (0.2, 0.01)
    assert found["linear.weight"] == found["linear.bias"] == (1.0, 0.01)
    assert found["layers.0.0.conv1.weight"] == (0.1, 0.0) and found["layers.0.0.bn1.bias"] == (9.0, 0.5)
    assert set(names.values()) == found.keys()


def test_a_group_without_parameters_is_one_line() -> None:
    with pytest.raises(UserError, match=r"optimizer\.groups\[0\]\.match: 'head\.\*' fits no parameter that trains"):
        prepared(optimizer={"name": "adam", "groups": [{"match": "head.*", "lr": 1.0}]})


def test_recipes_of_before_are_the_same_recipes() -> None:
    assert recipe_hash(tiny()) == recipe_hash(tiny(finetune={}, optimizer={"name": "adam", "lr": 0.01, "groups": []}))
    assert recipe_hash(tiny()) != recipe_hash(tiny(finetune={"frozen": ["bn1"]}))


# Through a whole run


TUNED: dict[str, Any] = {
    "epochs": 2,
    "model": NET,
    "optimizer": {"name": "adam", "lr": 0.01, "groups": [{"match": "linear", "lr": 0.05, "weight_decay": 0.1}]},
}


def tuned(path: Path, weights: str) -> RunFolder:
    return new_run(path, tiny(**TUNED, finetune={"weights": weights, "frozen": ["conv1", "bn1"]}))


def work(run: RunFolder, **options: Any) -> int:
    with run.hold():
        return Session(run, Options(threads=1, **options), Signals()).work()


def test_killed_and_resumed_without_the_file_it_ends_with_the_same_bits(tmp_path: Path) -> None:
    path = saved(tmp_path / "w.safetensors", state(classes=4))
    whole, killed = tuned(tmp_path / "whole", path), tuned(tmp_path / "killed", path)
    assert work(whole) == 0
    script = Script()
    script.at, script.kill_at = {2: [Save()]}, 3
    train(killed, script)
    Path(path).unlink()
    assert work(killed) == 0
    assert fingerprint(killed) == fingerprint(whole)
    (told,) = [event.text for event in journal.find(whole.journal, MessageLogged) if isinstance(event, MessageLogged)]
    assert told.startswith(f"begins from {path}") and told.endswith("drawn anew: linear.weight, linear.bias")
    weights, _ = read_weights(checkpoint.read(checkpoint.listing(killed.checkpoints)[-1])[1][checkpoint.WEIGHTS])
    assert torch.equal(weights["conv1.weight"], state(classes=4)["conv1.weight"])
    state_of = [checkpoint.read(checkpoint.listing(run.checkpoints)[-1])[1][STATE] for run in (whole, killed)]
    assert read_state({STATE: state_of[0]}).world.weights == read_state({STATE: state_of[1]}).world.weights != ""


def test_a_resume_refuses_a_file_that_is_another_now(tmp_path: Path) -> None:
    path = saved(tmp_path / "w.safetensors", state())
    run = tuned(tmp_path / "run", path)
    assert work(run) == 0
    saved(Path(path), state(seed=6))
    assert work(run, epochs=3) == 2
    (refusal,) = journal.find(run.journal, ResumeRefused)
    assert isinstance(refusal, ResumeRefused)
    assert (
        refusal.reason == "the weights changed since the checkpoint; to go on all the same, resume with --allow-change weights"
    )
    assert work(run, epochs=3, allow_change=("weights",)) == 0


def test_a_network_of_torchvision_is_tuned_from_its_own_state(tmp_path: Path) -> None:
    name = "torchvision:shufflenet_v2_x0_5"
    theirs = models.build({"name": name}, Inputs(1000, 3, 224))
    path = saved(tmp_path / "w.safetensors", theirs.state_dict())
    recipe = tiny(model={"name": name}, finetune={"weights": path, "frozen": ["conv1", "stage[23]"]}, precision="fp32")
    setup = setups.prepare(recipe, 1, data.silent)
    assert "drawn anew: fc.weight, fc.bias" in setup.notes[0]
    assert isinstance(setup.network, nn.Module) and torch.equal(
        setup.network.state_dict()["conv1.0.weight"], theirs.state_dict()["conv1.0.weight"]
    )
