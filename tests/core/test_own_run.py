"""A training loop of one's own as a run: what its journal says, what it is told, how it ends and goes on."""

from __future__ import annotations

import math
import os
import signal
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from core import commands
from core import events as e
from core.commands import Command
from core.errors import UserError
from core.events import Event
from core.run import inbox, journal, session, verify
from core.run.folder import RunFolder
from core.run.own import Run, loop
from core.view.fold import fold
from core.view.state import State
from core.view.summary import summarise


@pytest.fixture(autouse=True)
def at_every_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Windows are told and commands obeyed at each step, not after a quarter of a second; runs lie in the test's folder."""
    monkeypatch.setattr(loop, "WINDOW", 0.0)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TUI_TRAINER_RUNS", raising=False)


def folder_of(run: Run) -> RunFolder:
    assert run.folder
    return RunFolder(run.folder)


def tell(run: Run, *told: Command) -> list[str]:
    return [inbox.send(folder_of(run), command) for command in told]


def said(run: Run) -> list[Event]:
    return journal.read_all(folder_of(run).journal)


def answer(run: Run, identity: str) -> e.CommandAccepted | e.CommandRejected:
    answers = journal.find(folder_of(run).journal, e.CommandAccepted, e.CommandRejected)
    (found,) = [item for item in answers if item.id == identity]
    return found


def state_of(run: Run) -> State:
    return summarise(folder_of(run))


def names(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events if not isinstance(event, (e.Heartbeat, e.DeviceSampled))]


def test_a_loop_is_told_as_a_run_like_any_other() -> None:
    network = torch.nn.Linear(4, 2)
    with Run("my model", epochs=2, model=network, config={"width": 4}) as run:
        for epoch in run.epochs():
            for step, batch in enumerate(run.steps([torch.ones(3, 4)] * 2)):
                loss = network(batch).sum() * 0 + step
                run.log(loss=loss, accuracy=np.float32(0.5), lr=0.1, grad_norm=2)
            improved = run.validated(loss=1.0 / epoch, accuracy=0.75)
            assert improved
    assert names(said(run)) == ["RunStarted", *["EpochStarted", "StepDone", "StepDone", "ValidationDone", "EpochDone",
        "EarlyStoppingUpdated"] * 2, "RunFinished"]  # fmt: skip
    (started,) = journal.find(folder_of(run).journal, e.RunStarted)
    assert (started.model, started.parameters, started.epochs, started.steps_per_epoch) == ("Linear", 10, 2, 2)
    done = journal.find(folder_of(run).journal, e.EpochDone)[-1]
    assert done.metrics["train.loss"] == 0.5 and done.metrics["val.loss"] == 0.5
    state = state_of(run)
    assert (state.status, state.step, state.epoch) == ("finished", 4, 2)
    assert state.metrics["train.learning_rate"] == 0.1 and state.metrics["train.gradient_norm"] == 2
    assert state.program and (state.stopping.best, state.stopping.best_epoch) == (0.5, 2)
    assert all(finding.good for finding in verify.verify(folder_of(run)))


def test_its_files_are_for_their_owner_alone() -> None:
    before = os.umask(0o022)
    try:
        with Run(save=lambda folder: (folder / "weights").write_text("1")) as run:
            for _ in run.steps(range(1)):
                run.log(loss=1.0)
            run.save()
    finally:
        os.umask(before)
    assert run.folder
    made = [run.folder, *run.folder.iterdir(), *(run.folder / "checkpoints").iterdir()]
    assert [path for path in made if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_tensors_at_hand_are_read_when_they_are_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "WINDOW", 1000.0)
    weight, running = torch.ones((), requires_grad=True), torch.zeros(1)
    with Run(epochs=1) as run:
        for step in run.steps(range(5)):
            running += step
            run.log(loss=weight * step, mean=torch.tensor(step, dtype=torch.int64), running=running)
    window = journal.find(folder_of(run).journal, e.StepDone)[-1]
    assert window.metrics["train.loss"] == window.metrics["train.mean"] == 2.0 and window.metrics["train.running"] == 4.0


def test_tensors_of_a_device_wait_for_the_windows_end_without_their_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a device is made of the processor by hiding that it is one."""
    from core.run.own import meter

    class Far(torch.Tensor):
        is_cpu = False

        def item(self) -> float:
            raise AssertionError("the device was waited for")

    kept = meter.Meter()
    weight, running = torch.ones((), requires_grad=True), torch.zeros(1).as_subclass(Far)
    for step in range(5):
        running.add_(step)
        kept.log({"loss": (weight * step).as_subclass(Far), "running": running, "plain": step})
    assert not any(value.requires_grad for value, _ in kept._kept["loss"])
    with pytest.raises(UserError, match=r"shape \(2,\)"):
        kept.log({"loss": torch.zeros(2).as_subclass(Far)})
    totals = kept.close()
    assert totals["train.loss"].mean == totals["train.plain"].mean == 2.0 and totals["train.loss"].last == 4.0
    assert totals["train.running"] == (10.0, 1, 10.0), "one tensor, logged again and again, has its last value alone"
    assert kept.close() == {}


def test_tensors_that_are_not_alike_are_summed_too() -> None:
    from core.training.scalars import sums

    alike = [torch.tensor(2.0), torch.tensor([3.0]), torch.tensor(True), torch.tensor(1, dtype=torch.int8)]
    assert sums([alike, [torch.tensor(0.5)]]) == [7.0, 0.5]


def test_a_log_without_an_end_takes_no_memory_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.run.own import meter

    monkeypatch.setattr(meter, "MOST_KEPT", 10)
    kept = meter.Meter()
    for step in range(1001):
        kept.log({"loss": float(step)})
        assert len(kept._kept["loss"]) < 10
    assert kept.close()["train.loss"].mean == 500.0


def test_what_is_no_number_is_refused_where_it_is_logged() -> None:
    with Run() as run:
        with pytest.raises(UserError, match=r"log\(loss=\.\.\.\): expected one number, and one of shape \(2,\)"):
            run.log(loss=torch.zeros(2))
        with pytest.raises(UserError, match="a str was given"):
            run.log(loss="much")  # type: ignore[arg-type]


def test_classes_and_a_confusion_matrix() -> None:
    with Run() as run:
        for _ in run.steps(range(1)):
            run.log(loss=1.0)
        run.validated(loss=1.0, classes=["cat", "dog"], confusion=np.array([[3, 1], [0, 4]]))
        with pytest.raises(UserError, match="3 classes, and a confusion matrix of 2 rows"):
            run.validated(classes=["a", "b", "c"], confusion=[[1, 0], [0, 1]])
        with pytest.raises(UserError, match="right, images"):
            run.validated(classes={"cat": 0.5})  # type: ignore[dict-item]
        run.validated(split="test", loss=2.0, classes={"cat": (1, 2), "dog": (3, 4)})
    measured = state_of(run).measurements
    assert [(score.name, score.correct, score.images) for score in measured["validation"].classes] == [
        ("cat", 3, 4), ("dog", 4, 4)]  # fmt: skip
    assert measured["validation"].metrics["val.accuracy"] == 7 / 8 and measured["test"].metrics["test.accuracy"] == 4 / 6


@pytest.mark.parametrize("length", [None, 7])
def test_a_stream_without_epochs(length: int | None) -> None:
    def stream() -> Iterator[int]:
        yield from range(7)

    with Run() as run:
        for _ in run.steps(stream(), length=length):
            run.log(perplexity=3.0)
    state = state_of(run)
    assert (state.status, state.ending, state.step, state.steps_per_epoch) == ("finished", "7 steps done", 7, length or 0)
    assert state.metrics["train.perplexity"] == 3.0 and state.epochs == 0


def test_passes_outside_of_epochs_are_epochs_and_a_break_counts_the_step_that_was_done() -> None:
    with Run() as run:
        for _ in range(3):
            for step in run.steps(range(5)):
                if step == 3:
                    break
                run.log(loss=1.0)
                if step == 2:
                    break
            run.validated(loss=1.0)
    assert [row.epoch for row in state_of(run).rows] == [1, 2, 3] and run.step == 9


def test_pause_and_continue() -> None:
    with Run() as run:
        for step in run.steps(range(3)):
            run.log(loss=1.0)
            if step == 1:
                (pause,) = tell(run, commands.Pause())
                threading.Timer(0.3, lambda: tell(run, commands.Continue())).start()
    events = names(said(run))
    assert events.index("RunPaused") < events.index("RunContinued") < len(events) - 1
    assert answer(run, pause).step == 2
    assert list(folder_of(run).inbox.iterdir()) == []


def test_stop_saves_and_ends_all_loops() -> None:
    saved, after = [], []
    with Run(epochs=3, save=lambda folder: saved.append((folder / "w").write_text("1"))) as run:
        for epoch in run.epochs():
            for step in run.steps(range(4)):
                run.log(loss=1.0)
                if (epoch, step) == (2, 1):
                    tell(run, commands.Stop())
            after.append(epoch)
            run.validated(loss=1.0)
        assert run.stopping and list(run.steps(range(3))) == []
    state = state_of(run)
    assert (state.status, state.ending, state.step, after, len(saved)) == ("stopped", "stopped on request", 6, [1, 2], 1)
    assert state.weights == "checkpoints/step-00000006-own" and [row.epoch for row in state.rows] == [1]


def test_save_now_is_the_programs_own_function() -> None:
    def write(folder: Path) -> None:
        if run.step == 2:
            raise ValueError("no room")
        (folder / "deep").mkdir()
        (folder / "deep" / "weights").write_bytes(b"12345")

    asked = {}
    with Run() as run:
        for step in run.steps(range(4)):
            run.log(loss=1.0)
            (asked[step + 1],) = tell(run, commands.Save(name=f"number {step + 1}"))
            if step == 1:
                run.on_save(write)
    refused, failed, good = (answer(run, asked[step]) for step in (1, 2, 3))
    assert isinstance(refused, e.CommandRejected) and "gives no way to save" in refused.reason
    assert isinstance(failed, e.CommandRejected) and failed.reason == "not saved: ValueError: no room"
    assert isinstance(good, e.CommandAccepted) and good.note == "saved step-00000003-own"
    saved = journal.find(folder_of(run).journal, e.CheckpointSaved)[0]
    assert (saved.name, saved.bytes, saved.step) == ("number 3", 5, 3)
    assert sorted(path.name for path in folder_of(run).checkpoints.iterdir()) == ["step-00000003-own", "step-00000004-own"]
    assert "ValueError: no room" in folder_of(run).log.read_text()


def test_what_only_the_program_could_do_is_rejected_in_one_line() -> None:
    told = (commands.Validate(), commands.Rewind(checkpoint="last"), commands.SetEarlyStopping(patience=3),
            commands.SetEpochs(value=9), commands.SetLearningRate(value=0.1))  # fmt: skip
    with Run() as run:
        for step in run.steps(range(2)):
            run.log(loss=1.0)
            if step == 0:
                sent = tell(run, *told)
    answers = [answer(run, identity) for identity in sent]
    reasons = [item.reason for item in answers if isinstance(item, e.CommandRejected)]
    words = ["measures at its own times", "cannot take back", "its own rules", "run.epochs()", "run.learning_rate(default)"]
    assert len(reasons) == len(words) and all(word in reason for word, reason in zip(words, reasons, strict=True))
    assert not any("\n" in reason for reason in reasons)


def test_the_learning_rate_and_the_length_can_be_changed() -> None:
    rates = []
    with Run(epochs=1) as run:
        for _ in run.epochs():
            for step in run.steps(range(3)):
                rates.append(run.learning_rate(0.1 * (step + 1)))
                run.log(loss=1.0)
                if run.step == 0:
                    tell(run, commands.SetLearningRate(value=0.05), commands.SetEpochs(value=2))
                elif run.step == 4:
                    tell(run, commands.StopAfterEpoch(), commands.Remark(text="hm"))
    assert rates == pytest.approx([0.1, 0.1, 0.15, 0.05, 0.1, 0.15])
    state = state_of(run)
    assert state.epochs == 2 and state.status == "stopped" and state.ending == "stopped after the epoch, as asked"
    texts = [mark.text for mark in state.marks]
    assert texts == ["learning rate 0.1 -> 0.05", "epochs 1 -> 2", "hm"]
    assert [row.epoch for row in state.rows] == [1, 2]


def test_a_diverged_loss_is_told_and_ends_the_run_as_that() -> None:
    with Run() as run:
        for step in run.steps(range(3)):
            run.log(loss=1.0 if step == 0 else math.nan)
    state = state_of(run)
    assert (state.status, state.failure, state.ending) == ("failed", "diverged", "train.loss is NaN")
    assert [message.text for message in state.messages] == ["train.loss is NaN at step 2: the training has diverged"]


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (ValueError("bad"), "failed", "ValueError: bad"),
        (RuntimeError("CUDA out of memory"), "failed", "out of memory"),
        (KeyboardInterrupt(), "stopped", "interrupted"),
        (SystemExit(0), "stopped", "its program left"),
    ],
)
def test_an_exception_ends_the_run_and_goes_on_unchanged(error: BaseException, status: str, words: str) -> None:
    with pytest.raises(type(error)) as caught, Run() as run:
        for _ in run.steps(range(3)):
            raise error
    assert caught.value is error
    state = state_of(run)
    assert state.status == status and words in state.ending and not folder_of(run).alive()
    assert state.failure == ("memory" if "memory" in words else "error" if status == "failed" else "")


def test_a_second_run_in_one_process_is_refused_and_the_first_is_unharmed() -> None:
    with Run("one") as run:
        with pytest.raises(UserError, match="run 'one' is open in this process already"):
            Run("two")
        for _ in run.steps(range(1)):
            run.log(loss=1.0)
    assert state_of(run).status == "finished" and not Path("runs/two").exists()
    Run("two").close()


def test_a_signal_saves_ends_the_loop_and_then_goes_to_the_program() -> None:
    got = []
    before = signal.getsignal(signal.SIGTERM)
    with Run(save=lambda folder: (folder / "w").write_text("1")) as run:
        signal.signal(signal.SIGHUP, lambda number, frame: got.append(number))
        for step in run.steps(range(5)):
            run.log(loss=1.0)
            if step == 1:
                assert signal.getsignal(signal.SIGTERM) is not before
                # Whoever had it before gets it when the run is closed: here, instead of the default action, a handler.
                run._loop.signals._before[signal.SIGTERM] = lambda number, frame: got.append(number)
                signal.raise_signal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, before)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    state = state_of(run)
    assert (state.status, state.ending, state.step, got) == ("stopped", f"signal {signal.SIGTERM:d}", 2, [signal.SIGTERM])
    assert state.weights == "checkpoints/step-00000002-own"


def test_in_another_thread_it_works_without_signals() -> None:
    before, found = signal.getsignal(signal.SIGTERM), list[object]()

    def work() -> None:
        run = Run("beside")
        found.append(signal.getsignal(signal.SIGTERM))
        for _ in run.steps(range(2)):
            run.log(loss=1.0)
        run.close()
        found.append(state_of(run).status)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [before, "finished"]


def train(resume: bool | str, stop_at: int | None, epochs: int = 3) -> Run:
    with Run("again", epochs=epochs, resume=resume, save=lambda folder: (folder / "w").write_text("1")) as run:
        for _ in run.epochs():
            for _ in run.steps(range(4)):
                run.learning_rate(0.1)
                run.log(loss=1.0 / (run.step + 1))
                if run.step == 1:
                    tell(run, commands.SetLearningRate(value=0.05))
                if run.step == stop_at:
                    tell(run, commands.Stop())
            if not run.stopping:
                run.save()
    return run


def test_a_run_is_gone_on_with_by_its_own_program() -> None:
    first = train(resume=True, stop_at=5)  # none is there yet: it begins
    assert state_of(first).step == 6
    second = train(resume=True, stop_at=None)
    assert second.folder == first.folder and second.resumed and second.resumed.name == "step-00000006-own"
    (resumed,) = journal.find(folder_of(second).journal, e.RunResumed)
    assert (resumed.step, resumed.epoch, resumed.checkpoint, resumed.bit_exact) == (6, 2, "step-00000006-own", False)
    state = state_of(second)
    assert (state.status, state.step, [row.epoch for row in state.rows]) == ("finished", 6 + 2 * 4, [1, 2, 3])
    assert state.metrics["train.learning_rate"] == pytest.approx(0.05), "what the console has changed holds on"
    third = train(resume="again", stop_at=None, epochs=4)
    assert third.resumed and third.resumed.name == "step-00000014-own" and third.step == 18
    with pytest.raises(UserError, match="run 'no-such' not found"):
        train(resume="no-such", stop_at=None)


def test_it_begins_anew_without_a_checkpoint() -> None:
    for _ in range(2):
        with Run("bare", resume=True) as run:
            for _ in run.steps(range(2)):
                run.log(loss=1.0)
    state = state_of(run)
    assert run.resumed is None and (state.sessions, state.step, state.status) == (2, 2, "finished")


def test_a_worker_does_not_take_such_a_run_nor_a_program_one_of_a_recipe() -> None:
    Run("mine").close()
    mine = RunFolder(Path("runs/mine"))
    for way in (lambda: session.start(mine), lambda: inbox.send(mine, commands.Stop())):
        with pytest.raises(UserError, match=r"is trained by its own program: to go on, run .* again, with Run"):
            way()
    from core.run.folder import RunFile

    RunFolder(Path("runs/theirs")).create(RunFile(name="theirs", recipe={"name": "quickstart"}))
    with pytest.raises(UserError, match="was begun by a recipe"):
        Run("x", resume="theirs")


def test_a_run_whose_folder_goes_away_trains_on(capsys: pytest.CaptureFixture[str]) -> None:
    import shutil

    with Run("gone") as run:
        for step in run.steps(range(4)):
            run.log(loss=1.0)
            if step == 1:
                assert run.folder and run._loop.session
                shutil.rmtree(run.folder)
                run._loop.session._beat()
    assert run.step == 4 and "training goes on" in capsys.readouterr().err


def test_what_it_says_folds_in_any_parts() -> None:
    with Run(epochs=2) as run:
        for _ in run.epochs():
            for _ in run.steps(range(3)):
                run.log(loss=1.0)
            run.validated(loss=1.0, classes=["a", "b"], confusion=[[1, 0], [1, 1]])
    events = said(run)
    whole = fold(State(), events)
    assert whole.classes == ("a", "b")
    for cut in range(len(events)):
        assert fold(fold(State(), events[:cut]), events[cut:]) == whole
