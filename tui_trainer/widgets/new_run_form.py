"""The form that starts a run."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.widgets import Button, Input, ProgressBar, Select, Static
from textual.worker import Worker, get_current_worker

from core import data, recipe
from core.errors import UserError
from core.queue import changing
from core.queue.entries import Entry
from core.queue.folder import QueueFolder
from core.recipe import Recipe
from core.run import describe, session
from core.run.folder import RunFolder, free_name
from tui_trainer.draft import AS_IN, Again, Draft
from tui_trainer.escape import printable
from tui_trainer.forwarding import followers
from tui_trainer.widgets.field import Field, Form, choice, entry, options
from tui_trainer.widgets.forecast_lines import ForecastLines
from tui_trainer.widgets.key_suggester import KeySuggester

FIRST = "quickstart"
DEVICES = ("auto", "cpu")
"""Those that every machine has; what else there is takes a process with torch to find out."""
YOUR_OWN = "a folder, an .npz file, or hf:NAME"
OTHERS = "any other keys: optimizer.lr=0.001 data.validation=0.2"
WATCHES_TEST = "watches the TEST split: the best epoch is chosen on test images"


class NewRunForm(Form):
    """Checks each field as it is typed, says what the run will be and take, and starts it beside the screen."""

    BINDINGS = [
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]

    @dataclass
    class Started(Message):
        """The run's worker has begun."""

        run: RunFolder

    @dataclass
    class Queued(Message):
        """The run waits for a device."""

        entry: Entry

    @dataclass
    class DataFound(Message):
        text: str
        ready: bool = False
        error: bool = False

    @dataclass
    class DevicesFound(Message):
        devices: tuple[str, ...]
        error: str = ""

    @dataclass
    class Reported(Message):
        """How far a start has come, or why it failed."""

        text: str
        failed: bool

    def __init__(self, runs: Path, again: Again | None = None, log: Sequence[str] = ()) -> None:
        """``again``: a run whose recipe is proposed; ``log``: what the run is given to."""
        super().__init__()
        self.runs, self.log_to = runs, log
        self._again = again
        self._start: Worker[None] | None = None
        self._devices = _devices(again)
        self._data_error = ""

    def compose(self) -> ComposeResult:
        again, names = self._again, recipe.names()
        first = again.made_of if again else FIRST if FIRST in names else names[0]
        names += [AS_IN] * (first == AS_IN)
        given = defaultdict(str, again.fields() if again else {})
        with VerticalScroll(id="fields", can_focus=False):
            yield Field("recipe", choice(names, "recipe", first), id="recipe-field")
            yield Static(f"! {WATCHES_TEST}", id="watches-test", markup=False)
            yield Field("data", choice(_sources(again), "source"), id="source-field")
            yield Field("path", entry("path", YOUR_OWN, given["path"]), id="path-field")
            with Horizontal(classes="pair"):
                yield Field("epochs", entry("epochs", value=given["epochs"]), id="epochs-field")
                yield Field("seed", entry("seed", value=given["seed"]), id="seed-field")
            with Horizontal(classes="pair"):
                yield Field("device", choice(self._devices, "device", again.recipe.device if again else ""), id="device-field")
                yield Field("name", entry("name", value=given["name"]), id="name-field")
            yield Field("others", entry("others", OTHERS, given["others"], KeySuggester()), id="others-field")
        yield ForecastLines(self.runs)
        with Horizontal(id="start-bar"):
            yield Button("Start", id="start", variant="primary", compact=True)
            yield Button("Queue", id="queue", compact=True)
            yield Static(id="start-status", markup=False)
            yield ProgressBar(total=None, show_percentage=False, show_eta=False, id="start-progress")

    def on_mount(self) -> None:
        self._take_recipe()

    @property
    def draft(self) -> Draft:
        return Draft(
            recipe=self.chosen("recipe"), source=self.chosen("source"), device=self.chosen("device"),
            path=self.typed("path"), epochs=self.typed("epochs"), seed=self.typed("seed"), name=self.typed("name"),
            others=self.typed("others"), again=self._again,
        )  # fmt: skip

    @property
    def starting(self) -> bool:
        return self._start is not None

    @on(Select.Changed, "#recipe")
    def _take_recipe(self) -> None:
        """Show the recipe's own values as what an empty field means."""
        draft = Draft(self.chosen("recipe"), again=self._again)
        if not draft.errors(self.runs):
            again = self._again
            self._show_recipe(again.recipe if again and again.made_of == draft.recipe else draft.build())
        self._check()

    def _show_recipe(self, chosen: Recipe) -> None:
        self.field("recipe").note(chosen.description)
        self.query_one("#watches-test").display = chosen.early_stopping.enabled and chosen.early_stopping.split == "test"
        self.query_one("#source", Select).value = chosen.data.source
        self.query_one("#epochs", Input).placeholder = str(chosen.epochs)
        self.query_one("#seed", Input).placeholder = str(chosen.seed)
        self.query_one("#name", Input).placeholder = free_name(chosen.name, self.runs)

    @on(Input.Changed)
    def _check(self) -> dict[str, str]:
        errors = self.draft.errors(self.runs)
        for name in ("recipe", "epochs", "seed", "name", "others"):
            self.field(name).error(printable(errors.get(name, "")))
        self.query_one(ForecastLines).ask(None if errors.keys() - {"name"} else self.draft)
        return errors

    @on(Select.Changed, "#source")
    @on(Input.Changed, "#path")
    def _look_for_data(self) -> None:
        self._data_error, draft = "", self.draft
        if not Draft(draft.recipe, again=self._again).errors(self.runs):
            self._find_data(draft)

    @work(thread=True, exclusive=True, group="data")
    def _find_data(self, draft: Draft) -> None:
        """A disk may be slow, so it is looked at beside the screen."""
        worker = get_current_worker()
        try:
            settings = Draft(draft.recipe, draft.source, draft.path, again=draft.again).build().data
            found = data.availability(settings)
            of_path = "" if settings.source == draft.source else f" as {settings.source}"
            text = f"ready{of_path}: {found.where}" if found.ready else found.hint
            answer = self.DataFound(text, found.ready, error=not (found.ready or found.fetchable))
        except UserError as error:
            answer = self.DataFound(str(error), error=True)
        if not worker.is_cancelled:
            self.post_message(answer)

    def on_new_run_form_data_found(self, event: DataFound) -> None:
        field = self.field("source")
        field.set_class(not event.ready, "missing")
        self._data_error = printable(event.text) if event.error else ""
        field.note("" if event.error else printable(event.text))
        field.error(self._data_error)

    @on(events.DescendantFocus, "#device")
    def _look_for_devices(self) -> None:
        if self._devices == _devices(self._again):
            self.field("device").note("looking for others ...")
            self._find_devices()

    @work(thread=True, exclusive=True, group="devices")
    def _find_devices(self) -> None:
        try:
            self.post_message(self.DevicesFound(describe.machine().devices))
        except UserError as error:
            self.post_message(self.DevicesFound((), str(error)))

    def on_new_run_form_devices_found(self, event: DevicesFound) -> None:
        self._devices = ("auto", *event.devices) if event.devices else _devices(self._again)
        self.field("device").note(printable(event.error))
        select, chosen = self.query_one("#device", Select), self.chosen("device")
        select.set_options(options(self._devices))
        if chosen in self._devices:
            select.value = chosen

    @on(Button.Pressed, "#start")
    @on(Input.Submitted)
    def begin(self) -> None:
        """Start the run, unless one is being started already or a field is wrong."""
        if self._is_right():
            self._set_starting(self._launch(self.draft))

    @on(Button.Pressed, "#queue")
    def queue(self) -> None:
        """Have it begun once a device is free, under the same conditions."""
        if self._is_right():
            self._set_starting(self._enqueue(self.draft))

    def _is_right(self) -> bool:
        if self.starting:
            return False
        errors = self._check()
        if self._data_error:
            errors["path" if self.typed("path") else "source"] = self._data_error
        if errors:
            self.query_one(f"#{next(iter(errors))}").focus()
        return not errors

    def cancel(self) -> None:
        """Give up a start that is under way; nothing of it stays on disk."""
        if self._start:
            self._start.cancel()
            self._set_starting(None)
            self.query_one("#start-status", Static).update("given up; nothing was started")

    @work(thread=True, exclusive=True, group="start")
    def _launch(self, draft: Draft) -> None:
        worker = get_current_worker()
        try:
            self._report(worker, "checking the model and the data ...")
            run = session.create(draft.build(), self.runs, name=draft.name or None, code=draft.code)
            if worker.is_cancelled:
                shutil.rmtree(run.path, ignore_errors=True)
                return
            self._report(worker, "starting the worker ...")
            followers.start(run, self.log_to)
        except (UserError, OSError) as error:
            self._report(worker, str(error), failed=True)
        else:
            self.post_message(self.Started(run))

    @work(thread=True, exclusive=True, group="start")
    def _enqueue(self, draft: Draft) -> None:
        from tui_trainer import queueing

        worker = get_current_worker()
        try:
            self._report(worker, "checking the model and the data ...")
            entry, queue = queueing.enqueue(self.runs, draft), QueueFolder(self.runs)
            if worker.is_cancelled:
                changing.cancel_waiting(queue, entry.id)
                return
            queueing.ensure_runner(queue)
        except (UserError, OSError) as error:
            self._report(worker, str(error), failed=True)
        else:
            self.post_message(self.Queued(entry))

    def _report(self, worker: Worker[None], text: str, failed: bool = False) -> None:
        if not worker.is_cancelled:
            self.post_message(self.Reported(printable(text), failed))

    def on_new_run_form_reported(self, event: Reported) -> None:
        if event.failed:
            self._set_starting(None)
        status = self.query_one("#start-status", Static)
        status.set_class(event.failed, "wrong")
        status.update(event.text)

    def _set_starting(self, worker: Worker[None] | None) -> None:
        self._start = worker
        self.set_class(worker is not None, "starting")
        self.query_one("#fields").disabled = worker is not None
        for button in self.query(Button):
            button.disabled = worker is not None

    @on(Started)
    @on(Queued)
    def _leave_off(self) -> None:
        self._set_starting(None)
        self.query_one("#start-status", Static).update("")


def _sources(again: Again | None) -> list[str]:
    """With that of a run that is begun again; the names of some sources are typed as a path is."""
    own = [again.recipe.data.source] if again else []
    return list(dict.fromkeys([*(name for name in data.choices() if data.names_of(name.partition(":")[0]) is not None), *own]))


def _devices(again: Again | None) -> tuple[str, ...]:
    """With that of a run that is begun again."""
    return tuple(dict.fromkeys((*DEVICES, again.recipe.device) if again else DEVICES))
