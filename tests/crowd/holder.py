"""Holds a run's lock, has a child that outlives it, prints the child's process id and is killed: ``holder.py RUN KIND``."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from core.run.folder import RunFolder

LONG = 120.0
"""Seconds; whoever started this ends the child before."""


def forked() -> int:
    child = os.fork()
    if not child:
        time.sleep(LONG)
        os._exit(0)
    return child


def worker() -> int:
    """As a DataLoader starts those that prepare its batches."""
    process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(LONG,), daemon=True)
    process.start()
    assert process.pid
    return process.pid


def program() -> int:
    """One that keeps every descriptor it can get."""
    return subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({LONG})"], close_fds=False).pid


KINDS = {"forked": forked, "worker": worker, "program": program}


def main() -> None:
    with RunFolder(Path(sys.argv[1])).hold():
        print(KINDS[sys.argv[2]](), flush=True)  # noqa: T201
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
