"""Whole sweeps: real trainings proposed, watched and pruned with the real Optuna, ended in the midst and gone on with."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from core import checkpoint, recipe
from core import events as e
from core.run import journal, tags
from core.run.folder import RunFolder
from core.sweep.folder import SweepFile, SweepFolder
from core.sweep.space import checked, divided
from core.sweep.study import Study
from core.sweep.trials import Trial
from tests.cli.conftest import COMMAND, Begin, Cli, one_line, wait_for

pytestmark = [pytest.mark.others, pytest.mark.timeout(560)]
SEARCH = ("--set", "optimizer.lr=log:1e-3..1e-2", "--set", "batch_size=8..32/8")
SMALL = ("--set", "data.limit=40", "--threads", "1")
PATIENCE = 200.0
"""Seconds until a first epoch."""


@pytest.fixture
def cli(environment: dict[str, str]) -> Cli:
    """As everywhere, but with more patience: a sweep is many trainings."""

    def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        command = [*COMMAND, *arguments]
        return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=500, check=False)

    return run


def sweep_of(folder: Path, name: str) -> SweepFolder:
    return SweepFolder(folder / "runs" / f"{name}.sweep")


def board(folder: Path, name: str) -> tuple[Trial, ...]:
    return sweep_of(folder, name).read_board().trials


def measured(run: RunFolder, epochs: int) -> bool:
    return len(journal.find(run.journal, e.EpochDone)) >= epochs


def weights(run: RunFolder) -> bytes:
    last = checkpoint.listing(run.checkpoints)[-1]
    return (last / checkpoint.WEIGHTS).read_bytes()


def told(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def test_a_sweep_from_its_beginning_to_its_end(cli: Cli, tmp_path: Path) -> None:
    command = ("sweep", "quickstart", *SEARCH, *SMALL, "--epochs", "2", "--trials", "3", "--metric", "val.accuracy")
    process = cli(*command, "--json", "--require", "val.accuracy>=0", "--require", "test.loss>0", cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    lines = told(process.stdout)
    kinds = [line["type"] for line in lines]
    assert kinds == ["SweepStarted", *["TrialStarted", "TrialMeasured", "TrialMeasured", "TrialEnded"] * 3, "SweepEnded"]
    trials = board(tmp_path, "quickstart-sweep")
    assert [trial.state for trial in trials] == ["finished"] * 3 and len(
        {trial.values["optimizer.lr"] for trial in trials}
    ) == 3
    for trial in trials:
        run = RunFolder(tmp_path / "runs" / trial.run)
        made = run.read().recipe
        assert tags.read(run) == ("quickstart-sweep",)
        assert (made["optimizer"]["lr"], made["batch_size"]) == (trial.values["optimizer.lr"], trial.values["batch_size"])
        (end,) = journal.find(run.journal, e.RunFinished)
        rows = [event for event in journal.find(run.journal, e.EpochDone) if event.epoch == trial.best_epoch]
        assert trial.value == rows[0].metrics["val.accuracy"] and end.epoch == 2
    best = max(trials, key=lambda trial: (trial.value or 0.0, -trial.number))
    assert lines[-1]["best"]["number"] == best.number
    shown = cli("runs", "--filter", "#quickstart-sweep", "--json", cwd=tmp_path)
    assert {item["name"] for item in json.loads(shown.stdout)} == {trial.run for trial in trials}

    missed = cli("sweep", "--resume", "quickstart-sweep", "--quiet", cwd=tmp_path)
    assert missed.returncode == 0 and f"trial {best.number}" in missed.stdout  # nothing is begun again
    assert board(tmp_path, "quickstart-sweep") == trials


def test_what_is_proposed_depends_on_the_seed_alone(cli: Cli, tmp_path: Path) -> None:
    command = ("sweep", "quickstart", *SEARCH, *SMALL, "--epochs", "1", "--trials", "2", "--seed", "5", "--quiet")
    for name in ("one", "two"):
        assert cli(*command, "--name", name, cwd=tmp_path).returncode == 0
    one, two = (board(tmp_path, name) for name in ("one", "two"))
    assert [(trial.values, trial.value) for trial in one] == [(trial.values, trial.value) for trial in two]
    seeds = {RunFolder(tmp_path / "runs" / trial.run).read().recipe["seed"] for trial in one}
    assert seeds == {5}
    refused = one_line(cli(*command, "--name", "one", "--set", "epochs=3", cwd=tmp_path))
    assert "is there already and is another one (another recipe)" in refused


def test_a_trial_that_promises_nothing_is_pruned_by_its_own_command(cli: Cli, tmp_path: Path) -> None:
    """The trials before it are made up, and better than any real one can be."""
    import optuna

    base = recipe.load("quickstart", ["data.limit=40", "epochs=400", "early_stopping.patience=400"])
    space = checked(base, divided(SEARCH[1::2])[1])
    file = SweepFile(name="cut", recipe=recipe.to_table(base), space=space, metric="val.loss", threads=1, trials=7)
    sweep = sweep_of(tmp_path, "cut")
    sweep.create(file)
    Study(sweep, file, base.epochs)
    study = optuna.load_study(study_name="cut", storage=f"sqlite:///{sweep.database}")
    for number in range(6):
        study.add_trial(
            optuna.trial.create_trial(
                params={"optimizer.lr": 0.002, "batch_size": 16}, value=number / 1e6,
                distributions={
                    "optimizer.lr": optuna.distributions.FloatDistribution(1e-3, 1e-2, log=True),
                    "batch_size": optuna.distributions.IntDistribution(8, 32, step=8),
                },
                intermediate_values=dict.fromkeys(range(1, 401), number / 1e6),
            )
        )  # fmt: skip
    process = cli("sweep", "--resume", "cut", cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    pruned = board(tmp_path, "cut")[-1]
    assert pruned.state == "pruned" and "where the median of the others is" in pruned.note
    run = RunFolder(tmp_path / "runs" / pruned.run)
    (remark,), (stopped,) = journal.find(run.journal, e.RemarkAdded), journal.find(run.journal, e.RunStopped)[-1:]
    assert remark.text == f"pruned by the sweep cut (median): {pruned.note}"
    assert (stopped.signal, stopped.discarded) == (0, False) and stopped.epoch < 400
    assert f"pruned: {pruned.note}" in process.stdout
    resumed = cli("resume", pruned.run, "--epochs", str(stopped.epoch + 1), "--quiet", cwd=tmp_path)
    assert resumed.returncode == 0 and measured(run, stopped.epoch + 1)  # like any other run that was stopped


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_sweep_that_is_ended_in_the_midst_goes_on_to_the_same_bits(
    number: signal.Signals, cli: Cli, begin: Begin, tmp_path: Path
) -> None:
    command = ("quickstart", *SEARCH, *SMALL, "--epochs", "40", "--set", "early_stopping.patience=40", "--trials", "2")
    assert cli("sweep", *command, "--name", "whole", "--quiet", cwd=tmp_path).returncode == 0
    process = begin("sweep", *command, "--name", "parts")
    run = RunFolder(tmp_path / "runs" / "parts-001")
    wait_for(lambda: run.journal.exists() and measured(run, 2), PATIENCE)
    process.send_signal(number)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == (143 if number == signal.SIGTERM else -number), output
    wait_for(lambda: not run.alive())  # its trial does not outlive it
    assert not measured(run, 40) and checkpoint.listing(run.checkpoints)
    (before,) = board(tmp_path, "parts")
    assert before.state == "interrupted"
    if number == signal.SIGTERM:
        assert "signal 15; go on with: tui-trainer sweep --resume parts" in output

    process = begin("sweep", *command, "--name", "parts")
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0 and "trial 1/2, run parts-001 goes on" in output, output
    (resumed,) = journal.find(run.journal, e.RunResumed)
    assert resumed.bit_exact and resumed.step > 0
    whole, parts = (board(tmp_path, name) for name in ("whole", "parts"))
    assert [(trial.values, trial.value, trial.best_epoch) for trial in whole] == [
        (trial.values, trial.value, trial.best_epoch) for trial in parts
    ]
    assert weights(run) == weights(RunFolder(tmp_path / "runs" / "whole-001"))


def test_two_processes_do_not_conduct_one_sweep_and_a_closed_terminal_ends_it(cli: Cli, begin: Begin, tmp_path: Path) -> None:
    command = ("quickstart", *SEARCH, *SMALL, "--epochs", "100000", "--set", "early_stopping.patience=100000", "--name", "one")
    process = begin("sweep", *command)
    run = RunFolder(tmp_path / "runs" / "one-001")
    wait_for(lambda: run.journal.exists() and measured(run, 1), PATIENCE)
    assert "sweep 'one' is under way in another process" in one_line(cli("sweep", "--resume", "one", cwd=tmp_path))
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGHUP and not run.alive()
    assert journal.find(run.journal, e.RunStopped)[-1].signal == signal.SIGHUP


def test_one_that_is_left_to_itself_is_looked_at_and_ended_from_elsewhere(cli: Cli, tmp_path: Path) -> None:
    command = ("quickstart", *SEARCH, *SMALL, "--epochs", "100000", "--set", "early_stopping.patience=100000", "--name", "away")
    process = cli("sweep", *command, "--detach", cwd=tmp_path)
    assert process.returncode == 0, process
    assert process.stdout.splitlines() == [
        "away", "look at it with: tui-trainer sweep --show away", "end it with: tui-trainer sweep --stop away",
    ]  # fmt: skip
    sweep, run = sweep_of(tmp_path, "away"), RunFolder(tmp_path / "runs" / "away-001")
    assert sweep.alive()
    wait_for(lambda: run.journal.exists() and measured(run, 1), PATIENCE)
    assert cli("sweep", "--stop", "away", cwd=tmp_path).stdout == "away ends once its trial is saved\n"
    wait_for(lambda: not sweep.alive())
    assert not run.alive() and board(tmp_path, "away")[0].state == "interrupted"
    assert "asked to stop; go on with: tui-trainer sweep --resume away" in sweep.log.read_text()
    assert "is not under way" in one_line(cli("sweep", "--stop", "away", cwd=tmp_path))


def test_a_trial_that_a_person_stops_is_pruned_by_hand(cli: Cli, begin: Begin, tmp_path: Path) -> None:
    command = ("quickstart", *SEARCH, *SMALL, "--epochs", "100000", "--set", "early_stopping.patience=100000", "--name", "mine")
    process = begin("sweep", *command, "--trials", "1")
    run = RunFolder(tmp_path / "runs" / "mine-001")
    wait_for(lambda: run.journal.exists() and measured(run, 1), PATIENCE)
    assert cli("stop", "mine-001", cwd=tmp_path).returncode == 0
    output, errors = process.communicate(timeout=60)
    assert "trial 1/1 pruned: stopped by a person" in output
    assert process.returncode == 3 and "no trial came to a result" in errors


def test_three_failures_in_a_row_end_it(cli: Cli, tmp_path: Path) -> None:
    nan = ("--set", "optimizer.lr=log:1e28..1e30", "--set", "precision=fp32")
    process = cli("sweep", "quickstart", *nan, *SMALL, "--trials", "9", "--name", "nan", cwd=tmp_path)
    assert process.returncode == 3, process
    line = process.stderr.splitlines()
    assert len(line) == 1 and line[0].startswith("tui-trainer: 3 trials in a row failed, the last one: the training loss is")
    assert [trial.state for trial in board(tmp_path, "nan")] == ["failed"] * 3
    assert "go on with: tui-trainer sweep --resume nan" in process.stdout and "Traceback" not in process.stderr


def test_one_that_fails_does_not_end_it(cli: Cli, tmp_path: Path) -> None:
    grid = ("--set", "optimizer.lr=1e30|0.005", "--set", "precision=fp32", "--sampler", "grid", "--epochs", "1")
    started = time.time()
    process = cli("sweep", "quickstart", *grid, *SMALL, "--name", "grid", "--require", "val.accuracy>1", cwd=tmp_path)
    assert process.returncode == 1 and "required val.accuracy>1, but it is" in process.stderr, process
    failed, finished = board(tmp_path, "grid")
    assert (failed.state, finished.state) == ("failed", "finished")
    assert failed.note == "its val.loss is not a finite number"
    assert sweep_of(tmp_path, "grid").read().created >= started


def test_wrong_models_are_told_before_anything_starts(cli: Cli, tmp_path: Path) -> None:
    model = ("--set", "model.chanels=8..32")
    assert "did you mean 'channels'" in one_line(cli("sweep", "quickstart", *model, *SMALL, cwd=tmp_path))
    shared = ("sweep", "seed", "--set", "optimizer.lr=log:1e-4..1e-1")
    assert "a sweep chooses by held-out images alone" in one_line(cli(*shared, cwd=tmp_path))
    assert not (tmp_path / "runs").exists()
