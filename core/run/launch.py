"""The process that starts the ranks of one run on this machine, and looks after them: torchrun's agent, standalone.

    python -P -m core.run.launch RUN_DIR --processes N [--max-restarts K] [options of core.run.worker]

When a rank dies the others are ended and all are started anew, up to K times, from the last checkpoint; then the run ends as
failed, with the last words of the rank that died. Exit status: as of the worker.
"""

from __future__ import annotations

import argparse
import logging
import os
import secrets
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from core import checkpoint
from core.checkpoint import WEIGHTS
from core.errors import UserError
from core.events import ResumeRefused, RunFailed, RunResumed, RunStarted
from core.run import journal
from core.run.endings import endings, status_of
from core.run.folder import RunFolder
from core.run.journal import JournalWriter
from core.run.processes import LAUNCHER, PEER_LOST, last_words
from core.view.summary import summarise

if TYPE_CHECKING:
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure

HANDLED = "SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1"
"""Signals that are passed on to the ranks."""
ENVIRONMENT = {
    LAUNCHER: "1",
    "TORCHELASTIC_SIGNALS_TO_HANDLE": HANDLED,
    "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",  # or those that are started anew would find the addresses of those before
}
PATIENCE = 10.0
"""Seconds to wait for the lock of a run whose ranks are gone."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -P -m core.run.launch", allow_abbrev=False)
    parser.add_argument("run", type=Path)
    parser.add_argument("--processes", type=int, required=True)
    parser.add_argument("--max-restarts", type=int, default=0)
    parser.add_argument("--tied", action="store_true")
    given, rest = parser.parse_known_args(arguments)
    if given.tied:
        _leave_with_parent()
    os.environ.update(ENVIRONMENT)
    run = RunFolder(given.run)
    ends, begins = len(endings(run)), len(_beginnings(run))
    status, trouble = _launch(run, given.processes, given.max_restarts, rest)
    ended, begun = endings(run)[ends:], len(_beginnings(run)) > begins or not checkpoint.listing(run.checkpoints)
    return status_of(ended[-1]) if ended else _end(run, status, trouble, begun)


def _launch(run: RunFolder, processes: int, restarts: int, rest: list[str]) -> tuple[int, str]:
    """Exit status, and what went wrong in words; empty where nothing did."""
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)  # what matters of it is said below
    config = LaunchConfig(
        min_nodes=1, max_nodes=1, nproc_per_node=processes, run_id=secrets.token_hex(8), max_restarts=restarts,
        rdzv_backend="c10d", rdzv_endpoint="localhost:0", local_addr="localhost", monitor_interval=0.1,
        signals_to_handle=HANDLED,
    )  # fmt: skip
    try:
        elastic_launch(config, sys.executable)("-P", "-m", "core.run.worker", str(run.path), *rest)
    except ChildFailedError as error:
        return _failed(run, error)
    except SignalException as caught:
        return 128 + caught.sigval, f"the processes were ended by {caught.sigval.name}"
    return 0, ""


def _failed(run: RunFolder, error: ChildFailedError) -> tuple[int, str]:
    """Of the rank that was the first to go, and not because another one was gone."""
    failures = sorted(error.failures.items(), key=lambda item: (_follows(item[1]), item[1].timestamp))
    rank, failure = failures[0]
    code = failure.exitcode
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
    words = last_words(run.rank_log(rank))
    said = f"; its log ends: {words}" if words else ""
    return 2 if code == 2 else 3, f"rank {rank} (process {failure.pid}) {how}{said}"


def _follows(failure: ProcessFailure) -> bool:
    """Whether a process ended since another one had, or was asked to."""
    return failure.exitcode in (PEER_LOST, -signal.SIGTERM, 128 + signal.SIGTERM)


def _beginnings(run: RunFolder) -> list[RunStarted | RunResumed]:
    return journal.find(run.journal, RunStarted, RunResumed)


def _end(run: RunFolder, status: int, trouble: str, begun: bool) -> int:
    """Say that the run failed, which none of its ranks could, or that nothing was resumed at all."""
    if not trouble:
        return status
    print(trouble, file=sys.stderr)  # noqa: T201
    with run.hold(PATIENCE), JournalWriter(run.journal) as writer:
        writer.append(_failure(run, trouble) if begun else ResumeRefused(reason=trouble))
        writer.sync()
    return status


def _failure(run: RunFolder, trouble: str) -> RunFailed:
    state, found = summarise(run), checkpoint.listing(run.checkpoints)
    weights = f"checkpoints/{found[-1].name}/{WEIGHTS}" if found else ""
    return RunFailed(step=state.step, epoch=state.epoch, kind="rank", reason=trouble, weights=weights)


def _leave_with_parent() -> None:
    """Take the end of standard input, a pipe held by the process that started this one, for SIGTERM."""

    def work() -> None:
        while os.read(0, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=work, name="tie", daemon=True).start()


if __name__ == "__main__":
    os.umask(0o077)
    try:
        sys.exit(main())
    except UserError as error:
        print(error, file=sys.stderr)  # noqa: T201
        sys.exit(2)
