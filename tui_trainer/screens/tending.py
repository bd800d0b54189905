"""What a person does with a list of runs: filter, order and mark them, tag, rename, delete and bring back, compare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.widgets import DataTable

from core.errors import UserError
from core.run import moving, tags
from core.run.folder import RunFolder, check_name
from core.view import words
from core.view.readings import format_bytes
from tui_trainer import run_filter
from tui_trainer.bindings import ActionScreen
from tui_trainer.escape import printable
from tui_trainer.listing import ListedRun
from tui_trainer.run_facts import Order
from tui_trainer.run_filter import Filter
from tui_trainer.screens.question import DELETE, Entry, Question
from tui_trainer.widgets.filter_line import FilterLine
from tui_trainer.widgets.run_table import RunTable

if TYPE_CHECKING:
    pass

COMPARED = range(2, 9)
"""So many runs can be compared."""
NAMED = 3
"""So many of several runs are called by their names in a question."""


class TendingScreen(ActionScreen):
    """Has a RunTable and a FilterLine; ``scan`` looks at the folder again, ``_show`` draws what was found."""

    def __init__(self) -> None:
        super().__init__()
        self._listed: list[ListedRun] = []
        self._filter, self._order = Filter(), Order()
        self._followed = ""
        """The run that is selected once it is there."""

    def scan(self) -> None:
        raise NotImplementedError

    def _show(self) -> None:
        raise NotImplementedError

    @property
    def table(self) -> RunTable:
        return self.query_one(RunTable)

    @property
    def selected(self) -> ListedRun | None:
        return self.table.selected

    @property
    def marked(self) -> list[ListedRun]:
        return [item for item in self._listed if item.run.name in self.table.marked]

    @property
    def meant(self) -> list[ListedRun]:
        """The marked runs, else the selected one."""
        return self.marked or ([self.selected] if self.selected else [])

    # What is shown, and in which order

    def action_filter(self) -> None:
        self.query_one(FilterLine).open()

    def on_filter_line_changed(self, event: FilterLine.Changed) -> None:
        self._filter = run_filter.read(event.text)
        self._show()

    def on_filter_line_left(self) -> None:
        self.table.focus()

    def action_unfilter(self) -> None:
        """One thing at a time."""
        if self.query_one(FilterLine).display:
            self.query_one(FilterLine).clear()
            self.table.focus()
        else:
            self.table.marked.clear()
        self._show()

    def action_order_next(self) -> None:
        orders = ["", *self.table.orders]
        place = orders.index(self._order.by) if self._order.by in orders else 0
        self._order = Order(orders[(place + 1) % len(orders)])
        self._show()

    @on(DataTable.HeaderSelected)
    def order_by_column(self, event: DataTable.HeaderSelected) -> None:
        """Once by that column, once the other way up, then as without an order."""
        event.stop()
        by = str(event.column_key.value)
        if by not in self.table.orders:
            return
        if by != self._order.by:
            self._order = Order(by)
        else:
            self._order = Order() if self._order.turned else Order(by, turned=True)
        self._show()

    def action_order_turn(self) -> None:
        self._order = self._order._replace(turned=not self._order.turned)
        self._show()

    def action_mark(self) -> None:
        if self.table.selected:
            self.table.marked ^= {self.table.selected.run.name}
            self.table.action_cursor_down()
            self._show()

    # What is done with them

    def _say(self, text: str, bad: bool = False) -> None:
        self.notify(printable(text), severity="warning" if bad else "information", markup=False)

    def action_compare_runs(self) -> None:
        chosen = self.marked
        if len(chosen) not in COMPARED:
            self._say(
                f"compare takes 2 to 8 marked runs, and {len(chosen)} are: {self.keymap.named('mark')} marks one", bad=True
            )
            return
        self.trainer.show_compared([item.run for item in chosen])

    @work
    async def action_sweeps(self) -> None:
        """The one that there is, or one of a list; first that of the selected run."""
        from tui_trainer.sweep_look import listed

        known = listed(self.trainer.runs, self.selected.tags if self.selected else ())
        entries = [Entry(str(place), sweep.name, words) for place, (sweep, words) in enumerate(known)]
        if not known:
            self._say("there are no sweeps; tui-trainer sweep begins one", bad=True)
        elif (chosen := "0" if len(known) == 1 else await self._pick("Sweeps", entries)) is not None:
            self.trainer.show_sweep(known[int(chosen)][0])

    @work
    async def action_tag(self) -> None:
        if chosen := self.meant:
            asked = await self._ask(_tags_of(chosen))
            if asked is not None:
                after = [(item.run, _tags_after(item, chosen, asked.split())) for item in chosen]
                self._try(lambda: _each(tags.write, after))

    @work
    async def action_rename(self) -> None:
        selected = self.selected
        name = await self._ask(_name_of(selected.run)) if selected else None
        if selected and name is not None and name != selected.run.name:
            self._try(lambda: self._follow(moving.rename(selected.run, name)))

    @work
    async def action_delete(self) -> None:
        chosen = self.meant
        if living := [item.run.name for item in chosen if item.alive]:
            self._say(f"{called(living)} {'is' if len(living) == 1 else 'are'} being trained; stop before deleting", bad=True)
        elif chosen and await self._confirmed(_question(chosen, self.keymap.named("undelete")), DELETE):
            self._try(lambda: _each(self.trainer.trash.delete, [(item.run,) for item in chosen]))

    def action_undelete(self) -> None:
        self._try(self._bring_back)

    def _bring_back(self) -> None:
        back = self.trainer.trash.bring_back()
        if back is None:
            self._say("nothing was deleted that could come back")
            return
        name, run = back
        self._say(f"{run.name} is back" if name == run.name else f"{name} is back as {run.name}: there is another one by now")
        self._follow(run)

    def _follow(self, run: RunFolder) -> None:
        self._followed = run.name

    def _try(self, do: Callable[[], object]) -> None:
        try:
            do()
        except UserError as error:
            self._say(str(error), bad=True)
        self.scan()


def _each(do: Callable[..., None], given: Iterable[tuple[Any, ...]]) -> None:
    for arguments in given:
        do(*arguments)


def called(names: Sequence[str]) -> str:
    """The first ones by name."""
    shown = ", ".join(names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"


def _question(chosen: Sequence[ListedRun], back: str) -> str:
    names = called([item.run.name for item in chosen])
    what = names if len(chosen) == 1 else f"{words.count(len(chosen), 'run')} ({names})"
    size = format_bytes(sum(item.size or 0 for item in chosen))
    return f"Delete {what}, {size} on disk? Until you leave the console, {back} brings it back."


def _tags_of(chosen: Sequence[ListedRun]) -> Question:
    """Of several runs those that all have are shown, and those taken out of the line are taken off all."""

    def wrong(text: str) -> str:
        try:
            for item in chosen:
                _tags_after(item, chosen, text.split())
        except UserError as error:
            return str(error)
        return ""

    whose = chosen[0].run.name if len(chosen) == 1 else words.count(len(chosen), "run")
    hint = "Words with blanks between them." if len(chosen) == 1 else "Words that all of them get; others that they have stay."
    return Question(f"Tags of {whose}", hint, wrong, f"{' '.join(_common(chosen))} ".lstrip(), kept=True)


def _common(chosen: Sequence[ListedRun]) -> list[str]:
    others = [{tag.casefold() for tag in tags.read(item.run)} for item in chosen]
    return [tag for tag in tags.read(chosen[0].run) if all(tag.casefold() in other for other in others)]


def _tags_after(item: ListedRun, chosen: Sequence[ListedRun], wanted: Sequence[str]) -> tuple[str, ...]:
    taken = {tag.casefold() for tag in _common(chosen)} - {tag.casefold() for tag in wanted}
    return tags.changed((tag for tag in tags.read(item.run) if tag.casefold() not in taken), wanted)


def _name_of(run: RunFolder) -> Question:
    def wrong(text: str) -> str:
        try:
            free = text == run.name or not (run.path.parent / check_name(text, "name")).exists()
        except UserError as error:
            return str(error)
        return "" if free else f"'{text}' exists already"

    return Question(f"Rename {run.name}", "The folder gets this name too.", wrong, run.name, kept=True)
