from __future__ import annotations

from core.view.pictures import Picture
from tui_trainer.widgets.picture_panel import PicturePanel, Shown
from tui_trainer.widgets.picture_words import name_of, short_names


class Batch(PicturePanel):
    """The first images of an epoch as the network sees them: augmented, mixed and resized."""

    NAME = "batch"
    KIND = "batch"
    UNTOLD = "the pictures of others are not shown"
    SLOT = "right"
    RANK = 10

    def caption(self, picture: Picture, classes: tuple[str, ...], width: int) -> str:
        first, second = name_of(classes, picture.label), name_of(classes, picture.other)
        if picture.share >= 1 or first == second:
            return first
        share = f"{picture.share * 100:.0f}%"
        first, second = short_names((first, second), width - len(share) - 2)
        return f"{first} {share} {second}"

    def empty(self, reads: Shown) -> str:
        if reads.ended:
            return "this run kept no batch: its recipe has pictures.batch = 0, or it is from before pictures were kept"
        return "no batch yet; one is kept at the beginning of each epoch"
