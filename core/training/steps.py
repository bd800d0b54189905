"""The optimizer step, and the sums over steps that are kept on the device until a window closes."""

from __future__ import annotations

import time
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from core.data import batches
from core.data.augment import augment
from core.data.random import mix
from core.errors import TrainingError
from core.training.evaluation import logits_of
from core.training.progress import Progress
from core.training.setup import Setup


class Window(NamedTuple):
    """Means over the steps since the last window."""

    steps: int
    images: int
    seconds: float
    loss: float
    accuracy: float
    learning_rate: float


class Steps:
    """Takes steps from ``progress`` on and keeps it up to date. Nothing here waits for the device but ``close_window``."""

    def __init__(self, setup: Setup, progress: Progress) -> None:
        self.setup, self.recipe, self.progress = setup, setup.recipe, progress
        self.started = self.window_started = time.monotonic()
        self._order_of = 0
        self.begin_epoch()

    def begin_epoch(self) -> None:
        """Take the sums of the epoch under way from ``progress`` (float64, so that a resumed epoch adds up alike)."""
        device, progress = self.setup.device, self.progress
        kind = torch.float32 if device.type == "mps" else torch.float64
        self._loss_sum = torch.tensor(progress.loss_sum, dtype=kind, device=device)
        self._correct = torch.tensor(progress.correct, dtype=torch.int64, device=device)
        self._images, self._window_step = progress.images, progress.step

    def take(self, epoch: int, rate: float) -> None:
        """One step: the batch that follows, at this learning rate. Raises TrainingError when the memory does not suffice."""
        self.started = time.monotonic()
        samples = self._samples(epoch)
        for group in self.setup.optimizer.param_groups:
            group["lr"] = rate
        torch.manual_seed(mix(self.recipe.seed, epoch, self.progress.step))  # dropout: a pure function of the step
        try:
            loss, correct = self._forward_backward(samples, epoch)
            self.setup.optimizer.step()
        except RuntimeError as error:
            raise _explained(error, self.recipe.batch_size) from error
        self._loss_sum += loss * len(samples)
        self._correct += correct
        self._images += len(samples)
        self.progress.step += 1

    def close_window(self) -> Window | None:
        """What the steps since the last window gave, None when there were none."""
        progress, now = self.progress, time.monotonic()
        if progress.step == self._window_step:
            return None
        loss_sum, correct = float(self._loss_sum.item()), int(self._correct.item())
        images, seconds = self._images - progress.images, now - self.window_started
        window = Window(
            steps=progress.step - self._window_step,
            images=images,
            seconds=seconds,
            loss=(loss_sum - progress.loss_sum) / images,
            accuracy=(correct - progress.correct) / images,
            learning_rate=self.setup.optimizer.param_groups[0]["lr"],
        )
        progress.loss_sum, progress.correct, progress.images = loss_sum, correct, self._images
        progress.epoch_seconds += seconds
        self._window_step, self.window_started = progress.step, now
        return window

    def _samples(self, epoch: int) -> Tensor:
        if self._order_of != epoch:
            order = batches.order(self.recipe.seed, epoch, len(self.setup.train))
            self._order, self._order_of = order.to(self.setup.device), epoch
        first = (self.progress.step % self.setup.steps_per_epoch) * self.recipe.batch_size
        samples: Tensor = self._order[first : first + self.recipe.batch_size]
        return samples

    def _forward_backward(self, samples: Tensor, epoch: int) -> tuple[Tensor, Tensor]:
        images, labels = self.setup.train.images[samples], self.setup.train.labels[samples]
        images = augment(images, self.recipe.augment, self.recipe.seed, epoch, samples)
        logits = logits_of(self.setup.network, images, self.setup.normalisation, self.setup.precision)
        loss = F.cross_entropy(logits, labels, label_smoothing=self.recipe.label_smoothing)
        self.setup.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach(), (logits.detach().argmax(1) == labels).sum()


def _explained(error: RuntimeError, batch_size: int) -> Exception:
    if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error):
        return TrainingError("memory", f"out of memory with batch_size {batch_size}; set a smaller batch_size in a new run")
    return error
