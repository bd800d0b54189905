"""Muon: convolutions' weights by momentum made orthogonal, everything else by SGD with Nesterov momentum.

The method is Keller Jordan's (https://kellerjordan.github.io/posts/muon, 2024), in the variant of his airbench94_muon
(https://github.com/KellerJordan/cifar10-airbench): a quintic Newton-Schulz iteration of 3 steps, and each filter bank
scaled to the norm sqrt(channels out) before its update, instead of weight decay. What airbench's numbers are here, where the
loss is the mean over a batch of B and not its sum: Muon's rate is the same, since its update does not depend on the
gradient's scale; SGD's is ``lr = B * its lr``, and ``weight_decay = its wd / lr`` with its wd being 2e-6 * B.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import torch
from torch import Tensor

from core.training.device import has_fast_bf16

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of x, x^3 and x^5: as steep at zero as goes while all singular values end between about 0.7 and 1.2."""
ITERATIONS = 3
EPSILON = 1e-7


class Muon(torch.optim.Optimizer):
    """Groups with ``orthogonal`` hold weights [out, in, height, width]; the others are SGD's, by ``vector_momentum``.

    Updates are added as they are, so a weight of the convolutions moves by ``lr`` times an orthogonal matrix.
    """

    def __init__(self, groups: list[dict[str, Any]], momentum: float, nesterov: bool, vector_momentum: float) -> None:
        for group in groups:
            orthogonal = group["orthogonal"]
            group["momentum"], group["nesterov"] = (momentum, nesterov) if orthogonal else (vector_momentum, True)
            group["weight_decay"] = 0.0 if orthogonal else group["weight_decay"]
        super().__init__(groups, {})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            trained = [parameter for parameter in group["params"] if parameter.grad is not None]
            if not trained:
                continue
            updates = self._momentum(trained, group)
            if group["orthogonal"]:
                _scale_to_shape(trained)
                updates = orthogonal(updates)
            torch._foreach_add_(trained, updates, alpha=-group["lr"])

    def _momentum(self, parameters: list[Tensor], group: dict[str, Any]) -> list[Tensor]:
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        if group["weight_decay"]:
            gradients = list(torch._foreach_add(gradients, parameters, alpha=group["weight_decay"]))
        buffers = [self._buffer(parameter) for parameter in parameters]
        torch._foreach_mul_(buffers, group["momentum"])
        torch._foreach_add_(buffers, gradients)
        return list(torch._foreach_add(gradients, buffers, alpha=group["momentum"])) if group["nesterov"] else buffers

    def _buffer(self, parameter: Tensor) -> Tensor:
        state: dict[str, Tensor] = self.state[parameter]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(parameter)
        return state["momentum_buffer"]


def _scale_to_shape(weights: list[Tensor]) -> None:
    for weight in weights:
        weight.mul_(len(weight) ** 0.5 / (weight.norm() + EPSILON))


def orthogonal(updates: list[Tensor]) -> list[Tensor]:
    """Each [out, ...] as a matrix [out, rest] with all its singular values near 1; those of one shape go together."""
    by_shape: dict[torch.Size, list[int]] = defaultdict(list)
    for index, update in enumerate(updates):
        by_shape[update.shape].append(index)
    found = list(updates)
    # Nothing of use is lost by bfloat16 here: the sizes only have to come near 1.
    dtype = torch.bfloat16 if has_fast_bf16(updates[0].device) else torch.float32
    for indices in by_shape.values():
        # The order of columns does not matter: channels last is how fast weights lie in memory, and how they are changed then.
        last = [updates[index].movedim(1, -1) for index in indices]
        matrices = newton_schulz(torch.stack([update.flatten(1) for update in last]), dtype)
        for index, update, matrix in zip(indices, last, matrices, strict=True):
            found[index] = matrix.view(update.shape).movedim(-1, 1)
    return found


def newton_schulz(matrices: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """[n, rows, columns] with singular values brought near 1 and singular vectors kept, computed in ``dtype``.

    Every iteration multiplies by a polynomial of what it has times its transpose. These are worked out on the small square
    side, and the matrices multiplied once by the product of all: a third of the multiplications where they are wide.
    """
    a, b, c = COEFFICIENTS
    upright = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if upright else matrices
    x = (x / (x.norm(dim=(1, 2), keepdim=True) + EPSILON)).to(dtype)
    gram, product = x @ x.mT, None
    for left in reversed(range(ITERATIONS)):
        factor = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        factor.diagonal(dim1=1, dim2=2).add_(a)
        product = factor if product is None else factor @ product
        if left:
            gram = factor @ gram @ factor
    found: Tensor = x if product is None else product @ x
    return (found.mT if upright else found).to(matrices.dtype).contiguous()
