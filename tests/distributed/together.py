"""Two ranks of one run: real workers that find each other by a file, without a launcher or a port."""

from __future__ import annotations

import multiprocessing
import secrets
import signal
import time
from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple

from core.commands import Command
from core.events import RunFinished
from core.recipe import Recipe
from core.run import journal
from core.run.folder import RunFolder
from core.run.processes import PEER_LOST, RENDEZVOUS
from tests.core.training import fingerprint, last_progress, new_run, tiny
from tests.distributed import rank

RANKS = multiprocessing.get_context("forkserver")
RANKS.set_forkserver_preload([rank.__name__])
LONGEST = 240.0
"""Seconds that a session may take before it counts as one that hangs."""
ADDRESSES = {"GLOO_SOCKET_IFNAME": "lo"}


class Slow(NamedTuple):
    """A rank of which one of :data:`tests.distributed.rank.PARTS` takes longer, in every step."""

    rank: int
    part: str

    @property
    def environment(self) -> dict[str, str]:
        return {"SLOW": self.part}


class Spoil(NamedTuple):
    """A rank that makes the training diverge once, and may damage the checkpoints as well."""

    rank: int
    files: bool = False

    @property
    def environment(self) -> dict[str, str]:
        return {"SPOILS": "files" if self.files else "gradients"}


class Death(NamedTuple):
    """A signal that a rank sends itself at one of :data:`tests.distributed.rank.POINTS`."""

    rank: int
    point: str
    signal: signal.Signals = signal.SIGKILL

    @property
    def environment(self) -> dict[str, str]:
        return {"DIES": self.point, "OF": str(int(self.signal))}


def small(**changes: Any) -> Recipe:
    """A checkpoint after nearly every step."""
    return tiny(**{"epochs": 2, "checkpoint": {"every_seconds": 0.01, "keep": 3}, "precision": "fp32", **changes})


def begun(folder: Path, **changes: Any) -> RunFolder:
    return new_run(folder, small(**changes))


def session(
    run: RunFolder,
    size: int = 2,
    fault: Slow | Spoil | Death | None = None,
    told: Mapping[int, tuple[Command, ...]] = {},
    arguments: tuple[str, ...] = (),
    hosts: tuple[str, ...] = (),
    compiler: bool = True,
) -> list[int]:
    """Train until all ranks have ended; their exit statuses. ``hosts`` are what their machines are called; without a
    ``compiler`` torch.compile leaves a network as it is."""
    place = run.path.parent / f"meet-{secrets.token_hex(4)}"
    common = {RENDEZVOUS: f"file://{place}", "WORLD_SIZE": str(size), "LOCAL_WORLD_SIZE": str(size), **ADDRESSES}
    ranks: list[BaseProcess] = []
    for number in range(size):
        environment = {**common, "RANK": str(number), "LOCAL_RANK": str(number)}
        if fault and fault.rank == number:
            environment |= fault.environment
        if not compiler:
            environment |= {"COMPILER": "none"}
        if hosts:
            environment |= {"HOST": hosts[number]}
        process = RANKS.Process(target=rank.session, args=(run.path, environment, told, list(arguments)))
        process.start()
        ranks.append(process)
    return [ended(run, process) for process in ranks]


def ended(run: RunFolder, process: BaseProcess) -> int:
    process.join(LONGEST)
    if process.exitcode is None:
        process.kill()
        raise AssertionError(f"hangs; the logs:\n{logs(run)}")
    return process.exitcode


def logs(run: RunFolder) -> str:
    files = [*run.path.glob("*.log"), *run.ranks.glob("*.log")]
    return "\n".join(f"{file.name}:\n{file.read_text()}" for file in files)


def outcome(run: RunFolder) -> dict[str, Any]:
    """Of a finished run, what must not depend on what happened to it."""
    last = journal.read_all(run.journal)[-1]
    assert isinstance(last, RunFinished), f"ended by {last}; the logs:\n{logs(run)}"
    return {"weights": fingerprint(run), "progress": last_progress(run), "metrics": last.metrics}


def killed(statuses: list[int], number: int) -> bool:
    """Whether that rank was, and the others left since it was gone."""
    others = [status for place, status in enumerate(statuses) if place != number]
    return statuses[number] == -signal.SIGKILL and all(status == PEER_LOST for status in others)


def wait_for(condition: Any, seconds: float = LONGEST) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)
