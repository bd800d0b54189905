"""Signs of life beside the trainer: a heartbeat every second, the machine's load every other second."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import psutil

from core.errors import TrainingError
from core.events import DeviceSampled, Event, Heartbeat

EVERY = 1.0
SAMPLE_EVERY = 2
"""Beats between two device samples."""


class Pulse:
    """``beat`` answers with (step, seconds that the present step has lasted); ``gpu`` is a CUDA device's index, if any."""

    def __init__(self, put: Callable[[Event], None], beat: Callable[[], tuple[int, float]]) -> None:
        self._put, self._beat = put, beat
        self.gpu: int | None = None
        self._process = psutil.Process()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="pulse", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        psutil.cpu_percent()  # the first call only sets the point in time that the second one measures from
        beats = 0
        while not self._over.wait(EVERY):
            step, age = self._beat()
            try:
                self._put(Heartbeat(step=step, step_age=age))
                if beats % SAMPLE_EVERY == 0:
                    self._put(self._sample())
            except TrainingError:
                return  # the trainer's own next event meets the same full disk and ends the run
            beats += 1

    def _sample(self) -> DeviceSampled:
        gpu = _gpu_reading(self.gpu) if self.gpu is not None else {}
        return DeviceSampled(
            cpu_percent=psutil.cpu_percent(),
            memory_bytes=self._process.memory_info().rss,
            memory_total=psutil.virtual_memory().total,
            **gpu,
        )


def _gpu_reading(index: int) -> dict[str, Any]:
    """Through NVML where nvidia-ml-py is installed (the ``gpu`` extra); nothing where it is not, or where NVML fails."""
    try:
        import pynvml
    except ImportError:
        return {}
    try:
        pynvml.nvmlInit()
        device = pynvml.nvmlDeviceGetHandleByIndex(index)
        memory = pynvml.nvmlDeviceGetMemoryInfo(device)
        return {
            "gpu_percent": float(pynvml.nvmlDeviceGetUtilizationRates(device).gpu),
            "gpu_memory_bytes": int(memory.used),
            "gpu_memory_total": int(memory.total),
            "gpu_celsius": float(pynvml.nvmlDeviceGetTemperature(device, pynvml.NVML_TEMPERATURE_GPU)),
            "gpu_watts": pynvml.nvmlDeviceGetPowerUsage(device) / 1000,
        }
    except pynvml.NVMLError:
        return {}
