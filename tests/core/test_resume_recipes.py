"""Whatever a recipe switches on, a run that was stopped, killed and resumed ends with the bits of one that never was."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest
import torch

from core.commands import Continue, Pause, Save, SetLearningRate, Stop
from core.events import RunFinished
from tests.core.test_resume import at, epochs_of
from tests.core.training import STEPS, Script, fingerprint, last_progress, new_run, tiny, train

SGD = {"name": "sgd", "lr": 0.05, "momentum": 0.9, "nesterov": True}
MUON = {"name": "muon", "lr": 0.05, "momentum": 0.6, "nesterov": True, "vector_lr": 0.1, "head_lr": 0.2, "weight_decay": 1e-3}
AVERAGE = {"decay": 0.9, "every": 2}
RECIPES: dict[str, dict[str, Any]] = {
    "muon": {"optimizer": MUON, "schedule": {"name": "linear", "per": "step", "warmup_epochs": 0.5}},
    "groups": {"optimizer": {**SGD, "vector_lr": 0.1, "head_lr": 0.02, "decay_vectors": False, "weight_decay": 0.01}},
    "clip": {"optimizer": {**SGD, "clip_norm": 0.1}},
    "lookahead with adam": {"optimizer": {"name": "adam", "lr": 0.01, "lookahead_steps": 3}},
    "lookahead with plain sgd": {"optimizer": {"name": "sgd", "lr": 0.05, "lookahead_steps": 3}},
    "sam": {"optimizer": {**SGD, "sam": 0.05}},
    "average": {"averaging": AVERAGE},
    "all of them": {"optimizer": {**MUON, "clip_norm": 1.0, "lookahead_steps": 4, "sam": 0.05}, "averaging": AVERAGE},
    "alternating flip": {"augment": [{"name": "crop", "fill": "reflect"}, {"name": "flip", "alternate": True}]},
    "low resolution": {"low_resolution": [{"size": 24, "epochs": 1}], "model": {"name": "convnet", "widths": [8, 8]}},
    "mixing": {"mixing": {"mixup": 0.4, "cutmix": 1.0, "p": 0.8}},
    "augmentation": {"augment": [{"name": "trivial_augment"}, {"name": "auto_augment"}, {"name": "cutout", "size": 8}]},
    "fp16": {"precision": "fp16", "model": {"name": "resnet", "blocks": [1], "channels": 4, "pool": 32}},
    "whitening": {"model": {"name": "convnet", "widths": [8, 8], "depth": 3}, "optimizer": MUON},
    "minimal filtering": {"convolution": "winograd", "model": {"name": "convnet", "widths": [64, 128]}, "optimizer": MUON},
    "minimal filtering in bf16": {
        "convolution": "winograd",
        "precision": "bf16",
        "model": {"name": "convnet", "widths": [256, 256]},
        "optimizer": MUON,
    },
}


@pytest.mark.parametrize("name", RECIPES)
def test_a_killed_and_resumed_run_ends_with_the_same_bits(tmp_path: Path, name: str) -> None:
    recipe = tiny(**{"epochs": 2, **RECIPES[name]})
    whole, killed = new_run(tmp_path / "whole", recipe), new_run(tmp_path / "killed", recipe)
    expected = epochs_of(train(whole))
    sessions = [train(killed, script) for script in (at((1, Save()), kill_at=3), at((4, Stop())), at((STEPS + 2, Stop())))]
    sessions.append(train(killed))
    assert isinstance(sessions[-1][-1], RunFinished)
    assert fingerprint(killed) == fingerprint(whole)
    assert last_progress(killed) == last_progress(whole)
    assert epochs_of(*sessions) == expected


def test_a_pause_and_a_rate_set_live_keep_every_group_in_step(tmp_path: Path) -> None:
    recipe = tiny(optimizer=MUON, averaging=AVERAGE, epochs=2)
    whole, killed = new_run(tmp_path / "whole", recipe), new_run(tmp_path / "killed", recipe)
    change = (6, SetLearningRate(value=0.01))
    train(whole, at(change))
    train(killed, paused_at(2))
    train(killed, at((4, Save()), change, kill_at=8))
    train(killed)
    assert fingerprint(killed) == fingerprint(whole)


def paused_at(step: int) -> Script:
    script = at((step, Pause()), (step + 1, Stop()))
    script.waited = [Continue()]
    return script


def test_a_compiled_run_resumes_to_the_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Traced and split into forward and backward as ever, but run by torch's own kernels: making new ones takes minutes."""
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="aot_eager"))
    recipe = tiny(compile=True, epochs=2)
    whole, stopped = new_run(tmp_path / "whole", recipe), new_run(tmp_path / "stopped", recipe)
    train(whole)
    train(stopped, at((4, Stop())))  # the next session begins with the other shape
    train(stopped)
    assert fingerprint(stopped) == fingerprint(whole)
