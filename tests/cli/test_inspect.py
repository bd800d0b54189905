"""``runs``, ``show``, ``verify``, and steering, on runs made up for the test."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import msgspec
import pytest

from core import commands
from core import events as e
from core.errors import UserError
from core.run import inbox
from core.run.folder import RunFile, RunFolder
from core.run.journal import JournalWriter
from core.view.summary import summarise
from core.view.whole import look
from core.view.words import format_duration
from tests.cli.conftest import Cli, one_line
from tests.core import strategies as runs
from tests.tui import long_runs
from tui_trainer.cli import steer
from tui_trainer.result import result_lines

Make: TypeAlias = Callable[[str, Sequence[e.Event]], RunFolder]


def test_runs(cli: Cli, make_run: Make, tmp_path: Path) -> None:
    make_run("one", [*runs.healthy(2), e.RunStopped(reason="asked")])
    make_run("two", [*runs.healthy(1)])
    text = cli("runs", cwd=tmp_path).stdout
    assert [line.split()[:2] for line in text.splitlines()[1:]] == [["two", "lost"], ["one", "stopped"]]
    found = json.loads(cli("runs", "--json", "--runs", "runs", cwd=tmp_path).stdout)
    assert [(run["name"], run["state"]) for run in found] == [("two", "lost"), ("one", "stopped")]


def test_runs_of_an_empty_folder(cli: Cli, tmp_path: Path) -> None:
    assert "no runs" in cli("runs", cwd=tmp_path).stdout
    assert json.loads(cli("runs", "--json", cwd=tmp_path).stdout) == []


def test_show_json(cli: Cli, make_run: Make, tmp_path: Path) -> None:
    make_run("demo", [*runs.healthy(2), runs.step_done(21, "nan"), e.RunFailed(kind="diverged", reason="NaN")])
    found = json.loads(cli("show", "last", "--json", cwd=tmp_path).stdout)
    assert (found["state"], found["epoch"], found["failure"], found["checkpoints"]) == ("failed", 3, "diverged", [])
    assert found["best"] == {"metric": "val.loss", "value": 0.5, "epoch": 2, "step": 20}
    assert found["metrics"]["train.loss"] == "nan"
    assert found["accuracy_by_class"]["validation"]["cat"] == pytest.approx(20 / 30)


def test_all_that_a_long_run_was_trained_is_shown(cli: Cli, tmp_path: Path) -> None:
    """A list looks at the two ends of its journal alone."""
    run = long_runs.make(tmp_path / "runs" / "long", 60_000)
    trained = format_duration(look(run).trained_seconds)
    assert trained != format_duration(summarise(run).trained_seconds)
    [line] = [line for line in cli("show", "long", cwd=tmp_path).stdout.splitlines() if line.startswith("trained ")]
    assert line.split(maxsplit=1)[1] == trained


def test_show_in_words(cli: Cli, make_run: Make, tmp_path: Path) -> None:
    make_run("demo", [*runs.healthy(2), e.RunStopped(reason="asked\x1b[2J")])
    text = cli("--runs", "runs", "show", "demo", cwd=tmp_path).stdout
    for words in (
        "stopped: asked\\x1b[2J",
        "2 of 4, step 20 of 40",
        "best 0.5000 (val.loss)",
        "validation after epoch 2",
        "cat",
    ):
        assert words in text


def test_show_tells_of_each_process(cli: Cli, make_run: Make, tmp_path: Path) -> None:
    hosts = ("one\x1b[2J.lab", "two.lab")
    sample = e.RanksSampled(images_per_second=(1234.0, 940.0), memory_bytes=(700 << 20, 703 << 20))
    make_run("alone", runs.healthy(1))
    make_run("demo", [runs.started(hosts=hosts, processes=2), *runs.healthy(1)[1:], sample, e.RunStopped(reason="asked")])
    lines = cli("show", "demo", cwd=tmp_path).stdout.splitlines()
    (head,) = [place for place, line in enumerate(lines) if line.split() == ["RANK", "HOST", "IMAGES/S", "MEMORY"]]
    first, second = (line.split() for line in lines[head + 1 : head + 3])
    assert first == ["0", "one\\x1b[2J", "1,234", "700", "MiB"] and second == ["1", "two", "940", "703", "MiB"]
    assert any("2, all waited for rank 1: 24 % slower, on two" in line for line in lines)
    found = json.loads(cli("show", "demo", "--json", cwd=tmp_path).stdout)
    assert found["ranks"][1] == {
        "rank": 1, "host": "two", "images_per_second": 940.0, "memory_bytes": 703 << 20, "gpu_memory_bytes": None
    }  # fmt: skip
    assert (found["straggler"]["rank"], round(found["straggler"]["behind"], 3)) == (1, 0.238)
    alone = json.loads(cli("show", "alone", "--json", cwd=tmp_path).stdout)
    assert alone["ranks"] == [] and alone["straggler"] is None
    assert "RANK" not in cli("show", "alone", cwd=tmp_path).stdout


def test_show_names_the_worst_pairs_and_the_pictures(cli: Cli, make_run: Make, tmp_path: Path) -> None:
    kept = [e.PicturesLogged(kind="mistakes", split="validation", epoch=epoch, step=10 * epoch, pictures=7) for epoch in (1, 2)]
    run = make_run("demo", [*runs.healthy(2), *kept, e.RunStopped(reason="asked")])
    text = cli("show", "demo", cwd=tmp_path).stdout
    worst = ["cat taken for dog: 10 of 30", "dog taken for frog: 10 of 30", "frog taken for dog: 9 of 30"]
    assert "\n  ".join(["most often wrong:", *worst]) in text
    assert "14 pictures of mistakes at 2 moments" in text
    found = json.loads(cli("show", "demo", "--json", cwd=tmp_path).stdout)
    assert found["confusions"]["validation"][0] == {
        "truth": "cat", "taken_for": "dog", "images": 10, "share": 10 / 30, "total": 30
    }  # fmt: skip
    assert [(item["kind"], item["epoch"], item["pictures"]) for item in found["pictures"]] == [
        ("mistakes", 1, 7), ("mistakes", 2, 7)
    ]  # fmt: skip
    assert "cat taken for dog: 10 of 30" in "\n".join(result_lines(run, look(run)))


def test_verify_and_repair(cli: Cli, make_run: Make, tmp_path: Path) -> None:
    run = make_run("demo", [event for event in runs.healthy(1) if not isinstance(event, e.CheckpointSaved)])
    process = cli("verify", "demo", cwd=tmp_path)
    assert process.returncode == 0 and "events.jsonl  good" in process.stdout
    (run.checkpoints / "last.json").write_text("{")
    process = cli("verify", "demo", cwd=tmp_path)
    assert process.returncode == 1 and "last.json     BAD" in process.stdout
    assert cli("repair", "demo", cwd=tmp_path).stdout == "last.json set aside as bad-last.json: damaged\n"
    assert cli("repair", "demo", cwd=tmp_path).stdout == "nothing to do\n"


@pytest.mark.parametrize("verb", [("pause",), ("continue",), ("save",), ("stop",), ("tell", "epochs=3")])
def test_a_run_without_a_trainer_is_refused_at_once(verb: tuple[str, ...], cli: Cli, make_run: Make, tmp_path: Path) -> None:
    run = make_run("demo", runs.healthy(1))
    assert "no living trainer" in one_line(cli(verb[0], "demo", *verb[1:], cwd=tmp_path))
    assert inbox.waiting(run.inbox) == []


def test_advice_works_where_it_is_pasted(cli: Cli, make_run: Make, tmp_path: Path) -> None:
    make_run("demo", [*runs.healthy(2), e.RunFinished(step=20, epoch=2)])
    assert one_line(cli("pause", "demo", cwd=tmp_path)).endswith("by: tui-trainer resume demo --epochs 4")
    (tmp_path / "runs").rename(tmp_path / "my runs")
    for arguments in (("--runs", "my runs", "pause", "demo"), ("pause", "demo", "--runs", "my runs")):
        assert one_line(cli(*arguments, cwd=tmp_path)).endswith("tui-trainer resume 'my runs/demo' --epochs 4")


def test_a_command_is_sent_and_not_waited_for(cli: Cli, make_run: Make, tmp_path: Path) -> None:
    run = make_run("demo", runs.healthy(1))
    with run.hold():
        assert cli("tell", "demo", "epochs=9", "remark=hi there", "--no-wait", cwd=tmp_path).returncode == 0
    sent = [inbox.read(path) for path in inbox.waiting(run.inbox)]
    assert isinstance(sent[0], commands.SetEpochs) and sent[0].value == 9
    assert isinstance(sent[1], commands.Remark) and sent[1].text == "hi there"


def test_the_answer_is_waited_for(make_run: Make) -> None:
    run = make_run("demo", runs.healthy(1))
    offset = run.journal.stat().st_size

    def reply() -> None:
        time.sleep(0.2)
        with JournalWriter(run.journal) as journal:
            journal.append(e.CommandAccepted(id="other", command="Pause", note="not mine"))
            journal.append(e.CommandAccepted(id="mine", command="Pause", note="paused at step 3"))
            journal.append(e.CommandRejected(id="wrong", command="Pause", reason="not now"))

    with run.hold():
        thread = threading.Thread(target=reply)
        thread.start()
        assert steer.answer(run, "mine", offset) == "paused at step 3"
        with pytest.raises(UserError, match="rejected: not now"):
            steer.answer(run, "wrong", offset)
        thread.join()


def test_an_answer_that_does_not_come(make_run: Make) -> None:
    run = make_run("demo", runs.healthy(1))
    with run.hold(), pytest.raises(UserError, match="no answer within 0 s"):
        steer.answer(run, "mine", 0, patience=0.1)
    with pytest.raises(UserError, match="has ended before it answered"):
        steer.answer(run, "mine", 0)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("learning-rate=1e-4", commands.SetLearningRate(value=1e-4)),
        ("epochs=60", commands.SetEpochs(value=60)),
        ("patience=5", commands.SetEarlyStopping(patience=5)),
        ("early-stopping=off", commands.SetEarlyStopping(enabled=False)),
        ("stop-after-epoch=yes", commands.StopAfterEpoch()),
        ("validate=now", commands.Validate()),
        ("remark=a=b", commands.Remark(text="a=b")),
        ("rewind=early bird", commands.Rewind(checkpoint="early bird")),
        ("save=mine", commands.Save(name="mine")),
        ("stop=now", commands.Stop()),
        ("discard=yes", commands.Discard()),
    ],
)
def test_what_can_be_told(text: str, command: commands.Command) -> None:
    assert steer.parse(text) == command


@pytest.mark.parametrize(
    "text",
    [
        "",
        "epochs",
        "epochs=x",
        "epochs=1.5",
        "epohs=3",
        "early-stopping=maybe",
        "validate=",
        "learning-rate=",
        "learning-rate=nan",
        "learning-rate=inf",
        "learning-rate=-inf",
        "epochs=1" + "0" * 400,
        "epochs=+x",
        "learning-rate=xx",
        "learning-rate=x",
        "rewind=",
        "discard=now",
    ],
)
def test_what_cannot_be_told(text: str) -> None:
    with pytest.raises(UserError, match="tell "):
        steer.parse(text)


PLANNED = {"name": "planned", "epochs": 4, "optimizer": {"lr": 0.01}, "schedule": {"name": "linear", "per": "step"}}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("epochs=+2", "epochs=8"),
        ("epochs=-1", "epochs=5"),
        ("epochs=9", "epochs=9"),
        ("learning-rate=x0.5", "learning-rate=0.00125"),
        ("remark=x2", "remark=x2"),
    ],
)
def test_what_is_meant_relative_to_how_the_run_stands(make_run: Make, text: str, meant: str) -> None:
    longer = e.SettingChanged(step=10, key="epochs", value=6, previous=4, validated=1)
    lower = e.SettingChanged(step=20, key="learning_rate", value=0.0025, validated=2)
    run = make_run("demo", [*runs.healthy(2), longer, lower])
    run.run_file.write_bytes(msgspec.json.encode(RunFile(name="demo", recipe=PLANNED)))
    assert steer.absolute(text, run) == meant


@pytest.mark.parametrize("text", ["epochs=+x", "learning-rate=x", "learning-rate=xnan"])
def test_what_is_relative_and_wrong(make_run: Make, text: str) -> None:
    run = make_run("demo", runs.healthy(1))
    with pytest.raises(UserError, match="tell "):
        steer.absolute(text, run)


def test_nothing_is_relative_to_a_run_that_has_not_begun(make_run: Make) -> None:
    with pytest.raises(UserError, match="training has not begun yet"):
        steer.absolute("epochs=+1", make_run("demo", []))
