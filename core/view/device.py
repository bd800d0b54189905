"""What is known of the machine that a run is trained on, and of each of its processes."""

from __future__ import annotations

import msgspec


class DeviceReading(msgspec.Struct, frozen=True):
    cpu_percent: float = 0.0
    memory_bytes: int = 0
    memory_total: int = 0
    gpu_percent: float | None = None
    gpu_memory_bytes: int | None = None
    gpu_memory_total: int | None = None
    gpu_celsius: float | None = None
    gpu_watts: float | None = None


class RanksReading(msgspec.Struct, frozen=True):
    """Of several processes, in the order of their ranks; ``gpu_memory_bytes`` is empty on CPUs."""

    images_per_second: tuple[float, ...] = ()
    memory_bytes: tuple[int, ...] = ()
    gpu_memory_bytes: tuple[int, ...] = ()
