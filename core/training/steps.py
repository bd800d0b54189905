"""The optimizer step, and the sums over steps that are kept on the device until a window closes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import torch
from torch import Tensor

from core.data import batches
from core.data.augment import augment
from core.data.mixing import Answers, Targets, blend
from core.data.random import mix, seed_all
from core.data.resolution import resized, size_at
from core.errors import TrainingError
from core.events import Event
from core.training.compiling import compiled, failure
from core.training.device import autocast
from core.training.finite import all_finite
from core.training.fitting import fitting
from core.training.optimizers import lookahead
from core.training.optimizers.sam import ascended, restored
from core.training.progress import Progress
from core.training.setup import Setup
from core.training.snapshot import optimizer_tensors
from core.training.update import Update
from core.training.window import Window

T = TypeVar("T")


class Steps:
    """Takes steps from ``progress`` on and keeps it up to date. Nothing here waits for the device but ``close_window``."""

    def __init__(self, setup: Setup, progress: Progress) -> None:
        self.setup, self.recipe, self.progress = setup, setup.recipe, progress
        self.started = self.window_started = time.monotonic()
        self._order_of, self._rate = 0, 0.0
        self._network = setup.network
        if self.recipe.compile:
            self._network = compiled(setup.network, setup.device, self.recipe.deterministic)
        self._compiled_for = set[tuple[int, int]]()
        self._update = Update(setup)
        self.begin_epoch()

    def begin(self) -> None:
        """To be called once, before the first step."""

    def open_window(self) -> None:
        """From here on it takes time; what was before does not count."""
        self.window_started = time.monotonic()

    def begin_epoch(self) -> None:
        """Take the sums of the epoch under way from ``progress`` (float64, so that a resumed epoch adds up alike)."""
        device, progress = self.setup.device, self.progress
        kind = torch.float32 if device.type == "mps" else torch.float64
        self._loss_sum = torch.tensor(progress.loss_sum, dtype=kind, device=device)
        self._correct = torch.tensor(progress.correct, dtype=torch.int64, device=device)
        self._images, self._window_step = progress.images, progress.step

    def go_back(self, progress: Progress) -> None:
        """Go on from another place; the tensors are those of that place already."""
        self.progress = progress
        self._update.begin_window()
        self.begin_epoch()
        self.started = time.monotonic()
        self.open_window()

    def take(self, epoch: int, rate: float) -> None:
        """One step: the batch that follows, at this learning rate. Raises TrainingError when the memory does not suffice."""
        self.started = time.monotonic()
        samples, self._rate = self._samples(epoch), rate
        for group in self.setup.optimizer.param_groups:
            group["lr"] = rate * group["scale"]
        loss, correct = self._fitting(lambda: self._updated(samples, epoch), samples)
        loss, correct = self._counted(loss, correct, len(samples))
        self._loss_sum += loss
        self._correct += correct
        self._images += len(samples)
        self.progress.step += 1
        self._average()

    def must_compile(self, epoch: int) -> bool:
        """Whether the next step has a shape that is to be compiled first."""
        return self.recipe.compile and self._shape(epoch) not in self._compiled_for

    def compile(self, epoch: int) -> None:
        """Compile for the shape of the next step, on its own batch; nothing that trains is changed. Raises UserError where
        there is no compiler."""
        self.started = time.monotonic()
        samples = self._samples(epoch)
        try:
            self._fitting(lambda: self._tried(samples, epoch), samples)
        except TrainingError:
            raise
        except Exception as error:  # compilers fail in their own ways
            raise failure(error) from error
        self._compiled_for.add(self._shape(epoch))

    def shown(self, epoch: int, count: int) -> tuple[Tensor, Tensor, Targets]:
        """The first ``count`` samples of the next step, their images as the network will see them, and what they show. Nothing
        is changed, since a batch is the same at every call."""
        samples = self._samples(epoch)
        alone = not (self.recipe.mixing.mixup or self.recipe.mixing.cutmix)  # else an image depends on all of its batch
        images, targets = self._batch(samples[:count] if alone else samples, epoch)
        labels, others = targets.labels[:count], targets.others[:count]
        return samples[:count], images[:count], Targets(labels, others, targets.share)

    def close_window(self) -> Window | None:
        """What the steps since the last window gave, None when there were none."""
        progress, now = self.progress, time.monotonic()
        if progress.step == self._window_step:
            return None
        loss_sum, correct, finite = self._sums()
        images, seconds = self._images - progress.images, now - self.window_started
        window = Window(
            steps=progress.step - self._window_step,
            images=images,
            seconds=seconds,
            loss=(loss_sum - progress.loss_sum) / images,
            accuracy=(correct - progress.correct) / images,
            learning_rate=self._rate,
            gradient_norm=self._update.norm(),
            skipped=self._update.skipped() / (progress.step - self._window_step),
            finite=finite,
        )
        self._update.begin_window()
        progress.loss_sum, progress.correct, progress.images = loss_sum, correct, self._images
        progress.epoch_seconds += seconds
        self._window_step, self.window_started = progress.step, now
        return window

    def told(self) -> Iterator[Event]:
        """What there is to say beside the window that was closed."""
        return iter(())

    def _counted(self, loss: Tensor, correct: Tensor, images: int) -> tuple[Tensor, Tensor]:
        """What a step of so many images adds to the sums, by its mean loss."""
        return loss * images, correct

    def _sums(self) -> tuple[float, int, bool]:
        """Loss and right answers in the epoch so far, and whether all that trains is finite."""
        finite = self._finite()
        return float(self._loss_sum.item()), int(self._correct.item()), finite

    def _finite(self) -> bool:
        return all_finite([*self.setup.network.state_dict().values(), *optimizer_tensors(self.setup.optimizer).values()])

    def _samples(self, epoch: int) -> Tensor:
        if self._order_of != epoch:
            order = batches.order(self.recipe.seed, epoch, len(self.setup.train))
            self._order, self._order_of = order.to(self.setup.train.images.device), epoch
        first = (self.progress.step % self.setup.steps_per_epoch) * self.recipe.batch_size
        samples: Tensor = self._order[first : first + self.recipe.batch_size]
        return samples

    def _shape(self, epoch: int) -> tuple[int, int]:
        """Images of the next step, and their side (pixels)."""
        return len(self._samples(epoch)), size_at(self.recipe.low_resolution, epoch, self.setup.inputs.size)

    def _batch(self, samples: Tensor, epoch: int) -> tuple[Tensor, Targets]:
        """Images as the network takes them, and what they show; the same at every call."""
        setup, recipe = self.setup, self.recipe
        parts = samples, setup.train.images.index_select(0, samples), setup.train.labels[samples]
        samples, pixels, labels = (batches.sent(part, setup.device) for part in parts)
        pixels = augment(pixels, recipe.augment, recipe.seed, epoch, samples, setup.normalisation.mean)
        images = batches.normalise(pixels, *setup.normalisation)
        images = resized(images, size_at(recipe.low_resolution, epoch, setup.inputs.size))
        return blend(images, labels, recipe.mixing, recipe.seed, epoch, self.progress.step)

    def _part(self, samples: Tensor, epoch: int) -> tuple[Tensor, Answers]:
        """What of the batch is computed here: all of it."""
        return self._batch(samples, epoch)

    def _set_gradients(self, samples: Tensor, epoch: int) -> tuple[Tensor, Tensor]:
        """Of the optimizer's next step; returns the mean loss and the number of right answers at the present weights."""
        images, targets = self._part(samples, epoch)
        found = self._forward_backward(images, targets, epoch)
        if self.recipe.optimizer.sam:
            with ascended(self.setup.network, self.recipe.optimizer.sam):
                self._forward_backward(images, targets, epoch)
        return found

    def _updated(self, samples: Tensor, epoch: int) -> tuple[Tensor, Tensor]:
        found = self._set_gradients(samples, epoch)
        self._update.make()
        return found

    def _fitting(self, work: Callable[[], T], samples: Tensor) -> T:
        """Do something with the next step's samples. Raises TrainingError when the memory does not suffice."""
        largest = self.recipe.epochs  # the epoch of the largest images

        def attempt(images: int) -> None:
            self._network = self.setup.network  # the training is over: nothing is worth compiling any more
            self.setup.optimizer.zero_grad(set_to_none=True)
            self._tried(samples[:images], largest)

        return fitting(work, "batch_size", self.recipe.batch_size, attempt)

    def _tried(self, samples: Tensor, epoch: int) -> None:
        """The passes of a step, without its update: nothing that trains is changed."""
        with restored(list(self.setup.network.buffers())):
            self._set_gradients(samples, epoch)

    def _key(self, epoch: int) -> int:
        """Of what the network draws in the step under way."""
        return mix(self.recipe.seed, epoch, self.progress.step)

    def _forward_backward(self, images: Tensor, targets: Answers, epoch: int) -> tuple[Tensor, Tensor]:
        seed_all(self._key(epoch))  # dropout: a pure function of the step
        with autocast(self.setup.precision, self.setup.device):
            logits = self._network(images).float()
        loss = targets.loss(logits, self.recipe.label_smoothing, self.setup.class_weights)
        self.setup.optimizer.zero_grad(set_to_none=True)
        scaled = self.setup.scaler.scale(loss) if self.setup.scaler else loss
        scaled.backward()  # type: ignore[no-untyped-call]
        return loss.detach(), targets.correct(logits.detach())

    def _average(self) -> None:
        """What is done to the weights after so many steps, whatever the optimizer."""
        step, settings = self.progress.step, self.recipe.optimizer
        if settings.lookahead_steps and step % settings.lookahead_steps == 0:
            lookahead.pull(self.setup.optimizer, settings.lookahead_alpha)
        if self.setup.average:
            self.setup.average.update(step)
