"""Plots that one can look into. All of a screen show the same steps, and their crosshairs stand at the same one."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from textual import events
from textual.widget import Widget

from tui_trainer.bindings import bindings
from tui_trainer.widgets.curve_panel import CurvePanel
from tui_trainer.widgets.glyphs import glyphs
from tui_trainer.widgets.reduction import Frame, nearest
from tui_trainer.widgets.view import View

CLOSER, FARTHER, PAN = 0.5, 2.0, 0.25
WHEEL_CLOSER, WHEEL_FARTHER, WHEEL_PAN = 0.8, 1.25, 0.1


class PlotPanel(CurvePanel):
    """Its actions hold while it is focused; the mouse works over it anyway."""

    SCOPES = ("plots",)
    BINDINGS = bindings("plots")

    @property
    def end(self) -> int:
        return self._reads.end if self._reads else 0

    def _look(self, view: View) -> None:
        """All plots that are shown take the view over at once, the others when they are shown."""
        if view == self.view:
            return
        self.lens.view = view
        self.show_again(self.screen.query(CurvePanel))

    # The steps that are shown

    def action_closer(self) -> None:
        self._look(self.view.zoomed(CLOSER, self.end))

    def action_farther(self) -> None:
        self._look(self.view.zoomed(FARTHER, self.end))

    def action_earlier(self) -> None:
        self._look(self.view.panned(-PAN, self.end))

    def action_later(self) -> None:
        self._look(self.view.panned(PAN, self.end))

    def action_follow(self) -> None:
        self._look(self.view._replace(right=None))

    def action_whole(self) -> None:
        self._look(self.view._replace(span=0.0, right=None))

    # The crosshair

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a crosshair to leave, escape is the screen's."""
        return self.view.cursor is not None if action == "leave_cursor" else True

    def action_leave_cursor(self) -> None:
        self.lens.held = False
        self._look(self.view._replace(cursor=None))

    def action_cursor_left(self) -> None:
        self._move(-1)

    def action_cursor_right(self) -> None:
        self._move(1)

    def action_mark_before(self) -> None:
        self._jump(-1)

    def action_mark_after(self) -> None:
        self._jump(1)

    def _move(self, direction: int) -> None:
        """To the next point that stands in another column."""
        steps = self.steps()
        if self.frame and steps:
            self._hold(_newest(steps, self.frame) if self.view.cursor is None else self._beside(steps, self.frame, direction))

    def _beside(self, steps: Sequence[int], frame: Frame, direction: int) -> int:
        cursor = self.view.cursor or 0
        later = steps[bisect_right(steps, cursor) :] if direction > 0 else steps[: bisect_left(steps, cursor)][::-1]
        return next((step for step in later if frame.column(step) != frame.column(cursor)), later[-1] if later else cursor)

    def _jump(self, direction: int) -> None:
        """To the next mark on that side."""
        steps = sorted({flag.step for flag in self._reads.flags}) if self._reads else []
        edges, cursor = self.view.edges(self.end), self.view.cursor
        start = cursor if cursor is not None else edges.right + 1 if direction < 0 else edges.left - 1
        found = steps[bisect_right(steps, start) :][:1] if direction > 0 else steps[: bisect_left(steps, start)][-1:]
        for step in found:
            self._hold(step)

    def _hold(self, step: int) -> None:
        self.lens.held = True
        self._look(self.view.over(step, self.end)._replace(cursor=step))

    # How curves are drawn

    def action_logarithm(self) -> None:
        self._look(self.view.with_other_scale(self.metric.name))

    def action_smoother(self) -> None:
        self._look(self.view.smoother(1))

    def action_marker(self) -> None:
        self._look(self.view._replace(marker=(self.view.marker + 1) % len(glyphs().markers)))

    # The mouse

    def on_mouse_move(self, event: events.MouseMove) -> None:
        step = self._step_under(event)
        if step is not None and not self.lens.held:
            self._look(self.view._replace(cursor=step))

    def on_leave(self, event: events.Leave) -> None:
        if not self.lens.held:
            self._look(self.view._replace(cursor=None))

    def on_click(self, event: events.Click) -> None:
        if (step := self._step_under(event)) is not None:
            self._hold(step)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, WHEEL_CLOSER, -WHEEL_PAN)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, WHEEL_FARTHER, WHEEL_PAN)

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        self._wheel(event, 1.0, -WHEEL_PAN)

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        self._wheel(event, 1.0, WHEEL_PAN)

    def _wheel(self, event: events.MouseEvent, factor: float, pan: float) -> None:
        """Closer or farther about the pointer, with shift or control along the steps. A page that scrolls is scrolled first."""
        if not self.has_focus and isinstance(self.parent, Widget) and self.parent.max_scroll_y > 0:
            return
        event.stop()
        event.prevent_default()
        along = event.shift or event.ctrl or factor == 1.0
        self._look(self.view.panned(pan, self.end) if along else self.view.zoomed(factor, self.end, self._step_under(event)))

    def _step_under(self, event: events.MouseEvent) -> int | None:
        """The step of the point nearest to the pointer, where one is in its column."""
        frame, offset = self.frame, event.get_content_offset(self)
        if frame is None or offset is None:
            return None
        column = offset.x - (self.size.width - frame.columns)
        if not 0 <= column < frame.columns:
            return None
        step = frame.step(column)
        around = [int(points.steps[nearest(points, step)]) for points in self._points.values() if points]
        found = min(around, key=lambda found: abs(found - step), default=round(step))
        return found if frame.column(found) == column else round(step)


def _newest(steps: Sequence[int], frame: Frame) -> int:
    """Of those that are shown."""
    place = bisect_right(steps, frame.right)
    return steps[max(place - 1, 0)]
