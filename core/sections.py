"""The parts of a recipe: frozen Structs, each the keys of one table. Importing this imports no torch."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

LARGEST_COUNT = 1_000_000
"""Epochs."""
SMALL = 32
"""Side of the images that the recipes are written for (pixels)."""
LARGEST_RATE = 1e30
"""Keeps infinity out."""
Probability: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Positive: TypeAlias = Annotated[int, Meta(ge=1)]
Count: TypeAlias = Annotated[int, Meta(ge=0)]
PositiveFloat: TypeAlias = Annotated[float, Meta(gt=0)]
Rate: TypeAlias = Annotated[float, Meta(gt=0, le=LARGEST_RATE)]
Momentum: TypeAlias = Annotated[float, Meta(ge=0, lt=1)]
NonNegativeFloat: TypeAlias = Annotated[float, Meta(ge=0)]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all parts of a recipe."""


class Perspective(Section, frozen=True, kw_only=True, tag_field="name", tag="perspective"):
    """torchvision's RandomPerspective, each image with its own corners."""

    distortion: Probability = 0.5
    p: Probability = 0.5


class Crop(Section, frozen=True, kw_only=True, tag_field="name", tag="crop"):
    """torchvision's RandomCrop to the image's own size after padding on all sides (pixels)."""

    padding: Count = 4
    fill: Literal["zero", "reflect"] = "zero"


class Flip(Section, frozen=True, kw_only=True, tag_field="name", tag="flip"):
    """torchvision's RandomHorizontalFlip."""

    p: Probability = 0.5
    alternate: bool = False
    """Mirror an image in every other epoch: chance decides on its first epoch alone, so that two epochs show it both ways."""


class Cutout(Section, frozen=True, kw_only=True, tag_field="name", tag="cutout"):
    """A square of ``size`` pixels set to the mean of the data, its centre anywhere in the image (arXiv 1708.04552)."""

    size: Positive = 16
    p: Probability = 1.0


class TrivialAugment(Section, frozen=True, kw_only=True, tag_field="name", tag="trivial_augment"):
    """torchvision's TrivialAugmentWide: one operation of one strength for each image (arXiv 2103.10158)."""

    bins: Annotated[int, Meta(ge=2, le=1000)] = 31


class AutoAugment(Section, frozen=True, kw_only=True, tag_field="name", tag="auto_augment"):
    """torchvision's AutoAugment with the policy learned on CIFAR-10 (arXiv 1805.09501)."""


Transform: TypeAlias = Perspective | Crop | Flip | Cutout | TrivialAugment | AutoAugment


class Mixing(Section, frozen=True, kw_only=True):
    """Each batch blended with itself in another order, labels alike; with both, chance picks one for each batch."""

    mixup: NonNegativeFloat = 0.0
    """Alpha of the Beta distribution of the share (arXiv 1710.09412); 0 for none."""
    cutmix: NonNegativeFloat = 0.0
    """Alpha of the Beta distribution of the area (arXiv 1905.04899); 0 for none."""
    p: Probability = 1.0
    """Share of the batches that are blended."""


class LowResolution(Section, frozen=True, kw_only=True):
    """Training at a smaller ``size`` (pixels) for so many ``epochs``, before what follows in the list."""

    size: Annotated[int, Meta(ge=4)]
    epochs: Positive


class Data(Section, frozen=True, kw_only=True):
    source: str = "cifar10"
    """A file in ``core/data/sources``, and for some a name of theirs, as in ``torchvision:mnist``."""
    path: str | None = None
    size: Positive | None = None
    """Side of the square that images are brought to (pixels); found from the images when left out. Not of ``cifar10`` and
    ``sample``, which have 32."""
    color_mode: Literal["auto", "grayscale", "rgb"] = "auto"
    """One channel or three; ``auto`` takes one where all images are stored in grey."""
    validation: Annotated[float, Meta(ge=0, lt=1)] = 0.1
    """Share of the training images that is held out, drawn evenly from each class; data that bring a validation split of
    their own have that held out instead, unless this is 0."""
    limit: Positive | None = None
    """Use only so many training images (and as many of each held-out split at the most), evenly from each class."""
    evaluation_batch_size: Positive = 150
    class_weights: Literal["none", "balanced"] = "none"
    """``balanced`` weighs each image in the loss by how rare its class is: images / (classes x images of its class)."""


class FineTune(Section, frozen=True, kw_only=True):
    """Training on from weights that are there already."""

    weights: str | None = None
    """A safetensors file: a run's ``model.safetensors``, or the state of any such network. A last layer of other classes begins
    anew. Once a run has begun it needs the file no more."""
    new_head: bool = False
    """Begin the last layer anew also where the file's would fit."""
    partial: bool = False
    """Take what fits, whatever else is missing."""
    frozen: tuple[str, ...] = ()
    """Patterns of names, for instance ``layer1.*``, of what does not train. Batch norm in it keeps its statistics."""


class ParameterGroup(Section, frozen=True, kw_only=True):
    """What is trained otherwise; of several groups that fit a parameter the first counts."""

    match: str
    """A pattern of names, for instance ``head.*``."""
    lr: Rate | None = None
    """As without the group when left out. All rates follow one schedule."""
    weight_decay: NonNegativeFloat | None = None


class Optimizer(Section, frozen=True, kw_only=True):
    name: Literal["adam", "adamw", "sgd", "muon"] = "adam"
    lr: Rate = 1e-3
    weight_decay: NonNegativeFloat = 0.0
    momentum: Momentum = 0.0
    """SGD and Muon only."""
    nesterov: bool = False
    """SGD and Muon only; needs momentum above 0."""
    betas: tuple[Momentum, Momentum] = (0.9, 0.999)
    """Adam and AdamW only."""
    eps: PositiveFloat = 1e-8
    vector_lr: Rate | None = None
    """Of biases and of the scales and shifts of norms; ``lr`` when left out. All rates follow one schedule."""
    head_lr: Rate | None = None
    """Of the last linear layer; ``lr`` when left out."""
    decay_vectors: bool = True
    """Whether weight decay also pulls at biases and norms."""
    vector_momentum: Momentum = 0.85
    """Muon only: of everything but the convolutions' weights, which SGD with Nesterov momentum trains beside it."""
    clip_norm: NonNegativeFloat = 0.0
    """Largest norm of the whole gradient; 0 for any."""
    sam: NonNegativeFloat = 0.0
    """Radius of sharpness-aware minimisation, two passes a step (arXiv 2010.01412); 0 for none."""
    lookahead_steps: Count = 0
    """Steps between two pulls of Lookahead's slow weights (arXiv 1907.08610); 0 for none."""
    lookahead_alpha: Annotated[float, Meta(gt=0, le=1)] = 0.5
    groups: tuple[ParameterGroup, ...] = ()

    @property
    def tensors_kept(self) -> int:
        """How many tensors of a parameter's size are kept beside each parameter, at the most."""
        return (2 if self.name in ("adam", "adamw") else 1) + (self.lookahead_steps > 0)


class Schedule(Section, frozen=True, kw_only=True):
    name: Literal["constant", "cosine", "linear"] = "cosine"
    per: Literal["epoch", "step"] = "epoch"
    """Whether the rate moves at each epoch (as torch's CosineAnnealingLR is commonly stepped) or at each step."""
    warmup_epochs: NonNegativeFloat = 0.0
    """Linear rise from zero over so many epochs, before the schedule proper."""


class Averaging(Section, frozen=True, kw_only=True):
    """An exponential moving average of the weights, which is then what is measured and kept for use."""

    decay: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    """For each ``every`` steps; 0 for no average."""
    every: Positive = 1


Tta: TypeAlias = Literal["none", "mirror", "mirror_translate"]


class Evaluation(Section, frozen=True, kw_only=True):
    """How the finished training is measured, on the held-out split where there is one and on test."""

    weights: Literal["best", "last"] = "best"
    """The best by the monitored metric, or those of the last step."""
    tta: Tta = "none"
    """Test-time augmentation, reported beside the plain figure: the mean of the logits of the image and its mirror image;
    ``mirror_translate`` gives half of the weight to the same of the image moved by one pixel up-left and down-right."""


class Divergence(Section, frozen=True, kw_only=True):
    """What to do when the loss, a gradient or a weight is NaN or infinite."""

    action: Literal["stop", "roll_back"] = "stop"
    """``roll_back`` goes on from the newest checkpoint, with a lower learning rate."""
    lr_factor: Annotated[float, Meta(gt=0, lt=1)] = 0.5
    """Of the rate at the checkpoint, for what follows it."""
    most: Positive = 3
    """So often a run may be taken back into one epoch; then it stops."""


class Pictures(Section, frozen=True, kw_only=True):
    """How many images a run keeps, to be looked at; no result depends on it."""

    mistakes: Annotated[int, Meta(ge=0, le=256)] = 32
    """Of each measurement, those most confidently taken for another class; 0 for none."""
    batch: Annotated[int, Meta(ge=0, le=256)] = 32
    """Of the first batch of each epoch, as the network sees it; 0 for none."""


class EarlyStopping(Section, frozen=True, kw_only=True):
    enabled: bool = True
    split: Literal["validation", "test"] = "validation"
    metric: Literal["loss", "accuracy", "balanced_accuracy"] = "loss"
    """The balanced accuracy is the mean over the classes, however many images each has."""
    patience: Annotated[int, Meta(ge=1, le=LARGEST_COUNT)] = 10
    """Epochs without an improvement of at least ``min_delta`` after which the run ends."""
    min_delta: NonNegativeFloat = 0.0

    @property
    def monitor(self) -> str:
        """The metric's name in events, for instance ``val.loss``."""
        return f"{'val' if self.split == 'validation' else 'test'}.{self.metric}"


class Checkpoint(Section, frozen=True, kw_only=True):
    every_seconds: NonNegativeFloat = 60.0
    """0 for never."""
    every_epochs: Positive = 1
    keep: Positive = 3
    """How many of the latest stay, beside the best one and every named one."""
