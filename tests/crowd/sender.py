"""One of many that tell a run something at the same moment: ``sender.py RUN GO NUMBER``.

Says ``ready``, waits for the file ``GO`` and prints the id of each command that was sent."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from core import commands
from core.commands import Command
from core.run import inbox
from core.run.folder import RunFolder


def told(number: int) -> list[Command]:
    """One of each kind, in an order of its own."""
    mixed = [
        commands.Remark(text=f"remark {number}"),
        commands.SetLearningRate(value=0.001 * (number + 1)),
        commands.Save(name=f"by-{number}"),
        commands.Pause(),
        commands.Continue(),
    ]
    place = number % len(mixed)
    return mixed[place:] + mixed[:place]


def main() -> None:
    run, go, number = RunFolder(Path(sys.argv[1])), Path(sys.argv[2]), int(sys.argv[3])
    say("ready")
    while not go.exists():
        time.sleep(0.001)
    for command in told(number):
        say(inbox.send(run, command))


def say(word: str) -> None:
    print(word, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
