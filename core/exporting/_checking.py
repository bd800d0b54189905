"""Whether a written file computes what the network does: it is loaded anew and run on the same images.

Logits are compared with those of the network in fp32, computed directly on the processor; predictions with those of
``evaluate``, which computes as the recipe says, and may take another class where two are as likely within its precision.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from core import data
from core.errors import UserError
from core.exporting import Run
from core.training.evaluation import Normalisation, logits_of

IMAGES = 1000
"""That a file is tried on, at the most."""
BATCH = 100
TOLERANCE = 1e-4
"""Of two logits in fp32, as a share of the largest one. onnxruntime's were found to differ by 1.2e-6 at most, on a processor
with AVX-512 and networks of twelve kinds; without its preprocessing ``fast`` differs by 7."""
NEAR_TIE = {"fp32": 1e-2, "fp16": 1e-2, "bf16": 1e-1}
"""The lead of one class over another, as a share of the largest logit, that the precision of ``evaluate`` may turn round: twice
what its logits may be off by. Those of ``fast`` in bf16 were off by 4e-2; fp32 may be TF32 on a GPU."""


class Expected(NamedTuple):
    """What the network itself says of some images."""

    images: Tensor
    """uint8 [n, channels, size, size], on the processor."""
    logits: Tensor
    taken_for: Tensor
    """int64 [n]: the classes that ``evaluate`` predicts, in its precision."""
    precision: str
    labels: Tensor | None = None

    @property
    def scale(self) -> float:
        return float(self.logits.abs().max())


class Agreement(NamedTuple):
    largest_difference: float
    tolerance: float
    near_ties: int
    accuracy: float | None


@torch.no_grad()
def expected(
    network: nn.Module, normalisation: Normalisation, images: Tensor, taken_for: Tensor, precision: str, labels: Tensor | None
) -> Expected:
    """Raises UserError where there is nothing to go by."""
    logits = torch.cat([logits_of(network, images[part], normalisation, "fp32") for part in _parts(len(images))])
    if not bool(logits.isfinite().all()):
        raise UserError("the network's own logits are not finite numbers; choose other weights with --checkpoint")
    return Expected(images, logits, taken_for, precision, labels)


def compare(run: Run, known: Expected, progress: data.Progress = data.silent) -> Agreement:
    """Raises UserError where the file is not the network."""
    logits = torch.cat(list(_logits(run, known.images, progress)))
    if logits.shape != known.logits.shape:
        raise UserError(f"its logits are {list(logits.shape)}, where {list(known.logits.shape)} were expected")
    largest, tolerance = float((logits - known.logits).abs().max()), TOLERANCE * known.scale
    if not largest <= tolerance:  # NaN is none either
        raise UserError(f"its logits differ by up to {largest:.2g} from the network's, where {tolerance:.2g} is allowed")
    taken_for = logits.argmax(1)
    accuracy = None if known.labels is None else float((taken_for == known.labels).double().mean())
    return Agreement(largest, tolerance, _near_ties(taken_for, known), accuracy)


def _near_ties(taken_for: Tensor, known: Expected) -> int:
    """How many predictions are others than those of ``evaluate``; raises UserError where one is no near tie."""
    odd = taken_for != known.taken_for
    leads = _lead(known.logits[odd], taken_for[odd], known.taken_for[odd])
    allowed = NEAR_TIE[known.precision] * known.scale
    if wrong := int((leads > allowed).sum()):
        raise UserError(f"{wrong} of its predictions are not those of evaluate, and no near ties (logits within {allowed:.2g})")
    return int(odd.sum())


def _lead(logits: Tensor, one: Tensor, other: Tensor) -> Tensor:
    """By how much the logits of two classes of each image differ."""
    return (logits.gather(1, one[:, None]) - logits.gather(1, other[:, None])).abs()


def _logits(run: Run, images: Tensor, progress: data.Progress) -> Iterator[Tensor]:
    for part in _parts(len(images)):
        yield run(images[part].contiguous()).float()
        progress("verify", part.stop, len(images), "images")


def _parts(count: int) -> Iterator[slice]:
    """One image alone first, then batches, so that a file which takes a single number of images is found out."""
    yield slice(0, 1)
    for start in range(1, count, BATCH):
        yield slice(start, min(start + BATCH, count))
