"""Two real processes that train one run over gloo."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from core import checkpoint
from core.commands import Pause, Rewind, Save, Stop
from core.events import (
    CommandAccepted,
    CommandRejected,
    EpochDone,
    PhaseStarted,
    ResumeRefused,
    RunFailed,
    RunResumed,
    RunRewound,
    RunStopped,
    SettingChanged,
    ValidationDone,
)
from core.run import journal
from core.run.folder import RunFolder
from tests.distributed.together import Death, Spoil, begun, killed, logs, outcome, session

TINY_DATA: dict[str, Any] = {"source": "sample", "limit": 70, "validation": 0.2, "evaluation_batch_size": 20}
TINY_MODEL: dict[str, Any] = {"name": "resnet", "blocks": [1, 1], "channels": 8, "pool": 16}


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    run = begun(tmp_path_factory.mktemp("untouched") / "run")
    assert session(run) == [0, 0], logs(run)
    return outcome(run)


def test_the_same_bits_again(untouched: dict[str, Any], tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    assert session(run) == [0, 0], logs(run)
    assert outcome(run) == untouched


@pytest.mark.parametrize(
    ("number", "point"),
    [
        (1, "training"),
        (0, "saving"),
        (0, "validation"),
        *(
            pytest.param(number, point, marks=pytest.mark.torture)
            for number, point in ((0, "training"), (1, "validation"), (1, "saving"))
        ),
    ],
)
def test_a_killed_rank_changes_no_bit(untouched: dict[str, Any], tmp_path: Path, number: int, point: str) -> None:
    run = begun(tmp_path / "run")
    statuses = session(run, fault=Death(number, point))
    assert killed(statuses, number), f"{statuses}; {logs(run)}"
    assert session(run) == [0, 0], logs(run)
    (resumed,) = journal.find(run.journal, RunResumed)
    assert resumed.bit_exact, resumed.note
    assert outcome(run) == untouched
    assert checkpoint.listing(run.checkpoints)


def test_all_hear_what_the_first_rank_is_told(untouched: dict[str, Any], tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    told = {2: (Pause(),), 3: (Save(name="asked"),), 7: (Stop(),)}
    assert session(run, told=told) == [0, 0], logs(run)
    accepted = [answer.command for answer in journal.find(run.journal, CommandAccepted)]
    assert accepted == ["Pause", "Continue", "Save", "Stop"]
    (stopped,) = journal.find(run.journal, RunStopped)
    assert stopped.step == 7
    assert session(run) == [0, 0], logs(run)
    assert outcome(run) == untouched


def test_all_are_taken_back_with_the_first_rank(untouched: dict[str, Any], tmp_path: Path) -> None:
    """Between two steps, from the middle of a measurement (step 5), and on the way out."""
    run = begun(tmp_path / "run")
    told = {
        2: (Save(name="here"),),
        5: (Rewind(checkpoint="nowhere"), Rewind(checkpoint="here")),
        8: (Save(name="there"),),
        9: (Rewind(checkpoint="there"), Stop()),
    }
    assert session(run, told=told) == [0, 0], logs(run)
    (refused,) = journal.find(run.journal, CommandRejected)
    assert "nowhere" in refused.reason
    assert [back.step for back in journal.find(run.journal, RunRewound)] == [2, 8]
    (stopped,) = journal.find(run.journal, RunStopped)
    assert stopped.step == 8
    assert session(run) == [0, 0], logs(run)
    assert outcome(run) == untouched


def test_where_one_rank_diverges_all_roll_back_with_a_lower_rate(tmp_path: Path) -> None:
    found = list[dict[str, Any]]()
    for rank in (0, 1):
        run = begun(tmp_path / str(rank), divergence={"action": "roll_back"}, checkpoint={"keep": 100})
        assert session(run, fault=Spoil(rank)) == [0, 0], logs(run)
        (back,) = journal.find(run.journal, RunRewound)
        assert back.step == 5 and "is nan at step 8" in back.reason
        (lower,) = journal.find(run.journal, SettingChanged)
        assert lower.key == "learning_rate" and lower.value < 0.01
        found.append(outcome(run))
    assert found[0] == found[1]


def test_where_the_first_rank_finds_no_way_back_all_fail(tmp_path: Path) -> None:
    run = begun(tmp_path / "run", divergence={"action": "roll_back"}, checkpoint={"keep": 100})
    assert session(run, fault=Spoil(1, files=True)) == [3, 3], logs(run)
    (failed,) = journal.find(run.journal, RunFailed)
    assert failed.kind == "checkpoint" and "none of the checkpoints is whole" in failed.reason


def test_a_signal_to_any_rank_makes_all_save_and_leave(untouched: dict[str, Any], tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    term = 128 + signal.SIGTERM
    assert session(run, fault=Death(1, "training", signal.SIGTERM)) == [term, term], logs(run)
    (stopped,) = journal.find(run.journal, RunStopped)
    assert (stopped.signal, stopped.step) == (signal.SIGTERM, 9), "two steps: the one under way, and the one before all knew"
    assert session(run) == [0, 0], logs(run)
    assert outcome(run) == untouched


def test_three_ranks_in_half_precision(tmp_path: Path) -> None:
    """Sums of three numbers depend on their order, and all must skip the same steps where one rank's gradients are infinite."""
    whole, run = (begun(tmp_path / name, precision="fp16") for name in ("whole", "run"))
    assert session(whole, size=3) == [0, 0, 0], logs(whole)
    assert session(run, size=3, told={7: (Stop(),)}) == [0, 0, 0], logs(run)
    assert session(run, size=3) == [0, 0, 0], logs(run)
    (resumed,) = journal.find(run.journal, RunResumed)
    assert resumed.bit_exact, resumed.note
    assert outcome(run) == outcome(whole)


def test_another_number_of_processes_is_refused_unless_it_is_allowed(tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    assert session(run, told={2: (Stop(),)}) == [0, 0], logs(run)
    assert session(run, size=1) == [2]
    (refused,) = journal.find(run.journal, ResumeRefused)
    words = "the number of processes (2 then, 1 now) changed since the checkpoint"
    assert refused.reason == f"{words}; to go on all the same, resume with --allow-change world_size"
    assert session(run, size=1, arguments=("--allow-change=world_size",)) == [0]
    (resumed,) = journal.find(run.journal, RunResumed)
    assert not resumed.bit_exact and "processes was 2, is 1" in resumed.note


@pytest.mark.parametrize("compiler", [False, pytest.param(True, marks=pytest.mark.others)])
def test_each_rank_compiles_by_itself(tmp_path: Path, compiler: bool) -> None:
    whole, run = (begun(tmp_path / name, compile=True, convolution="direct") for name in ("whole", "run"))
    assert session(whole, compiler=compiler) == [0, 0], logs(whole)
    assert session(run, told={7: (Stop(),)}, compiler=compiler) == [0, 0], logs(run)
    assert session(run, compiler=compiler) == [0, 0], logs(run)
    assert outcome(run) == outcome(whole)
    phases = [phase.phase for phase in journal.find(run.journal, PhaseStarted)]
    assert phases.count("compile") == 4, "in each session a whole batch, and the last one of an epoch"
    if not compiler:
        plain = begun(tmp_path / "plain", convolution="direct")
        assert session(plain) == [0, 0], logs(plain)
        ours, theirs = weights(run), weights(plain)
        assert all(torch.equal(ours[name], theirs[name]) for name in ours), "what was compiled on left no trace"


def test_what_is_compiled_does_not_wait_for_others_within(tmp_path: Path) -> None:
    run = begun(tmp_path / "run", compile=True, batch_norm="synchronised")
    assert session(run, compiler=False) == [2, 2]
    (failed,) = journal.find(run.journal, RunFailed)
    assert "leave one of the two out" in failed.reason


TOLERANCE = 1e-5
"""Of each weight and running statistic after an epoch of five steps in fp32; sums of floats in another order give that."""
EQUAL: dict[str, dict[str, Any]] = {
    "plain": {},
    "mixed, weighted, uphill": {
        "mixing": {"mixup": 0.4, "cutmix": 1.0, "p": 0.8},
        "data": {**TINY_DATA, "class_weights": "balanced"},
        "optimizer": {"name": "sgd", "lr": 0.02, "momentum": 0.9, "sam": 0.05, "clip_norm": 1.0},
        "averaging": {"decay": 0.9, "every": 2},
    },
}


@pytest.mark.parametrize("changes", EQUAL.values(), ids=EQUAL)
def test_one_process_and_two_learn_the_same_with_synchronised_batch_norm(tmp_path: Path, changes: dict[str, Any]) -> None:
    model = {**TINY_MODEL, "dropout": 0.0}
    chosen = {"optimizer": {"name": "sgd", "lr": 0.02, "momentum": 0.9}, "epochs": 1, "model": model, **changes}
    one, two = (begun(tmp_path / name, batch_norm="synchronised", **chosen) for name in ("one", "two"))
    assert session(one, size=1) == [0] and session(two) == [0, 0], logs(two)
    before, after = (weights(run) for run in (one, two))
    assert max(float((before[name] - after[name]).abs().max()) for name in before) < TOLERANCE
    for ours, theirs in zip(*(journal.find(run.journal, EpochDone, ValidationDone) for run in (one, two)), strict=True):
        assert ours.metrics == pytest.approx(theirs.metrics, abs=TOLERANCE)


def weights(run: RunFolder) -> dict[str, torch.Tensor]:
    _, files = checkpoint.read(checkpoint.listing(run.checkpoints)[-1])
    return {name: tensor.double() for name, tensor in safetensors.torch.load(files[checkpoint.WEIGHTS]).items()}
