"""The form that starts a run: every field checked as it is typed, and the start beside the screen."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.widgets import Button, Input, Select

from core import data
from core import recipe as recipes
from core.data import Availability
from core.errors import UserError
from core.queue.folder import QueueFolder
from core.recipe import Recipe
from core.run import describe, session
from core.run.folder import RunFile, RunFolder
from core.sections import Data
from tests.tui import runs as made
from tests.tui.screens import PATIENCE, check, text_of, until
from tui_trainer.app import TrainerApp
from tui_trainer.draft import Draft
from tui_trainer.screens.home import HomeScreen
from tui_trainer.screens.new_run import NewRunScreen
from tui_trainer.screens.run import RunScreen


class Starts:
    """In the place of core.run.session: what was asked of it; holds ``create`` back until it is let go."""

    def __init__(self) -> None:
        self.recipes: list[Recipe] = []
        self.started: list[str] = []
        self.let_go = threading.Event()
        self.let_go.set()
        self.error = ""

    def create(self, recipe: Recipe, runs: Path, name: str | None = None, code: Path | None = None) -> RunFolder:
        self.recipes.append(recipe)
        assert self.let_go.wait(10)
        if self.error:
            raise UserError(self.error)
        run = RunFolder(runs / (name or "made"))
        run.create(RunFile(name=run.name))
        return run

    def start(self, run: RunFolder) -> None:
        self.started.append(run.name)


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> Starts:
    starts = Starts()
    monkeypatch.setattr(session, "create", starts.create)
    monkeypatch.setattr(session, "start", starts.start)
    return starts


@pytest.fixture(autouse=True)
def no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample is ready, nothing else is."""

    def availability(settings: Data) -> Availability:
        if settings.path:
            raise UserError(f"data.path {settings.path!r}: expected a folder [bold]\x1b[31m")
        ready = settings.source == "sample"
        return Availability(
            ready,
            "in the package" if ready else "",
            "" if ready else "get it with: tui-trainer data get",
            settings.source == "cifar10",
        )

    monkeypatch.setattr(data, "availability", availability)


@pytest.fixture
def console(runs: Path) -> TrainerApp:
    made.make(runs, "demo", made.stopped())
    return TrainerApp(runs, clock=lambda: made.NOW)


async def box(pilot: Pilot[Any]) -> str:
    """The form's box, without what is around it, once it no longer changes."""
    region, last = pilot.app.screen.query_one("#new-run").region, ""
    for _ in range(PATIENCE):
        await pilot.pause(0.03)
        rows = text_of(pilot).splitlines()[region.y : region.bottom]
        if (text := "".join(f"{row[region.x : region.right]}\n" for row in rows)) == last:
            return text
        last = text
    raise AssertionError(f"did not settle:\n{last}")


async def opened(pilot: Pilot[Any]) -> NewRunScreen:
    await until(pilot, lambda: "demo" in text_of(pilot))
    await pilot.press("n")
    await until(pilot, lambda: isinstance(pilot.app.screen, NewRunScreen) and "ready: in the package" in text_of(pilot))
    screen = pilot.app.screen
    assert isinstance(screen, NewRunScreen)
    return screen


async def fill(pilot: Pilot[Any], field: str, text: str) -> None:
    entry = pilot.app.screen.query_one(f"#{field}", Input)
    entry.focus()
    entry.value = text
    await pilot.pause()


async def choose(pilot: Pilot[Any], field: str, value: str) -> None:
    pilot.app.screen.query_one(f"#{field}", Select).value = value
    await pilot.pause()


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_form_at_every_size(console: TrainerApp, size: tuple[int, int]) -> None:
    async with console.run_test(size=size) as pilot:
        await opened(pilot)
        await until(pilot, lambda: "MACs" in text_of(pilot))
        check(f"new-run-{size[0]}x{size[1]}", await box(pilot))


async def test_enter_in_a_field_starts_the_run_as_typed(console: TrainerApp, starts: Starts) -> None:
    async with console.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        for field, text in (("epochs", "7"), ("seed", "3"), ("name", "mine")):
            await fill(pilot, field, text)
        await choose(pilot, "device", "cpu")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))
    (recipe,) = starts.recipes
    assert (recipe.name, recipe.epochs, recipe.seed, recipe.device) == ("quickstart", 7, 3, "cpu")
    assert recipe.data.source == "sample"
    assert starts.started == ["mine"]


async def test_keys_alone_choose_a_recipe_and_start_it(console: TrainerApp, starts: Starts) -> None:
    async with console.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await pilot.press("enter", "down", "enter")
        chosen = screen.query_one("#recipe", Select).value
        assert chosen != "quickstart"
        await pilot.press("up", "up")  # past 'Queue'
        assert isinstance(screen.focused, Button) and screen.focused.id == "start"
        await pilot.press("enter")
        await until(pilot, lambda: starts.started)
    assert [recipe.name for recipe in starts.recipes] == [chosen]


async def test_a_run_is_queued_as_typed(
    console: TrainerApp, starts: Starts, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "check", lambda recipe, threads, code: None)  # which loads torch
    queue = QueueFolder(runs)
    begun = list[list[str]]()
    monkeypatch.setattr("tui_trainer.background.begin", lambda words, log, at_work, what: begun.append(list(words)))
    async with console.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        for field, text in (("epochs", "x"), ("others", "optimizer.lr=0.01")):
            await fill(pilot, field, text)
        await pilot.click("#queue")
        assert isinstance(pilot.app.screen.focused, Input) and pilot.app.screen.focused.id == "epochs"  # which is wrong
        await fill(pilot, "epochs", "7")
        await pilot.click("#queue")
        await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))
        await until(pilot, lambda: "queued 1" in text_of(pilot))
    (entry,) = queue.read()
    assert (entry.name, entry.asked, entry.changes) == ("quickstart", "quickstart", ("epochs=7", "optimizer.lr=0.01"))
    assert entry.recipe["epochs"] == 7 and not starts.recipes
    assert begun == [["queue", "run", f"--runs={runs.absolute()}"]]


async def test_the_start_button_takes_a_click(console: TrainerApp, starts: Starts) -> None:
    async with console.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.click("#start")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))
    assert starts.started == ["made"]


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("epochs", "ten", "expected a whole number"),
        ("epochs", "0", "whole number >="),
        ("seed", "-1", "whole number >="),
        ("name", "a b", "expected 1 to 100 letters"),
        ("name", "demo", "exists already"),
    ],
)
async def test_a_wrong_value_is_told_under_its_field_and_starts_nothing(
    console: TrainerApp, starts: Starts, field: str, text: str, words: str
) -> None:
    async with console.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await fill(pilot, field, text)
        await until(pilot, lambda: words in " ".join(text_of(pilot).split()))
        await pilot.click("#start")
        assert screen.focused is screen.query_one(f"#{field}")
        await fill(pilot, field, "")
        await until(pilot, lambda: words not in " ".join(text_of(pilot).split()))
    assert not starts.recipes


async def test_a_recipe_that_watches_the_test_split_says_so(console: TrainerApp) -> None:
    async with console.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        assert "TEST" not in text_of(pilot)
        await choose(pilot, "recipe", "seed")
        await until(pilot, lambda: "! watches the TEST split" in text_of(pilot))
        assert "50" in text_of(pilot)
        await until(pilot, lambda: "get it with" in text_of(pilot) and "MACs" in text_of(pilot))
        check("new-run-seed-80x24", await box(pilot))


async def test_missing_data_say_how_to_get_them(console: TrainerApp) -> None:
    async with console.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await choose(pilot, "source", "cifar10")
        await until(pilot, lambda: "get it with: tui-trainer data get" in text_of(pilot))
        await fill(pilot, "path", "/nowhere")
        await until(pilot, lambda: r"expected a folder [bold]\x1b[31m" in " ".join(text_of(pilot).split()))


@pytest.mark.parametrize(("source", "path", "focused"), [("sample", "/nowhere", "path"), ("folder", "", "source")])
async def test_data_that_cannot_be_had_start_nothing(
    console: TrainerApp, starts: Starts, source: str, path: str, focused: str
) -> None:
    async with console.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await choose(pilot, "source", source)
        await fill(pilot, "path", path)
        await until(pilot, lambda: screen.query_one("#source-field").has_class("wrong"))
        await pilot.click("#start")
        assert screen.focused is screen.query_one(f"#{focused}")
        assert not starts.recipes
        await choose(pilot, "source", "cifar10")
        await fill(pilot, "path", "")
        await until(pilot, lambda: "get it with" in text_of(pilot))
        await pilot.click("#start")
        await until(pilot, lambda: starts.started)


async def test_other_devices_are_looked_for_when_one_is_chosen(console: TrainerApp, monkeypatch: pytest.MonkeyPatch) -> None:
    class Machine:
        devices = ("cpu", "cuda")

    monkeypatch.setattr(describe, "machine", Machine)
    async with console.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        select = screen.query_one("#device", Select)
        select.focus()
        await until(pilot, lambda: [value for _, value in select._options] == ["auto", "cpu", "cuda"])
        assert select.value == "auto"


async def test_an_error_of_the_start_stays_in_the_form(console: TrainerApp, starts: Starts) -> None:
    starts.error = "model.channels: expected at least 1 [red]\x1b[2J"
    async with console.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await pilot.click("#start")
        await until(pilot, lambda: r"expected at least 1 [red]\x1b[2J" in text_of(pilot))
        assert not screen.query_one("#start", Button).disabled
        starts.error = ""
        await pilot.click("#start")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))


async def test_a_start_shows_how_far_it_is_and_can_be_given_up(console: TrainerApp, starts: Starts, runs: Path) -> None:
    starts.let_go.clear()
    async with console.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await pilot.click("#start")
        await until(pilot, lambda: "checking the model" in text_of(pilot))
        assert screen.query_one("#start", Button).disabled
        await pilot.press("escape")
        await until(pilot, lambda: "given up" in text_of(pilot))
        starts.let_go.set()
        await until(pilot, lambda: not (runs / "made").exists())
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))
    assert not starts.started
    assert not (runs / "made").exists()


async def test_other_keys_are_completed_checked_and_trained(console: TrainerApp, starts: Starts) -> None:
    async with console.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        entry = screen.query_one("#others", Input)
        entry.focus()
        await pilot.press(*"optimizer", "full_stop", "l", "r")
        await until(pilot, lambda: entry._suggestion == "optimizer.lr=")
        await pilot.press("right", *"fast")
        await until(pilot, lambda: "optimizer.lr: expected" in " ".join(text_of(pilot).split()))
        await pilot.click("#start")
        assert screen.focused is entry and not starts.recipes
        await fill(pilot, "others", "optimizer.lr=0.004 data.limit=400 mixing.p=0.5")
        await pilot.press("enter")
        await until(pilot, lambda: starts.started)
    (recipe,) = starts.recipes
    assert (recipe.optimizer.lr, recipe.data.limit, recipe.mixing.p) == (0.004, 400, 0.5)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("optimizer.lrr=1", "did you mean 'lr'"),
        ("epochs=3", "epochs has a field of its own"),
        ("lr", "expected key.path=value"),
        ("optimizer=1", "optimizer"),
        ("seed", "seed has a field of its own"),
        ("mixing={p=2}", "mixing.p"),
    ],
)
def test_what_is_wrong_with_other_keys_is_told_in_one_line(runs: Path, text: str, words: str) -> None:
    errors = Draft("quickstart", others=text).errors(runs)
    assert list(errors) == ["others"] and words in errors["others"] and "\n" not in errors["others"]


def own_run(runs: Path, name: str, changes: list[str], named: str = "quickstart") -> RunFolder:
    """A run of a recipe of the package with changes, under whatever name of a recipe."""
    made_of = replace(recipes.load("quickstart", changes), name=named)
    run = made.make(runs, name, made.stopped())
    run.run_file.write_bytes(msgspec.json.encode(RunFile(name=name, recipe=recipes.to_table(made_of))))
    return run


CHANGES = ["optimizer.lr=0.002", 'augment=[{name="crop",padding=2}]', "epochs=7", "data.source=cifar10", "device=mps"]


@pytest.mark.parametrize("named", ["quickstart", "mine"])
async def test_a_run_is_begun_again_with_changes(
    console: TrainerApp, starts: Starts, runs: Path, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_run(runs, "first", CHANGES, named)
    async with console.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "first" in text_of(pilot))
        home = pilot.app.screen
        assert isinstance(home, HomeScreen) and home.table.select("first")
        await pilot.press("y")
        await until(pilot, lambda: "begin again, with changes" in text_of(pilot) and "first-2" in text_of(pilot))
        await until(pilot, lambda: "MACs" in text_of(pilot))
        check(f"new-run-again-{named}-80x24", await box(pilot))
        entry = pilot.app.screen.query_one("#others", Input)
        entry.focus()
        await pilot.pause()
        assert entry.selection.is_empty and entry.cursor_position == len(entry.value)
        entry.value += " batch_size=50"
        await pilot.click("#start")
        await until(pilot, lambda: starts.started)
    (recipe,) = starts.recipes
    assert recipe == recipes.changed(recipes.from_table(RunFolder(runs / "first").read().recipe), ["batch_size=50"])
    assert starts.started == ["first-2"]


async def test_a_run_that_cannot_be_read_is_not_begun_again(console: TrainerApp, runs: Path) -> None:
    run = made.make(runs, "broken", made.stopped())
    run.run_file.write_text('{"recipe": {"epochs": -1}}')
    async with console.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "broken" in text_of(pilot))
        home = pilot.app.screen
        assert isinstance(home, HomeScreen) and home.table.select("broken")
        await pilot.press("y")
        await until(pilot, lambda: any("run 'broken': epochs" in said.message for said in pilot.app._notifications))


def test_an_empty_draft_is_the_recipe_itself() -> None:
    built = Draft("seed").build()
    assert (built.epochs, built.data.source, built.device) == (50, "cifar10", "auto")


def test_a_draft_with_a_path_reads_the_data_there() -> None:
    built = Draft("quickstart", source="folder", path=" /data/birds ").build()
    assert (built.data.source, built.data.path) == ("folder", "/data/birds")


def test_an_unknown_recipe_is_the_only_error_told(runs: Path) -> None:
    errors = Draft("quikstart", epochs="x", seed="y").errors(runs)
    assert list(errors) == ["recipe"]
    assert "did you mean 'quickstart'?" in errors["recipe"]


@pytest.mark.parametrize("text", ["1; rm", "1 # note", "0x10", "1e3", "１", "nan"])
def test_only_plain_digits_are_a_number(runs: Path, text: str) -> None:
    assert Draft("quickstart", epochs=text).errors(runs) == {"epochs": "expected a whole number"}


def test_a_draft_takes_what_data_takes_where_its_source_has_no_path(tmp_path: Path) -> None:
    for name in ("ant", "bee"):
        (tmp_path / "mine" / name).mkdir(parents=True)
        (tmp_path / "mine" / name / "0.png").touch()
    built = Draft("quickstart", path=f" {tmp_path / 'mine'} ").build()
    assert (built.data.source, built.data.path) == ("folder", str(tmp_path / "mine"))
    built = Draft("seed", path="torchvision:mnist").build()
    assert (built.data.source, built.data.path) == ("torchvision:mnist", None)
    with pytest.raises(UserError, match="did you mean 'mnist'"):
        Draft("seed", path="torchvision:mnits").build()


async def test_what_a_path_is_taken_for_is_said(console: TrainerApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ant", "bee"):
        (tmp_path / "mine" / name).mkdir(parents=True)
        (tmp_path / "mine" / name / "0.png").touch()
    monkeypatch.setattr(data, "availability", lambda settings: Availability(True, "there"))
    async with console.run_test(size=(80, 24)) as pilot:
        await pilot.press("n")
        await until(pilot, lambda: "ready: there" in text_of(pilot))
        await fill(pilot, "path", str(tmp_path / "mine"))
        await until(pilot, lambda: "ready as folder: there" in text_of(pilot))


async def test_a_set_of_torchvision_is_chosen_by_its_name(console: TrainerApp, starts: Starts) -> None:
    async with console.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await choose(pilot, "source", "torchvision:mnist")
        await until(pilot, lambda: "get it with" in text_of(pilot))
        await choose(pilot, "source", "sample")
        await fill(pilot, "path", "torchvision:cifar10")
        await until(pilot, lambda: "torchvision has no 'cifar10'" in " ".join(text_of(pilot).split()))
