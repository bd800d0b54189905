"""What ended a session before its end, as the journal and the exit status have it."""

from __future__ import annotations

import traceback
from typing import NamedTuple

from core.errors import TrainingError, UserError, out_of_memory
from core.run.processes import PEER_LOST, Processes
from core.run.signals import Interruption, Signals
from core.run.worker_log import log
from core.training.control import Leave

LOST = "another process of this training is gone, or does not answer"
ENDS = (Exception, Interruption)
"""What a session may be ended by."""


class Failure(NamedTuple):
    """``kind`` is as in RunFailed; ``signal`` and ``peer`` are none of the run."""

    kind: str
    reason: str
    status: int


def failure(error: BaseException, signals: Signals, processes: Processes) -> Failure:
    """What an error of :data:`ENDS` says of a session. A defect is printed with where it came from."""
    match error:
        case Leave() | Interruption():  # before training had begun, or in the very moment when compiling was over
            return Failure("signal", f"signal {signals.number}", 128 + signals.number)
        case UserError():
            return Failure("use", str(error), 2)
        case TrainingError():
            return Failure(error.kind, error.reason, 3)
    if processes.several and _lost_peer(error):
        return Failure("peer", f"{LOST}: {error}", PEER_LOST)
    log("".join(traceback.format_exception(error)))
    if out_of_memory(error):
        return Failure("memory", f"out of memory: {str(error).strip().partition(chr(10))[0]}", 3)
    return Failure("error", f"{type(error).__name__}: {error}", 3)


def _lost_peer(error: BaseException) -> bool:
    from core.training.distributed import lost_peer

    return lost_peer(error)
