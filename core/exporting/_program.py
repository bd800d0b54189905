"""A network with its preprocessing, as it is given away: from the images that the data layer gives to logits, in fp32."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from core.data.batches import affine, normalised
from core.exporting._facts import INPUT, Facts
from core.models import Inputs
from core.training.evaluation import Normalisation
from core.training.weights_file import About

if TYPE_CHECKING:
    from core.exporting import Run


class Program(nn.Module):
    """uint8 images [n, channels, size, size] to float32 logits [n, classes]."""

    def __init__(self, network: nn.Module, normalisation: Normalisation) -> None:
        super().__init__()
        self.network = network
        scale, offset = affine(*normalisation, torch.device("cpu"))
        self.register_buffer("scale", scale.clone())
        self.register_buffer("offset", offset.clone())

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.network(normalised(images, self.get_buffer("scale"), self.get_buffer("offset")))
        return logits.float()


def without_gradients(program: Callable[[Tensor], Tensor]) -> Run:
    """What a file's ``opened`` gives, of a program that torch runs."""

    @torch.no_grad()
    def run(images: Tensor) -> Tensor:
        return program(images)

    return run


class Model:
    """What formats are made of. The network is on the host, as its own file makes it: no kernel of ours is in it."""

    def __init__(self, network: nn.Module, about: About, facts: Facts) -> None:
        self.network, self.about, self.facts = network, about, facts
        self.program = Program(network, about.normalisation).eval()

    @cached_property
    def traced(self) -> torch.export.ExportedProgram:
        """For any number of images at a time. Raises whatever torch.export does of a network that it cannot follow."""
        shapes = {INPUT: {0: torch.export.Dim("batch", min=1)}}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, about its own future
            traced = torch.export.export(self.program, (_example(self.about.inputs),), dynamic_shapes=shapes)
        for node in traced.graph.nodes:
            node.meta.pop("stack_trace", None)  # lines and paths of the machine that it was trained on
        return traced


def _example(inputs: Inputs) -> Tensor:
    """Two images: of one torch would take it that there is never another number."""
    return torch.zeros(2, inputs.channels, inputs.size, inputs.size, dtype=torch.uint8)
