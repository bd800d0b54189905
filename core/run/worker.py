"""The process that trains one run: ``python -P -m core.run.worker RUN_DIR``. It outlives every screen.

Exit status: 0 finished, early-stopped or stopped on request; 2 wrong use; 3 training failed; 128 + n stopped by signal n.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import sys
from pathlib import Path

import msgspec

from core.errors import UserError
from core.run import processes
from core.run.endings import ended_since
from core.run.folder import RunFolder
from core.run.following import follow
from core.run.journal import finished
from core.run.listener import tie_to_parent
from core.run.options import Options
from core.run.processes import Processes
from core.run.resume import check_journal
from core.run.signals import Signals
from core.run.work import Session
from core.run.worker_log import log

LOCK_PATIENCE = 10.0
"""Seconds that the first of several processes waits for the lock of the one that was killed before it."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -P -m core.run.worker")
    parser.add_argument("run", type=Path)
    for name, kind in (("--epochs", int), ("--checkpoint", str), ("--device", str), ("--threads", int), ("--notify", str)):
        parser.add_argument(name, type=kind)
    parser.add_argument("--allow-change", action="append", default=[])
    parser.add_argument("--tied", action="store_true")
    given = vars(parser.parse_args(arguments))
    run, options = RunFolder(given.pop("run")), msgspec.convert(given, Options)
    signals = Signals()
    signals.catch()  # first, since from the moment that it holds the lock a worker may be sent some
    try:
        together = processes.present()
        if together.several:
            return _of_several(run, options, signals, together)
        run.read()  # before a word is written into a run that this version cannot read
        with run.hold():
            check_journal(run)
            end = finished(run.journal)
            if end and (options.epochs or 0) <= end.epoch and not options.checkpoint:
                return 0
            if options.tied:
                tie_to_parent(signals)
            return Session(run, options, signals).work()
    except UserError as error:
        log(str(error))
        return 2
    except OSError as error:
        log(f"{error.filename or run.path}: {error.strerror}")
        return 3


def _of_several(run: RunFolder, options: Options, signals: Signals, together: Processes) -> int:
    """As one of the processes that a launcher has started."""
    signals.patient = True
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # torch's advice on speed, to each process's log
    processes.leave_with_launcher(signals)
    run.read()
    if together.restart:
        if (status := ended_since(run, processes.launched())) is not None:
            return status  # the run ended on purpose, which the launcher took for a failure
        options = msgspec.structs.replace(options, checkpoint=None)  # it has been taken back already
    check_journal(run)
    end = finished(run.journal)
    if end and (options.epochs or 0) <= end.epoch and not options.checkpoint:
        return 0
    if not together.leads:
        return follow(run, options, signals, together)
    with run.hold(LOCK_PATIENCE):
        return Session(run, options, signals, together).work()


if __name__ == "__main__":
    os.umask(0o077)  # what libraries write beside us, a compiler's cache for one, is for its owner alone too
    faulthandler.enable(all_threads=False)  # a crash in native code leaves its stack in the worker's log
    sys.exit(main())
