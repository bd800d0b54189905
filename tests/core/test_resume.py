"""Going on as if one had never stopped: the same bits in every tensor, and the same numbers for every epoch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core import checkpoint
from core.commands import Command, Continue, Pause, Save, SetEarlyStopping, SetEpochs, SetLearningRate, Stop
from core.events import EpochDone, Event, RunFinished, SettingChanged, StepDone
from core.recipe import Recipe
from core.run.folder import RunFolder
from core.training.trainer import Trainer
from tests.core.training import STEPS, Script, fingerprint, last_progress, new_run, tiny, train

Epochs = dict[int, dict[str, object]]


def epochs_of(*sessions: list[Event]) -> Epochs:
    """Each epoch's metrics as last said."""
    return {event.epoch: dict(event.metrics) for said in sessions for event in said if isinstance(event, EpochDone)}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, Epochs]:
    run = new_run(tmp_path_factory.mktemp("whole") / "run", tiny())
    return run, epochs_of(train(run))


def at(*commands: tuple[int, Command], kill_at: int | None = None) -> Script:
    script = Script()
    script.kill_at = kill_at
    for step, command in commands:
        script.at.setdefault(step, []).append(command)
    return script


def stop_at(step: int) -> Script:
    return at((step, Stop()))


def stop_in_validation() -> Script:
    return _stop_when(lambda trainer: trainer.measuring and trainer.progress.step == 2 * STEPS)


def stop_in_final_test() -> Script:
    return _stop_when(lambda trainer: trainer.measuring and trainer.progress.validated == 3)


def stop_while_paused() -> Script:
    script = at((7, Pause()))
    script.waited = [Save(name="paused"), Stop()]
    return script


def _stop_when(reached: Callable[[Trainer], bool]) -> Script:
    script = Script()

    def watch(trainer: Trainer) -> None:
        script.signal = 15 if reached(trainer) else 0

    script.watch = watch
    return script


@pytest.mark.parametrize(
    "scripts",
    [
        [stop_at(7)],
        [stop_at(STEPS)],
        [stop_at(2 * STEPS - 1)],
        [stop_in_validation()],
        [stop_in_final_test()],
        [stop_while_paused()],
        [stop_at(6), stop_at(8)],
        [stop_at(1), stop_in_validation(), stop_at(11), stop_at(13)],
    ],
    ids=["mid-epoch", "epoch end", "last step", "validation", "final test", "paused", "twice in one epoch", "four times"],
)
def test_a_stopped_run_ends_with_the_same_bits(
    tmp_path: Path, uninterrupted: tuple[RunFolder, Epochs], scripts: list[Script]
) -> None:
    run = new_run(tmp_path / "run", tiny())
    sessions = [train(run, script) for script in scripts]
    sessions.append(train(run))
    assert isinstance(sessions[-1][-1], RunFinished)
    assert not any(isinstance(said[-1], RunFinished) for said in sessions[:-1])
    assert fingerprint(run) == fingerprint(uninterrupted[0])
    assert last_progress(run) == last_progress(uninterrupted[0])
    assert epochs_of(*sessions) == uninterrupted[1]


def test_a_killed_run_goes_on_from_its_last_checkpoint_to_the_same_bits(
    tmp_path: Path, uninterrupted: tuple[RunFolder, Epochs]
) -> None:
    run = new_run(tmp_path / "run", tiny())
    first = train(run, at((6, Save()), kill_at=9))
    second = train(run)
    steps = [event.step for event in second if isinstance(event, StepDone)]
    assert min(steps) > 6
    assert fingerprint(run) == fingerprint(uninterrupted[0])
    assert epochs_of(first, second) == uninterrupted[1]


def test_a_pause_changes_no_bit(tmp_path: Path, uninterrupted: tuple[RunFolder, Epochs]) -> None:
    run = new_run(tmp_path / "run", tiny())
    script = at((3, Pause()))
    script.waited = [Continue()]
    train(run, script)
    assert fingerprint(run) == fingerprint(uninterrupted[0])


def test_another_seed_gives_other_bits(tmp_path: Path, uninterrupted: tuple[RunFolder, Epochs]) -> None:
    run = new_run(tmp_path / "run", tiny(seed=1))
    train(run)
    assert fingerprint(run) != fingerprint(uninterrupted[0])


CHANGES: list[tuple[int, Command]] = [
    (8, SetLearningRate(value=0.003)),
    (9, SetEarlyStopping(patience=4)),
    (11, SetEpochs(value=4)),
]


def test_live_changes_after_the_checkpoint_take_effect_again_at_their_own_steps(tmp_path: Path) -> None:
    whole, killed = new_run(tmp_path / "whole", tiny()), new_run(tmp_path / "killed", tiny())
    train(whole, at(*CHANGES))
    train(killed, at((6, Save()), *CHANGES, kill_at=12))
    for later in [path for path in checkpoint.listing(killed.checkpoints) if checkpoint.position(path.name)[0] > 6]:
        checkpoint.set_aside(later)
    # killed once more before the first of them is due: they must not be forgotten
    train(killed, at(kill_at=7))
    said = train(killed)
    again = [(event.step, event.key, event.again) for event in said if isinstance(event, SettingChanged)]
    assert again == [(8, "learning_rate", True), (9, "early_stopping.patience", True), (11, "epochs", True)]
    assert fingerprint(killed) == fingerprint(whole)
    assert last_progress(killed) == last_progress(whole)
    assert last_progress(whole).validated == 4


def test_a_change_overrules_what_was_to_come_later_under_the_same_key(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", tiny())
    train(run, at((6, Save()), *CHANGES, kill_at=12))
    for later in [path for path in checkpoint.listing(run.checkpoints) if checkpoint.position(path.name)[0] > 6]:
        checkpoint.set_aside(later)
    said = train(run, at((7, SetLearningRate(value=0.001))))
    changed = [(event.step, event.key, event.value) for event in said if isinstance(event, SettingChanged)]
    assert changed == [(7, "learning_rate", 0.001), (9, "early_stopping.patience", 4), (11, "epochs", 4)]


def test_a_checkpoint_taken_at_the_step_of_a_change_knows_of_it_once(tmp_path: Path) -> None:
    whole, stopped = new_run(tmp_path / "whole", tiny()), new_run(tmp_path / "stopped", tiny())
    change = SetLearningRate(value=0.002)
    train(whole, at((7, change)))
    train(stopped, at((7, Save()), (7, change), (7, Stop())))
    train(stopped)
    assert fingerprint(stopped) == fingerprint(whole)


@pytest.mark.parametrize(
    "optimizer", [{"name": "sgd", "momentum": 0.9, "nesterov": True}, {"name": "adamw", "weight_decay": 0.1}]
)
def test_every_optimizer_resumes_to_the_bit(tmp_path: Path, optimizer: dict[str, object]) -> None:
    recipe: Recipe = tiny(optimizer={"lr": 0.01, **optimizer}, epochs=2)
    whole, stopped = new_run(tmp_path / "whole", recipe), new_run(tmp_path / "stopped", recipe)
    train(whole)
    train(stopped, stop_at(3))
    train(stopped)
    assert fingerprint(stopped) == fingerprint(whole)
