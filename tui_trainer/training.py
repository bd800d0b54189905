"""Trainings from Python: what ``tui-trainer train``, ``resume``, ``evaluate`` and ``predict`` do, as functions.

The training happens in a process of its own, as at the command line, so that it can be watched and steered from another
terminal (``tui-trainer attach NAME``), and so that a program needs no ``if __name__ == "__main__"``. It ends, saved, with the
program that started it.

>>> import tui_trainer as tt
>>> few = {"data.limit": 500, "optimizer.lr": 3e-3}
>>> result = tt.train("quickstart", epochs=1, changes=few, name="first", show=False)
>>> result.status, result.epoch, list(result.accuracy_by_class)[:3]
('finished', 1, ['airplane', 'automobile', 'bird'])
>>> further = tt.resume(result, epochs=2, show=False)
>>> [row["epoch"] for row in further.history("val.accuracy") if row["kind"] == "validation"]
[1, 2]
>>> tt.evaluate(further).accuracy == further.accuracy
True
"""

from __future__ import annotations

import signal
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from core.errors import UserError
from core.run.folder import RunFolder, check_name, find, runs_folder
from tui_trainer.trained import Result, TrainingFailed, outcome_of

if TYPE_CHECKING:
    from core import Evaluation, Prediction
    from core.run.named_weights import Named
    from tui_trainer.follow import Printer, Worker
    from tui_trainer.trackers import Wanted

Target: TypeAlias = "str | Path | Result"
"""A run by its name, its folder, ``last``, or what a training has returned."""
INTERRUPTED = 128


def train(
    recipe: str | Path,
    *,
    data: str | Path | None = None,
    model: str | None = None,
    weights: Target | None = None,
    epochs: int | None = None,
    seed: int | None = None,
    device: str | None = None,
    threads: int | None = None,
    changes: Mapping[str, Any] | Iterable[str] = (),
    name: str | None = None,
    runs: str | Path | None = None,
    log: Iterable[str] = (),
    show: bool = True,
) -> Result:
    """Train a recipe (``tui-trainer recipes`` lists them, or a ``.toml`` file) until it ends, and return what it came to.

    ``data`` is a source's name or a path, ``model`` another network (``timm:NAME``, ``python:MODULE:FUNCTION`` ...),
    ``weights`` a run or a safetensors file to begin from, ``changes`` keys of the recipe, ``{"optimizer.lr": 1e-3}``, ``name``
    the run's, found free by itself, and ``runs`` the folder of runs (``TUI_TRAINER_RUNS``, else ``./runs``). ``log`` gives
    the run to other tools, ``["tensorboard"]``; where one fails there is a warning, and training goes on. With ``show`` the
    progress is shown where the program runs: live in a terminal and in a notebook, as lines elsewhere.

    Raises UserError, in one line, for what cannot be trained, and TrainingFailed when it does not come to its end. Ctrl-C, and
    the stop button of a notebook, save and end the training; KeyboardInterrupt is raised then, and :func:`resume` goes on.
    """
    from core.run import session
    from tui_trainer.choosing import choose

    wanted = _trackers(log)
    if name is not None:
        check_name(name, "name")
    begin_from = None if weights is None else _weights(weights, "best", runs)[0]
    where = None if data is None else str(data)
    given = {"epochs": epochs, "seed": seed, "device": device}
    chosen = choose(recipe, [changes] if isinstance(changes, str) else changes, where, model, begin_from, **given)
    run = session.create(chosen, _runs(runs), name, threads, code=Path.cwd())
    try:
        return _followed(run, show, partial(session.start, run, tied=True, threads=threads), wanted)
    except UserError:
        session.remove_unbegun(run)
        raise


def resume(
    run: Target,
    *,
    epochs: int | None = None,
    checkpoint: str | None = None,
    allow_change: Iterable[str] = (),
    model: str | None = None,
    device: str | None = None,
    threads: int | None = None,
    runs: str | Path | None = None,
    log: Iterable[str] = (),
    show: bool = True,
) -> Result:
    """Go on with a run from its last ``checkpoint``, or from ``best``, ``step-N`` or a name: what came after it is taken back.

    A finished run is returned as it is unless ``epochs`` asks for more, or ``checkpoint`` for an earlier place. Where
    ``"recipe"``, ``"data"`` or the ``"weights"`` that it began from are not what they were it refuses to go on, unless
    ``allow_change`` names them. ``model`` names code of one's own again that a run from elsewhere needs. Raises as
    :func:`train` does.
    """
    from core.run import program, session
    from core.run.checkpoints import choose
    from core.run.folder import busy

    folder, wanted = _found(run, runs), _trackers(log)
    program.refuse(folder)
    if folder.alive():
        raise busy(folder)
    if checkpoint is not None:
        choose(folder.checkpoints, checkpoint)
    elif session.nothing_to_do(folder, epochs):
        return outcome_of(folder)
    launch = partial(
        session.start, folder,
        tied=True, epochs=epochs, checkpoint=checkpoint, allow_change=_each(allow_change), model=model, device=device,
        threads=threads,
    )  # fmt: skip
    return _followed(folder, show, launch, wanted)


def result_of(run: Target, *, runs: str | Path | None = None) -> Result:
    """A run as it stands now, whoever trains it; raises UserError where there is none of that name."""
    return outcome_of(_found(run, runs))


def evaluate(
    target: Target,
    *,
    checkpoint: str = "best",
    data: str | Path | None = None,
    device: str = "auto",
    threads: int | None = None,
    model: str | None = None,
    runs: str | Path | None = None,
) -> Evaluation:
    """Measure saved weights, a run's or those of a safetensors file, on the test split of their own data or of other ``data``
    with the same classes; raises UserError."""
    import core
    from core.data import from_text
    from core.run.named_weights import model_of
    from core.sections import Data

    weights, code, _ = _weights(target, checkpoint, runs)
    settings = None if data is None else from_text(str(data), Data())
    return core.evaluate(weights, settings, device, threads, **model_of(model, code))


def predict(
    target: Target,
    images: Iterable[str | Path],
    *,
    checkpoint: str = "best",
    top: int = 5,
    device: str = "auto",
    model: str | None = None,
    runs: str | Path | None = None,
) -> list[Prediction]:
    """The likeliest classes of image files of any size, with their probabilities; raises UserError that names the file which
    cannot be read."""
    import core
    from core.run.named_weights import model_of

    weights, code, _ = _weights(target, checkpoint, runs)
    return core.predict(weights, map(Path, images), top, device, **model_of(model, code))


def _trackers(log: Iterable[str]) -> list[Wanted]:
    from tui_trainer import trackers

    return trackers.parse_all("log", _each(log))


def _each(words: Iterable[str]) -> list[str]:
    """A text alone is one word, not its letters."""
    return [words] if isinstance(words, str) else [*words]


def _followed(run: RunFolder, show: bool, launch: Callable[[], Worker], wanted: Sequence[Wanted]) -> Result:
    from tui_trainer.cli.progress import Ticker
    from tui_trainer.follow import follow
    from tui_trainer.forwarding.followers import Followers

    followers, troubles = Followers(run, wanted), list[str]()
    ended = follow(run, _printer(show), lambda: followers.launched(launch, troubles.append))
    with closing(Ticker(show)) as ticker:
        troubles += followers.wait(True, ticker).troubles
    for words in troubles:
        warnings.warn(words, stacklevel=3)
    if ended.signals and ended.status > INTERRUPTED:
        # As if it had come to this program, which it did: its own handlers decide, and by itself it is a KeyboardInterrupt.
        signal.raise_signal(ended.signals[-1])
    outcome = outcome_of(run, ended.state)
    if outcome.status in ("failed", "lost"):
        raise TrainingFailed(outcome, ended.state.failure or outcome.status)
    return outcome


def _printer(show: bool) -> Printer:
    from tui_trainer import notebook, plain

    if not show:
        return plain.Silent
    return notebook.NotebookProgress if notebook.here() else partial(plain.output, "lines")


def _runs(given: str | Path | None) -> Path:
    return runs_folder(None if given is None else Path(given))


def _found(run: Target, runs: str | Path | None) -> RunFolder:
    return RunFolder(run.path) if isinstance(run, Result) else find(str(run), _runs(runs))


def _weights(target: Target, checkpoint: str, runs: str | Path | None) -> Named:
    from core.run.named_weights import weights_of

    named = target.path if isinstance(target, Result) else target
    return weights_of(str(named), checkpoint, None if runs is None else Path(runs))
