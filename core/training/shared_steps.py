"""The steps of one of several processes, which computes a part of every batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import torch
from torch import Tensor

from core.data import batches
from core.data.mixing import Answers, Targets
from core.data.random import mix
from core.events import Event
from core.training.distributed import Ranks
from core.training.parts import Part
from core.training.progress import Progress
from core.training.setup import Setup
from core.training.steps import Steps

T = TypeVar("T")


class SharedSteps(Steps):
    """All ranks take the same steps at the same time."""

    def __init__(self, setup: Setup, progress: Progress) -> None:
        assert setup.ranks
        self._ranks: Ranks = setup.ranks
        super().__init__(setup, progress)
        self._alone = self._network

    def begin(self) -> None:
        """Of all ranks."""
        self._together = self._ranks.averaging(self._alone, self.recipe)
        self._network = self._together

    def compile(self, epoch: int) -> None:
        """Each rank by itself, as long as that takes it; then they wait for each other."""
        self._network = self._alone
        super().compile(epoch)
        self._network = self._together
        self._ranks.together.wait()

    def open_window(self) -> None:
        super().open_window()
        self._ranks.figures.begin()

    def begin_epoch(self) -> None:
        """The other ranks add to what the first one knows."""
        super().begin_epoch()
        if not self._ranks.leads:
            self._loss_sum.zero_()
            self._correct.zero_()

    def told(self) -> Iterator[Event]:
        return self._ranks.figures.told(self.progress.step)

    def _counted(self, loss: Tensor, correct: Tensor, images: int) -> tuple[Tensor, Tensor]:
        return self._ranks.counted(loss, correct, images)

    def _sums(self) -> tuple[float, int, bool]:
        """Over all ranks; what each comes to by itself goes with them."""
        figures = self._ranks.figures
        figures.end()
        finite, rows = self._finite(), figures.rows()
        sums = torch.stack((self._loss_sum, self._correct.double(), self._loss_sum.new_tensor(not finite)))
        sums = torch.cat((sums, rows.to(sums.device).flatten()))
        self._ranks.summed(sums)
        loss_sum, correct, troubles = sums[:3].tolist()
        figures.gathered(sums[3:].cpu().view_as(rows))
        return loss_sum, int(correct), not troubles

    def _part(self, samples: Tensor, epoch: int) -> tuple[Tensor, Answers]:
        """This rank's, or all of the batch where that is too small to be divided."""
        ranks, part = self._ranks, self._ranks.part(len(samples))
        ranks.divided = ranks.divides(len(samples))
        ranks.figures.computed(part.stop - part.start if ranks.divided else len(samples))
        if not ranks.divided:
            return self._batch(samples, epoch)
        if self.recipe.mixing.mixup or self.recipe.mixing.cutmix:  # an image may be mixed with any of the batch
            images, whole = self._batch(samples, epoch)
            return images[part], Part(Targets(whole.labels[part], whole.others[part], whole.share), whole, ranks.size)
        images, own = self._batch(samples[part], epoch)
        labels = batches.sent(self.setup.train.labels[samples], self.setup.device)
        return images, Part(own, Targets(labels, labels, 1.0), ranks.size)

    def _fitting(self, work: Callable[[], T], samples: Tensor) -> T:
        return self._ranks.fitting(work, self.recipe.batch_size)

    def _key(self, epoch: int) -> int:
        rank = (self._ranks.rank,) if self._ranks.divided else ()
        return mix(self.recipe.seed, epoch, self.progress.step, *rank)
