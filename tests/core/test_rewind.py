"""A run that a person takes back to a checkpoint goes on from there, to the bits of one that had never gone further."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from core import checkpoint, commands, data
from core.commands import Command
from core.events import (
    CheckpointRemoved,
    CommandAccepted,
    CommandRejected,
    Event,
    MessageLogged,
    RunContinued,
    RunFinished,
    RunResumed,
    RunRewound,
    RunStopped,
    Setting,
    StepDone,
)
from core.recipe import from_table, to_table
from core.run import beginning, checkpoints, journal, line, session
from core.run.folder import RunFolder
from core.run.pump import Pump
from core.training import amending
from core.training import setup as setups
from core.training import trainer as trainers
from core.training.saver import Saver
from core.training.trainer import Trainer
from core.view.fold import fold
from core.view.state import State
from core.view.summary import summarise
from tests.core.training import STEPS, Killed, Script, fingerprint, last_progress, new_run, tiny, train

BACK = commands.Rewind(id="back", checkpoint="here")
TOLD: tuple[tuple[int, Command], ...] = (
    (4, commands.Save(name="here")),
    (6, commands.SetLearningRate(value=0.5)),
    (7, commands.SetEpochs(value=5)),
    (8, commands.SetEarlyStopping(enabled=False, patience=7)),
)


def script(*told: tuple[int, Command], kill_at: int | None = None) -> Script:
    made = Script()
    made.kill_at = kill_at
    for step, command in told:
        made.at.setdefault(step, []).append(command)
    return made


def when(reached: Callable[[Trainer], bool], *told: Command) -> Script:
    """Say these once it is so, and TOLD before."""
    made = script(*TOLD[:1])

    def watch(trainer: Trainer) -> None:
        if reached(trainer):
            made.at.setdefault(trainer.progress.step, []).extend(told)
            made.watch = lambda trainer: None

    made.watch = watch
    return made


def killed_back_at(step: int, times: int, *told: tuple[int, Command]) -> Script:
    """Killed before that step, once the run has been taken back so often."""
    made = script(*told)

    def watch(trainer: Trainer) -> None:
        if line.present(RunFolder(trainer.saver.folder.parent)).number == times and trainer.progress.step == step:
            raise Killed

    made.watch = watch
    return made


@pytest.fixture(scope="module", autouse=True)
def every_step_closes_a_window() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainers, "WINDOW", 0.0)
        yield


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory, every_step_closes_a_window: None) -> RunFolder:
    run = new_run(tmp_path_factory.mktemp("whole") / "run", tiny())
    train(run)
    return run


def check_bits(run: RunFolder, untouched: RunFolder) -> None:
    assert fingerprint(run) == fingerprint(untouched) and last_progress(run) == last_progress(untouched)


def check_same(run: RunFolder, untouched: RunFolder) -> None:
    """Also of what is shown in the end."""
    check_bits(run, untouched)
    shown, expected = summarise(run), summarise(untouched)
    for name in ("train.loss", "train.learning_rate", "val.loss"):
        assert shown.series[name] == expected.series[name]
    assert {split: item.metrics for split, item in shown.measurements.items()} == {
        split: item.metrics for split, item in expected.measurements.items()
    }
    assert (shown.status, shown.stopping) == (expected.status, expected.stopping)


def of(kind: type[Any], said: list[Event]) -> list[Any]:
    return [event for event in said if isinstance(event, kind)]


def test_it_goes_on_from_there_and_what_was_changed_since_is_dropped(tmp_path: Path, untouched: RunFolder) -> None:
    run = new_run(tmp_path / "run", tiny())
    said = train(run, script(*TOLD, (9, BACK)))
    (back,) = of(RunRewound, said)
    assert (back.step, back.epoch, back.validated, back.checkpoint, back.command) == (4, 1, 0, "step-00000004", "back")
    assert back.settings == (
        Setting("epochs", 3, 5), Setting("early_stopping.patience", 10, 7), Setting("early_stopping.enabled", 1, 0),
    )  # fmt: skip
    answer = next(event for event in of(CommandAccepted, said) if event.id == "back")
    assert answer.note == "went back to step-00000004: step 4, epoch 1"
    assert [event.step for event in of(StepDone, said)] == [*range(1, 10), *range(5, 16)]
    check_same(run, untouched)


def test_the_history_says_so_and_the_curves_go_on_from_there(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", tiny())
    said = train(run, script(*TOLD, (9, BACK)))
    there = fold(State(epochs=3), said[: said.index(of(RunRewound, said)[0]) + 1])
    assert (there.step, there.epoch, there.epochs) == (4, 1, 3)
    assert (there.stopping.patience, there.stopping.enabled) == (10, True)
    words = "went back to step-00000004: as asked, epochs 5 -> 3, patience 7 -> 10, early stopping off -> on"
    assert [(mark.step, mark.kind, mark.text) for mark in there.marks] == [
        (4, "saved", "saved 'here'"),
        (4, "rewind", words),
    ]


MOMENTS: dict[str, Callable[[Trainer], bool]] = {
    "in a measurement": lambda trainer: trainer.measuring and trainer.progress.step == 2 * STEPS,
    "in the final test": lambda trainer: trainer.measuring and trainer.progress.validated == 3,
    "after an epoch": lambda trainer: trainer.progress.step == 2 * STEPS and not trainer.measuring,
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_wherever_the_training_is(tmp_path: Path, untouched: RunFolder, moment: str) -> None:
    run = new_run(tmp_path / "run", tiny())
    after = commands.Remark(id="after", text="sent with it")
    said = train(run, when(MOMENTS[moment], BACK, after))
    assert {event.id for event in of(CommandAccepted, said)} >= {"back", "after"}
    assert len(of(RunRewound, said)) == 1 and len(of(RunFinished, said)) == 1
    check_same(run, untouched)


def test_a_paused_run_stays_paused_there(tmp_path: Path, untouched: RunFolder) -> None:
    run, told = new_run(tmp_path / "run", tiny()), script(*TOLD[:1], (8, commands.Pause()))
    told.waited = [BACK, commands.Continue()]
    said = train(run, told)
    back, on = of(RunRewound, said)[0], of(RunContinued, said)[0]
    assert said.index(back) < said.index(on) and on.step == 4
    assert fingerprint(run) == fingerprint(untouched)


def test_a_measurement_that_was_asked_for_is_answered_too(tmp_path: Path) -> None:
    told = when(lambda trainer: trainer.measuring and trainer.progress.step == 8, BACK)
    told.at[8] = [commands.Validate(id="v"), commands.Remark(id="r", text="behind it")]
    said = train(new_run(tmp_path / "run", tiny()), told)
    (refused,) = of(CommandRejected, said)
    assert (refused.id, refused.reason) == ("v", "the run was taken back meanwhile")
    assert {event.id for event in of(CommandAccepted, said)} >= {"back", "r"}


POINTS: dict[str, tuple[Any, str, int]] = {
    "before it is said": (amending, "apply_again", 1),
    "before the later ones are out of the way": (Saver, "leave_behind", 1),
    "in the middle of that": (line, "_removed", 2),
}
"""Where, and at which call."""


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_on_the_way_changes_no_bit(
    tmp_path: Path, untouched: RunFolder, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """Nothing of it is done, or all of it; and once more soon after."""
    run = new_run(tmp_path / "run", tiny())
    train(run, script(*TOLD, (7, commands.Save(id="a")), (8, commands.Save(id="b")), kill_at=9))
    with monkeypatch.context() as patch:
        train(run, dying(patch, *POINTS[point]))
    if point == "before it is said":
        assert line.present(run) == line.Line()
        assert summarise(run).epochs == 5
        return
    assert line.present(run) == (1, "step-00000004")
    train(run, script(kill_at=6))
    train(run)
    check_bits(run, untouched)


def dying(patch: pytest.MonkeyPatch, owner: Any, name: str, nth: int) -> Script:
    """Takes the run back before the first step of a session, and dies at the nth call of a function on the way."""
    original, calls = getattr(owner, name), list[int]()

    def call(*arguments: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == nth:
            raise Killed
        return original(*arguments, **named)

    made = script((8, BACK))
    made.watch = lambda trainer: patch.setattr(owner, name, call)  # not before the session has begun
    return made


def test_killed_again_and_again_after_it(tmp_path: Path, untouched: RunFolder) -> None:
    run = new_run(tmp_path / "run", tiny())
    train(run, killed_back_at(5, 1, *TOLD, (9, BACK)))
    assert [place.name for place in checkpoint.listing(run.checkpoints)] == ["step-00000000", "step-00000004"]
    train(run, script((6, commands.Save(name="later")), kill_at=8))
    train(run, killed_back_at(7, 2, (11, commands.Rewind(checkpoint="later"))))
    train(run)
    check_bits(run, untouched)
    assert line.present(run) == (2, "step-00000006")


def test_what_a_person_named_is_kept_and_the_rest_is_removed(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", tiny())
    told = script(*TOLD[:1], (6, commands.Save(name="mine")), (6, commands.Save(id="a")), (9, BACK), (9, commands.Stop()))
    said = train(run, told)
    removed = {event.checkpoint for event in of(CheckpointRemoved, said)}
    assert removed == {"step-00000005", "step-00000006.1"}
    kept = [event.text for event in of(MessageLogged, said)]
    assert kept == ["checkpoint 'mine' is kept as left-step-00000006, where nothing goes on from it"]
    assert checkpoints.find(run, "mine").name == "left-step-00000006"
    assert checkpoint.pointed(run.checkpoints, "last") == checkpoint.Best("step-00000004")
    assert checkpoint.read_pointer(run.checkpoints / "best.json") is None  # of the epoch that was taken back
    assert [item.checkpoint for item in summarise(run).checkpoints] == ["step-00000000", "step-00000004"]


def test_a_name_that_is_free_again_is_of_the_new_line(tmp_path: Path, untouched: RunFolder) -> None:
    run = new_run(tmp_path / "run", tiny())
    train(run, script(*TOLD[:1], (9, BACK), (11, commands.Stop())))
    again = checkpoint.read_manifest(run.checkpoints / "step-00000005")
    assert (again.line, checkpoint.read_manifest(run.checkpoints / "step-00000004").line) == (1, 0)
    train(run)
    check_bits(run, untouched)


@pytest.mark.parametrize(
    ("which", "words"),
    [
        ("nowhere", "no checkpoint 'nowhere'; expected best, last or one of step-00000000, step-00000004, step-00000005, here"),
        ("here", "checkpoint step-00000004 is damaged"),
    ],
)
def test_what_is_not_there_or_damaged_is_refused_and_changes_nothing(
    tmp_path: Path, untouched: RunFolder, which: str, words: str
) -> None:
    run = new_run(tmp_path / "run", tiny())

    def damage(trainer: Trainer) -> None:
        if trainer.progress.step == 8:
            (run.checkpoints / "step-00000004" / "state.json").write_bytes(b"{}")

    told = script(*TOLD[:1], (8, commands.Rewind(id="back", checkpoint=which)))
    if which == "here":
        told.watch = damage
    said = train(run, told)
    (refused,) = of(CommandRejected, said)
    assert refused.reason.startswith(words)
    assert not of(RunRewound, said)
    assert fingerprint(run) == fingerprint(untouched)


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", tiny())
    train(run, script(kill_at=3))
    changed = replace(run.read(), recipe=to_table(tiny(label_smoothing=0.1)))
    run.run_file.write_bytes(msgspec.json.encode(changed))
    (refused,) = of(CommandRejected, train(run, script((4, commands.Rewind(checkpoint="step-0")))))
    assert refused.reason == "the recipe or the data changed since checkpoint step-00000000"


# From an earlier checkpoint in a new session


@pytest.mark.parametrize("ended", ["stopped", "finished"])
def test_a_run_that_has_ended_is_resumed_there(tmp_path: Path, untouched: RunFolder, ended: str) -> None:
    run = new_run(tmp_path / "run", tiny())
    train(run, script(*TOLD[:3], *([(9, commands.Stop())] if ended == "stopped" else [])))
    assert summarise(run).status == ended
    assert session.start(run, checkpoint="here", threads=1).wait(60) == 0
    said = journal.read_all(run.journal)
    begun = max(place for place, event in enumerate(said) if isinstance(event, RunResumed))
    (back,) = of(RunRewound, said)
    assert said[begun + 1] == back and (back.step, back.asked, back.checkpoint) == (4, True, "step-00000004")
    assert sum(event.steps for event in of(StepDone, said[begun:])) == 11
    assert of(CheckpointRemoved, said[begun:])
    check_bits(run, untouched)


def test_resumed_there_to_another_length(tmp_path: Path) -> None:
    run, whole = new_run(tmp_path / "run", tiny()), new_run(tmp_path / "whole", tiny())
    train(run, script(TOLD[0]))
    train(whole, script((4, commands.SetEpochs(value=4))))
    assert session.start(run, checkpoint="here", epochs=4, threads=1).wait(60) == 0
    check_bits(run, whole)


@pytest.mark.parametrize(
    ("asked", "words"),
    [({"checkpoint": "there"}, "no checkpoint 'there'"), ({"checkpoint": "last", "epochs": 1}, "expected that or more")],
)
def test_what_cannot_be_is_refused_and_changes_nothing_at_a_resume(tmp_path: Path, asked: dict[str, Any], words: str) -> None:
    run = new_run(tmp_path / "run", tiny())
    train(run, script(TOLD[0], (11, commands.Stop())))
    before = [place.name for place in checkpoint.listing(run.checkpoints)]
    assert session.start(run, **asked, threads=1).wait(60) == 2
    assert [place.name for place in checkpoint.listing(run.checkpoints)] == before
    state = summarise(run)
    assert words in state.refusal and state.status == "stopped" and not of(RunRewound, journal.read_all(run.journal))


def test_killed_between_the_word_and_the_clearing_it_begins_there_all_the_same(tmp_path: Path, untouched: RunFolder) -> None:
    run = new_run(tmp_path / "run", tiny())
    train(run, script(TOLD[0], (9, commands.Stop())))
    setup, pump = setups.prepare(from_table(run.read().recipe), 1, data.silent), Pump(run.journal)
    place = beginning.find_place(run, run.read(), setup, ())
    saver = Saver(run, setup.recipe, setup.world, setup.metadata(), pump.sync, lambda: pump.trouble)
    back = beginning.taken_back(Trainer(setup, place.progress, Script(), saver, place.again), "here")
    pump.put(next(back))
    saver.close()
    pump.close()
    assert checkpoint.listing(run.checkpoints)[-1].name == "step-00000009"
    train(run)
    check_bits(run, untouched)


def test_a_discarded_run_leaves_at_once_and_is_not_saved(tmp_path: Path, untouched: RunFolder) -> None:
    run = new_run(tmp_path / "run", tiny())
    said = train(run, script((2, commands.Save(name="mine")), (8, commands.Discard(id="d"))))
    end = said[-1]
    assert isinstance(end, RunStopped) and end.discarded and (end.step, end.signal) == (8, 0)
    assert end.weights == "checkpoints/step-00000005/model.safetensors"
    assert [event.id for event in of(CommandAccepted, said)][-1] == "d"
    assert [place.name for place in checkpoint.listing(run.checkpoints)] == ["step-00000000", "step-00000002", "step-00000005"]
    state = summarise(run)
    assert (state.status, state.ending) == ("discarded", "discarded on request; nothing was saved")
    train(run)  # wanted after all
    assert fingerprint(run) == fingerprint(untouched) and summarise(run).status == "finished"
