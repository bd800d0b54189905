"""What networks from elsewhere do that ours do not: weights that are shared or of no use, draws from any generator, layers that
were derived or hooked into, errors of every kind."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from core import data, models
from core.commands import Save
from core.data import batches
from core.errors import UserError
from core.models import Inputs
from core.training import setup as setups
from core.training import winograd
from tests.core.test_models_python import SOURCE
from tests.core.training import Script, fingerprint, new_run, tiny, train


@pytest.fixture
def own_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with code, which trainings of this process may run; nothing of it stays in it."""
    (tmp_path / "foreign_nets.py").write_text(SOURCE)
    prepare = setups.prepare

    def permitted(*arguments: object, **named: object) -> setups.Setup:
        return prepare(*arguments, **{**named, "code": tmp_path})  # type: ignore[arg-type]

    monkeypatch.setattr(setups, "prepare", permitted)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    sys.modules.pop("foreign_nets", None)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_shared_and_idle_weights_and_draws_of_all_kinds_resume_to_the_bit(
    tmp_path: Path, own_code: Path, optimizer: str
) -> None:
    settings = {"name": optimizer, "lr": 0.01, "lookahead_steps": 2, **({"momentum": 0.9} if optimizer == "sgd" else {})}
    recipe = tiny(model={"name": "python:foreign_nets:Tied"}, epochs=2, optimizer=settings, averaging={"decay": 0.9})
    whole, killed = (new_run(tmp_path / name, recipe) for name in ("whole", "killed"))
    train(whole)
    script = Script()
    script.at, script.kill_at = {2: [Save()]}, 4
    train(killed, script)
    train(killed)
    assert fingerprint(killed) == fingerprint(whole)


class Standardised(nn.Conv2d):
    """Derived from a convolution, and not one."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input) * 2


def test_only_torchs_own_convolutions_are_computed_otherwise() -> None:
    plain, derived, hooked = (kind(128, 128, 3, padding=1) for kind in (nn.Conv2d, Standardised, nn.Conv2d))
    hooked.register_forward_pre_hook(lambda module, inputs: inputs)
    network = nn.Sequential(plain, derived, hooked)
    winograd.adopt(network)
    assert [type(module) for module in network] == [winograd.Convolution, Standardised, nn.Conv2d]


def test_a_last_batch_that_norms_cannot_take_is_one_line() -> None:
    flat = {"name": "resnet", "blocks": [1, 1, 1, 1, 1, 1], "channels": 1, "pool": 1}
    with pytest.raises(UserError, match=r"^batch_size: with 23 the last batch of 70 images is one alone.*Expected more than 1"):
        setups.prepare(tiny(model=flat, batch_size=23), 1, data.silent)
    assert setups.prepare(tiny(model=flat, batch_size=24), 1, data.silent).steps_per_epoch == 3


def test_nor_one_that_they_cannot_take_of_smaller_images() -> None:
    halving = {"name": "convnet", "widths": [8, 8, 8]}
    small = [{"size": 8, "epochs": 1}]
    assert setups.prepare(tiny(model=halving, batch_size=23), 1, data.silent).steps_per_epoch == 4
    with pytest.raises(UserError, match=r"^batch_size: with 23 .* does not take at 8 pixels .*Expected more than 1"):
        setups.prepare(tiny(model=halving, batch_size=23, low_resolution=small), 1, data.silent)


def test_what_does_not_fit_is_told_before_images_are_brought_to_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "to_device", lambda *_: pytest.fail("there are as many as there is room for"))
    flat = {"name": "resnet", "blocks": [1, 1, 1, 1, 1, 1], "channels": 1, "pool": 1}
    for wrong in ({"model": flat, "batch_size": 23}, {"augment": [{"name": "crop", "padding": 32, "fill": "reflect"}]}):
        with pytest.raises(UserError):
            setups.prepare(tiny(**wrong), 1, data.silent)


def test_a_size_that_a_network_refuses_in_its_own_way_is_one_line() -> None:
    recipe = tiny(model={"name": "torchvision:vit_b_16"}, low_resolution=[{"size": 16, "epochs": 1}])
    with pytest.raises(
        UserError, match=r"low_resolution\[0\]\.size: the model does not take images of 16 pixels \(Wrong image"
    ):
        setups.prepare(recipe, 1, data.silent)


@pytest.mark.parametrize(
    "model",
    [
        {"name": "torchvision:resnet18", "weights": "DEFAULT"},
        {"name": "torchvision:resnet18", "width_per_group": 2**62},
        {"name": "torchvision:../../etc/passwd"},
        {"name": "torchvision:__import__"},
        {"name": "timm:hf-hub:somebody/net"},
        {"name": "python:os:system", "command": "true"},
        {"name": "python:shutil:rmtree", "path": "/nowhere"},
    ],
)
def test_what_a_file_names_loads_nothing_and_runs_nothing(model: dict[str, object]) -> None:
    with pytest.raises(UserError, match=r"^model\."):
        models.build(model, Inputs(2))


def test_attention_and_weights_outside_of_layers_are_counted_where_they_are() -> None:
    class Attending(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.place = nn.Parameter(torch.zeros(1, 4, 8))
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
            self.head = nn.Linear(8, 3)

        def forward(self, x: Tensor) -> Tensor:
            tokens = x.flatten(2).transpose(1, 2) + self.place
            attended: Tensor = self.attention(tokens, tokens, tokens, need_weights=False)[0]
            logits: Tensor = self.head(attended.mean(1))
            return logits

    found = {layer.name: layer for layer in models.layers_of({"name": "python:a:b"}, Attending(), Inputs(3, 8, 2))}
    assert (found["(network)"].parameters, found["head"].parameters) == (32, 27)
    assert found["attention"].parameters == 4 * (8 * 8 + 8)
    assert found["attention"].macs == 4 * 4 * 8 * 8 + 2 * 4 * 4 * 8  # four projections of four tokens; products of all pairs
