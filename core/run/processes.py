"""Which of several processes that train one run together this one is, as torchrun tells it by the environment."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import psutil

from core.errors import UserError
from core.files import last_line
from core.run.folder import RunFolder
from core.run.signals import Signals

TOLD = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "TORCHELASTIC_RESTART_COUNT", "TORCHELASTIC_MAX_RESTARTS")
"""What a launcher sets for its processes; a worker that trains alone is started without."""
RENDEZVOUS = "TUI_TRAINER_RENDEZVOUS"
"""Where the processes find each other, for a launcher that sets no MASTER_ADDR: an init method of torch.distributed, for
instance ``file:///shared/place``."""
LAUNCHER = "TUI_TRAINER_LAUNCHER"
"""Set by :mod:`core.run.launch`, which says itself how a run ended whose processes died."""
PEER_LOST = 4
"""Exit status of a process that can not go on since another one is gone."""
LOOK = 0.2
"""Seconds between two looks at whether the launcher is still there."""
OPENING = "started: "
"""What the first line of each start begins with in a rank's log."""
GRACE = 60.0
"""Seconds that a process without its launcher may take to save and leave."""


class Processes(NamedTuple):
    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1
    restart: int = 0
    """How often the launcher has started all of them anew."""
    most_restarts: int = 0

    @property
    def several(self) -> bool:
        return self.size > 1

    @property
    def leads(self) -> bool:
        return self.rank == 0

    @property
    def may_restart(self) -> bool:
        return self.restart < self.most_restarts

    def threads(self, given: int | None) -> int | None:
        """Of this process: its share of those of the machine; None where it is alone and nothing was said."""
        return max(1, (given or os.cpu_count() or 1) // self.local_size) if self.several else given


def present(environment: Mapping[str, str] = os.environ) -> Processes:
    """Raises UserError for what no launcher sets."""
    defaults = Processes()
    values = [environment.get(name, str(default)) for name, default in zip(TOLD, defaults, strict=True)]
    if not all(value.isdecimal() for value in values):
        found = ", ".join(f"{name}={value}" for name, value in zip(TOLD, values, strict=True) if not value.isdecimal())
        raise UserError(f"{found}: expected the numbers that torchrun sets; start the worker with torchrun, or without them")
    told = Processes(*map(int, values))
    if told.several and "LOCAL_WORLD_SIZE" not in environment:
        told = told._replace(local_size=told.size)
    if not told.rank < max(told.size, 1):
        raise UserError(f"RANK={told.rank}: expected less than WORLD_SIZE={told.size}")
    return told


def launched() -> float:
    """When the process that started this one was started itself (Unix seconds)."""
    parent = psutil.Process().parent()
    return float(parent.create_time()) if parent else 0.0


def last_words_of_ranks(run: RunFolder, processes: Processes) -> str:
    """What the logs of the other processes end with, one line of each."""
    said = [f"rank {rank}: {words}" for rank in range(1, processes.size) if (words := last_words(run.rank_log(rank)))]
    return f"their logs end: {'; '.join(said)}" if said else f"their logs are in {run.ranks}"


def last_words(log: Path) -> str:
    """The last line of a rank's log, empty where there is none."""
    line = last_line(log).strip()
    return "" if line.startswith(OPENING) else line


def leave_with_launcher(signals: Signals) -> None:
    """Take the end of the process that started this one for SIGTERM; where that was asked to leave already, leave at once."""
    launcher = os.getppid()

    def work() -> None:
        while os.getppid() == launcher:
            time.sleep(LOOK)
        if signals.number:
            os._exit(128 + signals.number)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE)
        os._exit(128 + signal.SIGTERM)

    threading.Thread(target=work, name="launcher", daemon=True).start()
