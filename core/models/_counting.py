"""A network's layers, as one forward pass meets them: what each gives, its parameters, its multiply-accumulates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from core.models import Layer

WHOLE = "(network)"
"""The name of what the network has or does beside its layers."""


class _Place:
    """What is known of a module once it was called."""

    def __init__(self) -> None:
        self.output: tuple[int, ...] = ()
        self.macs = self.parameters = self.frozen = 0
        self.rates = set[float]()

    def layer(self, name: str, kind: str) -> Layer:
        return Layer(name, kind, self.output, self.parameters, self.macs, self.frozen, tuple(sorted(self.rates)))


class Arithmetic(Protocol):
    def get_total_flops(self) -> int: ...


class _Products:
    """Of convolutions and linear layers, of which our own networks are made. torch's counter knows every operation, but loads
    the compiler."""

    def __init__(self, network: nn.Module) -> None:
        self._total = 0
        kinds = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)
        self._hooks = [module.register_forward_hook(self._add) for module in network.modules() if isinstance(module, kinds)]

    def _add(self, module: nn.Module, _: Any, output: Tensor) -> None:
        assert isinstance(module.weight, Tensor)
        self._total += 2 * module.weight.numel() * output.numel() // module.weight.shape[0]

    def get_total_flops(self) -> int:
        return self._total

    def __enter__(self) -> _Products:
        return self

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()


class _Watch:
    """Hooks around every module. Arithmetic counts where it is done: in the innermost module that was being called."""

    def __init__(self, network: nn.Module, arithmetic: Arithmetic) -> None:
        self.arithmetic = arithmetic
        self.places: dict[nn.Module, _Place] = {}
        self._calls: list[list[int]] = []
        """Of each call under way: operations done before it, and those of calls within it."""
        self._hooks = [
            hook
            for module in network.modules()
            for hook in (module.register_forward_pre_hook(self._enter), module.register_forward_hook(self._leave))
        ]

    def _enter(self, module: nn.Module, _: Any) -> None:
        self._calls.append([self.arithmetic.get_total_flops(), 0])

    def _leave(self, module: nn.Module, _: Any, output: Any) -> None:
        before, within = self._calls.pop()
        done = self.arithmetic.get_total_flops() - before
        if self._calls:
            self._calls[-1][1] += done
        place = self.places.setdefault(module, _Place())
        place.macs += (done - within) // 2  # a multiplication and an addition each
        place.output = _shape(output)

    def close(self) -> None:
        for hook in self._hooks:
            hook.remove()


def layers(
    network: nn.Module, image: Tensor, forward: Callable[[Tensor], object], rates: Mapping[int, float], ours: bool
) -> list[Layer]:
    """Of ``forward(image)``, which calls the network, in the order in which modules were through. A module without others in it
    is a layer, and so is every one with parameters or arithmetic of its own. ``ours`` says that it is made of convolutions and
    linear layers alone."""
    counter: AbstractContextManager[Arithmetic] = _Products(network) if ours else _every_operation()
    with counter as arithmetic, _plain_attention(), torch.no_grad():
        watch = _Watch(network, arithmetic)
        try:
            forward(image)
        finally:
            watch.close()
    names = {module: name for name, module in network.named_modules()}
    _share_out_parameters(network, watch.places, rates)
    return [
        place.layer(names[module] or WHOLE, type(module).__name__)
        for module, place in watch.places.items()
        if not any(module.children()) or place.parameters or place.frozen or place.macs
    ]


def _share_out_parameters(network: nn.Module, places: dict[nn.Module, _Place], rates: Mapping[int, float]) -> None:
    """Each to the module that has it or, where that was never called by itself, to the next one around it that was."""
    for name, parameter in network.named_parameters():
        path = name.rpartition(".")[0]
        while network.get_submodule(path) not in places:
            path = path.rpartition(".")[0]
        place = places[network.get_submodule(path)]
        if parameter.requires_grad:
            place.parameters += parameter.numel()
            place.rates |= {rates[id(parameter)]} if id(parameter) in rates else set()
        else:
            place.frozen += parameter.numel()


def _shape(output: Any) -> tuple[int, ...]:
    """Of one image's share; of the first tensor where there are several."""
    if isinstance(output, Tensor):
        return tuple(output.shape[1:])
    values = output.values() if isinstance(output, dict) else output if isinstance(output, (list, tuple)) else ()
    return next((found for value in values if (found := _shape(value))), ())


def _every_operation() -> AbstractContextManager[Arithmetic]:
    from torch.utils.flop_counter import FlopCounterMode

    return FlopCounterMode(display=False)


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Attention as products of matrices, which are counted; its fused kernels are not all known to the counter."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
