"""A worker that runs out of memory: what it says, what would fit, and what it leaves."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from core import checkpoint
from core.errors import TrainingError, out_of_memory
from core.events import CheckpointSaved, RunFailed
from core.run import journal
from core.run.folder import RunFolder
from core.run.verify import verify
from core.training.fitting import fitting
from core.view.summary import summarise
from tests.core import small_memory
from tests.core.training import new_run, tiny

BATCH = 1000
WIDE = {"name": "convnet", "widths": [64, 64]}
"""Its activations take about a MiB an image."""
ROOM = 384
"""MiB. Enough for what is no tensor: kernels are made for each new shape, and a new thread takes room for itself."""
ENVIRONMENT = {**os.environ, "MALLOC_ARENA_MAX": "1"}
"""Else glibc sets 64 MiB of addresses apart for a thread, now and then for one more."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not keep to RLIMIT_AS")


def trained(run: RunFolder, step: int) -> int:
    command = [sys.executable, "-P", small_memory.__file__, str(run.path), str(step), str(ROOM)]
    with run.log.open("wb") as log:
        return subprocess.run(command, stdout=log, stderr=log, timeout=120, check=False, env=ENVIRONMENT).returncode


def failing(folder: Path, epoch: int) -> tuple[RunFolder, RunFailed]:
    """Anew where no image fits: RLIMIT_AS counts addresses, and a few bytes that another thread asked for at the wrong moment
    lie on top of the heap then and keep all of those below them, though they are free."""
    for number in range(3):
        run = new_run(folder / f"run-{number}", tiny(
            epochs=3, batch_size=BATCH, model=WIDE, augment=[], data={"source": "sample", "limit": BATCH}, precision="fp32",
            convolution="direct", early_stopping={"enabled": False}, evaluation={"weights": "last"},
            low_resolution=[{"size": 8, "epochs": epoch - 1}] if epoch > 1 else [],
        ))  # fmt: skip
        assert trained(run, step=epoch - 1) == 3, run.log.read_text()
        (failed,) = journal.find(run.journal, RunFailed)
        if "not a single image" not in failed.reason:
            break
    return run, failed


@pytest.mark.parametrize("epoch", [1, 2])
def test_a_step_that_does_not_fit(tmp_path: Path, epoch: int) -> None:
    """In the second epoch images are larger, as ``low_resolution`` has it, and need memory that the first had no use for."""
    run, failed = failing(tmp_path, epoch)
    assert failed.kind == "memory" and (failed.step, failed.epoch) == (epoch - 1, epoch)
    found = re.fullmatch(
        rf"out of memory with batch_size {BATCH}; (\d+) fits on this machine \(tried\): --set batch_size=\1 in a new run",
        failed.reason,
    )
    assert found and 0 < int(found[1]) < BATCH, failed.reason
    saved = journal.find(run.journal, CheckpointSaved)
    assert [item.step for item in saved] == list(range(epoch))
    assert failed.weights == f"checkpoints/{saved[-1].checkpoint}/model.safetensors"
    assert checkpoint.listing(run.checkpoints)[-1].name == saved[-1].checkpoint
    assert all(item.good for item in verify(run))
    assert "Traceback" not in run.log.read_text()
    assert summarise(run).status == "failed" and not run.reserve.exists()


def test_not_even_one_image_fits() -> None:
    def attempt(images: int) -> None:
        raise MemoryError

    with pytest.raises(TrainingError, match="out of memory with batch_size 8; and not a single image fits"):
        fitting(lambda: attempt(8), "batch_size", 8, attempt)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you tried"),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("could not create a memory object"),
        OSError(12, "Cannot allocate memory"),
    ],
)
def test_how_it_is_said(error: Exception) -> None:
    assert out_of_memory(error)


@pytest.mark.parametrize("error", [RuntimeError("shape mismatch"), OSError(28, "No space left on device"), KeyError("memory")])
def test_what_is_something_else(error: Exception) -> None:
    assert not out_of_memory(error)
