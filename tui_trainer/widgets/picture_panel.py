"""Panels of pictures: a grid of those that the run keeps, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, NamedTuple, cast

from rich.text import Text
from textual.geometry import Size
from textual.strip import Strip
from textual.worker import Worker, WorkerState

from core.run.folder import RunFolder
from core.view.pictures import Picture
from core.view.state import PictureSet, State
from tui_trainer.actions import Scope
from tui_trainer.bindings import bindings, keymap
from tui_trainer.escape import printable
from tui_trainer.keymap import Hint
from tui_trainer.pixels import BLOCKS, Way
from tui_trainer.theme import Palette
from tui_trainer.widgets.glyphs import cut
from tui_trainer.widgets.heat import few_colours
from tui_trainer.widgets.panel import Panel
from tui_trainer.widgets.picture_grid import GAP, SIZES, Grid, grid_of, joined
from tui_trainer.widgets.picture_shelf import Key, Shelf
from tui_trainer.widgets.wrapping import wrap

if TYPE_CHECKING:
    from tui_trainer.app import TrainerApp
    from tui_trainer.widgets.terminal_pictures import Placed, TerminalPictures


class Shown(NamedTuple):
    found: PictureSet | None
    classes: tuple[str, ...]
    filters: tuple[int | None, int | None]
    """True class and what it was taken for; None for any."""
    first: int
    few_colours: bool
    light: bool
    way: Way
    ended: bool
    drawn: int
    """How often the thread has come back with something."""


CORNERS = 4
"""Cells of a border that its title leaves free, within its panel's width."""


class PicturePanel(Panel[Shown]):
    """Subclass it with the kind of pictures and how they are described."""

    PAGE = "pictures"
    SCOPES: ClassVar[tuple[Scope, ...]] = ("pictures",)
    BINDINGS = bindings("pictures")
    KIND: ClassVar[str]
    HINT: ClassVar[Hint] = (("previous_pictures next_pictures", "more"), ("earlier_pictures later_pictures", "epoch"))

    def __init__(self, run: RunFolder) -> None:
        super().__init__(run)
        self._state = State()
        self._step: int | None = None
        """Of the chosen set; None follows the newest."""
        self._filters: tuple[int | None, int | None] = (None, None)
        self._first = 0
        self._grid = Grid(1, 1, *SIZES[-1])
        self.shelf = Shelf(run, self.KIND)

    @property
    def busy(self) -> bool:
        return self.shelf.busy

    # What subclasses say

    def caption(self, picture: Picture, classes: tuple[str, ...], width: int) -> str:
        raise NotImplementedError

    def empty(self, reads: Shown) -> str:
        """Why there are no pictures, in words."""
        raise NotImplementedError

    # Drawing

    def reads(self, state: State, now: float) -> Shown:
        self._state = state
        few, light = few_colours(self.app), not self.app.current_theme.dark
        shown = self._set(), state.classes, self._filters, self._first
        return Shown(*shown, few, light, self._way(), state.ended, self.shelf.comings)

    def draw(self, reads: Shown, size: Size, colours: Palette) -> Sequence[Text | Strip]:
        if reads.found is None:
            return _said(self.empty(reads), size, colours)
        known = self.shelf.pictures(reads.found.media)
        if known is None:
            self._want([Key(reads.found.media)])
            return _said("reading the pictures ...", size, colours)
        if isinstance(known, str):
            return _said(f"these pictures cannot be shown: {known}", size, colours)
        self._grid = grid = grid_of(size)
        places = self._places()[reads.first : reads.first + grid.places]
        if not places:
            return _said("none of these was kept at this epoch; 0 shows all", size, colours)
        look = grid.width, grid.height, reads.few_colours, reads.few_colours and reads.light, self._terminal.way
        keys = {place: Key(reads.found.media, place, *look) for place in places}
        self._want(self.shelf.missing(keys.values()))
        pictures = self._pictures(list(keys.values()), reads, colours)
        lines = list[Text | Strip]()
        for row in range(0, len(places), grid.columns):
            in_row = places[row : row + grid.columns]
            lines += joined([pictures[keys[place]] for place in in_row], grid, size.width, colours)
            lines.append(self._captions([known[place] for place in in_row], reads, colours))
        return lines

    def title(self, reads: Shown, colours: Palette) -> Text:
        title = Text(self.NAME)
        if reads.found is None:
            return title
        words = self.filter_words(reads)
        if reads.found.split != "train" and not words:  # of what is trained on everybody knows; else there is little room
            title.append(f"  {printable(reads.found.split)}", colours.muted)
        title.append(f" epoch {reads.found.epoch}", colours.muted)
        places = self._places()
        if places:
            last = min(reads.first + self._grid.places, len(places))
            shown, total = f"  {reads.first + 1}-{last}", f"/{len(places)}"
            fits = title.cell_len + len(shown + total) <= self.size.width - CORNERS
            title.append(shown + total if fits else shown, colours.text)
        if words:
            title.append(f"  {printable(words)}", colours.held_out)
        return title

    def filter_words(self, reads: Shown) -> str:
        return ""

    def subtitle(self, reads: Shown, colours: Palette) -> Text | None:
        return Text(keymap(self).hint(*self.HINT), colours.muted) if reads.found else None

    def _want(self, keys: list[Key]) -> None:
        if self.shelf.want(keys):
            self.run_worker(self.shelf.work, thread=True)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """What it has read is shown at once."""
        if event.state == WorkerState.SUCCESS:
            self._again()

    def _pictures(self, keys: list[Key], reads: Shown, colours: Palette) -> dict[Key, list[Strip] | None]:
        """None for those that the thread has not drawn yet."""
        if reads.way == BLOCKS:
            return {key: self.shelf.drawn(key) for key in keys}
        self._placed.show(self.shelf.pixels(keys), {key: self._grid.part(place) for place, key in enumerate(keys)})
        return {key: self._placed.strips(key, colours.ground) or self.shelf.drawn(key) for key in keys}

    def _captions(self, found: list[Picture], reads: Shown, colours: Palette) -> Text:
        line = Text()
        for picture in found:
            caption = Text(printable(self.caption(picture, reads.classes, self._grid.width)), colours.text)
            line.append_text(cut(caption, self._grid.width, pad=True)).append(" " * GAP)
        return line

    # The terminal's memory

    @property
    def _terminal(self) -> TerminalPictures:
        return cast("TrainerApp", self.app).terminal_pictures

    @cached_property
    def _placed(self) -> Placed:
        from tui_trainer.widgets.terminal_pictures import Placed

        return Placed(self._terminal, self)

    def _way(self) -> Way:
        """Not by pixels below a dialog: it dims all colours, by which kitty knows the pictures."""
        return self._terminal.way if self.screen.is_active else BLOCKS

    def on_mount(self) -> None:
        self._terminal.learnt.subscribe(self, lambda _: self._again())
        self.app.app_resume_signal.subscribe(self, lambda _: self._anew())
        self.watch(self.screen, "stack_updates", self._again, init=False)

    def on_unmount(self) -> None:
        self._placed.show({}, {})

    def _anew(self) -> None:
        """The terminal forgets its pictures when the console is suspended, as by kill -TSTP."""
        self._placed.show({}, {})
        self._drawn = None
        self._draw()

    # What is shown

    def known(self) -> tuple[Picture, ...]:
        """Of the set that is shown, as far as it has been read."""
        found = self._set()
        known = self.shelf.pictures(found.media) if found else None
        return known if isinstance(known, tuple) else ()

    def _all_sets(self) -> list[PictureSet]:
        return [item for item in self._state.pictures if item.kind == self.KIND]

    def _set(self) -> PictureSet | None:
        """The chosen one or, when that was taken back, the newest before it."""
        found = self._all_sets()
        if self._step is not None:
            found = [item for item in found if item.step <= self._step] or found[:1]
        return found[-1] if found else None

    def _places(self) -> list[int]:
        """Of the pictures that the filter lets through."""
        truth, guess = self._filters
        return [
            place
            for place, picture in enumerate(self.known())
            if truth in (None, picture.label) and guess in (None, picture.other)
        ]

    def filter_by(self, truth: int | None, guess: int | None) -> None:
        self._filters, self._first = (truth, guess), 0
        self._again()

    def action_next_pictures(self) -> None:
        if self._first + self._grid.places < len(self._places()):
            self._first += self._grid.places
            self._again()

    def action_previous_pictures(self) -> None:
        self._first = max(0, self._first - self._grid.places)
        self._again()

    def action_later_pictures(self) -> None:
        self._go(1)

    def action_earlier_pictures(self) -> None:
        self._go(-1)

    def _go(self, by: int) -> None:
        found, shown = self._all_sets(), self._set()
        if shown is None:
            return
        place = min(max(found.index(shown) + by, 0), len(found) - 1)
        self._step = None if place == len(found) - 1 else found[place].step
        self._first = 0
        self._again()

    def _again(self) -> None:
        self.show(self._state, 0.0)


def _said(words: str, size: Size, colours: Palette) -> list[Text]:
    return [Text(line, colours.muted) for line in wrap(printable(words), size.width)]
