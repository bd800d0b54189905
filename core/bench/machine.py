"""What a figure must be read with: the machine it was measured on."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import torch

from core.bench.results import Machine


def machine(threads: int | None) -> Machine:
    """This one, with so many threads (torch's own choice when None)."""
    gpus = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        gpus.append("Apple MPS")
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 1,
        threads=threads or torch.get_num_threads(),
        capability=torch.backends.cpu.get_cpu_capability(),
        torch=str(torch.__version__),
        gpus=tuple(gpus),
    )


def _processor() -> str:
    """Its name as the system has it; the bare architecture where the system does not tell."""
    try:
        if sys.platform == "darwin":
            command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, subprocess.SubprocessError, StopIteration):
        return platform.machine()
