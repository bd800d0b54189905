"""What a run of one's own can be told, how it ends, and how it is gone on with."""

from __future__ import annotations

import math
import signal
import threading
from pathlib import Path

import pytest

from core import commands
from core import events as e
from core.errors import UserError
from core.run import inbox, journal, session
from core.run.folder import RunFolder
from core.run.own import Run
from core.view.fold import fold
from core.view.state import State
from tests.core.own import answer, at_every_step, folder_of, names, said, state_of, tell

__all__ = ["at_every_step"]
pytestmark = pytest.mark.usefixtures("at_every_step")


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
