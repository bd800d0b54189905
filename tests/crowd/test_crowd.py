"""Many at once: trainers, viewers, senders of commands and runs, all of them processes of their own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core import commands
from core.bench.console import Console
from core.events import CommandAccepted, CommandRejected, RunFinished, RunResumed, RunStarted, StepDone
from core.recipe import to_toml
from core.run import inbox, journal, session
from core.run.folder import RunFolder, list_runs
from tests.core.training import fingerprint, new_run
from tests.crowd.harness import PATIENCE, answers, ended, endless, line, short, start, tell_at_once, until, until_training

COMMAND = (sys.executable, "-P", "-m", "tui_trainer")
VIEWERS, CONSOLES, ASKING = 14, 2, 4


def test_of_many_trainers_on_one_run_one_trains_and_the_others_say_why_not(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", endless())
    command = [*session.WORKER, str(run.path), "--threads", "1"]
    workers = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(6)]
    with ended(*workers):
        until(lambda: len([worker for worker in workers if worker.poll() is None]) == 1, "all but one are gone")
        until_training(run)
        refused = [worker for worker in workers if worker.poll() is not None]
        assert [worker.returncode for worker in refused] == [2] * 5
        for worker in refused:
            (words,) = worker.communicate()[1].splitlines()
            assert words.startswith("run 'run' is being trained already; look at it with: tui-trainer attach ")
        resumed = subprocess.run([*COMMAND, "resume", str(run.path)], capture_output=True, text=True, check=False)
        assert resumed.returncode == 2 and resumed.stderr.count("\n") == 1 and "being trained already" in resumed.stderr
        assert len(journal.find(run.journal, RunStarted, RunResumed)) == 1


def test_twenty_viewers_change_nothing(tmp_path: Path, alone: str) -> None:
    """The trainer is halted until each of them has seen it, and trains on with all of them looking."""
    run = new_run(tmp_path / "run", short())
    trainer = session.start(run, threads=1)
    until_training(run)
    trainer.send_signal(signal.SIGSTOP)
    viewers = [start("viewer.py", run.path) for _ in range(VIEWERS)]
    screens = [tmp_path / f"screen-{number}" for number in range(CONSOLES)]
    with ended(trainer, *viewers), ThreadPoolExecutor(ASKING + CONSOLES) as pool:
        assert {line(viewer) for viewer in viewers} == {"running"}
        with Console([*COMMAND, "attach", str(run.path)], screens[0]), Console([*COMMAND, "attach", str(run.path)], screens[1]):
            before = journal.find(run.journal, StepDone)[-1].step
            trainer.send_signal(signal.SIGCONT)
            asked = list(pool.map(ask_until_it_ends, [run] * ASKING))
            assert trainer.wait(PATIENCE) == 0
        (end,) = journal.find(run.journal, RunFinished)
        assert before < end.step
        assert {viewer.communicate(timeout=PATIENCE)[0].strip() for viewer in viewers} == {f"finished {end.step}"}
        assert all(states[-1] == "finished" and set(states) <= {"running", "finished"} for states in asked)
    assert fingerprint(run) == alone


def ask_until_it_ends(run: RunFolder) -> list[str]:
    """The states that ``show --json`` gives, one after the other."""
    states = ["running"]
    while states[-1] == "running":
        shown = subprocess.run([*COMMAND, "show", str(run.path), "--json"], capture_output=True, text=True, check=True)
        states.append(json.loads(shown.stdout)["state"])
    return states


def test_fifty_commands_of_ten_processes_are_answered_once_each(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", endless())
    trainer = session.start(run, threads=1)
    with ended(trainer):
        until_training(run)
        sent = tell_at_once(run, tmp_path / "go")
        assert len(set(sent)) == 50
        until(lambda: answers(run).keys() >= set(sent), "every answer")
        assert not journal.find(run.journal, CommandRejected)
        assert {f"by-{number}" for number in range(10)} <= names_of_saves(run)
        stop = inbox.send(run, commands.Stop())
        assert trainer.wait(PATIENCE) == 0
    assert answers(run) == Counter([*sent, stop])
    assert inbox.waiting(run.inbox) == []


def test_fifty_commands_are_answered_once_each_also_by_the_session_after_a_kill(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", endless())
    trainer = session.start(run, threads=1)
    with ended(trainer):
        until_training(run)
        trainer.send_signal(signal.SIGSTOP)
        sent = tell_at_once(run, tmp_path / "go")
        trainer.send_signal(signal.SIGCONT)
        until(lambda: len(answers(run)) >= 5, "the first answers")
    early = len(answers(run))
    second = session.start(run, threads=1)
    with ended(second):
        until(lambda: answers(run).keys() >= set(sent), "the other answers")
        stop = inbox.send(run, commands.Stop())
        assert second.wait(PATIENCE) == 0
    assert answers(run) == Counter([*sent, stop])
    assert 5 <= early <= 50
    assert inbox.waiting(run.inbox) == []


def names_of_saves(run: RunFolder) -> set[str]:
    notes = [answer.note for answer in journal.find(run.journal, CommandAccepted) if answer.command == "Save"]
    folders = [run.checkpoints / note.removeprefix("saved ") / "MANIFEST.json" for note in notes]
    return {json.loads(folder.read_bytes())["name"] for folder in folders}


@pytest.mark.parametrize("count", [3, pytest.param(8, marks=pytest.mark.torture)])
def test_runs_side_by_side_are_as_one_alone(tmp_path: Path, alone: str, count: int) -> None:
    """Begun at the same moment too, by command lines that all want the same name."""
    (tmp_path / "tiny.toml").write_text(to_toml(short()))
    session.check(short())  # from here on the network's description is known, and none of them waits for it
    command = [*COMMAND, "train", "tiny.toml", "--detach", "--threads", "1"]
    with ThreadPoolExecutor(count) as pool:
        said = list(pool.map(lambda _: subprocess.check_output(command, cwd=tmp_path, text=True), range(count)))
    runs = list_runs(tmp_path / "runs")
    assert sorted(words.splitlines()[0] for words in said) == ["tiny", *(f"tiny-{number}" for number in range(2, count + 1))]
    assert len({run.read().id for run in runs}) == count
    until(lambda: not any(run.alive() for run in runs), "the end of all runs")
    assert all(journal.find(run.journal, RunFinished) for run in runs)
    assert {fingerprint(run) for run in runs} == {alone}
