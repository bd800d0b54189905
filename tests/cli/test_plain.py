"""What the headless printers say of a run, from its events alone."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

from core import events as e
from core.events import Event
from core.run.folder import RunFolder
from core.view.fold import fold
from core.view.state import Phase, State
from tests.core import strategies as runs
from tui_trainer import plain
from tui_trainer.live import LiveProgress, dashboard
from tui_trainer.narrator import Narrator, progress_line
from tui_trainer.plain import JsonLines, PlainLines, Result
from tui_trainer.result import result_lines
from tui_trainer.stream import wants_live, write_lines

HOSTILE = "\x1b[31mred\u202e[bold]"


def tell(*events: Event, state: State = State()) -> list[str]:
    return Narrator(state).tell(events)


def pairs(events: Sequence[Event]) -> list[tuple[bytes, Event]]:
    return [(e.encode(event), event) for event in events]


def test_a_header_names_run_recipe_data_device_and_size() -> None:
    (line,) = tell(runs.started())
    for words in ("run demo", "quickstart", "sample", "1,000 train", "resnet", "4.26M", "cpu fp32", "4 epochs of 10 steps"):
        assert words in line


def test_one_thread_epoch_and_step_are_told_as_one() -> None:
    (line,) = tell(runs.started(threads=1, epochs=1, steps_per_epoch=1))
    assert line.endswith("1 thread, 1 epoch of 1 step")


def test_a_run_that_watches_test_says_so() -> None:
    assert any("watches the TEST split" in line for line in tell(runs.started(monitor="test.loss")))


def test_one_line_an_epoch_with_everything_in_it() -> None:
    _, first, second = tell(*runs.healthy(2))
    for words in (
        "epoch 2/4",
        "train  0.1000  20.00 %",
        "val  0.5000  66.67 %",
        "200 images/s",
        "best 0.5000 (val.loss) at epoch 2",
    ):
        assert words in second
    assert first.index("val") == second.index("val")


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (e.RunPaused(step=3), "paused at step 3"),
        (e.RunContinued(step=3), "goes on at step 3"),
        (e.RunPaused(step=3, reason="disk full"), "paused at step 3: disk full; goes on once it can save"),
        (e.RunContinued(step=3, reason="disk full"), "can save again at step 3"),
        (e.SettingChanged(step=3, key="epochs", previous=4, value=9, note="longer"), "epochs 4 -> 9 from step 3 on: longer"),
        (
            e.SettingChanged(step=3, key="early_stopping.enabled", previous=1, value=0, note="now"),
            "early stopping on -> off from step 3 on: now",
        ),
        (e.RemarkAdded(step=3, text="why"), "remark at step 3: why"),
        (e.CommandRejected(command="Stop", reason="no"), "Stop rejected: no"),
        (e.MessageLogged(text="hello"), "hello"),
        (e.MessageLogged(level="warning", text="slow disk"), "warning: slow disk"),
        (e.CheckpointSaved(checkpoint="step-1", name="mine", bytes=2048), "saved 'mine' as step-1 (2.00 KiB)"),
        (e.PhaseEnded(phase="download", seconds=75.0), "download: took 1 min 15 s"),
    ],
)
def test_what_happens_is_told(event: Event, line: str) -> None:
    assert tell(event) == [line]


@pytest.mark.parametrize(
    "event",
    [e.Heartbeat(), runs.step_done(1), e.CheckpointSaved(checkpoint="step-1"), e.PhaseEnded(phase="validate", seconds=9.0)],
)
def test_routine_is_not_told(event: Event) -> None:
    assert tell(event) == []


def test_a_resume_says_from_where_and_whether_bit_for_bit() -> None:
    event = runs.resumed(20, 3)
    assert tell(event)[1] == "resumed from step-00000020 at step 20, epoch 3"
    differs = e.RunResumed(checkpoint="step-1", bit_exact=False, note="threads was 2, is 4")
    assert "not bit for bit: threads was 2, is 4" in tell(differs)[1]


def test_several_processes_are_told_with_every_epoch_and_in_progress_lines() -> None:
    sample = e.RanksSampled(images_per_second=(1234.0, 940.0), memory_bytes=(700 << 20, 703 << 20))
    state = fold(State(), runs.numbered([runs.started(), sample]))
    each = "rank 0 1,234 images/s 700 MiB, rank 1 940 images/s 703 MiB; all wait for rank 1: 24 % slower"
    told = tell(*runs.numbered(runs.epoch_events(1, 0.5), first=2), state=state)
    assert told[-1] == each
    progress = progress_line(state, state.last_time)
    assert "1.37 GiB of memory in 2 processes" in progress and progress.endswith("all wait for rank 1: 24 % slower")
    with io.StringIO() as shown:
        Console(file=shown, width=100).print(dashboard(state, state.last_time, 100, 40))
        assert each in " ".join(shown.getvalue().split())


def test_progress_lines() -> None:
    state = fold(State(), [*runs.healthy(2), e.EpochStarted(epoch=3, step=20), runs.step_done(25)])
    line = progress_line(state, state.last_time)
    assert line.startswith("epoch 3/4, step 5/10, loss 0.0769")
    assert "epoch 2.5 s left" in line and "200 images/s" in line
    assert progress_line(state, state.last_time + 60).startswith("no sign of life for 1 min")
    waiting = State(phase=Phase("download", "cifar10", 25, 100))
    assert progress_line(waiting, 0.0) == "download (cifar10) 25 %"


def test_the_result_says_all_that_is_needed(tmp_path: Path) -> None:
    finished = e.RunFinished(weights="checkpoints/step-00000010/model.safetensors")
    state = fold(State(), [*runs.healthy(2), runs.validated(2, 0.6, "test", "step-00000010"), finished])
    text = "\n".join(result_lines(RunFolder(tmp_path / "demo"), state))
    for words in (
        "accuracy by class, test split, weights of step-00000010", "cat     66.67 %       20      30",
        "finished: 4 epochs done", "best 0.5000 (val.loss) at epoch 2", "test: accuracy 66.67 %, loss 0.6000",
        f"{tmp_path}/demo/checkpoints/step-00000010/model.safetensors", f"tui-trainer evaluate {tmp_path}/demo",
        f"tui-trainer resume {tmp_path}/demo --epochs 8",
    ):  # fmt: skip
        assert words in text


def test_a_lost_run_points_to_the_log(tmp_path: Path) -> None:
    assert "worker.log" in "\n".join(result_lines(RunFolder(tmp_path / "demo"), State(status="lost")))


def test_nothing_hostile_reaches_the_stream(tmp_path: Path) -> None:
    told = [
        runs.started(name=HOSTILE, recipe=HOSTILE, classes=(HOSTILE, "b", "c")), runs.validated(1, 1.0),
        e.PhaseStarted(phase=HOSTILE, label=HOSTILE, total=3), e.MessageLogged(text=HOSTILE), e.RemarkAdded(text=HOSTILE),
        e.RunFailed(reason=HOSTILE, weights=HOSTILE),
    ]  # fmt: skip
    stream = io.StringIO()
    lines = PlainLines(RunFolder(tmp_path), State(), stream)
    lines.feed(pairs(told))
    lines.tick()
    lines.end(lines.state)
    assert "\x1b" not in stream.getvalue() and "\u202e" not in stream.getvalue()
    assert "[bold]" in stream.getvalue()


def test_json_is_the_journal_and_nothing_else() -> None:
    stream, told = io.BytesIO(), pairs([*runs.healthy(1), e.Unknown(kind="Later", raw=b'{"type":"Later"}')])
    lines = JsonLines(State(), stream)
    lines.feed(told)
    lines.tick()
    lines.end(lines.state)
    assert stream.getvalue() == b"".join(line + b"\n" for line, _ in told)


def test_quiet_prints_only_the_result(tmp_path: Path) -> None:
    stream = io.StringIO()
    result = Result(RunFolder(tmp_path), State(), stream)
    result.feed(pairs(runs.healthy(2)))
    result.tick()
    assert stream.getvalue() == ""
    result.end(result.state)
    assert "best 0.5000" in stream.getvalue()


def test_a_long_epoch_and_a_long_phase_say_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    lines = PlainLines(RunFolder(tmp_path), fold(State(), [runs.started(), runs.step_done(1)]), stream)
    lines.tick()
    assert stream.getvalue() == ""
    monkeypatch.setattr(plain, "PROGRESS_SECONDS", 0.0)
    lines.tick()
    assert stream.getvalue().startswith("epoch 1/4, step 1/10, loss 1.0000")
    lines.feed(pairs([e.PhaseStarted(phase="download", label="cifar10", time=1.0)]))
    lines.tick()
    assert stream.getvalue().endswith("download (cifar10) ...\n")


def test_characters_that_the_stream_lacks_are_written_out() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    write_lines(stream, ["Größe"])
    stream.seek(0)
    assert stream.read() == "Gr\\xf6\\xdfe\n"


@pytest.mark.parametrize(("tty", "env", "live"), [(True, {}, True), (False, {}, False), (True, {"NO_COLOR": "1"}, False)])
def test_control_codes_only_where_they_are_wanted(
    tty: bool, env: dict[str, str], live: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: tty)
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in {"TERM": "xterm", **env}.items():
        monkeypatch.setenv(name, value)
    assert wants_live(stream) is live


def drawn(state: State, width: int = 100, height: int = 30) -> str:
    console = Console(file=io.StringIO(), width=width, height=height)
    with console.capture() as capture:
        console.print(dashboard(state, state.last_time, width, height))
    return capture.get()


def test_the_dashboard_shows_what_the_console_shows() -> None:
    text = drawn(fold(State(), [*runs.healthy(2), e.EpochStarted(epoch=3, step=20)]))
    for words in ("running  demo", "epoch 3/4", "step 20/40", "validation loss 0.5000", "200 images/s", "best 0.5000", "cat"):
        assert words in text
    assert "most often wrong: cat taken for dog: 10 of 30, dog taken for frog: 10 of 30" in text
    assert "cat" not in drawn(fold(State(), runs.healthy(2)), height=12)


@pytest.mark.parametrize("state", [State(), fold(State(), [runs.started()]), State(phase=Phase("prepare", total=0))])
def test_the_dashboard_before_the_first_step(state: State) -> None:
    assert state.status in drawn(state, width=60, height=16)


def test_the_live_display_gives_the_terminal_back(tmp_path: Path) -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=100, height=30)
    live = LiveProgress(RunFolder(tmp_path), State(), console)
    live.feed(pairs(runs.healthy(1)))
    live.tick()
    live.end(live.state)
    live.close()
    text = stream.getvalue()
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1
    assert text.rindex("accuracy by class") > text.rindex("\x1b[?25h")
