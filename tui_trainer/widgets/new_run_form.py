"""The form that starts a run."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.widgets import Button, Input, ProgressBar, Select, Static
from textual.worker import Worker, get_current_worker

from core import data, recipe
from core.errors import UserError
from core.recipe import Recipe
from core.run import describe, session
from core.run.folder import RunFolder, free_name
from tui_trainer.draft import Draft
from tui_trainer.escape import printable
from tui_trainer.widgets.field import Field, choice, entry, options

FIRST = "quickstart"
DEVICES = ("auto", "cpu")
"""Those that every machine has; what else there is takes a process with torch to find out."""
WATCHES_TEST = "watches the TEST split: the best epoch is chosen on test images"


class NewRunForm(Vertical):
    """Recipe, data, epochs, device, seed and name. Checks each as it is typed; starts the run beside the screen."""

    BINDINGS = [
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]

    @dataclass
    class Started(Message):
        """The run's worker has begun."""

        run: RunFolder

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

    def __init__(self, runs: Path) -> None:
        super().__init__()
        self.runs = runs
        self._start: Worker[None] | None = None
        self._devices: Sequence[str] = DEVICES
        self._data_error = ""

    def compose(self) -> ComposeResult:
        names = recipe.names()
        first = FIRST if FIRST in names else names[0]
        with VerticalScroll(id="fields", can_focus=False):
            yield Field("recipe", choice(names, "recipe", first), id="recipe-field")
            yield Static(f"! {WATCHES_TEST}", id="watches-test", markup=False)
            yield Field("data", choice(data.names(), "source"), id="source-field")
            yield Field("path", entry("path", "only where the data lies elsewhere"), id="path-field")
            with Horizontal(classes="pair"):
                yield Field("epochs", entry("epochs"), id="epochs-field")
                yield Field("seed", entry("seed"), id="seed-field")
            with Horizontal(classes="pair"):
                yield Field("device", choice(DEVICES, "device"), id="device-field")
                yield Field("name", entry("name"), id="name-field")
        with Horizontal(id="start-bar"):
            yield Button("Start", id="start", variant="primary", compact=True)
            yield Static(id="start-status", markup=False)
            yield ProgressBar(total=None, show_percentage=False, show_eta=False, id="start-progress")

    def on_mount(self) -> None:
        self._take_recipe()

    @property
    def draft(self) -> Draft:
        return Draft(
            recipe=self._chosen("recipe"), source=self._chosen("source"), device=self._chosen("device"),
            path=self._typed("path"), epochs=self._typed("epochs"), seed=self._typed("seed"), name=self._typed("name"),
        )  # fmt: skip

    @property
    def starting(self) -> bool:
        return self._start is not None

    @on(Select.Changed, "#recipe")
    def _take_recipe(self) -> None:
        """Show the recipe's own values as what an empty field means."""
        draft = Draft(self._chosen("recipe"))
        if not draft.errors(self.runs):
            self._show_recipe(draft.build())
        self._check()

    def _show_recipe(self, chosen: Recipe) -> None:
        self._field("recipe").note(chosen.description)
        self.query_one("#watches-test").display = chosen.early_stopping.enabled and chosen.early_stopping.split == "test"
        self.query_one("#source", Select).value = chosen.data.source
        self.query_one("#epochs", Input).placeholder = str(chosen.epochs)
        self.query_one("#seed", Input).placeholder = str(chosen.seed)
        self.query_one("#name", Input).placeholder = free_name(chosen.name, self.runs)

    @on(Input.Changed)
    def _check(self) -> dict[str, str]:
        errors = self.draft.errors(self.runs)
        for name in ("recipe", "epochs", "seed", "name"):
            self._field(name).error(printable(errors.get(name, "")))
        return errors

    @on(Select.Changed, "#source")
    @on(Input.Changed, "#path")
    def _look_for_data(self) -> None:
        self._data_error, draft = "", self.draft
        if not Draft(draft.recipe).errors(self.runs):
            self._find_data(draft)

    @work(thread=True, exclusive=True, group="data")
    def _find_data(self, draft: Draft) -> None:
        """A disk may be slow, so it is looked at beside the screen."""
        worker = get_current_worker()
        try:
            found = data.availability(Draft(draft.recipe, draft.source, draft.path).build().data)
            text = f"ready: {found.where}" if found.ready else found.hint
            answer = self.DataFound(text, found.ready, error=not (found.ready or found.fetchable))
        except UserError as error:
            answer = self.DataFound(str(error), error=True)
        if not worker.is_cancelled:
            self.post_message(answer)

    def on_new_run_form_data_found(self, event: DataFound) -> None:
        field = self._field("source")
        field.set_class(not event.ready, "missing")
        self._data_error = printable(event.text) if event.error else ""
        field.note("" if event.error else printable(event.text))
        field.error(self._data_error)

    @on(events.DescendantFocus, "#device")
    def _look_for_devices(self) -> None:
        if self._devices == DEVICES:
            self._field("device").note("looking for others ...")
            self._find_devices()

    @work(thread=True, exclusive=True, group="devices")
    def _find_devices(self) -> None:
        try:
            self.post_message(self.DevicesFound(describe.machine().devices))
        except UserError as error:
            self.post_message(self.DevicesFound((), str(error)))

    def on_new_run_form_devices_found(self, event: DevicesFound) -> None:
        self._devices = ("auto", *event.devices) if event.devices else DEVICES
        self._field("device").note(printable(event.error))
        select, chosen = self.query_one("#device", Select), self._chosen("device")
        select.set_options(options(self._devices))
        if chosen in self._devices:
            select.value = chosen

    @on(Button.Pressed, "#start")
    @on(Input.Submitted)
    def begin(self) -> None:
        """Start the run, unless one is being started already or a field is wrong."""
        if self.starting:
            return
        errors = self._check()
        if self._data_error:
            errors["path" if self._typed("path") else "source"] = self._data_error
        if errors:
            self.query_one(f"#{next(iter(errors))}").focus()
            return
        self._set_starting(self._launch(self.draft))

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
            run = session.create(draft.build(), self.runs, name=draft.name or None)
            if worker.is_cancelled:
                shutil.rmtree(run.path, ignore_errors=True)
                return
            self._report(worker, "starting the worker ...")
            session.start(run)
        except (UserError, OSError) as error:
            self._report(worker, str(error), failed=True)
        else:
            self.post_message(self.Started(run))

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
        self.query_one("#start", Button).disabled = worker is not None

    def on_new_run_form_started(self) -> None:
        self._set_starting(None)
        self.query_one("#start-status", Static).update("")

    def _field(self, name: str) -> Field:
        return self.query_one(f"#{name}-field", Field)

    def _chosen(self, name: str) -> str:
        value = self.query_one(f"#{name}", Select).value
        return value if isinstance(value, str) else ""

    def _typed(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value
