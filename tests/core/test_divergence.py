"""NaN and infinities: found before anything is saved, and gone back from where the recipe says so."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from core import checkpoint, commands, data
from core.errors import TrainingError
from core.events import (
    CommandAccepted,
    Event,
    RunFinished,
    RunRewound,
    RunStopped,
    Setting,
    SettingChanged,
    StepDone,
    ValidationDone,
)
from core.recipe import Recipe
from core.run import journal
from core.run.folder import RunFolder
from core.run.journal import JournalWriter
from core.run.resume import changes_not_in
from core.training import setup as setups
from core.training import snapshot
from core.training import trainer as trainers
from core.training.finite import all_finite
from core.training.job import Job
from core.training.progress import Amendment, Progress
from core.training.saver import Saver
from core.training.schedules import learning_rate, peak_rate
from core.training.snapshot import Snapshot
from core.training.steps import Steps
from core.training.trainer import Trainer
from core.view.fold import fold
from core.view.state import State
from tests.core.training import STEPS, Killed, Script, fingerprint, last_progress, new_run, tiny, train

BACK: dict[str, Any] = {"divergence": {"action": "roll_back", "most": 2}}
BAD = 7
"""The step that goes wrong, in the second epoch."""


@pytest.fixture(autouse=True)
def every_step_closes_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainers, "WINDOW", 0.0)


def spoil(monkeypatch: pytest.MonkeyPatch, above: float, value: float = math.nan) -> None:
    """After step BAD the last weight is no number, where the learning rate was higher than ``above``."""
    updated = Steps._updated

    def spoiled(self: Steps, samples: Tensor, epoch: int) -> tuple[Tensor, Tensor]:
        found = updated(self, samples, epoch)
        if self.progress.step == BAD - 1 and self._rate > above:
            with torch.no_grad():
                list(self.setup.network.parameters())[-1].fill_(value)
        return found

    monkeypatch.setattr(Steps, "_updated", spoiled)


def rates(said: list[Event]) -> dict[int, float]:
    return {event.step: float(event.metrics["train.learning_rate"]) for event in said if isinstance(event, StepDone)}


def rewinds(said: list[Event]) -> list[RunRewound]:
    return [event for event in said if isinstance(event, RunRewound)]


# Found


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_weight_that_is_no_number_is_found_at_the_end_of_its_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    spoil(monkeypatch, above=0.0, value=value)
    run = new_run(tmp_path / "run", tiny())
    with pytest.raises(TrainingError, match=f"a weight or the optimizer's state is NaN or infinite at step {BAD}") as error:
        train(run)
    assert error.value.kind == "diverged" and error.value.reason.endswith("; lower optimizer.lr")
    losses = [event.metrics["train.loss"] for event in journal.find(run.journal, StepDone)]
    assert len(losses) == BAD and all(isinstance(loss, float) for loss in losses)
    assert checkpoint.position(checkpoint.listing(run.checkpoints)[-1].name) == (STEPS, 0)


def test_an_infinity_in_the_optimizers_state_is_found_though_every_weight_is_finite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_gradients = Steps._set_gradients

    def enormous(self: Steps, samples: Tensor, epoch: int) -> tuple[Tensor, Tensor]:
        found = set_gradients(self, samples, epoch)
        if self.progress.step == BAD - 1:
            for weight in self.setup.network.parameters():
                assert weight.grad is not None
                weight.grad.fill_(1e25)  # its square is beyond float32
        return found

    monkeypatch.setattr(Steps, "_set_gradients", enormous)
    run = new_run(tmp_path / "run", tiny())
    with pytest.raises(TrainingError, match=f"optimizer's state is NaN or infinite at step {BAD}"):
        train(run)


def test_the_saver_takes_no_such_state(tmp_path: Path) -> None:
    run, setup = new_run(tmp_path / "run", tiny()), setups.prepare(tiny(), 1, data.silent)
    steps = Steps(setup, progress := Progress())
    steps.take(1, 0.01)
    next(iter(setup.optimizer.state.values()))["exp_avg_sq"][0] = math.inf
    saver = Saver(run, tiny(), setup.world, setup.metadata(), lambda: None)
    saver.submit(Job(Snapshot(setup.network, setup.optimizer, progress), 1, "time", 0.0))
    saver.finish()
    with pytest.raises(TrainingError, match=r"is NaN or infinite at step 1; nothing was saved"):
        list(saver.events())
    saver.close()
    assert checkpoint.listing(run.checkpoints) == []


def test_the_largest_finite_numbers_are_finite() -> None:
    largest = torch.full((3, 5), torch.finfo(torch.float32).max)
    assert all_finite([largest, largest.double(), torch.arange(3), torch.empty(0), torch.tensor(1.0)])
    assert all_finite([torch.full((3, 5), torch.finfo(torch.float64).max, dtype=torch.float64)]), "though their sum is none"
    for value in (math.nan, math.inf, -math.inf):
        largest[1, 2] = value
        assert not all_finite([torch.ones(4), largest])


def test_a_step_that_float16_skips_is_no_divergence(tmp_path: Path) -> None:
    setup = setups.prepare(tiny(precision="fp16"), 1, data.silent)
    assert setup.scaler
    setup.scaler.load_state_dict({**setup.scaler.state_dict(), "scale": 2.0**100})
    steps = Steps(setup, Progress())
    steps.take(1, 0.01)
    window = steps.close_window()
    assert window and window.skipped == 1.0 and window.finite


# Gone back from


def test_a_diverged_run_goes_back_and_on_with_half_the_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(monkeypatch, above=0.006)
    run = new_run(tmp_path / "run", tiny(**BACK))
    said = train(run)
    (back,) = rewinds(said)
    assert (back.step, back.epoch, back.validated, back.checkpoint) == (STEPS, 2, 1, "step-00000005")
    assert f"infinite at step {BAD}" in back.reason
    place = said.index(back)
    before, after = rates(said[:place]), rates(said[place:])
    assert after[STEPS + 1] == before[STEPS + 1] / 2
    change = said[place + 1]
    assert isinstance(change, SettingChanged) and (change.key, change.attempt) == ("learning_rate", 1)
    assert change.note == "0.5 times what it was there, roll-back 1 of 2 into this epoch"
    assert isinstance(said[-1], RunFinished) and said[-1].epoch == 3


def test_the_same_steps_give_the_same_bits_as_a_run_that_was_resumed_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rolled, plain = new_run(tmp_path / "rolled", tiny(**BACK)), new_run(tmp_path / "plain", tiny(**BACK))
    script = Script()
    script.kill_at = STEPS + 1
    train(plain, script)
    with JournalWriter(plain.journal) as writer:
        lower = peak_rate(tiny(), [], STEPS, STEPS) / 2
        writer.append(SettingChanged(step=STEPS, key="learning_rate", value=lower, validated=1, attempt=1))
    train(plain)
    spoil(monkeypatch, above=0.006)
    train(rolled)
    assert fingerprint(rolled) == fingerprint(plain) and last_progress(rolled) == last_progress(plain)


@pytest.mark.parametrize(
    ("mechanism", "counts"),
    [
        ({"averaging": {"decay": 0.9}, "optimizer": {"name": "adam", "lr": 0.01, "lookahead_steps": 2}}, (1, 2, 3, 4)),
        ({"optimizer": {"name": "sgd", "lr": 0.01, "sam": 0.05}, "schedule": {"warmup_epochs": 2}}, (2, 3)),
    ],
    ids=["average and lookahead", "sam and warm-up"],
)
def test_a_kill_at_any_point_of_a_roll_back_changes_no_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mechanism: dict[str, Any], counts: tuple[int, ...]
) -> None:
    recipe = tiny(**BACK, **mechanism)
    spoil(monkeypatch, above=0.6 * learning_rate(recipe, [], BAD - 1, STEPS))
    whole = new_run(tmp_path / "whole", recipe)
    assert len(rewinds(train(whole))) == 1
    for count in counts:
        killed = new_run(tmp_path / f"killed-{count}", recipe)
        with monkeypatch.context() as patch:
            kill_after(patch, count)
            train(killed)
        train(killed)
        assert fingerprint(killed) == fingerprint(whole) and last_progress(killed) == last_progress(whole)


def kill_after(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """So many events from the StepDone of step BAD on, which is the first."""
    events = Trainer.events

    def killed(self: Trainer) -> Iterator[Event]:
        left = -1
        for event in events(self):
            if left < 0 and isinstance(event, StepDone) and event.step == BAD:
                left = count
            left -= left > 0
            yield event
            if left == 0:
                raise Killed

    monkeypatch.setattr(Trainer, "events", killed)


def test_kills_in_one_roll_back_after_the_other_leave_as_many_attempts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(monkeypatch, above=0.0)
    whole, killed = new_run(tmp_path / "whole", tiny(**BACK)), new_run(tmp_path / "killed", tiny(**BACK))
    with pytest.raises(TrainingError) as untouched:
        train(whole)
    for count in (3, 2, 3):
        with monkeypatch.context() as patch:
            kill_after(patch, count)
            train(killed)
    with pytest.raises(TrainingError) as end:
        train(killed)
    assert end.value.reason == untouched.value.reason


def test_it_stops_when_it_was_tried_often_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoil(monkeypatch, above=0.0)
    run = new_run(tmp_path / "run", tiny(**BACK))
    with pytest.raises(TrainingError, match=r"rolled back 2 times into this epoch, down to a learning rate of 0\.00\d+; begin"):
        train(run)
    tried = journal.find(run.journal, RunRewound)
    assert [event.checkpoint for event in tried] == ["step-00000005"] * 2
    values = [event.value for event in journal.find(run.journal, SettingChanged) if not event.again]
    assert values[1] == values[0] / 2
    assert all_checkpoints_are_finite(run)


def all_checkpoints_are_finite(run: RunFolder) -> bool:
    setup = setups.prepare(tiny(), 1, data.silent)
    for folder in checkpoint.listing(run.checkpoints):
        snapshot.restore(checkpoint.read(folder)[1], setup.network, setup.optimizer)
        if not all_finite([*setup.network.state_dict().values(), *snapshot.optimizer_tensors(setup.optimizer).values()]):
            return False
    return True


def test_later_changes_are_taken_back_and_those_of_the_very_place_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, above=0.006)
    run = new_run(tmp_path / "run", tiny(**BACK))
    script = Script()
    script.at[STEPS] = [commands.SetEpochs(id="a", value=4)]  # in the measurement, so that the epoch's checkpoint has it
    script.at[STEPS + 1] = [commands.SetEarlyStopping(id="b", patience=4)]
    said = train(run, script)
    place = said.index(rewinds(said)[0])
    assert rewinds(said)[0].settings == (Setting("early_stopping.patience", 10.0, 4.0),)
    changes = [event.key for event in said[place:] if isinstance(event, SettingChanged)]
    assert changes == ["learning_rate"]
    assert isinstance(said[-1], RunFinished) and said[-1].epoch == 4
    assert all(item.key != "early_stopping.patience" for item in last_progress(run).amendments)


@pytest.mark.parametrize("command", [commands.Pause(id="p"), commands.Save(id="p"), commands.Stop(id="p")])
def test_a_command_that_meets_a_divergence_is_carried_out_after_the_roll_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: commands.Command
) -> None:
    spoil(monkeypatch, above=0.006)
    monkeypatch.setattr(trainers, "WINDOW", 60.0)
    run, script = new_run(tmp_path / "run", tiny(**BACK)), Script()
    script.at[BAD], script.waited = [command], [commands.Continue(id="c")]
    said = train(run, script)
    place = said.index(rewinds(said)[0])
    (answer,) = [event for event in said if isinstance(event, CommandAccepted) and event.id == "p"]
    if isinstance(command, commands.Stop):
        assert isinstance(said[-1], RunStopped) and said[-1].step == STEPS
        said = train(run)
    else:
        assert said.index(answer) > place and answer.step == STEPS
    assert isinstance(said[-1], RunFinished)
    assert rates(said)[3 * STEPS] > 0


def test_a_roll_back_into_an_earlier_epoch_measures_each_epoch_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, above=0.006)
    recipe = tiny(**BACK, checkpoint={"keep": 100, "every_epochs": 9}, early_stopping={"min_delta": 99.0})
    run, script = new_run(tmp_path / "run", recipe), Script()
    script.at[3] = [commands.Save(id="s")]

    def forget_epoch_1(trainer: Trainer) -> None:
        trainer.saver.finish()
        for folder in run.checkpoints.glob("step-00000005"):
            checkpoint.set_aside(folder)

    script.watch = forget_epoch_1
    said = train(run, script)
    (back,) = rewinds(said)
    assert (back.step, back.epoch, back.validated) == (3, 1, 0)
    measured = [event.epoch for event in said if isinstance(event, ValidationDone) and not event.checkpoint]
    assert measured == [1, 1, 2, 3]
    steps = [event.step for event in said[said.index(back) :] if isinstance(event, StepDone)]
    assert steps == list(range(4, 3 * STEPS + 1))
    assert isinstance(said[-1], RunFinished)


def test_a_real_divergence_is_cured(tmp_path: Path) -> None:
    settings = {"action": "roll_back", "lr_factor": 1e-10, "most": 5}
    run = new_run(tmp_path / "run", tiny(optimizer={"name": "sgd", "lr": 1e20}, divergence=settings, epochs=2))
    said = train(run)
    assert rewinds(said) and isinstance(said[-1], RunFinished)
    shown = fold(State(), said)
    assert shown.series["train.loss"].diverged_at is None and shown.step == 2 * STEPS


# The schedule, and what a resume knows


def warm() -> Recipe:
    return tiny(schedule={"name": "constant", "warmup_epochs": 2})


def test_a_lower_rate_after_a_divergence_does_not_end_the_warm_up() -> None:
    lower, given = Amendment(3, "learning_rate", 0.005, 0, 1), Amendment(3, "learning_rate", 0.005)
    assert [learning_rate(warm(), [lower], step, STEPS) for step in (2, 3, 9, 20)] == [0.003, 0.002, 0.005, 0.005]
    assert learning_rate(warm(), [given], 3, STEPS) == 0.005
    assert learning_rate(warm(), [given, Amendment(4, "learning_rate", 0.001, 0, 1)], 5, STEPS) == 0.001


def test_a_resume_forgets_what_a_rewind_dropped_and_keeps_what_came_after_it(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", tiny())
    with JournalWriter(run.journal) as writer:
        writer.append(SettingChanged(step=5, key="epochs", value=9, validated=0))
        writer.append(SettingChanged(step=5, key="early_stopping.patience", value=3, validated=1))
        writer.append(SettingChanged(step=7, key="early_stopping.enabled", value=0, validated=1))
        writer.append(RunRewound(step=5, validated=1))
        writer.append(SettingChanged(step=5, key="early_stopping.enabled", value=1, validated=1, again=True))
        writer.append(SettingChanged(step=5, key="learning_rate", value=0.5, validated=1, attempt=1))
        writer.append(RunRewound(step=5, validated=1))
        writer.append(SettingChanged(step=5, key="learning_rate", value=0.25, validated=1, attempt=2))
    earlier, patience = Amendment(5, "epochs", 9), Amendment(5, "early_stopping.patience", 3, 1)
    lower = Amendment(5, "learning_rate", 0.25, 1, 2)
    assert changes_not_in(Progress(step=3), run) == (earlier, patience, lower)
    assert changes_not_in(Progress(step=5, validated=1, amendments=[earlier]), run) == (patience, lower)
    assert changes_not_in(Progress(step=6, validated=1, amendments=[earlier, patience, lower]), run) == ()
