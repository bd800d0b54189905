"""float16 and its loss scale; what faster kernels are allowed; compiling; where images stay that crowd a GPU."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from core import checkpoint, data
from core.errors import UserError
from core.events import Event, PhaseEnded, PhaseStarted, StepDone
from core.training import setup as setups
from core.training import snapshot, weights_file
from core.training.device import choose_precision, fits, loss_scaler, set_up, storage
from core.training.progress import Progress
from core.training.setup import Setup
from core.training.snapshot import LossScale, Snapshot, World
from core.training.steps import Steps
from tests.core.training import new_run, tiny, train

GPU = torch.device("cuda")


def half(**changes: Any) -> Setup:
    return setups.prepare(tiny(precision="fp16", **changes), 1, data.silent)


# Precision


@pytest.mark.parametrize(
    ("capability", "precision"), [((9, 0), "bf16"), ((8, 0), "bf16"), ((7, 5), "fp16"), ((7, 0), "fp16"), ((6, 1), "fp32")]
)
def test_auto_goes_by_what_a_gpu_has_cores_for(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], precision: str
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert choose_precision("auto", GPU) == precision
    assert choose_precision("fp32", GPU) == "fp32"


def test_only_fp16_has_its_loss_scaled() -> None:
    cpu = torch.device("cpu")
    assert loss_scaler("fp16", cpu) and not loss_scaler("bf16", cpu) and not loss_scaler("fp32", cpu)


def test_the_scaled_loss_gives_the_same_step_as_fp32_within_float16s_digits() -> None:
    setup, full = half(optimizer={"name": "sgd", "lr": 0.1}), setups.prepare(tiny(optimizer={"name": "sgd"}), 1, data.silent)
    before = torch.cat([weight.detach().flatten() for weight in full.network.parameters()])
    moves = []
    for each in (setup, full):
        Steps(each, Progress()).take(1, 0.1)
        moves.append(torch.cat([weight.detach().flatten() for weight in each.network.parameters()]) - before)
    assert torch.cosine_similarity(moves[0], moves[1], dim=0) > 0.99
    assert moves[0].norm().item() == pytest.approx(moves[1].norm().item(), rel=0.05)


@pytest.mark.parametrize("clip_norm", [0.0, 0.1])
def test_a_step_beyond_float16_changes_no_weight_halves_the_scale_and_is_counted(clip_norm: float) -> None:
    setup = half(optimizer={"name": "adam", "lr": 0.01, "clip_norm": clip_norm, "lookahead_steps": 1})
    assert setup.scaler
    setup.scaler.load_state_dict({**setup.scaler.state_dict(), "scale": 2.0**100})
    steps, before = Steps(setup, Progress()), [weight.detach().clone() for weight in setup.network.parameters()]
    steps.take(1, 0.01)
    assert all(torch.equal(weight, old) for weight, old in zip(setup.network.parameters(), before, strict=True))
    assert setup.scaler.get_scale() == 2.0**99
    setup.scaler.update(2.0**10)
    steps.take(1, 0.01)
    assert not torch.equal(next(setup.network.parameters()), before[0])
    window = steps.close_window()
    assert window and window.skipped == 0.5
    steps.take(1, 0.01)
    window = steps.close_window()
    assert window and window.skipped == 0.0


def test_the_scale_and_its_growth_come_back() -> None:
    setup, other = half(), half()
    assert setup.scaler and other.scaler
    Steps(setup, Progress()).take(1, 0.01)
    files = Snapshot(setup.network, setup.optimizer, Progress(), scaler=setup.scaler).files(World(), setup.metadata())
    saved = snapshot.restore(files, other.network, other.optimizer, scaler=other.scaler)
    assert saved.loss_scale == LossScale(2.0**16, 1)
    assert other.scaler.state_dict() == setup.scaler.state_dict()


def test_skipped_steps_are_told_where_there_may_be_any(tmp_path: Path) -> None:
    half_run, full_run = (
        new_run(tmp_path / "half", tiny(precision="fp16", epochs=1)),
        new_run(tmp_path / "full", tiny(epochs=1)),
    )
    told = [[event.metrics for event in train(run) if isinstance(event, StepDone)] for run in (half_run, full_run)]
    assert all("train.skipped_steps" in metrics for metrics in told[0])
    assert not any("train.skipped_steps" in metrics for metrics in told[1])


def test_without_determinism_faster_kernels_are_allowed() -> None:
    try:
        set_up(tiny(deterministic=False), 1)
        assert torch.backends.cudnn.benchmark and torch.get_float32_matmul_precision() == "high"
        assert not torch.are_deterministic_algorithms_enabled()
    finally:
        set_up(tiny(), 1)
    assert not torch.backends.cudnn.benchmark and torch.get_float32_matmul_precision() == "highest"
    assert torch.are_deterministic_algorithms_enabled()


# Compiling


def phases(said: list[Event]) -> list[str]:
    return [
        type(event).__name__ for event in said if isinstance(event, (PhaseStarted, PhaseEnded)) and event.phase == "compile"
    ]


def instead_of_compile(monkeypatch: pytest.MonkeyPatch, found: Callable[[nn.Module], Callable[[Tensor], Tensor]]) -> None:
    def compiled(network: nn.Module, *, dynamic: bool, mode: str) -> Callable[[Tensor], Tensor]:
        assert not dynamic and mode == "default"
        return found(network)

    monkeypatch.setattr(torch, "compile", compiled)


def test_each_shape_is_compiled_before_its_first_step_and_that_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shapes: list[tuple[int, ...]] = []

    def noting(network: nn.Module) -> Callable[[Tensor], Tensor]:
        def run(images: Tensor) -> Tensor:
            shapes.append(tuple(images.shape))
            found: Tensor = network(images)
            return found

        return run

    plain, run = (
        new_run(tmp_path / name, tiny(compile=compiled, convolution="direct"))
        for name, compiled in (("plain", False), ("run", True))
    )
    train(plain)
    instead_of_compile(monkeypatch, noting)
    said = train(run)
    assert phases(said) == ["PhaseStarted", "PhaseEnded"] * 2  # a full batch, and the last one of an epoch
    assert len(shapes) == 2 + 3 * 5
    weights = [checkpoint.read(checkpoint.listing(each.checkpoints)[-1])[1] for each in (plain, run)]
    (ours, _), (theirs, _) = (weights_file.read_weights(files[checkpoint.WEIGHTS]) for files in weights)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)  # what was compiled on left no trace


def test_a_compiler_that_fails_is_one_line_that_says_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(network: nn.Module) -> Callable[[Tensor], Tensor]:
        def run(images: Tensor) -> Tensor:
            raise RuntimeError("InvalidCxxCompiler: No working C++ compiler found\nlong\ntrace")

        return run

    instead_of_compile(monkeypatch, failing)
    with pytest.raises(UserError, match=r"No working C\+\+ compiler found.*compile = false") as caught:
        train(new_run(tmp_path / "run", tiny(compile=True)))
    assert "\n" not in str(caught.value)


# Images that crowd a GPU


def test_images_stay_on_the_host_when_they_take_more_than_half_of_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fits(50, 100) and fits(50, 101) and not fits(51, 100)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (100, 1000))
    assert storage(50, GPU) == GPU
    assert storage(51, GPU) == torch.device("cpu")
    assert storage(1, torch.device("cpu")) == torch.device("cpu")
    assert storage(1 << 50, torch.device("cpu")) is None
