"""Every command is answered exactly once, does what it says, and is refused in words when it cannot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest

from core import checkpoint, commands
from core.commands import Command
from core.events import (
    CheckpointSaved,
    CommandAccepted,
    CommandRejected,
    EarlyStopped,
    EarlyStoppingUpdated,
    EpochDone,
    Event,
    RemarkAdded,
    RunContinued,
    RunFinished,
    RunPaused,
    RunStopped,
    Setting,
    SettingChanged,
    StepDone,
    ValidationDone,
)
from core.run.folder import RunFolder
from core.view.summary import summarise
from tests.core.training import STEPS, Script, new_run, tiny, train

T = TypeVar("T", bound=Event)


def session(path: Path, *told: tuple[int, Command], waited: Sequence[Command] = (), **changes: Any) -> list[Event]:
    script = Script()
    for step, command in told:
        script.at.setdefault(step, []).append(command)
    script.waited = list(waited)
    return train(new_run(path / "run", tiny(**changes)), script)


def of(kind: type[T], said: list[Event]) -> list[T]:
    return [event for event in said if isinstance(event, kind)]


def test_pause_holds_the_step_and_continue_goes_on(tmp_path: Path) -> None:
    said = session(tmp_path, (3, commands.Pause(id="p")), waited=(commands.Pause(id="q"), commands.Continue(id="c")))
    between = said[said.index(of(RunPaused, said)[0]) : said.index(of(RunContinued, said)[0])]
    assert not of(StepDone, between)
    assert [(event.id, event.step) for event in of(CommandAccepted, said)] == [("p", 3), ("q", 3), ("c", 3)]
    assert isinstance(said[-1], RunFinished)


def test_a_named_save_is_answered_when_it_is_on_disk_and_is_never_pruned(tmp_path: Path) -> None:
    run_path = tmp_path / "run"
    said = session(tmp_path, (2, commands.Save(id="s", name="early bird")), checkpoint={"keep": 1})
    saved = next(event for event in of(CheckpointSaved, said) if event.name)
    answer = of(CommandAccepted, said)[0]
    assert (saved.step, saved.name, answer.id) == (2, "early bird", "s")
    assert said.index(saved) < said.index(answer)
    left = {path.name for path in checkpoint.listing(RunFolder(run_path).checkpoints)}
    assert "step-00000002" in left and "step-00000000" not in left


def test_stop_saves_and_leaves_at_once(tmp_path: Path) -> None:
    said = session(tmp_path, (4, commands.Stop(id="x")))
    assert of(CommandAccepted, said)[0].id == "x"
    end = said[-1]
    assert isinstance(end, RunStopped) and (end.step, end.signal) == (4, 0)
    assert (tmp_path / "run" / end.weights).is_file()


def test_stop_after_epoch_finishes_the_epoch_first(tmp_path: Path) -> None:
    said = session(tmp_path, (2, commands.StopAfterEpoch()))
    assert [event.epoch for event in of(EpochDone, said)] == [1]
    assert isinstance(said[-1], RunStopped) and said[-1].step == STEPS


def test_validate_measures_now_and_changes_nothing_else(tmp_path: Path) -> None:
    said = session(tmp_path, (2, commands.Validate()), epochs=1)
    measured = of(ValidationDone, said)
    assert [(event.split, event.step) for event in measured] == [("validation", 2), ("validation", 5), ("test", 5)]
    assert len(of(EarlyStoppingUpdated, said)) == 1


def test_a_learning_rate_holds_from_its_step(tmp_path: Path) -> None:
    said = session(tmp_path, (STEPS, commands.SetLearningRate(value=0.123)), schedule={"name": "constant"})
    change = of(SettingChanged, said)[0]
    assert (change.step, change.key, change.value, change.previous) == (STEPS, "learning_rate", 0.123, 0.01)
    rates = {event.metrics["train.learning_rate"] for event in of(StepDone, said) if event.step > STEPS}
    assert rates == {0.123}


def test_patience_and_whether_it_stops_early_are_one_change(tmp_path: Path) -> None:
    said = session(tmp_path, (3, commands.SetEarlyStopping(id="a", enabled=False, patience=4)))
    (change,) = of(SettingChanged, said)
    assert change.settings == (Setting("early_stopping.patience", 4, 10), Setting("early_stopping.enabled", 0, 1))
    state = summarise(RunFolder(tmp_path / "run"))
    assert [mark.text for mark in state.marks] == ["patience 10 -> 4", "early stopping on -> off"]
    assert (state.stopping.patience, state.stopping.enabled) == (4, False)


def test_what_was_asked_for_and_measured_is_marked(tmp_path: Path) -> None:
    said = session(tmp_path, (2, commands.Validate()), (3, commands.Save(name="mine")), epochs=1)
    measured = of(ValidationDone, said)[0]
    figures = f"accuracy {measured.metrics['val.accuracy']:.4f}, loss {measured.metrics['val.loss']:.4f}"
    marks = [(mark.step, mark.kind, mark.text) for mark in summarise(RunFolder(tmp_path / "run")).marks]
    assert marks == [(2, "validated", f"measured: {figures}"), (3, "saved", "saved 'mine'")]


@pytest.mark.parametrize(("epochs", "done"), [(5, 5), (2, 2)])
def test_more_or_fewer_epochs(tmp_path: Path, epochs: int, done: int) -> None:
    said = session(tmp_path, (STEPS + 1, commands.SetEpochs(value=epochs)))
    assert of(EpochDone, said)[-1].epoch == done
    assert "anneals anew from the present rate" in of(SettingChanged, said)[0].note


def test_more_epochs_during_the_final_test_are_trained(tmp_path: Path) -> None:
    script = Script()

    def ask_in_final_test(trainer: object) -> None:
        if script.trainer and script.trainer.measuring and script.trainer.progress.validated == 3:
            script.at.setdefault(3 * STEPS, []).append(commands.SetEpochs(value=4))
            script.watch = lambda trainer: None

    script.watch = ask_in_final_test
    said = train(new_run(tmp_path / "run", tiny()), script)
    assert [event.epoch for event in of(EpochDone, said)] == [1, 2, 3, 4]
    assert len(of(RunFinished, said)) == 1


def test_a_remark_is_pinned_to_its_step(tmp_path: Path) -> None:
    said = session(tmp_path, (3, commands.Remark(text="looks odd")))
    assert [(event.step, event.text) for event in of(RemarkAdded, said)] == [(3, "looks odd")]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (commands.SetLearningRate(value=0), "above 0"),
        (commands.SetLearningRate(value=1e9), "at most 100"),
        (commands.SetEpochs(value=1), "epoch 2 is under way"),
        (commands.SetEarlyStopping(patience=0), "1 or more"),
        (commands.Remark(text="  "), "1 to 2,000 characters"),
        (commands.Save(name="a\x1b[2Jb"), "printable"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words_and_training_goes_on(tmp_path: Path, command: Command, words: str) -> None:
    said = session(tmp_path, (STEPS + 1, command))
    refusals = of(CommandRejected, said)
    assert len(refusals) == 1 and words in refusals[0].reason
    assert not of(CommandAccepted, said) and not of(SettingChanged, said)
    assert isinstance(said[-1], RunFinished)


STUCK: dict[str, Any] = {"epochs": 9, "optimizer": {"lr": 1e-12}, "early_stopping": {"patience": 2, "min_delta": 1.0}}


def test_early_stopping_counts_and_ends_the_run_with_its_reason(tmp_path: Path) -> None:
    said = session(tmp_path, **STUCK)
    counts = [(event.epoch, event.epochs_since, event.improved) for event in of(EarlyStoppingUpdated, said)]
    assert counts == [(1, 0, True), (2, 1, False), (3, 2, False)]
    assert "2 epochs without an improvement on val.loss" in of(EarlyStopped, said)[0].reason
    end = said[-1]
    assert isinstance(end, RunFinished) and (end.early, end.epoch) == (True, 3)


def test_early_stopping_can_be_switched_off_live(tmp_path: Path) -> None:
    said = session(tmp_path, (1, commands.SetEarlyStopping(enabled=False)), **{**STUCK, "epochs": 5})
    assert of(EpochDone, said)[-1].epoch == 5
    assert not of(EarlyStopped, said)


def test_the_test_split_is_measured_once_at_the_end_with_the_best_weights(tmp_path: Path) -> None:
    said = session(tmp_path, optimizer={"lr": 0.01})
    tests = [event for event in of(ValidationDone, said) if event.split == "test"]
    best = min(of(EarlyStoppingUpdated, said), key=lambda event: float(event.value))
    saved = next(event for event in of(CheckpointSaved, said) if event.step == best.best_step and event.best)
    assert [event.checkpoint for event in tests] == [saved.checkpoint]


def test_a_recipe_that_watches_the_test_split_measures_it_each_epoch(tmp_path: Path) -> None:
    said = session(
        tmp_path, epochs=2, early_stopping={"split": "test"}, data={"source": "sample", "limit": 60, "validation": 0}
    )
    assert [(event.split, bool(event.checkpoint)) for event in of(ValidationDone, said)] == [
        ("test", False), ("test", False), ("test", True),
    ]  # fmt: skip
    assert of(EarlyStoppingUpdated, said)[0].metric == "test.loss"
