"""Odd ends: early stops that go on, best checkpoints that are gone, changes that overrule others, vain attempts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core import checkpoint, commands
from core.checkpoint import Best
from core.errors import UserError
from core.events import (
    CheckpointSaved,
    CommandRejected,
    EarlyStoppingUpdated,
    EpochDone,
    MessageLogged,
    ResumeRefused,
    RunFinished,
    RunStarted,
    RunStopped,
    SettingChanged,
)
from core.run import journal, session
from core.run.journal import JournalWriter
from core.run.pump import Pump
from core.run.resume import changes_not_in, check_length, repair_best
from core.training.evaluation import Evaluation
from core.training.progress import Amendment, Progress
from core.training.steps import Steps
from core.training.trainer import Trainer
from core.view.summary import summarise
from tests.core.training import STEPS, Script, fingerprint, last_progress, new_run, tiny, train

STUCK: dict[str, Any] = {"epochs": 6, "optimizer": {"lr": 1e-12}, "early_stopping": {"patience": 1, "min_delta": 1.0}}


def scripted(step: int, *said: commands.Command, waited: tuple[commands.Command, ...] = ()) -> Script:
    script = Script()
    script.at[step] = list(said)
    script.waited = list(waited)
    return script


def test_an_early_stopped_run_goes_on_when_its_planned_length_is_asked_for(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", tiny(**STUCK))
    train(run)
    assert last_progress(run).validated == 2
    assert session.start(run, epochs=6).wait(60) == 0
    assert [event.epoch for event in journal.find(run.journal, EpochDone)][:3] == [1, 2, 3]
    assert last_progress(run).validated > 2


def test_an_extension_survives_a_kill_before_its_first_checkpoint(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", tiny(**STUCK))
    train(run)
    with JournalWriter(run.journal) as writer:  # said by a session that was killed right after
        writer.append(SettingChanged(step=2 * STEPS, key="epochs", value=8, validated=2))
    said = train(run)
    assert [(event.value, event.again) for event in said if isinstance(event, SettingChanged)] == [(8, True)]
    assert any(isinstance(event, EpochDone) and event.epoch == 3 for event in said)


def test_fewer_epochs_than_are_done_are_refused(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", tiny())
    train(run, scripted(2 * STEPS + 1, commands.Stop()))
    assert session.start(run, epochs=1).wait(60) == 2
    assert "epoch 3 was under way" in run.log.read_text()


def test_a_new_change_overrules_one_that_was_still_to_come(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", tiny())
    progress = Progress(step=3)
    with JournalWriter(run.journal) as writer:
        writer.append(SettingChanged(step=1, key="epochs", value=9))
        writer.append(RunStarted())  # began again: what was before is void
        writer.append(SettingChanged(step=8, key="epochs", value=2))
        writer.append(SettingChanged(step=6, key="learning_rate", value=0.5))
        writer.append(SettingChanged(step=4, key="epochs", value=5))
        writer.append(SettingChanged(step=4, key="from the future", value=5))
    assert changes_not_in(progress, run) == (Amendment(4, "epochs", 5), Amendment(6, "learning_rate", 0.5))


def test_setting_the_length_that_it_has_changes_nothing(tmp_path: Path) -> None:
    whole, told = new_run(tmp_path / "whole", tiny()), new_run(tmp_path / "told", tiny())
    train(whole)
    said = train(told, scripted(7, commands.SetEpochs(value=3)))
    assert not [event for event in said if isinstance(event, SettingChanged)]
    assert fingerprint(told) == fingerprint(whole)


def test_validate_is_refused_in_a_pause(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", tiny(epochs=1))
    said = train(run, scripted(2, commands.Pause(), waited=(commands.Validate(), commands.Continue())))
    assert [event.reason for event in said if isinstance(event, CommandRejected)] == ["paused; continue first"]


def test_the_pointer_to_the_best_is_mended_after_a_kill_between_two_writes(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", tiny())
    train(run)
    progress = last_progress(run)
    right = checkpoint.pointed(run.checkpoints, "best")
    checkpoint.point(run.checkpoints, "best", Best("step-00000000", "val.loss", 9.0))
    repair_best(run.checkpoints, progress, tiny())
    assert right is not None and checkpoint.pointed(run.checkpoints, "best") == right


def test_a_damaged_best_checkpoint_does_not_keep_a_run_from_finishing(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", tiny(early_stopping={"min_delta": 9.0}))  # the first epoch stays the best
    script = Script()

    def stop_in_final_test(trainer: Trainer) -> None:
        script.signal = 15 if trainer.measuring and trainer.progress.validated == 3 else 0

    script.watch = stop_in_final_test
    train(run, script)
    best = checkpoint.pointed(run.checkpoints, "best")
    assert best is not None
    (run.checkpoints / best.checkpoint / checkpoint.WEIGHTS).write_bytes(b"torn")
    said = train(run)
    end = said[-1]
    assert isinstance(end, RunFinished) and (run.path / end.weights).is_file() and best.checkpoint not in end.weights
    aside = [path.name for path in run.checkpoints.glob("bad-*")]
    assert aside == [f"bad-{best.checkpoint}"]


def test_saves_at_one_step_never_take_a_pruned_name_again(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", tiny(epochs=1, checkpoint={"keep": 2}))
    said = train(run, scripted(2, *(commands.Save(id=str(number)) for number in range(5)), commands.Stop()))
    saved = [event.checkpoint for event in said if isinstance(event, CheckpointSaved) and event.step == 2]
    assert saved == ["step-00000002", *(f"step-00000002.{number}" for number in range(1, 5))]
    assert checkpoint.pointed(run.checkpoints, "last") == Best(saved[-1])


def test_an_epoch_of_another_length_is_refused() -> None:
    check_length(Progress(step=7, validated=1), 5)
    with pytest.raises(UserError, match="another number of steps"):
        check_length(Progress(step=7, validated=1), 3)


def test_the_journal_thread_outlives_what_it_cannot_write(tmp_path: Path) -> None:
    pump = Pump(tmp_path / "events.jsonl")
    pump.put(MessageLogged(text="a path \udcff that is no UTF-8"))
    pump.sync()
    pump.close()
    (event,) = journal.find(tmp_path / "events.jsonl", MessageLogged)
    assert event.text == "a path \\udcff that is no UTF-8"


def test_wrong_use_of_a_finished_run_leaves_it_finished(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", tiny(epochs=1))
    assert session.start(run).wait(60) == 0
    assert session.start(run, epochs=2, device="cuda:99").wait(60) == 2
    assert [event.reason for event in journal.find(run.journal, ResumeRefused)]
    state = summarise(run)
    assert (state.status, state.failure) == ("finished", "")
    assert "cuda:99" in state.refusal and (run.path / state.weights).is_file()
    assert session.nothing_to_do(run, None)


def test_a_model_that_no_longer_fits_is_refused_and_no_checkpoint_is_touched(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", tiny(epochs=1))
    train(run)
    before = [path.name for path in checkpoint.listing(run.checkpoints)]
    run.run_file.write_text(run.run_file.read_text().replace('"channels": 8', '"channels": 16'))
    assert session.start(run, epochs=2, allow_change=["recipe"]).wait(60) == 2
    assert "does not fit the changed recipe" in run.log.read_text()
    assert [path.name for path in checkpoint.listing(run.checkpoints)] == before


def test_a_signal_in_an_epochs_last_step_does_not_wait_for_a_batch_of_its_measurement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, script, batches = new_run(tmp_path / "run", tiny()), Script(), list[slice]()
    step, batch = Steps.take, Evaluation._take

    def taking_step(self: Steps, epoch: int, rate: float) -> None:
        step(self, epoch, rate)
        script.signal = 15 if self.progress.step == STEPS else 0

    def taking_batch(self: Evaluation, part: slice) -> None:
        batches.append(part)
        batch(self, part)

    monkeypatch.setattr(Steps, "take", taking_step)
    monkeypatch.setattr(Evaluation, "_take", taking_batch)
    end = train(run, script)[-1]
    assert isinstance(end, RunStopped) and (end.step, end.signal) == (STEPS, 15)
    assert batches == []
    assert last_progress(run).validated == 0


def test_a_tied_worker_that_finishes_ends_well(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", tiny(epochs=1))
    assert session.start(run, tied=True).wait(60) == 0, run.log.read_text()


def test_odd_things_in_the_inbox_do_no_harm(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", tiny(epochs=1))
    (run.inbox / "0-folder.json").mkdir()
    (run.inbox / "0-link.json").symlink_to("/etc/hostname")
    assert session.start(run).wait(60) == 0, run.log.read_text()
    assert (run.inbox / "0-folder.json").is_dir()


@pytest.mark.parametrize("threads", [0, 100_000])
def test_absurd_threads_are_refused_before_anything_is_made(tmp_path: Path, threads: int) -> None:
    with pytest.raises(UserError, match="--threads"):
        session.create(tiny(), tmp_path / "runs", threads=threads)
    assert not (tmp_path / "runs").exists()


def test_an_unknown_device_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'cuda:99' is not usable here"):
        session.create(tiny(device="cuda:99"), tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_the_best_and_the_end_are_saved_however_seldom_epochs_are(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", tiny(checkpoint={"every_epochs": 100, "every_seconds": 0.0}, epochs=3))
    said = train(run)
    best = {event.best_epoch for event in said if isinstance(event, EarlyStoppingUpdated) and event.improved}
    saved = {event.epoch: event.best for event in said if isinstance(event, CheckpointSaved) and event.reason == "epoch"}
    assert best and saved.keys() == best | {3}
    assert {epoch for epoch, is_best in saved.items() if is_best} == best
