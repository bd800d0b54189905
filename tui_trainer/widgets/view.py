"""What all plots of a screen share: which steps they show, where the crosshair stands, how curves are drawn."""

from __future__ import annotations

import math
from typing import NamedTuple

from tui_trainer.widgets.glyphs import glyphs

FEWEST_STEPS = 10
"""As close as one can look."""
SMOOTHINGS = (0.0, 0.6, 0.8, 0.9, 0.97)
"""Weights of the past in the smoothed curves; 0 is the curves as they are."""


class Edges(NamedTuple):
    """The first and the last step that are shown."""

    left: float
    right: float

    @property
    def span(self) -> float:
        return self.right - self.left

    def cover(self, other: Edges) -> bool:
        return self.left <= other.left and other.right <= self.right


def rounded_up(end: float, span: float) -> float:
    """By a sixteenth of what is shown at the most, so that a picture which reaches to the newest step stays where it is for
    some steps, of which only what is new has to be drawn."""
    most = span / 16
    power = 10.0 ** math.floor(math.log10(most)) if most > 1 else 1.0
    step = max((factor * power for factor in (1, 2, 5) if factor * power <= most), default=1.0)
    return math.ceil(end / step) * step


class View(NamedTuple):
    """``end`` is always the run's last step, which ``Edges`` follow where ``right`` is None."""

    span: float = 0.0
    """Steps that are shown; 0 for all."""
    right: float | None = None
    """The last step that is shown, None for the newest."""
    cursor: int | None = None
    """The step that the crosshair stands at."""
    smoothing: float = 0.8
    marker: int = 0
    """Place in the terminal's list of markers."""
    logarithmic: frozenset[str] = frozenset()
    """Names of the plots whose values are on a logarithmic scale."""

    @property
    def whole(self) -> bool:
        return not self.span

    @property
    def follows(self) -> bool:
        return self.right is None

    def edges(self, end: float) -> Edges:
        end = max(end, 1.0)
        whole = rounded_up(end, end)
        if self.whole or self.span >= whole:
            return Edges(0.0, whole)
        end = rounded_up(end, self.span)
        right = end if self.right is None else min(max(self.right, self.span), end)
        return Edges(right - self.span, right)

    def zoomed(self, factor: float, end: float, about: float | None = None) -> View:
        """``factor`` times as many steps. ``about`` stays where it is: by default the crosshair, else the newest step while
        that is followed, else the middle."""
        left, right = self.edges(end)
        if about is None:
            about = right if self.follows else (left + right) / 2
            about = self.cursor if self.cursor is not None and left <= self.cursor <= right else about
        span = max((right - left) * factor, min(FEWEST_STEPS, end))
        return self._showing(about + (right - about) * span / (right - left), span, end)

    def panned(self, share: float, end: float) -> View:
        """Moved by a share of what is shown, to later steps where it is positive."""
        edges = self.edges(end)
        return self if self.whole else self._showing(edges.right + share * edges.span, edges.span, end)

    def over(self, step: int, end: float) -> View:
        """Moved just as far as it takes to show a step."""
        left, right = self.edges(end)
        if left <= step <= right:
            return self
        return self._showing(step if step > right else step + (right - left), right - left, end)

    def _showing(self, right: float, span: float, end: float) -> View:
        if span >= end:
            return self._replace(span=0.0, right=None)
        return self._replace(span=span, right=None if right >= end else max(right, span))

    def smoother(self, steps: int) -> View:
        """The next weight of the list, round and round."""
        place = SMOOTHINGS.index(self.smoothing) if self.smoothing in SMOOTHINGS else 0
        return self._replace(smoothing=SMOOTHINGS[(place + steps) % len(SMOOTHINGS)])

    def with_other_scale(self, name: str) -> View:
        return self._replace(logarithmic=self.logarithmic ^ {name})


def preferred(smoothing: float, marker: str) -> View:
    """As a person wants it at first; plain terminals have not all the markers."""
    names = [item.name.lower() for item in glyphs().markers]
    return View(smoothing=smoothing, marker=names.index(marker) if marker in names else 0)
