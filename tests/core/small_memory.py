"""The real worker, which from a step on may take no more than so much memory: ``small_memory.py RUN STEP MIB``."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import psutil

from core.run import worker
from core.training.steps import Steps


def limit(mebibytes: int) -> None:
    """On top of what the process has now."""
    most = psutil.Process().memory_info().vms + (mebibytes << 20)
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


def main() -> int:
    run, step, mebibytes = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    take = Steps.take

    def taking(self: Steps, epoch: int, rate: float) -> None:
        if self.progress.step == step:
            limit(mebibytes)
        take(self, epoch, rate)

    Steps.take = taking  # type: ignore[method-assign]
    return worker.main([str(run), "--threads", "1"])


if __name__ == "__main__":
    sys.exit(main())
