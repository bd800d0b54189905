"""Large blocks are used again instead of being asked for anew."""

from __future__ import annotations

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
from core.training import memory
kept = memory.keep() if sys.argv[1] == "keep" else None
import torch
def use() -> None:
    for _ in range(8):
        torch.zeros(16 << 20)
use()
use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
use()
print(kept, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
def test_memory_that_was_freed_costs_no_page_faults_again() -> None:
    kept, faults = _faults("keep")
    if kept == "False":
        pytest.skip("the C library has no mallopt")
    assert 4 * faults < _faults("leave")[1]  # not none: a block may be cut to serve a small one


def _faults(what: str) -> tuple[str, int]:
    found = subprocess.run([sys.executable, "-c", FAULTS, what], check=True, capture_output=True, text=True, timeout=120)
    kept, faults = found.stdout.split()
    return kept, int(faults)
