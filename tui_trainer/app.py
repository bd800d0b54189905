"""The console: which screen is shown, in which colours. It never loads torch; all it knows of a run is the run's folder."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypedDict, cast

from rich.console import Console
from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.dom import DOMNode
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.filter import LineFilter
from textual.screen import Screen
from textual.theme import Theme

from core.run.folder import RunFolder
from core.run.moving import Trash
from tui_trainer import actions, theme
from tui_trainer.bindings import ActionScreen
from tui_trainer.driver import Report, TerminalDriver
from tui_trainer.farewell import parting
from tui_trainer.feed import Feed
from tui_trainer.keymap import written
from tui_trainer.legible import legible
from tui_trainer.memory import Memory
from tui_trainer.outside import Outside
from tui_trainer.settings import Settings
from tui_trainer.stream import Escaped
from tui_trainer.terminal import abilities, notifies
from tui_trainer.tour import Tour
from tui_trainer.widgets.ascii_only import AsciiOnly
from tui_trainer.widgets.glyphs import ASCII, glyphs
from tui_trainer.widgets.heat import few_colours
from tui_trainer.widgets.too_small import TOO_SMALL

if TYPE_CHECKING:
    from core.sweep.folder import SweepFolder
    from core.view.comparing import By
    from tui_trainer.screens.home import HomeScreen
    from tui_trainer.widgets.terminal_pictures import TerminalPictures


LEAVING = (actions.by_id("quit"), actions.by_id("detach"))


class Personal(TypedDict, total=False):
    """What the console is given of the person before it."""

    settings: Settings
    memory: Memory
    tour: Tour


class TrainerApp(App[None]):
    """Home, or straight to the run given as ``attach``, which ``feed`` may be reading already, to those to ``compare``, or to a
    ``sweep``. ``clock`` gives Unix seconds, ``tour`` hints to whoever is here for the first time."""

    TITLE = "tui-trainer"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS = [Binding("ctrl+z", "suspend_process", "To the shell; fg comes back", show=False, priority=True)]
    CSS_PATH = Path(__file__).with_name("few_colours.tcss")

    def __init__(
        self,
        runs: Path,
        attach: RunFolder | None = None,
        clock: Callable[[], float] = time.time,
        feed: Feed | None = None,
        settings: Settings = Settings(),
        memory: Memory | None = None,
        tour: Tour | None = None,
        compare: Sequence[RunFolder] = (),
        by: By = "epoch",
        sweep: SweepFolder | None = None,
    ) -> None:
        super().__init__()
        # For what is said after the screen is gone: last words, or a traceback.
        self.error_console = Console(file=cast(TextIO, Escaped(sys.stderr)), color_system=None, markup=False, highlight=False)
        self.error_console.soft_wrap = True  # a path that is too long for the terminal is still one that can be copied
        self.runs = runs
        self.trash = Trash(runs)
        self.clock = clock
        self._first, self._feed, self.tour = attach, feed, tour
        self._terminal_pictures: TerminalPictures | None = None
        self._compared, self._by, self._sweep = tuple(compare), by, sweep
        self.settings, self.memory, self.keymap = settings, memory or Memory(), settings.keymap
        self.visited: RunFolder | None = None
        """The run that was looked at last."""
        self.outside = Outside(abilities(os.environ), notifies(os.environ))
        self._plain = (AsciiOnly(),) if glyphs() is ASCII else ()
        usual = theme.HIGH_CONTRAST if few_colours(self) else theme.DARK
        self.theme = next(name for name in (settings.theme, self.memory.theme, usual.name) if name in theme.NAMES)

    def get_driver_class(self) -> type[Driver]:
        found = super().get_driver_class()
        return TerminalDriver if found is LinuxDriver else found  # else a browser's

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), *self._plain]

    def get_key_display(self, binding: Binding) -> str:
        return written(binding.key) if self._plain else super().get_key_display(binding)

    @property
    def available_themes(self) -> dict[str, Theme]:
        """As they are delivered, which is enough for their names: ``get_theme`` makes the one that is shown legible."""
        return dict(theme.BY_NAME)

    def get_theme(self, theme_name: str) -> Theme | None:
        return legible(theme_name)

    def on_mount(self) -> None:
        self.theme_changed_signal.subscribe(self, lambda chosen: self.memory.remember_theme(chosen.name))
        self.set_class(few_colours(self), "few-colours")
        if self._compared:
            self.show_compared(self._compared, self._by)
        elif self._sweep:
            self.show_sweep(self._sweep)
        elif self._first is None:
            self.show_home()
        else:
            self.show_run(self._first, self._feed)

    def on_ready(self) -> None:
        """What is loaded by now stays: the garbage collector, which whoever starts the console holds back until then, need not
        look through it again and again, and hold the screen up for that."""
        if not gc.isenabled():
            gc.freeze()
            gc.enable()

    async def on_event(self, event: events.Event) -> None:
        """While a screen is not shown, since the terminal is too small, its keys do nothing but leave."""
        unseen = bool(self.screen_stack) and self.screen.has_class(TOO_SMALL)
        if unseen and (isinstance(event, events.Paste) or (isinstance(event, events.Key) and event.key not in self._leaving)):
            return
        await super().on_event(event)

    @property
    def _leaving(self) -> set[str]:
        return {"ctrl+c", "ctrl+q", *(key for action in LEAVING if action for key in self.keymap.keys(action))}

    async def action_quit(self) -> None:
        """ctrl+q: at once, wherever one is; training goes on."""
        self.leave()

    def leave(self) -> None:
        """To the shell, with what the present screen has to say."""
        self.exit(message=parting(reversed(self.screen_stack)))

    def tell_terminal(self, codes: str) -> None:
        """Write control codes that draw nothing; the driver writes whole frames, and these between two of them."""
        if codes and self._driver is not None and not self.is_web:
            self._driver.write(codes)

    @property
    def terminal_pictures(self) -> TerminalPictures:
        if self._terminal_pictures is None:
            from tui_trainer.widgets.terminal_pictures import TerminalPictures

            self._terminal_pictures = TerminalPictures(self)
        return self._terminal_pictures

    def on_cursor_position(self, event: events.CursorPosition) -> None:
        if self._terminal_pictures:
            self._terminal_pictures.answered(event.x, event.y)

    def on_report(self, event: Report) -> None:
        if self._terminal_pictures:
            self._terminal_pictures.reported(event.words)

    def on_resize(self) -> None:
        if self._terminal_pictures:
            self._terminal_pictures.resized()

    def on_exit_app(self) -> None:
        """While the terminal still shows the console's screen."""
        if self._terminal_pictures:
            self._terminal_pictures.close()

    def show_home(self) -> None:
        """Home, the list of runs; the one below the present screen when there is one, or the sweep that led to it."""

        if any(getattr(screen, "SCOPE", "") in ("home", "sweep") for screen in self.screen_stack[:-1]):
            self.pop_screen()
        elif len(self.screen_stack) > 1:
            self.switch_screen(self.home())
        else:
            self.push_screen(self.home())

    def home(self) -> HomeScreen:
        from tui_trainer.screens.home import HomeScreen

        return HomeScreen(self.runs)

    def show_run(self, run: RunFolder, feed: Feed | None = None) -> None:
        from tui_trainer.screens.run import RunScreen  # brings the plots along, which Home does without

        self.visited = run
        self.push_screen(RunScreen(run, feed))

    def show_compared(self, runs: Sequence[RunFolder], by: By = "epoch") -> None:
        from tui_trainer.screens.compare import CompareScreen

        self.push_screen(CompareScreen(runs, by))

    def show_sweep(self, sweep: SweepFolder) -> None:
        from tui_trainer.screens.sweep import SweepScreen

        self.push_screen(SweepScreen(sweep))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The palette: what the present screen can do now, and the choice of a theme."""
        if isinstance(screen, ActionScreen):
            for node, action in screen.offered():
                yield SystemCommand(action.label, action.help, self._doer(screen, node, action.id))
        yield SystemCommand("Choose a theme", "Pick a colour theme by its name", self.action_change_theme)

    def _doer(self, screen: ActionScreen, node: DOMNode, action_id: str) -> Callable[[], None]:
        def do() -> None:
            screen.call_later(self.run_action, action_id, node)

        return do
