"""The measurements: that they measure what they say, leave nothing behind, and bear it when a part of them does not work."""

from __future__ import annotations

import multiprocessing
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import msgspec
import psutil
import pytest
import torch
from torch import nn
from torchvision import transforms
from torchvision.transforms import v2

from core import data, models
from core import events as e
from core.bench import alternating, console, parts, plain, plain_process, step, subject, target, watched
from core.bench.results import Machine, Mean, SeedResult, Spread, StepResult, TargetReport, WatchedReport
from core.errors import TrainingError
from core.recipe import Recipe
from core.sections import AutoAugment, Crop, Cutout, Data, Flip, Mixing, Optimizer, Perspective, Transform, TrivialAugment
from tests.core.training import tiny

MACHINE = Machine(processor="one", cores=2, threads=1, capability="AVX2", torch="2")
CPU = torch.device("cpu")


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.01)


def no_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TUI_TRAINER_DATA", raising=False)
    monkeypatch.setenv("TUI_TRAINER_CACHE", str(tmp_path / "cache"))


def on_cifar10() -> Recipe:
    return tiny(data={"source": "cifar10", "limit": 70, "validation": 0.2, "evaluation_batch_size": 20})


# Blocks in turn


def test_rounds_alternate_and_come_in_both_orders() -> None:
    said: list[str] = []

    def block(name: str, value: float) -> alternating.Block:
        return lambda: said.append(name) or value  # type: ignore[func-returns-value]

    found = list(alternating.rounds({"a": block("a", 6.0), "b": block("b", 3.0)}, seconds=0))
    assert said == ["a", "b", "b", "a"]
    assert found == [{"a": 6.0, "b": 3.0}] * 2
    assert alternating.ratio(found, "a", "b") == Spread(2.0, 2.0, 2.0, 2)


def test_ratios_are_taken_within_a_round() -> None:
    rounds = [{"a": 2.0, "b": 1.0}, {"a": 20.0, "b": 10.0}, {"a": 300.0, "b": 100.0}]
    assert alternating.ratio(rounds, "a", "b") == Spread(2.0, 2.0, 2.5, 3)
    assert alternating.rate(rounds, "b") == Spread(10.0, 5.5, 55.0, 3)


def test_spreads_and_means_of_few_values() -> None:
    assert Spread.of([]) is None and Mean.of([]) is None
    assert Spread.of([3.0]) == Spread(3.0, 3.0, 3.0, 1)
    assert Mean.of([3.0]) == Mean(3.0, None, 1)
    assert Mean.of([1.0, 3.0]) == Mean(2.0, 2**0.5, 2)


def test_showing_results_takes_no_torch() -> None:
    program = "import sys, core.bench.results, core.bench.target; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# The plain step


def test_every_transform_has_its_torchvision_counterpart() -> None:
    expected: dict[Transform, type] = {
        Perspective(distortion=0.3, p=0.4): transforms.RandomPerspective,
        Crop(padding=2, fill="reflect"): transforms.RandomCrop,
        Flip(p=0.4): transforms.RandomHorizontalFlip,
        Cutout(size=16): transforms.RandomErasing,
        TrivialAugment(): transforms.TrivialAugmentWide,
        AutoAugment(): transforms.AutoAugment,
    }
    assert {type(item) for item in expected} == set(get_args(Transform))
    for item, kind in expected.items():
        assert type(plain.closest(item, 32)) is kind
    assert plain.closest(Crop(padding=2, fill="reflect"), 32).padding_mode == "reflect"
    assert plain.closest(Cutout(size=16), 32).scale == (0.25, 0.25)
    assert plain.closest(Cutout(size=99), 32).scale == (1.0, 1.0)


def test_a_cutout_comes_after_normalising() -> None:
    recipe = tiny(augment=[{"name": "cutout", "size": 8}, {"name": "flip"}])
    found = plain.transform(recipe, 32, (0.5,) * 3, (0.25,) * 3).transforms
    assert [type(item).__name__ for item in found] == ["RandomHorizontalFlip", "ToTensor", "Normalize", "RandomErasing"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW), ("sgd", torch.optim.SGD), ("muon", torch.optim.SGD)],
)
def test_the_plain_optimizer_is_torchs_own(name: str, kind: type[torch.optim.Optimizer]) -> None:
    network = nn.Linear(2, 2)
    network.bias.requires_grad_(False)
    found = plain.optimizer(Optimizer(name=name, momentum=0.9, weight_decay=0.1), network)  # type: ignore[arg-type]
    assert type(found) is kind
    assert [len(group["params"]) for group in found.param_groups] == [1]
    assert found.param_groups[0]["weight_decay"] == 0.1


def test_blending_is_torchvisions() -> None:
    assert plain.mixing(Mixing(), 10) is None
    both = plain.mixing(Mixing(mixup=0.2, cutmix=1.0), 10)
    assert [type(item) for item in both.transforms] == [v2.MixUp, v2.CutMix]
    images, labels = both(torch.rand(4, 3, 8, 8), torch.arange(4))
    assert images.shape == (4, 3, 8, 8) and labels.shape == (4, 10)


def test_no_workers_where_shared_memory_is_short(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(plain, "SHARED_MEMORY", tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=64 << 20))
    assert plain.workers(1000) >= 1
    assert plain.workers(64 << 20) == 0
    monkeypatch.setattr(plain, "SHARED_MEMORY", tmp_path / "none")
    assert plain.workers(64 << 20) >= 1


def test_the_plain_steps_workers_are_frozen_in_between_and_gone_afterwards() -> None:
    recipe = tiny()
    with closing(plain.PlainStep(recipe, subject.read(recipe.data, data.silent), CPU)) as plain_step:
        with plain_step.on():
            for _ in range(6):  # over the end of an epoch, whose last batch is a partial one
                plain_step.take()
        assert plain_step.finish() == 70 + 16
        workers = [psutil.Process(worker.pid) for worker in multiprocessing.active_children()]
        assert len(workers) == plain_step.workers > 0
        wait_for(lambda: all(worker.status() == psutil.STATUS_STOPPED for worker in workers))
    assert multiprocessing.active_children() == []
    assert all(parameter.is_contiguous() for parameter in plain_step.network.parameters())


def test_a_plain_step_that_does_not_run_says_why() -> None:
    process = plain_process.PlainProcess(tiny(device="cuda:99"), 1)
    with pytest.raises(TrainingError, match="the plain step does not work here: UserError: device: 'cuda:99'"), process:
        pass


# One recipe's step


def test_a_step_on_the_sample(tmp_path: Path) -> None:
    results: list[StepResult] = []
    said: list[str] = []
    step.measure(tiny(), 0.0, 1, tmp_path, lambda phase, *_: said.append(phase), results)
    (result,) = results
    assert (result.data, result.batch_size) == ("sample", 16)
    assert [getattr(result, field) for field in result.__struct_fields__].count(None) == 0
    assert result.ratio and result.images_per_second and result.plain_images_per_second
    assert result.ratio.count == 2 and result.ratio.lower > 0
    assert result.flops == 6 * result.macs * result.images_per_second.median
    assert result.plain_flops == 6 * result.macs * result.plain_images_per_second.median
    assert result.checkpoint and result.checkpoint.bytes > 4 * result.parameters
    assert list(tmp_path.iterdir()) == []
    assert all(phase.startswith("tiny: ") for phase in said)


def test_without_its_data_a_recipe_is_measured_on_random_images(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    no_data(monkeypatch, tmp_path)
    monkeypatch.setattr(plain_process, "COMMAND", (sys.executable, "-c", "raise SystemExit(5)"))
    results: list[StepResult] = []
    step.measure(on_cifar10(), 0.0, 1, None, data.silent, results)
    (result,) = results
    assert (result.data, result.load_seconds, result.plain_workers) == ("random images", None, None)
    assert "data 'cifar10' are not here: measured on random images of their shape" in result.notes
    assert "the plain step's process ended with status 5" in result.notes
    assert result.images_per_second and not (result.ratio or result.plain_images_per_second or result.plain_flops)


def test_random_images_have_the_sources_shape(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    no_data(monkeypatch, tmp_path)
    dataset = subject.read(Data(source="cifar10"), data.silent)
    assert dataset.train.pixels.shape[1:] == (3, 32, 32) and len(dataset.classes) == 10
    assert set(dataset.test.labels.tolist()) == set(range(10))
    assert subject.read(Data(source="sample"), data.silent).name == "sample"


def test_notes_name_what_the_figures_leave_out() -> None:
    recipe = tiny(
        optimizer={"name": "muon", "lr": 0.1, "momentum": 0.6, "nesterov": True, "sam": 0.05},
        low_resolution=[{"size": 16, "epochs": 1}],
        model={"name": "convnet", "widths": [8, 8]},
    )
    notes = " ".join(step._notes(subject.prepare(recipe, 1)))
    assert all(word in notes for word in ("SGD in Muon's place", "SAM", "full size"))


@pytest.mark.parametrize("settings", [{"name": "adam", "lr": 0.01}, {"name": "sgd", "lr": 0.01, "sam": 0.05}])
def test_the_parts_are_those_of_the_real_step(settings: dict[str, object]) -> None:
    setup = subject.prepare(tiny(optimizer=settings), 1).setup
    found = parts.step_parts(setup, 0.0)
    each = found.augmentation_ms, found.forward_ms, found.backward_ms, found.optimizer_ms, found.other_ms
    assert found.steps == parts.FEWEST_STEPS and min(each) > 0
    assert sum(each) == pytest.approx(found.step_ms)
    with parts._hooked(setup, parts.Stopwatch(CPU)):
        assert len(setup.network._forward_hooks) == 1
    assert len(setup.network._forward_hooks) == 0


def test_the_evaluation_goes_once_over_test_at_the_most() -> None:
    setup = subject.prepare(tiny(), 1).setup
    assert parts.evaluation_rate(setup, 60.0) > 0
    assert setup.network.training


# Time to an accuracy


def at(*timed: tuple[float, e.Event]) -> list[e.Event]:
    return [msgspec.structs.replace(event, time=time) for time, event in timed]


SESSION = (
    (100.0, e.PhaseStarted(phase="start")),
    (102.0, e.PhaseEnded(phase="start", seconds=2.0)),
    (105.0, e.RunStarted()),
    (106.0, e.PhaseEnded(phase="compile", seconds=0.5)),
    (110.0, e.StepDone(seconds=3.0)),
    (111.0, e.PhaseEnded(phase="test", seconds=1.0)),
    (111.0, e.EpochDone()),
)
"""Watches test, so that one pass over it belongs to the epoch."""
AGAIN = (
    (200.0, e.PhaseStarted(phase="start")),
    (201.0, e.PhaseEnded(phase="start", seconds=1.0)),
    (202.0, e.RunResumed()),
    (206.0, e.StepDone(seconds=4.0)),
    (207.0, e.EpochDone()),
    (209.0, e.PhaseEnded(phase="test", seconds=1.5)),
    (210.0, e.RunFinished()),
)


def test_durations_of_two_sessions_add_up() -> None:
    found = target.durations(at(*SESSION, *AGAIN))
    assert found == {
        "start": 3.0, "preparation": 4.0, "compile": 0.5, "training": 7.0, "validation": 1.0, "final": 1.5,
        "total": 21.0, "other": 4.0,
    }  # fmt: skip


def test_a_runs_name_stands_for_all_that_decides_its_time() -> None:
    recipe = tiny()
    name = target.run_name(recipe, None)
    assert name.startswith("bench-tiny-") and name.endswith("-seed-0")
    assert target.run_name(tiny(seed=3), None) == name.replace("-seed-0", "-seed-3")
    assert target.run_name(tiny(description="other words"), None) == name
    others = {target.run_name(recipe, 1), target.run_name(tiny(batch_size=17), None), name}
    assert len(others) == 3


def seed(number: int, accuracy: float, tta: float | None) -> SeedResult:
    times = dict.fromkeys(("total", "start", "preparation", "compile", "training", "validation", "final", "other"), 1.0)
    return SeedResult(run="", seed=number, accuracy=accuracy, tta_accuracy=tta, sessions=1, **times)


@pytest.mark.parametrize(
    ("accuracies", "reached"),
    [
        ([(0.93, 0.95), (0.93, 0.93)], True),
        ([(0.95, 0.95), (0.95, 0.92)], False),
        ([(0.95, None), (0.93, None)], True),
        ([(0.95, None)], None),
    ],
)
def test_the_mean_of_all_seeds_is_held_against_the_target(
    accuracies: list[tuple[float, float | None]], reached: bool | None
) -> None:
    report = TargetReport(machine=MACHINE, recipe="fast", target=0.94, wanted_seeds=2)
    for number, (accuracy, tta) in enumerate(accuracies):
        report.add(seed(number, accuracy, tta))
    assert report.reached is reached


# The cost of being watched

SCREEN = "import time\nprint('x' * 3000, flush=True)\nwhile True: print('frame', flush=True); time.sleep(0.01)"


@pytest.fixture
def short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "BLOCK", 0.2)
    monkeypatch.setattr(watched, "SETTLE", 0.1)


def test_all_three_are_measured(short_blocks: None, tmp_path: Path) -> None:
    report = WatchedReport(machine=MACHINE)
    watched.measure(tiny(), 0.0, 1, tmp_path, lambda run: [sys.executable, "-c", SCREEN], data.silent, report)
    assert [getattr(report, field) for field in report.__struct_fields__].count(None) == 0
    assert report.journal_ratio and report.console_ratio and report.console_ratio.count == 2
    assert report.screen_bytes_per_second and report.screen_bytes_per_second > 10
    assert list(tmp_path.iterdir()) == []


def test_a_console_that_does_not_open_is_said_in_its_own_words(short_blocks: None) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such screen')"]
    with pytest.raises(TrainingError, match="the console ended: no such screen"):
        watched.measure(tiny(), 0.0, 1, None, lambda run: command, data.silent, WatchedReport(machine=MACHINE))


def test_a_console_sleeps_wakes_and_ends(tmp_path: Path) -> None:
    with console.Console([sys.executable, "-c", SCREEN], tmp_path / "screen") as screen:
        (program,) = psutil.Process(screen._terminal.pid).children()
        screen.freeze()
        wait_for(lambda: program.status() == psutil.STATUS_STOPPED)
        screen.wake()
        drawn = screen.drawn
        wait_for(lambda: screen.drawn > drawn)
        screen.freeze()
    assert not program.is_running()


def test_the_watched_training_has_no_end_and_saves_nothing() -> None:
    endless = watched.endless(tiny(low_resolution=[{"size": 16, "epochs": 1}]))
    assert not endless.watches and endless.low_resolution == () and endless.epochs > 10**5
    assert endless.batch_size == 16 and endless.augment == tiny().augment


def test_plain_networks_are_those_of_the_recipe() -> None:
    recipe = tiny()
    setup = subject.prepare(recipe, 1).setup
    with closing(plain.PlainStep(recipe, subject.read(recipe.data, data.silent), CPU)) as plain_step:
        assert models.count_parameters(plain_step.network) == setup.parameters
