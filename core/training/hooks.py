"""Whether somebody listens to a module."""

from __future__ import annotations

from torch import nn


def hooked(module: nn.Module) -> bool:
    """Whether a hook is registered with it, which another module in its place would not call."""
    return bool(module._forward_pre_hooks or module._forward_hooks or module._backward_pre_hooks or module._backward_hooks)
