"""Using saved weights: ``evaluate`` and ``predict``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from core.errors import UserError
from core.run.folder import find, runs_folder
from core.view.words import format_metric
from tui_trainer.cli import options
from tui_trainer.cli.progress import Ticker
from tui_trainer.cli.say import say, say_json, table


def evaluate(
    target: options.Weights,
    checkpoint: options.CheckpointName = "best",
    data: options.DataSet = None,
    device: options.Device = None,
    threads: options.Threads = None,
    model: options.OwnModel = None,
    json: options.Json = False,
    runs: options.Runs = None,
) -> None:
    """Measure saved weights on a test split."""
    weights, code = weights_of(target, checkpoint, runs)
    settings = None
    if data is not None:
        from core.data import from_text
        from core.sections import Data

        settings = from_text(data, Data())
    import core

    ticker = Ticker()
    try:
        found = core.evaluate(weights, settings, device or "auto", threads, ticker, **model_of(model, code))
    finally:
        ticker.close()
    if json:
        say_json(found)
        return
    rows = [(name, format_metric("accuracy", accuracy)) for name, accuracy in found.accuracy_by_class.items()]
    say(*table(rows, right=(1,)))
    accuracy = format_metric("accuracy", found.accuracy)
    say(f"accuracy {accuracy}, loss {format_metric('loss', found.loss)} on {found.images:,} images ({found.checkpoint})")


def predict(
    target: options.Weights,
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Image files of any size.", show_default=False)],
    checkpoint: options.CheckpointName = "best",
    top: Annotated[int, typer.Option("--top", metavar="N", min=1, help="So many likeliest classes.")] = 3,
    device: options.Device = None,
    model: options.OwnModel = None,
    json: options.Json = False,
    runs: options.Runs = None,
) -> None:
    """Say what is in a picture."""
    weights, code = weights_of(target, checkpoint, runs)
    import core

    found = core.predict(weights, images, top, device or "auto", **model_of(model, code))
    if json:
        say_json(found)
        return
    for item in found:
        ranked = ", ".join(f"{name} {format_metric('accuracy', share)}" for name, share in item.top.items())
        say(f"{item.path}: {ranked}")


class Code(NamedTuple):
    """Of the user's own, which a run of theirs runs: its name as a model, and the folder where it lies."""

    model: str
    code: Path


def model_of(named: str | None, known: Code | None) -> dict[str, Any]:
    """What :func:`core.evaluate` is told of the code that is the model: what the user names, else what they had named for the
    run."""
    return {"model": named} if named or known is None else known._asdict()


def weights_of(target: str, checkpoint: str, runs: Path | None) -> tuple[Path, Code | None]:
    """The weights file that RUN|FILE means, and the code that the run may run; raises UserError."""
    path = Path(target)
    if path.exists() and not path.is_dir():
        return path, None
    if target.endswith(".safetensors"):
        raise UserError(f"{target}: no such file; expected a run or a model.safetensors of one")
    from core.run.checkpoints import weights_file
    from core.run.code import permitted

    run = find(target, runs_folder(runs))
    folder = permitted(run)
    return weights_file(run, checkpoint), Code(run.read().recipe["model"]["name"], folder) if folder else None
