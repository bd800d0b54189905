"""Where and in which precision to train."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from core.errors import UserError
from core.recipe import Recipe
from core.training import memory, norms, winograd
from core.training.kernels import NO_THREADS, kernels, lacking

ONEDNN_BLOCK = 16
"""Channels that oneDNN takes at a time: 8 with AVX2, 16 with AVX-512."""

HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def choose_device(name: str) -> torch.device:
    """``auto`` is CUDA, else Apple's MPS, else the CPU. Raises UserError for a device that this machine has not."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
        if device.type not in ("cuda", "mps", "cpu") or (device.type == "cpu" and device.index):
            raise RuntimeError("not one of ours")
    except (RuntimeError, AssertionError, NotImplementedError):
        raise UserError(f"device: '{name}' is not usable here; available: {', '.join(available_devices())}") from None
    return device


def available_devices() -> list[str]:
    cuda = [f"cuda:{index}" for index in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    return [*cuda, *(["mps"] if torch.backends.mps.is_available() else []), "cpu"]


def has_fast_bf16(device: torch.device) -> bool:
    """Whether bfloat16 runs in hardware; emulated it is slower than fp32."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return device.type == "cpu" and any(_processor().get(key, False) for key in ("avx512_bf16", "amx_bf16", "bf16"))


def has_x86_bf16() -> bool:
    """Whether the processor multiplies bfloat16 by AVX-512 or AMX; Arm's has not been measured."""
    return any(_processor().get(key, False) for key in ("avx512_bf16", "amx_bf16"))


def has_amx_bf16() -> bool:
    """Whether the processor multiplies tiles of bfloat16."""
    return _processor().get("amx_bf16", False)


def _processor() -> dict[str, bool]:
    found: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    return found


def has_fast_fp16(device: torch.device) -> bool:
    """Whether there are cores for float16, as NVIDIA's have been since compute capability 7.0."""
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= (7, 0)


def choose_precision(name: str, device: torch.device) -> str:
    """``fp32``, ``bf16`` or ``fp16``; ``auto`` takes bf16 where the hardware has it, else fp16, which needs its loss scaled."""
    if name != "auto":
        return name
    return "bf16" if has_fast_bf16(device) else "fp16" if has_fast_fp16(device) else "fp32"


def autocast(precision: str, device: torch.device) -> AbstractContextManager[object]:
    return torch.autocast(device.type, HALVES[precision]) if precision in HALVES else nullcontext()


def loss_scaler(precision: str, device: torch.device) -> torch.amp.GradScaler | None:
    """Keeps gradients within float16's range; it asks the device at each step whether they were, which bf16 has no need for."""
    return torch.amp.GradScaler(device.type) if precision == "fp16" else None


def fits(size: int, free: int) -> bool:
    """Whether ``size`` bytes of images may lie in ``free`` bytes of a device's memory: half is for the training itself."""
    return size <= free // 2


def storage(size: int, device: torch.device) -> torch.device | None:
    """Where ``size`` bytes of images for ``device`` stay: there, on the host when they would crowd a GPU, and when they would
    crowd the host too, in the file that they are mapped from (None)."""
    if device.type == "cuda" and fits(size, torch.cuda.mem_get_info(device)[0]):
        return device
    host = torch.device("cpu") if device.type == "cuda" else device
    return host if fits(size, memory.available()) else None


def choose_convolution(recipe: Recipe, device: torch.device) -> str:
    """``direct`` or ``winograd``, which is for a CPU alone, in fp32 or bf16; ``auto`` takes it in fp32 where vectors are short
    (AVX2), since with AVX-512 oneDNN's own convolutions keep up, and in bf16 where the processor has instructions for it."""
    precision = choose_precision(recipe.precision, device)
    if recipe.convolution == "direct" or device.type != "cpu" or precision == "fp16":
        return "direct"
    if recipe.convolution == "auto" and (recipe.compile or not _pays(precision)):
        return "direct"
    return "winograd"


def _pays(precision: str) -> bool:
    """Whether minimal filtering is faster on this processor."""
    return has_x86_bf16() if precision == "bf16" else torch.backends.cpu.get_cpu_capability() == "AVX2"


def kernels_name(recipe: Recipe, device: torch.device) -> str:
    """Of the kernels in C that a training uses; ``torch`` where it uses none."""
    compiled = kernels(_images_type(recipe, device)) if choose_convolution(recipe, device) == "winograd" else None
    return compiled.name if compiled else "torch"


def lacking_kernels(recipe: Recipe, device: torch.device) -> str:
    """Why a training that would use kernels in C has none, where a person can do something about that; else empty."""
    lacks = lacking(_images_type(recipe, device)) if choose_convolution(recipe, device) == "winograd" else ""
    return "" if lacks == NO_THREADS else lacks


def _images_type(recipe: Recipe, device: torch.device) -> torch.dtype:
    return HALVES.get(choose_precision(recipe.precision, device), torch.float32)


def place(network: nn.Module, device: torch.device, convolution: str = "direct", precision: str = "fp32") -> nn.Module:
    """Move a network to a device, in the memory layout that is fastest there, which its inputs are then brought to."""
    contiguous = _needs_contiguous(network, device)
    if convolution == "winograd" and not contiguous:  # their outputs are channels last
        winograd.adopt(network, HALVES.get(precision, torch.float32), has_amx_bf16())
        norms.adopt(network)
    layout = torch.contiguous_format if contiguous else torch.channels_last

    def lay_out(_: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return tuple(images.contiguous(memory_format=layout) for images in inputs)

    network.register_forward_pre_hook(lay_out)
    placed: nn.Module = network.to(device=device, memory_format=layout)  # type: ignore[call-overload]
    return placed


def _needs_contiguous(network: nn.Module, device: torch.device) -> bool:
    """oneDNN corrupts memory or hangs in the backward pass of a strided 1x1 convolution over channels_last inputs with fewer
    channels than its block (uxlfoundation/oneDNN issue 6035)."""
    return device.type == "cpu" and any(
        module.kernel_size == (1, 1) and module.stride != (1, 1) and module.in_channels < ONEDNN_BLOCK
        for module in network.modules()
        if isinstance(module, nn.Conv2d)
    )


def set_up(recipe: Recipe, threads: int | None) -> int:
    """Process-wide settings before the first tensor; returns the number of threads in use.

    ``CUBLAS_WORKSPACE_CONFIG`` must be in the environment before CUDA starts, else cuBLAS is not deterministic.
    """
    memory.keep()
    if threads:
        torch.set_num_threads(threads)
    if recipe.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_deterministic_debug_mode("error" if recipe.deterministic else "default")
    if recipe.compile:  # the same once more, which tells the compiler too, and would load it, in seconds
        torch.use_deterministic_algorithms(recipe.deterministic)
    # Every operation's output would be filled before it is written, and none reads it before that.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = not recipe.deterministic  # tries kernels out, and takes the fastest of the moment
    torch.set_float32_matmul_precision("highest" if recipe.deterministic else "high")  # "high" allows TF32
    return torch.get_num_threads()


def on_one_thread() -> None:
    """Of the thread that calls this, for one that computes beside the training; the others compute as before.

    OpenMP gives each thread that computes a team of its own, and once there are more threads in them than cores, all teams wait
    asleep rather than awake: after the first checkpoint a step of ``fast`` on two cores took 340 ms instead of 270.
    """
    torch.set_num_threads(1)
