"""timm's networks by name, with the real library: ``pytest -m others``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from core import models
from core.commands import Save
from core.errors import UserError
from core.models import Inputs
from tests.core.training import Script, fingerprint, new_run, tiny, train

VIT = {"name": "timm:vit_tiny_patch16_224", "patch_size": 8, "depth": 2, "drop_rate": 0.2, "drop_path_rate": 0.2}


def test_without_the_library_it_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(UserError, match=r"timm:resnet18 needs timm .*; install it with: pip install 'tui-trainer\[timm\]'"):
        models.build({"name": "timm:resnet18"}, Inputs(2))


@pytest.mark.others
@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("vit_tiny_patch16_224", Inputs(3, 1, 32)), ("resnet18", Inputs(10, 4, 32)), ("convnext_atto", Inputs(10, 3, 40)),
        ("swin_tiny_patch4_window7_224", Inputs(10, 3, 32)), ("mobilenetv3_small_050", Inputs(10)),
    ],
)  # fmt: skip
def test_it_is_built_for_the_data(name: str, inputs: Inputs) -> None:
    settings = {"name": f"timm:{name}"}
    network = models.sketch(settings, inputs)
    layers = models.layers_of(settings, network, inputs)
    assert sum(layer.parameters for layer in layers) == models.count_parameters(network)
    assert sum(layer.macs for layer in layers) > 0


@pytest.mark.others
@pytest.mark.parametrize(
    ("name", "keys", "words"),
    [
        ("resnet81", {}, r"timm has no network 'resnet81' \(did you mean '\w+'\?\)"),
        ("hf-hub:somebody/net", {}, "timm has no network"),
        ("local-dir:/tmp", {}, "timm has no network"),
        ("resnet18", {"pretrained": True}, r"model\.pretrained: timm:resnet18 takes no such key"),
        ("resnet18", {"checkpoint_path": "evil.pth"}, r"model\.checkpoint_path: timm:resnet18 takes no such key"),
        ("resnet18", {"in_chans": 3}, r"model\.in_chans: timm:resnet18 takes no such key"),
        ("vit_tiny_patch16_224", {"depth": 10**9}, r"model\.depth: expected a number up to 4096"),
        ("inception_v3", {}, "does not take images of 3x32x32"),
    ],
)
def test_what_it_is_not_or_does_not_take_is_one_line(name: str, keys: dict[str, object], words: str) -> None:
    with pytest.raises(UserError) as caught:
        models.sketch({"name": f"timm:{name}", **keys}, Inputs(10))
    assert re.search(words, str(caught.value)) and "\n" not in str(caught.value), str(caught.value)


@pytest.mark.others
def test_with_drop_path_and_killed_within_an_epoch_it_ends_with_the_same_bits(tmp_path: Path) -> None:
    recipe = tiny(model=VIT, epochs=2, precision="fp32")
    whole, killed_run = (new_run(tmp_path / name, recipe) for name in ("whole", "killed"))
    train(whole)
    killed = Script()
    killed.at, killed.kill_at = {1: [Save()]}, 3
    for script in (killed, Script()):
        train(killed_run, script)
    assert fingerprint(killed_run) == fingerprint(whole)
