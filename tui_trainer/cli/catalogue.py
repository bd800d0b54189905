"""What there is to train, on what: ``recipes``, ``model``, ``data``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tui_trainer.cli import options
from tui_trainer.cli.progress import Ticker
from tui_trainer.cli.say import say, say_json, table
from tui_trainer.cli.train import load
from tui_trainer.stream import write_bytes

if TYPE_CHECKING:
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
    from core.data import class_count
    from core.models import Inputs, is_elsewhere
    from core.run.describe import describe
    from core.view.readings import format_count

    if is_elsewhere(recipe) and not recipe.endswith(".toml"):
        recipe, model = ANY, recipe
    chosen = load(recipe, changes or [], data, model)
    found = describe(chosen, Inputs(class_count(chosen.data), size=chosen.data.size), code=Path.cwd())
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
    from core import data
    from core.sections import Data

    found = {name: data.availability(Data(source=name)) for name in data.names()}
    if json:
        say_json({name: {"ready": item.ready, "where": item.where, "hint": item.hint} for name, item in found.items()})
    else:
        say(*table([(name, "ready" if item.ready else "-", item.where or item.hint) for name, item in found.items()]))


@data_app.command("get")
def get(name: Annotated[str, typer.Argument(metavar="NAME", help="For instance cifar10.", show_default=False)]) -> None:
    """Download a data set to the cache; goes on where an earlier attempt was cut off."""
    from core import data

    ticker = Ticker()
    try:
        path = data.fetch(name, ticker)
    finally:
        ticker.close()
    say(str(path))
