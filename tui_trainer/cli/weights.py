"""Using saved weights: ``evaluate``, and which weights a person means."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from core.errors import UserError
from core.run.folder import find, runs_folder
from core.view.words import format_metric
from tui_trainer.cli import options, require
from tui_trainer.cli.conclude import check_junit, conclude
from tui_trainer.cli.progress import Ticker
from tui_trainer.cli.say import say, say_json, table
from tui_trainer.reporting import outcome

if TYPE_CHECKING:
    from core import Evaluation


def evaluate(
    target: options.Weights,
    checkpoint: options.CheckpointName = "best",
    data: options.DataSet = None,
    device: options.Device = None,
    threads: options.Threads = None,
    model: options.OwnModel = None,
    required: options.Require = None,
    junit: options.Junit = None,
    json: options.Json = False,
    runs: options.Runs = None,
) -> None:
    """Measure saved weights on a test split."""
    requirements = require.parse(required or [])
    require.check_evaluated(requirements, outcome.EVALUATED)
    weights, code = weights_of(target, checkpoint, runs)
    settings = None
    if data is not None:
        from core.data import from_text
        from core.sections import Data

        settings = from_text(data, Data())
    check_junit(junit)
    import core

    ticker, started = Ticker(), time.monotonic()
    try:
        found = core.evaluate(weights, settings, device or "auto", threads, ticker, **model_of(model, code))
    finally:
        ticker.close()
    require.check_classes(requirements, list(found.accuracy_by_class))
    if json:
        say_json(found)
    else:
        _say_evaluation(found)
    told = outcome.of_evaluation(found, target, time.monotonic() - started, requirements)
    conclude(0, told.verdicts, junit, lambda: told)


def _say_evaluation(found: Evaluation) -> None:
    rows = [(name, format_metric("accuracy", accuracy)) for name, accuracy in found.accuracy_by_class.items()]
    say(*table(rows, right=(1,)))
    accuracy = format_metric("accuracy", found.accuracy)
    say(f"accuracy {accuracy}, loss {format_metric('loss', found.loss)} on {found.images:,} images ({found.checkpoint})")


class _Code(NamedTuple):
    """Of the user's own, which a run of theirs runs: its name as a model, and the folder where it lies."""

    model: str
    code: Path


def model_of(named: str | None, known: _Code | None) -> dict[str, Any]:
    """What :func:`core.evaluate` is told of the code that is the model: what the user names, else what they had named for the
    run."""
    return {"model": named} if named or known is None else known._asdict()


def weights_of(target: str, checkpoint: str, runs: Path | None) -> tuple[Path, _Code | None]:
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
    return weights_file(run, checkpoint), _Code(run.read().recipe["model"]["name"], folder) if folder else None
