"""Where and in which precision to train."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from core.errors import UserError
from core.recipe import Recipe

ONEDNN_BLOCK = 16
"""Channels that oneDNN takes at a time: 8 with AVX2, 16 with AVX-512."""


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
    if device.type == "cpu":
        capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
        return any(capabilities.get(key, False) for key in ("avx512_bf16", "amx_bf16", "bf16"))
    return False


def choose_precision(name: str, device: torch.device) -> str:
    """``fp32`` or ``bf16``; ``auto`` takes bf16 where the hardware has it."""
    return ("bf16" if has_fast_bf16(device) else "fp32") if name == "auto" else name


def autocast(precision: str, device: torch.device) -> AbstractContextManager[object]:
    return torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()


def place(network: nn.Module, device: torch.device) -> nn.Module:
    """Move a network to a device, in the memory layout that is fastest there, which its inputs are then brought to."""
    layout = torch.contiguous_format if _needs_contiguous(network, device) else torch.channels_last

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
    if threads:
        torch.set_num_threads(threads)
    if recipe.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)
        torch.backends.cudnn.benchmark = False
    return torch.get_num_threads()
