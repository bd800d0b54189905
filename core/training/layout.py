"""How tensors lie in memory: safetensors stores dense C order only, and another layout means other kernels and other bits."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from core.checkpoint import STATE, Damaged


def dense(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """In C order, each with memory of its own, which safetensors wants: a network may have the same tensor under two names."""
    made, seen = dict[str, Tensor](), set[int]()
    for name, tensor in tensors.items():
        laid = tensor.contiguous()
        made[name] = laid.clone() if laid.untyped_storage().data_ptr() in seen else laid
        seen.add(laid.untyped_storage().data_ptr())
    return made


def strided(tensors: dict[str, Tensor], strides: Mapping[str, tuple[int, ...]], prefix: str) -> dict[str, Tensor]:
    for name, tensor in tensors.items():
        stride = strides.get(prefix + name)
        if stride is not None:
            tensors[name] = _with_stride(name, tensor, stride)
    return tensors


def _with_stride(name: str, tensor: Tensor, stride: tuple[int, ...]) -> Tensor:
    """A dense permutation of the tensor's own elements, or :class:`Damaged`: a stride from a file could ask for any memory."""
    order = sorted(range(tensor.dim()), key=lambda axis: (-stride[axis], axis)) if len(stride) == tensor.dim() else []
    laid = torch.empty_strided(tensor.shape, stride, dtype=tensor.dtype) if _is_dense(tensor.shape, stride, order) else None
    if laid is None:
        raise Damaged(f"{STATE}: strides {stride} do not fit {name!r} of shape {tuple(tensor.shape)}")
    return laid.copy_(tensor)


def _is_dense(shape: torch.Size, stride: tuple[int, ...], order: list[int]) -> bool:
    expected = 1
    for axis in reversed(order):
        if shape[axis] > 1 and stride[axis] != expected:
            return False
        expected *= shape[axis]
    return bool(order) and all(0 <= step <= max(1, shape.numel()) for step in stride)
