"""Saying what is in pictures: ``predict``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from core.errors import UserError
from core.run.named_weights import model_of, weights_of
from core.view.words import format_metric
from tui_trainer.cli import options
from tui_trainer.cli.progress import Ticker
from tui_trainer.cli.say import complain, say, say_json_line
from tui_trainer.stream import wants_live

if TYPE_CHECKING:
    from core.predicted import Given, Seen

STANDARD = "-"
MOST = 1 << 16
"""Bytes of a path."""
WAYS = "one path a line, or with --null a NUL after each"
Images = Annotated[
    list[str],
    typer.Argument(metavar="IMAGE...", help="Image files of any size, folders of them, or - for a list of paths on the "
                   "standard input.", show_default=False),
]  # fmt: skip
Null = Annotated[bool, typer.Option("--null", "-0", help="The list of - has a NUL after each path, as of find -print0.")]
Batch = Annotated[
    int, typer.Option("--batch", metavar="N", min=1, help="So many at a time; with 1 each is told as soon as it is read.")
]
Pictured = Annotated[bool | None, typer.Option("--picture/--no-picture", help="Show each picture. [default: on a terminal]")]


def predict(
    target: options.Weights,
    images: Images,
    checkpoint: options.CheckpointName = "best",
    top: Annotated[int, typer.Option("--top", metavar="N", min=1, help="So many likeliest classes.")] = 3,
    picture: Pictured = None,
    null: Null = False,
    batch: Batch = 64,
    device: options.Device = None,
    model: options.OwnModel = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")] = False,
    runs: options.Runs = None,
) -> None:
    """Say what is in pictures, however many. One that cannot be read is a line on the standard error, and the rest goes on;
    the exit status is 1 then, and 2 where none could be read."""
    weights, code, _ = weights_of(target, checkpoint, runs)
    if null and STANDARD not in images:
        raise UserError(
            "--null: there is no list of paths; give it as -, as in: find photos -print0 | tui-trainer predict ... -0 -"
        )
    from core.predicted import look
    from core.predicting import Loaded

    loaded = Loaded(weights, device or "auto", None, **model_of(model, code))
    seen = look(loaded, _given(images, "\0" if null else "\n"), top, batch)
    say_seen = _printer(json, picture, loaded.classes)
    sys.exit(_told(seen, say_seen))


def _told(seen: Iterable[Seen], say_seen: Callable[[Seen], None]) -> int:
    """The exit status."""
    from core.predicted import Refused

    said = refused = 0
    ticker = Ticker() if wants_live(sys.stderr) and not sys.stdout.isatty() else None
    try:
        for item in seen:
            if isinstance(item.said, Refused):
                refused += 1
                _stop(ticker)
                complain(item.said.reason)
            else:
                said += 1
                say_seen(item)
            if ticker:
                ticker("predict", said + refused, 0, "images")
    finally:
        _stop(ticker)
    if not said + refused:
        raise UserError("no image was given; expected image files, folders of them, or a list of paths on the standard input")
    return 0 if not refused else 1 if said else 2


def _stop(ticker: Ticker | None) -> None:
    if ticker:
        ticker.close()


def _printer(json: bool, picture: bool | None, classes: Sequence[str]) -> Callable[[Seen], None]:
    if json:
        return lambda item: say_json_line(item.said)
    if picture or (picture is None and wants_live(sys.stdout)):
        from tui_trainer.cli.pictured import Pictured

        return Pictured(classes)
    return _say


def _say(item: Seen) -> None:
    from core.predicted import Prediction

    assert isinstance(item.said, Prediction)
    ranked = ", ".join(f"{name} {format_metric('accuracy', share)}" for name, share in item.said.top.items())
    say(f"{item.said.path}: {ranked}")


def _given(images: Iterable[str], end: str) -> Iterator[Given]:
    """Files as they are, what lies below folders, and what a list names."""
    from core.predicted import Given

    for name in images:
        if name == STANDARD:
            yield from (item for line in _listed(end) for item in _within(Given(Path(line), named=False)))
        else:
            yield from _within(Given(Path(name), named=True))


def _within(given: Given) -> Iterator[Given]:
    from core.data.images import SUFFIXES, below
    from core.predicted import Given

    if not given.path.is_dir():
        yield given
        return
    found = False
    for path in below(given.path):
        found = True
        yield _unlisted(path) if isinstance(path, OSError) else Given(path, named=False)
    if not found:
        kinds = " ".join(sorted(SUFFIXES))
        yield Given(given.path, named=False, reason=f"{str(given.path)!r}: no images are in it, nor below it ({kinds})")


def _unlisted(error: OSError) -> Given:
    from core.predicted import Given

    return Given(Path(error.filename), named=False, reason=f"{str(error.filename)!r}: cannot be read ({error.strerror})")


def _listed(end: str) -> Iterator[str]:
    """The paths on the standard input, as they come."""
    if sys.stdin is None:
        raise UserError(f"the standard input is closed; expected {WAYS}")
    rest, separator, stream = b"", end.encode(), cast(BufferedReader, sys.stdin.buffer)
    while block := stream.read1(MOST):
        *whole, rest = (rest + block).split(separator)
        if len(rest) > MOST:
            raise UserError(f"standard input: no path is as long as {MOST:,} bytes; expected {WAYS}")
        yield from (os.fsdecode(path) for path in whole if path)
    if rest:
        yield os.fsdecode(rest)
