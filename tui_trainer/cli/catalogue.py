"""What there is to train, on what: ``recipes``, ``model``, ``data``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import UserError
from tui_trainer.choosing import choose
from tui_trainer.cli import options
from tui_trainer.cli.dataset import described, lines
from tui_trainer.cli.progress import Ticker
from tui_trainer.cli.say import say, say_json, table
from tui_trainer.stream import write_bytes

if TYPE_CHECKING:
    from core.data import Availability
    from core.models import Layer

ANY = "quickstart"
"""A recipe of no matter which network."""
data_app = typer.Typer(help="List the data sources, or get one.", invoke_without_command=True, rich_markup_mode=None)


def recipes(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Show this one's TOML.", show_default=False)] = None,
) -> None:
    """List the recipes that come with the program, or show one."""
    from core import recipe

    if name is not None:
        _print_source(recipe.source_text(name))
        return
    say(*table([(known, recipe.load(known).description) for known in recipe.names()]))


def _print_source(text: str) -> None:
    """To the byte where it goes into a file or to another program."""
    if sys.stdout.isatty():
        say(*text.removesuffix("\n").split("\n"))
    else:
        write_bytes(sys.stdout.buffer, text.encode())


def model(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE|FILE.toml|NAME", show_default=False)],
    model: options.Model = None,
    changes: options.Set = None,
    data: options.DataSet = None,
    json: options.Json = False,
) -> None:
    """Show a recipe's network, or one by its NAME: torchvision:NAME, timm:NAME or python:MODULE:FUNCTION."""
    from core.data import known_inputs
    from core.models import is_elsewhere
    from core.run.describe import describe
    from core.view.readings import format_count

    if is_elsewhere(recipe) and not recipe.endswith(".toml"):
        if model is not None:
            raise UserError(f"model {recipe} and --model {model} are two networks; leave one out")
        recipe, model = ANY, recipe
    chosen = choose(recipe, changes or (), data, model)
    found = describe(chosen, known_inputs(chosen.data), code=Path.cwd())
    if json:
        say_json(found)
        return
    rows = [("LAYER", "KIND", "OUTPUT", "PARAMETERS", "MACS", "RATE"), *map(_layer, found.layers)]
    width = 6 if any(row[5] for row in rows[1:]) else 5
    say(*table([row[:width] for row in rows], right=(3, 4, 5)[: width - 3]))
    frozen = f" that train, {found.frozen:,} frozen" if found.frozen else ""
    say(f"{found.parameters:,} parameters{frozen}, {format_count(found.macs)} multiply-accumulates an image")


def _layer(item: Layer) -> tuple[str, ...]:
    parameters = f"{item.parameters + item.frozen:,}"
    return item.name, item.kind, "x".join(map(str, item.output)), parameters, f"{item.macs:,}", item.rate


@data_app.callback()
def sources(context: typer.Context, json: options.Json = False) -> None:
    if context.invoked_subcommand is not None:
        return
    if json:
        say_json({name: {"ready": item.ready, "where": item.where, "hint": item.hint} for name, item in _sources()})
    else:
        say(*table(list(_source_rows())))


def _sources() -> Iterator[tuple[str, Availability]]:
    """All that can be named; ``hf:NAME`` for a source whose names nobody lists."""
    from core import data
    from core.data import Availability
    from core.sections import Data

    for name in data.choices():
        if data.names_of(name.partition(":")[0]) is None:
            yield f"{name}:NAME", Availability(False, hint=data.about(name))
        else:
            yield name, data.availability(Data(source=name))


def _source_rows() -> Iterator[tuple[str, str, str]]:
    from core import data

    found = dict(_sources())
    for source in data.names():
        names = data.names_of(source)
        if names:
            ready = [name for name in names if found[f"{source}:{name}"].ready]
            yield f"{source}:NAME", "-", f"ready: {', '.join(ready)}" if ready else "none fetched yet"
            yield "", "", ", ".join(names)
        else:
            item = found[source if names == () else f"{source}:NAME"]
            yield source if names == () else f"{source}:NAME", "ready" if item.ready else "-", item.where or item.hint


@data_app.command("show")
def show(
    data: Annotated[str, typer.Argument(metavar="NAME|PATH", help="As --data takes it.", show_default=False)],
    json: options.Json = False,
) -> None:
    """Read data as a training would, and say what they are: classes, splits, size, channels."""
    from core.data import availability, from_text, load
    from core.sections import Data

    settings = from_text(data, Data())
    found = availability(settings)
    if not (found.ready or (found.fetchable and data.startswith("hf:"))):  # whose library alone knows what it has in its cache
        raise UserError(f"data {data!r}: {found.hint}")
    ticker = Ticker()
    try:
        dataset = load(settings, ticker)
    finally:
        ticker.close()
    if json:
        say_json(described(dataset))
    else:
        say(*lines(described(dataset)))


@data_app.command("get")
def get(name: Annotated[str, typer.Argument(metavar="NAME", help="As torchvision:mnist.", show_default=False)]) -> None:
    """Download a data set to the cache; one of CIFAR goes on where an earlier attempt was cut off."""
    from core import data

    ticker = Ticker()
    try:
        path = data.fetch(name, ticker)
    finally:
        ticker.close()
    say(str(path))
