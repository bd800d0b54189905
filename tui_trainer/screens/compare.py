"""Several runs side by side: their curves over each other, how they stand, their classes, and in what their recipes differ."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeAlias, cast, get_args

from textual import events
from textual.app import ComposeResult
from textual.containers import Container

from core.run.folder import RunFolder
from core.view.comparing import By, scalars, splits
from tui_trainer import farewell
from tui_trainer.bindings import ActionScreen, bindings
from tui_trainer.followed import Followed
from tui_trainer.widgets.compared import Choice, Reference
from tui_trainer.widgets.compared_classes import ComparedClasses
from tui_trainer.widgets.compared_header import ComparedHeader
from tui_trainer.widgets.compared_legend import ComparedLegend
from tui_trainer.widgets.compared_plot import ComparedPlot, next_by
from tui_trainer.widgets.compared_recipes import ComparedRecipes
from tui_trainer.widgets.compared_results import ComparedResults
from tui_trainer.widgets.glyphs import ASCII, glyphs
from tui_trainer.widgets.lens import Lens
from tui_trainer.widgets.page_tabs import PageTabs
from tui_trainer.widgets.panel import Panel
from tui_trainer.widgets.steady_footer import SteadyFooter
from tui_trainer.widgets.too_small import TooSmall

Page: TypeAlias = Literal["curves", "results", "classes", "recipes"]
PAGES: tuple[Page, ...] = get_args(Page)
ONLY_ON: dict[str, tuple[Page, ...]] = {
    "next_scalar": ("curves",), "previous_scalar": ("curves",), "next_axis": ("curves", "results"),
    "next_front": ("curves",), "next_reference": ("classes",), "order_classes": ("classes",), "next_split": ("classes",),
}  # fmt: skip
"""Actions that mean something on some pages alone."""
TICK = 0.1
"""Seconds between two looks at the runs."""
SETTLED = 1.0
"""Seconds without news after which all panels have shown what there is."""


class CompareScreen(ActionScreen):
    """Two to eight ``runs``, the living ones followed while it is on the stack of screens."""

    SCOPE = "compare"
    BINDINGS = bindings("compare")
    CSS_PATH = "compare.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "narrow"), (100, "normal"), (160, "wide")]
    VERTICAL_BREAKPOINTS = [(0, "short"), (22, "medium"), (34, "tall")]

    def __init__(self, runs: Sequence[RunFolder], by: By = "epoch") -> None:
        super().__init__()
        self.runs = tuple(runs)
        self._followed = Followed(runs, lambda: self.trainer.clock())
        self.subjects = self._followed.subjects
        self.choice = Choice(by=by)
        self.lens = Lens(self.runs[0])  # only looked through: of several runs no journal is read again for a closer view
        self._page: Page = "curves"
        self._changed = 0.0
        """Since when all is as it is (monotonic seconds)."""

    def compose(self) -> ComposeResult:
        yield ComparedHeader()
        yield PageTabs(PAGES, PAGES)
        with Container(id="curves", classes="page"):
            yield ComparedPlot(self.runs)
            yield ComparedLegend(self.runs)
        for panel in (ComparedResults, ComparedClasses, ComparedRecipes):
            with Container(id=panel.NAME.removeprefix("by ").replace("class", "classes"), classes="page"):
                yield panel(self.runs)
        yield SteadyFooter(show_command_palette=False)
        yield TooSmall()

    def on_mount(self) -> None:
        self.set_class(glyphs() is ASCII, "ascii")
        self._followed.start()
        self.set_interval(TICK, self._tick)
        self._show_page("curves")

    def on_unmount(self) -> None:
        self._followed.stop()

    def on_resize(self, event: events.Resize) -> None:
        self.query_one(TooSmall).fit(event.size)
        legend = self.query_one(ComparedLegend)
        bordered = 2 if self.size.height >= 34 else 0
        legend.styles.height = legend.lines(event.size.width - 2) + bordered

    def _tick(self) -> None:
        subjects, tick = self._followed.look(), time.monotonic()
        if subjects is not self.subjects or not self._followed.looked:
            self.subjects, self._changed = subjects, tick
        if tick - self._changed <= SETTLED:
            self._take()

    def _take(self) -> None:
        """Show what there is, on the present page; the others are not drawn meanwhile."""
        self.choice = self._possible(self.choice)
        self.query_one(ComparedHeader).show(self.subjects, self._followed.share)
        for panel in self._panels():
            panel.show(self.state, self.trainer.clock())

    def _possible(self, choice: Choice) -> Choice:
        """A scalar and a split that there are, once there is any."""
        if not choice.scalar:
            choice = choice._replace(scalar=next(iter(self._scalars()), ""))
        return choice if choice.split else choice._replace(split=next(iter(splits(self.subjects)), ""))

    def _scalars(self) -> list[str]:
        return scalars(item.state for item in self.subjects)

    def _panels(self) -> list[Panel[Any]]:
        return list(cast(Iterable[Panel[Any]], self.query_one(f"#{self._page}").query(Panel)))

    # Pages

    def _show_page(self, page: Page) -> None:
        self._page = page
        for other in self.query(".page"):
            other.set_class(other.id == page, "current")
        self.query_one(PageTabs).show(page)
        self.refresh_bindings()
        self.call_after_refresh(self._look)

    def _look(self) -> None:
        """At a page, once it is laid out."""
        self._changed = time.monotonic()
        self._take()
        self._panels()[0].focus()

    def on_page_tabs_chosen(self, chosen: PageTabs.Chosen) -> None:
        self._show_page(cast(Page, chosen.page))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ONLY_ON and self._page not in ONLY_ON[action]:
            return False
        if action == "next_split" and len(splits(self.subjects)) < 2:
            return False
        return super().check_action(action, parameters)

    def action_show_compared_curves(self) -> None:
        self._show_page("curves")

    def action_show_compared_results(self) -> None:
        self._show_page("results")

    def action_show_compared_classes(self) -> None:
        self._show_page("classes")

    def action_show_compared_recipes(self) -> None:
        self._show_page("recipes")

    # What is shown of the runs

    def _set(self, **changes: Any) -> None:
        self.choice = self._possible(self.choice._replace(**changes))
        for panel in self._panels():
            panel.look_again(self.state)

    def action_next_scalar(self) -> None:
        self._go_to_scalar(1)

    def action_previous_scalar(self) -> None:
        self._go_to_scalar(-1)

    def _go_to_scalar(self, step: int) -> None:
        if names := self._scalars():
            place = names.index(self.choice.scalar) + step if self.choice.scalar in names else 0
            self._set(scalar=names[place % len(names)])

    def action_next_axis(self) -> None:
        """All of it again, since a stretch of steps is no stretch of time."""
        self.lens.view, self.lens.held = self.lens.view._replace(span=0.0, right=None, cursor=None), False
        self._set(by=next_by(self.choice.by))

    def action_next_front(self) -> None:
        place = 0 if self.choice.front is None else self.choice.front + 1
        self._set(front=place if place < len(self.runs) else None)

    def action_next_reference(self) -> None:
        other: Reference = "best" if self.choice.reference == "first" else "first"
        self._set(reference=other)

    def action_order_classes(self) -> None:
        self._set(by_spread=not self.choice.by_spread)

    def action_next_split(self) -> None:
        known = splits(self.subjects)
        self._set(split=known[(known.index(self.choice.split) + 1) % len(known)])

    # Away

    def action_leave_comparison(self) -> None:
        self.trainer.show_home()

    def action_quit(self) -> None:
        """Leave; a training that is under way goes on."""
        self.trainer.leave()

    def farewell(self) -> list[str]:
        """Of the runs that go on."""
        known = zip(self.runs, self.subjects, strict=False)  # none before they are looked at
        return farewell.of_living([(run, item.state) for run, item in known if not (item.state.ended or item.state.origin)])
