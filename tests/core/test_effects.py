"""A kill between a command's effect and its answer: the next session gives the answer, once, and says what was done."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from core import checkpoint, commands
from core.checkpoint import Manifest
from core.commands import Command
from core.events import CommandAccepted, CommandRejected, Event, RemarkAdded, RunRewound, Setting, SettingChanged
from core.run import effects, inbox
from core.run.folder import RunFolder
from core.run.journal import JournalWriter
from core.run.listener import Listener
from core.run.signals import Signals
from tests.core.training import new_run, tiny


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return new_run(tmp_path / "run", tiny())


def left_behind(run: RunFolder, command: Command) -> str:
    """By a session that was killed; returns the command's id."""
    with run.hold():
        return inbox.send(run, command)


def say(run: RunFolder, *told: Event) -> None:
    with JournalWriter(run.journal) as writer:
        for event in told:
            writer.append(event)


def answers(run: RunFolder) -> list[Event]:
    """Of a session that begins; each command's file is there until its answer is in the journal."""
    listener, said = Listener(run, say_nothing, Signals()), list[Event]()
    for answer in listener.refuse_all("sent before this session", effects.known(run)):
        assert isinstance(answer, (CommandAccepted, CommandRejected))
        assert any(answer.id in path.name for path in inbox.waiting(run.inbox))
        listener.answered(answer.id)
        said.append(answer)
    assert inbox.waiting(run.inbox) == []
    return said


def say_nothing(event: Event) -> None:
    raise AssertionError(f"said by the listener itself: {event}")


def test_a_setting_that_was_changed_is_answered_with_that(run: RunFolder) -> None:
    sent = left_behind(run, commands.SetEpochs(value=9))
    say(run, SettingChanged(step=4, key="epochs", value=9, note="6 epochs remain", command=sent))
    assert answers(run) == [CommandAccepted(id=sent, command="SetEpochs", step=4, note="6 epochs remain")]


def test_of_two_settings_both_were_changed_or_none(run: RunFolder) -> None:
    sent = left_behind(run, commands.SetEarlyStopping(enabled=False, patience=7))
    enabled = Setting("early_stopping.enabled", 0.0, 1.0)
    say(run, SettingChanged(step=4, key="early_stopping.patience", value=7, command=sent, also=(enabled,)))
    assert answers(run) == [CommandAccepted(id=sent, command="SetEarlyStopping", step=4, note="set")]


def test_a_run_that_was_taken_back_says_where_to(run: RunFolder) -> None:
    sent = left_behind(run, commands.Rewind(checkpoint="last"))
    say(run, RunRewound(step=5, epoch=2, validated=1, checkpoint="step-00000005", reason="as asked", command=sent))
    note = "went back to step-00000005: step 5, epoch 2"
    assert answers(run) == [CommandAccepted(id=sent, command="Rewind", step=5, note=note)]


def test_a_discard_of_which_nothing_was_said_came_to_nothing(run: RunFolder) -> None:
    sent = left_behind(run, commands.Discard())
    assert answers(run) == [CommandRejected(id=sent, command="Discard", reason="sent before this session")]


@given(st.lists(st.sampled_from(range(6)), unique=True), st.data())
def test_each_command_is_owed_one_answer_whatever_was_done(done: list[int], data: st.DataObject) -> None:
    """Any mixture of effects in the journal, in any order, some answered already: those are owed none, the others the answer of
    their own effect, and a command without an effect none of a killed session's."""
    events = [told(number) for number in data.draw(st.permutations(done))]
    answered = data.draw(st.sets(st.sampled_from(range(6))))
    with TemporaryDirectory() as folder:
        run = new_run(Path(folder) / "run", tiny())
        say(run, *events, *(CommandAccepted(id=f"c{number}") for number in sorted(answered)))
        known = effects.known(run)
    assert known.answered == {f"c{number}" for number in answered}
    for number, command in enumerate(EACH):
        answer = known.answer(replace(command, id=f"c{number}"))
        assert (answer is not None) == (number in done)
        if answer is not None:
            assert isinstance(answer, CommandAccepted) and (answer.id, answer.step) == (f"c{number}", number)


EACH: tuple[Command, ...] = (
    commands.SetLearningRate(value=0.1), commands.SetEpochs(value=9), commands.SetEarlyStopping(enabled=True, patience=3),
    commands.Remark(text="x"), commands.Rewind(checkpoint="last"), commands.Rewind(checkpoint="step-5"),
)  # fmt: skip


def told(number: int) -> Event:
    """What a run says of the command of that number in EACH, at the step of that number."""
    about: dict[str, Any] = {"step": number, "command": f"c{number}"}
    match EACH[number]:
        case commands.Remark(text=text):
            return RemarkAdded(text=text, **about)
        case commands.Rewind():
            return RunRewound(checkpoint="step-00000005", **about)
        case _:
            return SettingChanged(key="epochs", value=9, **about)


def test_a_remark_is_noted_once(run: RunFolder) -> None:
    sent = left_behind(run, commands.Remark(text="hm"))
    say(run, RemarkAdded(step=3, text="hm", command=sent))
    assert answers(run) == [CommandAccepted(id=sent, command="Remark", step=3, note="noted")]


def test_a_save_is_known_by_its_checkpoint(run: RunFolder) -> None:
    done, undone = (left_behind(run, commands.Save(name=name)) for name in ("done", "undone"))
    checkpoint.publish(run.checkpoints, Manifest(step=5, epoch=1, name="done", command=done, files={}), {"state.json": b"{}"})
    assert answers(run) == [
        CommandAccepted(id=done, command="Save", step=5, note="saved step-00000005"),
        CommandRejected(id=undone, command="Save", reason="sent before this session"),
    ]


def test_what_was_answered_is_only_removed(run: RunFolder) -> None:
    sent = left_behind(run, commands.SetLearningRate(value=0.1))
    change = SettingChanged(step=4, key="learning_rate", value=0.1, command=sent)
    say(run, change, CommandAccepted(id=sent, command="SetLearningRate", step=4))
    assert answers(run) == []


def test_what_came_to_nothing_is_rejected(run: RunFolder) -> None:
    sent = left_behind(run, commands.SetLearningRate(value=0.1))
    say(run, SettingChanged(step=4, key="learning_rate", value=0.1, again=True, command=sent))
    assert answers(run) == [CommandRejected(id=sent, command="SetLearningRate", reason="sent before this session")]
