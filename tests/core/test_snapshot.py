"""Tensors to bytes and back, their memory layout included; bytes from outside are refused before anything changes."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import safetensors.torch
import torch
from torch import nn

from core import models
from core.checkpoint import STATE, WEIGHTS, Damaged
from core.models import Inputs
from core.training.device import place
from core.training.evaluation import Normalisation
from core.training.progress import Progress
from core.training.snapshot import OPTIMIZER, Snapshot, World, restore
from core.training.weights_file import About, read_weights, written

Files = dict[str, bytes]
Tensors = dict[str, torch.Tensor]
ABOUT = About(recipe={"name": "x"}, classes=("a", "b"), inputs=Inputs(2), normalisation=Normalisation((0.5,) * 3, (0.2,) * 3))


def trained(seed: int) -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(seed)
    network = models.build({"name": "resnet", "blocks": [1, 1], "channels": 16, "pool": 16}, Inputs(2))
    network = place(network, torch.device("cpu"))
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.rand(4, 3, 32, 32)).sum().backward()
    optimizer.step()
    return network, optimizer


def files_of(network: nn.Module, optimizer: torch.optim.Optimizer) -> Files:
    metadata = ABOUT.metadata()
    return Snapshot(network, optimizer, Progress(step=3)).files(World(), metadata)


def test_everything_comes_back_values_and_layout() -> None:
    network, optimizer = trained(0)
    other, its_optimizer = trained(1)
    saved = restore(files_of(network, optimizer), other, its_optimizer)
    assert saved.progress.step == 3
    for one, two in zip(network.state_dict().values(), other.state_dict().values(), strict=True):
        assert torch.equal(one, two) and one.stride() == two.stride() and one.dtype == two.dtype
    ours, theirs = (each.state_dict()["state"] for each in (optimizer, its_optimizer))
    for index, entries in ours.items():
        for key, tensor in entries.items():
            assert torch.equal(tensor, theirs[index][key]) and tensor.stride() == theirs[index][key].stride()


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.float64, torch.bfloat16])
def test_a_buffer_of_any_type_and_layout_comes_back(dtype: torch.dtype) -> None:
    networks = []
    for value in (1, 0):
        network = nn.Conv2d(2, 2, 1)
        mask = torch.full((2, 3, 4, 4), value).to(dtype).contiguous(memory_format=torch.channels_last)
        network.register_buffer("mask", mask)
        networks.append(network)
    ours, theirs = networks
    optimizers = [torch.optim.SGD(network.parameters(), lr=0.1) for network in networks]
    restore(files_of(ours, optimizers[0]), theirs, optimizers[1])
    assert torch.equal(ours.mask, theirs.mask) and theirs.mask.dtype == dtype  # type: ignore[arg-type]
    assert theirs.mask.stride() == ours.mask.stride()  # type: ignore[operator]


def test_a_weight_of_two_names_is_written_under_both() -> None:
    weight = torch.rand(3, 4)
    found = safetensors.torch.load(written({"one": weight, "two": weight, "part": weight[1:]}, {}))
    assert torch.equal(found["one"], weight) and torch.equal(found["two"], weight) and torch.equal(found["part"], weight[1:])


def test_equal_states_are_equal_files() -> None:
    assert files_of(*trained(0)) == files_of(*trained(0))


def test_a_snapshot_does_not_move_with_the_training() -> None:
    network, optimizer = trained(0)
    snapshot = Snapshot(network, optimizer, Progress())
    before = {name: tensor.clone() for name, tensor in snapshot.weights.items()}
    network(torch.rand(4, 3, 32, 32)).sum().backward()
    optimizer.step()
    assert all(torch.equal(tensor, before[name]) for name, tensor in snapshot.weights.items())


def test_a_weight_that_is_nan_is_noticed() -> None:
    network, optimizer = trained(0)
    assert Snapshot(network, optimizer, Progress()).finite()
    with torch.no_grad():
        next(network.parameters())[0, 0, 0, 0] = float("nan")
    assert not Snapshot(network, optimizer, Progress()).finite()


def edit_state(files: Files, edit: Callable[[dict[str, object]], object]) -> None:
    state = json.loads(files[STATE])
    edit(state)
    files[STATE] = json.dumps(state).encode()


def edit(files: Files, name: str, change: Callable[[Tensors], Tensors]) -> None:
    files[name] = safetensors.torch.save(change(safetensors.torch.load(files[name])))


def set_stride(files: Files, stride: list[int]) -> None:
    edit_state(files, lambda state: state.update(strides={"model/conv1.weight": stride}))


DAMAGES: dict[str, Callable[[Files], object]] = {
    "weights are a pickle": lambda files: files.update({WEIGHTS: b"\x80\x04\x95cos\nsystem\n"}),
    "weights are a zip": lambda files: files.update({WEIGHTS: b"PK\x03\x04" + b"\0" * 100}),
    "weights empty": lambda files: files.update({WEIGHTS: b""}),
    "weights claim a huge header": lambda files: files.update({WEIGHTS: b"\xff" * 7 + b"\x7f{}"}),
    "no optimizer": lambda files: files.pop(OPTIMIZER),
    "no state": lambda files: files.pop(STATE),
    "state is a list": lambda files: files.update({STATE: b"[]"}),
    "other tensors": lambda files: edit(files, WEIGHTS, lambda old: {f"x{name}": value for name, value in old.items()}),
    "other shapes": lambda files: edit(files, WEIGHTS, lambda old: {name: value[None] for name, value in old.items()}),
    "other types": lambda files: edit(files, WEIGHTS, lambda old: {name: value.half() for name, value in old.items()}),
    "optimizer of nothing": lambda files: edit(files, OPTIMIZER, lambda _: {"999.exp_avg": torch.zeros(1)}),
    "optimizer key": lambda files: edit(files, OPTIMIZER, lambda _: {"exp_avg": torch.zeros(1)}),
    "optimizer shapes": lambda files: edit(files, OPTIMIZER, lambda _: {"0.exp_avg": torch.zeros(3)}),
    "strides beyond memory": lambda files: set_stride(files, [1 << 40, 1, 9, 3]),
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda name: name)
def test_damage_is_refused_before_anything_changes(damage: str) -> None:
    files = files_of(*trained(0))
    DAMAGES[damage](files)
    network, optimizer = trained(1)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(Damaged):
        restore(files, network, optimizer)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize("stride", [[0, 0, 0, 0], [-27, 1, 9, 3], [27, 1, 9], [1, 1, 1, 1], [54, 2, 18, 6]])
def test_strides_that_are_no_dense_layout_are_refused(stride: list[int]) -> None:
    files = files_of(*trained(0))
    set_stride(files, stride)
    with pytest.raises(Damaged, match="strides"):
        restore(files, *trained(1))


def test_a_weights_file_says_what_it_is() -> None:
    tensors, about = read_weights(files_of(*trained(0))[WEIGHTS])
    assert about == ABOUT
    assert "conv1.weight" in tensors


def test_weights_of_others_are_refused_in_words() -> None:
    with pytest.raises(Damaged, match="not a tui-trainer run's"):
        read_weights(safetensors.torch.save({"x": torch.zeros(1)}))
