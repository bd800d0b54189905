"""The learning rate as it was and as it is planned, and what a change that is not sent yet would make of the plan."""

from __future__ import annotations

from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from core.view.plan import Plan
from core.view.series import Point
from core.view.words import count
from tui_trainer.theme import Palette, palette
from tui_trainer.widgets import plot
from tui_trainer.widgets.glyphs import glyphs


class PlanChart(Widget):
    """A line of words over a plot; ``plan`` is what is drawn beside the plan as it stands."""

    DEFAULT_CSS = "PlanChart { height: 9; }"

    plan: reactive[Plan | None] = reactive(None)

    def __init__(self, past: tuple[Point, ...], now: Plan) -> None:
        super().__init__()
        self._past, self._now = past, now
        self.set_reactive(PlanChart.plan, now)

    def render(self) -> Text:
        colours, plan = palette(self.app.theme_variables), self.plan or self._now
        return Text("\n").join([self._words(plan, colours), *self._plot(plan, colours)])

    def _words(self, plan: Plan, colours: Palette) -> Text:
        left = count(max(plan.epochs - plan.validated, 0), "epoch")
        end = plan.rate_at(max(plan.last - 1, plan.step))
        words = f"now {plan.rate:.3g}, at the end {end:.3g}, {left} to go"
        return Text.assemble((words, colours.rate), no_wrap=True, overflow="ellipsis")

    def _plot(self, plan: Plan, colours: Palette) -> list[Text]:
        changed = plan != self._now
        curves = (
            plot.Curve(colours.train_raw, self._past),
            plot.Curve(colours.muted if changed else colours.rate, self._now.rates()),
            *([plot.Curve(colours.rate, plan.rates())] if changed else []),
        )
        chart = plot.Chart(curves, plan.steps_per_epoch, marks=(plan.step,), end=max(plan.last, self._now.last))
        return plot.draw(chart, self.size.width, max(0, self.size.height - 1), colours, glyphs())
