"""``queue``: trainings that wait for a device, and begin one after the other."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.errors import UserError
from core.run.folder import runs_folder
from tui_trainer.cli import options
from tui_trainer.cli.say import say, say_json

if TYPE_CHECKING:
    from core.queue.runner import Start

queue = typer.Typer(
    help="List the trainings that wait for a device, or add one: they begin by themselves, one a device.",
    invoke_without_command=True,
    rich_markup_mode=None,
)
Which = Annotated[
    str, typer.Argument(metavar="N|NAME|all", help="A position, the name of a run, or all that wait.", show_default=False)
]
Entry = Annotated[str, typer.Argument(metavar="N|NAME", help="A position, or the name of a run.", show_default=False)]


@queue.callback()
def overview(context: typer.Context, runs: options.Runs = None, json: options.Json = False) -> None:
    if context.invoked_subcommand is None:
        list_entries(runs, json)
    elif runs is not None or json:
        raise UserError(f"--runs and --json stand after '{context.invoked_subcommand}'")


@queue.command("add")
def add(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE|FILE.toml", help="See: tui-trainer recipes", show_default=False)],
    seed: Annotated[str, typer.Option("--seed", metavar="SEEDS", help="A run for each: 7, 1..5 or 3,7.")] = "",
    data: options.DataSet = None,
    model: options.Model = None,
    weights: options.BeginFrom = None,
    epochs: Annotated[int | None, typer.Option("--epochs", metavar="N", min=1, help="Length of each run.")] = None,
    changes: options.Set = None,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Of the run; of several, before -seed-N.")] = "",
    device: Annotated[
        str | None, typer.Option("--device", metavar="NAME", help="Train on this one alone. [default: the next that is free]")
    ] = None,
    threads: options.Threads = None,
    start: Annotated[
        bool, typer.Option("--start/--no-start", help="Start the process that begins the runs, where there is none.")
    ] = True,
    json: Annotated[bool, typer.Option("--json", help="Print what was added as JSON.")] = False,
    runs: options.Runs = None,
) -> None:
    """Add a training for each seed to the end of the queue. The recipe is kept as it is now."""
    from core.queue import changing
    from core.queue.folder import QueueFolder
    from core.queue.seeds import parse
    from core.run.named_weights import weights_of
    from tui_trainer.choosing import choose
    from tui_trainer.cli.queue_lines import added, documents
    from tui_trainer.queueing import ensure_runner

    seeds = parse(seed) if seed else ()
    begin_from = None if weights is None else weights_of(weights, "best", runs)[0]
    chosen = choose(recipe, changes or (), data, model, begin_from, epochs=epochs, device=device)
    told = {"data": data, "model": model, "weights": weights, "epochs": epochs, "device": device}
    otherwise = [*(f"{key}={value}" for key, value in told.items() if value is not None), *(changes or ())]
    wish = changing.Wish(chosen, seeds, name, recipe, tuple(otherwise), threads, code=Path.cwd())
    place = QueueFolder(runs_folder(runs))
    entries = changing.add(place, wish)
    if start:
        ensure_runner(place)
    if json:
        say_json(documents(place, entries))
    else:
        say(*added(place, entries))


@queue.command("list")
def list_entries(runs: options.Runs = None, json: options.Json = False) -> None:
    """List the queue: what is over, what is trained, and what waits, in the order in which it begins."""
    from core.queue.folder import QueueFolder
    from core.queue.standing import entries_of
    from tui_trainer.cli.queue_lines import documents, lines

    place = QueueFolder(runs_folder(runs))
    entries = entries_of(place)
    if json:
        say_json({"running": place.conducted, "entries": documents(place, entries)})
    else:
        say(*lines(place, entries))


@queue.command("cancel")
def cancel(which: Which, runs: options.Runs = None) -> None:
    """Take an entry out of the queue; one that is trained ends with a checkpoint. 'all' are those that wait."""
    from core.queue import changing
    from core.queue.folder import QueueFolder

    done = changing.cancel(QueueFolder(runs_folder(runs)), which)
    ways = (f"{entry.name}: ends with a checkpoint" if entry.ending else f"{entry.name}: cancelled" for entry in done)
    say(*ways) if done else say("nothing waits")


@queue.command("move")
def move(
    which: Entry,
    to: Annotated[int, typer.Option("--to", metavar="M", min=1, help="The position that it gets.", show_default=False)],
    runs: options.Runs = None,
) -> None:
    """Move an entry that waits to another position."""
    from core.queue import changing
    from core.queue.folder import QueueFolder

    entry, position = changing.move(QueueFolder(runs_folder(runs)), which, to)
    say(f"{entry.name}: position {position}")


@queue.command("clear")
def clear(runs: options.Runs = None) -> None:
    """Take the entries out that are over; their runs stay."""
    from core.queue import changing
    from core.queue.folder import QueueFolder
    from core.view.words import count

    number = changing.clear(QueueFolder(runs_folder(runs)))
    say(f"{count(number, 'entry')} taken out")


@queue.command("run")
def run(
    devices: Annotated[
        str,
        typer.Option(
            "--devices", metavar="NAMES", help="As cuda:0,cuda:1. [default: all CUDA devices, else the best there is]"
        ),
    ] = "",
    watch: Annotated[
        bool, typer.Option("--watch/--once", help="Wait for more when nothing is left, or end then. [default: once]")
    ] = False,
    notify: options.Notify = None,
    log: options.Log = None,
    runs: options.Runs = None,
) -> None:
    """Begin what waits, one run a device, until nothing is left. Ctrl-C ends this alone: what is trained goes on, and the next
    'queue run' finds it."""
    from core.queue.folder import QueueFolder
    from core.queue.runner import Runner
    from tui_trainer import background

    chosen = [name.strip() for name in devices.split(",")] if devices else []
    if not all(chosen):
        raise UserError(f"--devices {devices!r}: expected devices with commas between them, as in cuda:0,cuda:1")
    runner = Runner(QueueFolder(runs_folder(runs)), chosen, _start(log, notify), watch)
    with background.passing_signals(runner.leave):
        for line in runner.go():
            say(line)
    sys.exit(128 + runner.signal if runner.signal else 0)


def _start(log: list[str] | None, notify: str | None) -> Start:
    from core.run import session

    options: dict[str, Any] = {"notify": notify} if notify else {}
    if not log:
        return partial(session.start, **options)
    from tui_trainer import trackers
    from tui_trainer.forwarding import followers

    trackers.parse_all("--log", log)  # before anything begins
    return lambda run, **chosen: followers.start(run, log, **chosen, **options)
