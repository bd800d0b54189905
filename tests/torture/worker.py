"""The real worker, which signals itself at a named point, in a process of its own (:func:`session`).

The points are put around the program's functions from outside. ``RECORD`` gets a line for every step begun (how often the run
had been taken back, its place, its learning rate and its samples), every batch measured, the signal, and every command sent: at
fixed steps, those of ``TOLD``, the worker sends itself some through the run's own inbox, each until it is accepted.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from core import checkpoint, commands
from core.commands import Command
from core.data.sources import sample
from core.events import CommandAccepted, Event, RemarkAdded, RunResumed, RunRewound, RunStarted, RunStopped, SettingChanged
from core.run import inbox, journal, worker
from core.run import line as lines
from core.run.folder import RunFolder
from core.run.journal import JournalWriter
from core.run.line import Line
from core.run.listener import Listener
from core.training import rollback, setup, steering, trainer
from core.training.evaluation import Evaluation
from core.training.saver import Saver
from core.training.snapshot import Snapshot
from core.training.steps import Steps
from core.training.trainer import Trainer

COMMANDS: dict[int, tuple[Command, ...]] = {
    2: (commands.SetLearningRate(value=0.004),),
    4: (commands.Save(name="asked"), commands.Remark(text="before the first measurement")),
    5: (commands.SetEarlyStopping(enabled=True, patience=3),),
    8: (commands.Pause(),),
    9: (commands.SetEpochs(value=4),),
}
"""By the steps that are done when they are sent; those of step 5, an epoch's last, come during its measurement."""
GOING_BACK: dict[int, tuple[Command, ...]] = {
    2: (commands.SetLearningRate(value=0.004),),
    3: (commands.Save(name="here"),),
    5: (commands.SetEpochs(value=4),),
    7: (commands.SetEarlyStopping(enabled=False, patience=5), commands.Save(name="left")),
    8: (commands.Rewind(checkpoint="here"),),
    9: (commands.Discard(),),
    11: (commands.Remark(text="again"), commands.Pause()),
}
"""Steps from the ninth on are taken only after the run has been taken back."""
TOLD = {"changed": COMMANDS, "taken back": GOING_BACK}
Die = Callable[[], None]
SAVING = 0.3
"""Seconds that a save lasts in which a signal comes; some steps would have been taken meanwhile."""


class Record:
    """Lines in a file outside the run; each is there as soon as it is written, whatever happens next."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, *words: object) -> None:
        os.write(self._descriptor, json.dumps(words).encode() + b"\n")


def before(owner: Any, name: str, die: Die, when: Callable[..., bool] = lambda *_: True, after: bool = False) -> None:
    original = getattr(owner, name)

    def dying(*arguments: Any, **named: Any) -> Any:
        reached = when(*arguments)
        if reached and not after:
            die()
        result = original(*arguments, **named)
        if reached and after:
            die()
        return result

    setattr(owner, name, dying)


after = functools.partial(before, after=True)


def says(*kinds: type[Event]) -> Callable[..., bool]:
    return lambda _, event: isinstance(event, kinds)


def changes(_: JournalWriter, event: Event) -> bool:
    return isinstance(event, SettingChanged) and not event.again


def half_a_file(die: Die) -> None:
    original = checkpoint._write

    def write(path: Path, data: bytes) -> str:
        original(path, data[: len(data) // 2])
        die()
        path.unlink()
        return original(path, data)

    checkpoint._write = write


def half_a_line(die: Die) -> None:
    original = JournalWriter._write

    def write(self: JournalWriter, data: bytes) -> None:
        half = len(data) // 2
        original(self, data[:half])
        die()
        original(self, data[half:])

    JournalWriter._write = write  # type: ignore[method-assign]


def in_removal(die: Die) -> None:
    original = shutil.rmtree

    def rmtree(path: Path | str, *arguments: Any, **named: Any) -> None:
        if Path(path).name.startswith(".removing-"):
            for file in list(Path(path).iterdir())[:1]:
                file.unlink()
            die()
        original(path, *arguments, **named)

    shutil.rmtree = rmtree  # type: ignore[assignment]


def in_measuring(die: Die, final: bool) -> None:
    original = Trainer._between_batches

    def between(self: Trainer) -> Iterator[Event]:
        if self.over == final:
            die()
        yield from original(self)

    Trainer._between_batches = between  # type: ignore[method-assign]


POINTS: dict[str, Callable[[Die], None]] = {
    "while data are read": lambda die: before(sample, "load", die),
    "before training is prepared": lambda die: before(setup, "prepare", die),
    "after the beginning": lambda die: after(JournalWriter, "append", die, says(RunStarted, RunResumed)),
    "before a step": lambda die: before(Steps, "take", die),
    "after a step": lambda die: after(Steps, "take", die),
    "before a checkpoint is handed over": lambda die: before(Saver, "submit", die),
    "before its tensors are bytes": lambda die: before(Snapshot, "files", die),
    "half a file": half_a_file,
    "before a file is synced": lambda die: before(os, "fsync", die, lambda number: ".writing-" in _path(number)),
    "before the manifest": lambda die: before(checkpoint, "_write", die, lambda path, _: path.name == checkpoint.MANIFEST),
    "before the rename": lambda die: before(checkpoint, "_free_folder", die),
    "before the pointer": lambda die: before(checkpoint, "point", die, lambda _, pointer, __: pointer == "last"),
    "before a pointer is replaced": lambda die: before(Path, "replace", die, lambda path, _: path.name.startswith(".last")),
    "before the pointer to the best": lambda die: before(checkpoint, "point", die, lambda _, pointer, __: pointer == "best"),
    "before pruning": lambda die: before(checkpoint, "prune", die),
    "in a removal": in_removal,
    "half a journal line": half_a_line,
    "after a journal line": lambda die: after(JournalWriter, "_write", die),
    "in validation": lambda die: in_measuring(die, final=False),
    "in the final test": lambda die: in_measuring(die, final=True),
    "while paused": lambda die: before(Listener, "wait", die),
    "between a command and its effect": lambda die: before(steering, "apply", die),
    "between a change and its answer": lambda die: after(JournalWriter, "append", die, changes),
    "between a remark and its answer": lambda die: after(JournalWriter, "append", die, says(RemarkAdded)),
    "before an answer": lambda die: before(JournalWriter, "append", die, says(CommandAccepted)),
    "before an answered command is removed": lambda die: before(Listener, "answered", die),
}
"""Each is passed at least once by a run that begins."""
COMPILING: dict[str, Callable[[Die], None]] = {"while compiling": lambda die: before(Steps, "compile", die)}
"""By a run that compiles."""
REWINDING: dict[str, Callable[[Die], None]] = {
    "before the run is taken back": lambda die: before(rollback, "rewind", die),
    "before it is said": lambda die: before(JournalWriter, "append", die, says(RunRewound)),
    "after it is said": lambda die: after(JournalWriter, "append", die, says(RunRewound)),
    "before what is later is out of the way": lambda die: before(Line, "clear", die, lambda line, _: line.number > 0),
    "in the middle of that": lambda die: after(lines, "_removed", die),
    "before a named one is out of the way": lambda die: before(lines, "_kept", die),
    "before a discarded run has ended": lambda die: before(JournalWriter, "append", die, says(RunStopped)),
}
"""By a run that is taken back and discarded."""


def _path(descriptor: int) -> str:
    return str(Path(f"/proc/self/fd/{descriptor}").readlink())


def countdown(nth: int, record: Record, numbers: Sequence[int]) -> Die:
    """The signals at the nth call."""
    left = nth
    deadly = signal.SIGKILL in numbers or len(numbers) > 1

    def die() -> None:
        nonlocal left
        left -= 1
        if left:
            return
        record.write("signal")
        for number in numbers:
            os.kill(os.getpid(), number)
        if deadly:
            time.sleep(60)  # the signal may take a moment, in which nothing more must happen
        elif threading.current_thread() is not threading.main_thread():
            time.sleep(SAVING)

    return die


def watch(run: RunFolder, record: Record) -> None:
    step, batch, leave_behind = Steps.take, Evaluation._take, Saver.leave_behind
    back = lines.present(run).number

    def taking_step(self: Steps, epoch: int, rate: float) -> None:
        record.write("step", back, self.progress.step, epoch, rate, self._samples(epoch).tolist())
        step(self, epoch, rate)

    def leaving(self: Saver, checkpoint: str) -> None:
        nonlocal back
        leave_behind(self, checkpoint)
        back += 1

    def taking_batch(self: Evaluation, part: slice) -> None:
        record.write("batch", part.start)
        batch(self, part)

    Steps.take, Evaluation._take = taking_step, taking_batch  # type: ignore[method-assign]
    Saver.leave_behind = leaving  # type: ignore[method-assign]


def speak(run: RunFolder, record: Record, told: dict[int, tuple[Command, ...]]) -> None:
    """Send each step's commands just before it looks for commands there; end a pause as soon as it begins. Of a kind of command
    as many are accepted as were told before it when it is its turn."""
    between, wait = Trainer.between_steps, Listener.wait
    told_before, turns = Counter[str](), dict[int, list[tuple[Command, int]]]()
    for step, due in sorted(told.items()):
        for command in due:
            turns.setdefault(step, []).append((command, told_before[commands.name_of(command)]))
            told_before[commands.name_of(command)] += 1

    def waiting(self: Listener, seconds: float) -> None:
        record.write("sent", inbox.send(run, commands.Continue()))
        wait(self, seconds)

    def speaking(self: Trainer) -> Iterator[Event]:
        if now := turns.get(self.progress.step):
            self.saver.sync_journal()
            accepted = Counter(answer.command for answer in journal.find(run.journal, CommandAccepted))
            for command, before in now:
                if accepted[commands.name_of(command)] <= before:
                    record.write("sent", inbox.send(run, command))
        yield from between(self)

    Listener.wait = waiting  # type: ignore[method-assign]
    Trainer.between_steps = speaking  # type: ignore[method-assign]


def session(log: Path, arguments: Sequence[str]) -> None:
    """All of a new process: train, with whatever is printed at the end of ``log``. ``arguments`` are RUN RECORD TOLD [POINT NTH
    SIGNAL...]."""
    with log.open("ab") as file:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), stream.fileno())
    sys.exit(main(arguments))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("record", type=Path)
    parser.add_argument("told", choices=TOLD)
    parser.add_argument("point", nargs="?", choices=POINTS | COMPILING | REWINDING)
    parser.add_argument("nth", nargs="?", type=int, default=1)
    parser.add_argument("signals", nargs="*", type=int)
    given = parser.parse_args(arguments)
    trainer.WINDOW = 0.0  # every step closes a window, so that a checkpoint may fall on any
    torch.compile = functools.partial(torch.compile, backend="aot_eager")  # traced as ever; kernels would take minutes
    record = Record(given.record)
    watch(RunFolder(given.run), record)
    speak(RunFolder(given.run), record, TOLD[given.told])
    if given.point:
        (POINTS | COMPILING | REWINDING)[given.point](countdown(given.nth, record, given.signals))
    return worker.main([str(given.run), "--threads", "1"])
