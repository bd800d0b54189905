"""A trained network for other programs: ``export``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import UserError
from core.files import check_free
from core.run.named_weights import model_of, weights_of
from core.view.words import count, format_bytes, format_metric
from tui_trainer.cli import options
from tui_trainer.cli.progress import Ticker
from tui_trainer.cli.say import say, say_json, table

if TYPE_CHECKING:
    from core.exporting import Export

LICENCE = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
README = "README.md"


def export(
    target: options.Weights,
    to: Annotated[
        list[Path],
        typer.Option("--to", metavar="FILE", help="model.onnx, .pt2 or .safetensors. May be repeated.", show_default=False),
    ],
    checkpoint: options.CheckpointName = "best",
    data: options.DataSet = None,
    synthetic: Annotated[
        bool, typer.Option("--synthetic", help="Verify on generated images: without test images, and without an accuracy.")
    ] = False,
    card: Annotated[
        bool | None, typer.Option("--card/--no-card", help="A model card, README.md. [default: unless one is there]")
    ] = None,
    licence: Annotated[str, typer.Option("--license", metavar="ID", help="Of the weights, as the hub names it.")] = "unknown",
    force: options.Force = False,
    device: options.Device = None,
    threads: options.Threads = None,
    model: options.OwnModel = None,
    json: options.Json = False,
    runs: options.Runs = None,
) -> None:
    """Write a trained network for other programs, and check that it computes the same there."""
    readme = _readme(to, card, force)
    if not LICENCE.fullmatch(licence):
        raise UserError(f"--license {licence!r}: expected an identifier such as mit, apache-2.0 or cc-by-4.0")
    if synthetic and data is not None:
        raise UserError("--synthetic and --data exclude each other: either the images are there, or not")
    from core import exporting

    exporting.check(to, force)
    weights, code, name = weights_of(target, checkpoint, runs)
    ticker = Ticker()
    try:
        found = exporting.export(
            weights, to, options.data_of(data), device or "auto", threads, ticker, **model_of(model, code),
            name=name, synthetic=synthetic, force=force,
        )  # fmt: skip
    finally:
        ticker.close()
    if readme:
        _write_card(readme, found, licence)
    if json:
        say_json({"files": found.files, "card": readme and str(readme), "facts": found.facts, "evaluation": found.evaluation})
        return
    say(*_lines(found), *([str(readme)] if readme else []))
    if card is None and not readme:
        say(f"{to[0].with_name(README)} is there already, and stays as it is (to write over it: --card --force)")


def _readme(to: list[Path], card: bool | None, force: bool) -> Path | None:
    """Where the card goes, if it is written. Raises UserError."""
    folders = {target.parent for target in to}
    if card is False:
        return None
    if len(folders) > 1:
        raise UserError("--to: one folder for all of them, since one README.md tells of them (or --no-card)")
    path = folders.pop() / README
    if card:
        check_free(path, force, "leave out --card, or write over it with --card --force")
    return path if card or not path.exists() else None


def _write_card(path: Path, found: Export, licence: str) -> None:
    from core.files import write_whole
    from tui_trainer.reporting.card import card as written

    try:
        write_whole(path, written(found, licence).encode())
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}; the model is there, without its card") from None


def _lines(found: Export) -> Iterator[str]:
    rows = [
        (
            file.path, format_bytes(file.bytes), f"logits off by {file.largest_difference:.2g}",
            count(file.near_ties, "near tie"),
        )
        for file in found.files
    ]  # fmt: skip
    yield from table(rows, right=(1,))
    known, first = found.evaluation, found.files[0]
    kind = "generated" if known is None else "test"
    yield f"verified on {count(first.images, f'{kind} image')}: logits may be off by {first.tolerance:.2g}"
    if known is None:
        yield "the accuracy was not measured"
        return
    facts = found.facts
    evaluated = f"evaluate, in {facts.precision}: {format_metric('accuracy', facts.evaluated_accuracy)}"
    yield f"accuracy {format_metric('accuracy', known.accuracy)} on {count(known.images, 'image')} in fp32 ({evaluated})"
