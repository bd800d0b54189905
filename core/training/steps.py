"""The optimizer step, and the sums over steps that are kept on the device until a window closes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor
from torch.nn import Parameter

from core.data import batches
from core.data.augment import augment
from core.data.mixing import Targets, blend
from core.data.random import mix, seed_all
from core.data.resolution import resized, size_at
from core.errors import TrainingError
from core.training.compiling import compiled, failure
from core.training.device import autocast
from core.training.finite import all_finite
from core.training.fitting import fitting
from core.training.optimizers import lookahead
from core.training.optimizers.sam import ascended, restored
from core.training.parts import Part
from core.training.progress import Progress
from core.training.setup import Setup
from core.training.snapshot import optimizer_tensors
from core.training.window import Window

T = TypeVar("T")


class Steps:
    """Takes steps from ``progress`` on and keeps it up to date. Nothing here waits for the device but ``close_window``."""

    def __init__(self, setup: Setup, progress: Progress) -> None:
        self.setup, self.recipe, self.progress = setup, setup.recipe, progress
        self._ranks = setup.ranks
        self.started = self.window_started = time.monotonic()
        self._order_of, self._rate = 0, 0.0
        self._weights = [weight for weight in setup.network.parameters() if weight.requires_grad]
        self._network: Callable[[Tensor], Tensor] = setup.network
        if self.recipe.compile:
            self._network = compiled(setup.network, setup.device, self.recipe.deterministic)
        self._compiled_for = set[tuple[int, int]]()
        self._one, self._skipped = torch.ones((), device=setup.device), torch.zeros((), device=setup.device)
        self._gradient_norm: Tensor | None = None
        self.begin_epoch()

    def meet(self) -> None:
        """Of all ranks, where there are several: to be called once, before the first step."""
        if self._ranks:
            self._network = self._ranks.averaging(self.setup.network, self.recipe)

    def open_window(self) -> None:
        """From here on it takes time; what was before does not count."""
        self.window_started = time.monotonic()
        if self._ranks:
            self._ranks.figures.begin()

    def begin_epoch(self) -> None:
        """Take the sums of the epoch under way from ``progress`` (float64, so that a resumed epoch adds up alike)."""
        device, progress = self.setup.device, self.progress
        kind = torch.float32 if device.type == "mps" else torch.float64
        mine = not self._ranks or self._ranks.leads  # the other ranks add to what the first one knows
        self._loss_sum = torch.tensor(progress.loss_sum if mine else 0.0, dtype=kind, device=device)
        self._correct = torch.tensor(progress.correct if mine else 0, dtype=torch.int64, device=device)
        self._images, self._window_step = progress.images, progress.step

    def go_back(self, progress: Progress) -> None:
        """Go on from another place; the tensors are those of that place already."""
        self.progress = progress
        self._skipped.zero_()
        self._gradient_norm = None
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
        if self._ranks:
            share, correct = self._ranks.counted(loss, correct, len(samples))
        else:
            share = loss * len(samples)
        self._loss_sum += share
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
            gradient_norm=self._norm(),
            skipped=float(self._skipped.item()) / (progress.step - self._window_step),
            finite=finite,
        )
        self._skipped.zero_()
        self._gradient_norm = None
        progress.loss_sum, progress.correct, progress.images = loss_sum, correct, self._images
        progress.epoch_seconds += seconds
        self._window_step, self.window_started = progress.step, now
        return window

    def _sums(self) -> tuple[float, int, bool]:
        """Loss and right answers in the epoch so far, and whether all that trains is finite; over all ranks."""
        if self._ranks:
            self._ranks.figures.end()
        finite = all_finite([*self.setup.network.state_dict().values(), *optimizer_tensors(self.setup.optimizer).values()])
        if not self._ranks:
            return float(self._loss_sum.item()), int(self._correct.item()), finite
        rows = self._ranks.figures.rows()
        sums = torch.stack((self._loss_sum, self._correct.double(), self._loss_sum.new_tensor(not finite)))
        sums = torch.cat((sums, rows.to(sums.device).flatten()))
        self._ranks.summed(sums)
        loss_sum, correct, troubles = sums[:3].tolist()
        self._ranks.figures.gathered(sums[3:].cpu().view_as(rows))
        return loss_sum, int(correct), not troubles

    def _norm(self) -> float | None:
        norm = math.nan if self._gradient_norm is None else float(self._gradient_norm.item())
        return norm if math.isfinite(norm) or not self.setup.scaler else None

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

    def _mine(self, samples: Tensor, epoch: int) -> tuple[Tensor, Targets | Part]:
        """This rank's part of the batch, or all of it where it is too small to be divided."""
        assert self._ranks
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

    def _set_gradients(self, samples: Tensor, epoch: int) -> tuple[Tensor, Tensor]:
        """Of the optimizer's next step; returns the mean loss and the number of right answers at the present weights."""
        images, targets = self._mine(samples, epoch) if self._ranks else self._batch(samples, epoch)
        found = self._forward_backward(images, targets, epoch)
        if self.recipe.optimizer.sam:
            with ascended(self.setup.network, self.recipe.optimizer.sam):
                self._forward_backward(images, targets, epoch)
        return found

    def _updated(self, samples: Tensor, epoch: int) -> tuple[Tensor, Tensor]:
        found = self._set_gradients(samples, epoch)
        self._update()
        return found

    def _fitting(self, work: Callable[[], T], samples: Tensor) -> T:
        """Do something with the next step's samples. Raises TrainingError when the memory does not suffice."""
        if self._ranks:
            return self._ranks.fitting(work, self.recipe.batch_size)
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

    def _forward_backward(self, images: Tensor, targets: Targets | Part, epoch: int) -> tuple[Tensor, Tensor]:
        rank = (self._ranks.rank,) if self._ranks and self._ranks.divided else ()
        seed_all(mix(self.recipe.seed, epoch, self.progress.step, *rank))  # dropout: a pure function of the step
        with autocast(self.setup.precision, self.setup.device):
            logits = self._network(images).float()
        loss = targets.loss(logits, self.recipe.label_smoothing, self.setup.class_weights)
        self.setup.optimizer.zero_grad(set_to_none=True)
        scaled = self.setup.scaler.scale(loss) if self.setup.scaler else loss
        scaled.backward()  # type: ignore[no-untyped-call]
        return loss.detach(), targets.correct(logits.detach())

    def _update(self) -> None:
        optimizer, scaler, largest = self.setup.optimizer, self.setup.scaler, self.recipe.optimizer.clip_norm
        if self._gradient_norm is None:  # of a window's first step, since which one will be its last is not known before
            norm = gradient_norm(self._weights)
            self._gradient_norm = norm / scaler.scale(self._one) if scaler else norm
        if scaler and largest:
            scaler.unscale_(optimizer)
        if largest:
            torch.nn.utils.clip_grad_norm_(self._weights, largest)
        if not scaler:
            optimizer.step()
            return
        before = scaler.scale(self._one)
        scaler.step(optimizer)
        scaler.update()
        self._skipped += scaler.scale(self._one) < before

    def _average(self) -> None:
        """What is done to the weights after so many steps, whatever the optimizer."""
        step, settings = self.progress.step, self.recipe.optimizer
        if settings.lookahead_steps and step % settings.lookahead_steps == 0:
            lookahead.pull(self.setup.optimizer, settings.lookahead_alpha)
        if self.setup.average:
            self.setup.average.update(step)


def gradient_norm(weights: list[Parameter]) -> Tensor:
    """Of all gradients as one vector; it stays on the device, so that nobody waits for it."""
    norm: Tensor = torch.nn.utils.get_total_norm([weight.grad for weight in weights if weight.grad is not None])
    return norm
