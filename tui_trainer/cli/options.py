"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from tui_trainer import trackers

if TYPE_CHECKING:
    from core.sections import Data

Run: TypeAlias = Annotated[str, typer.Argument(metavar="RUN", help="A run's name, its path, or 'last'.", show_default=False)]
Weights: TypeAlias = Annotated[
    str, typer.Argument(metavar="RUN|FILE", help="A run, or a model.safetensors of one.", show_default=False)
]
Runs: TypeAlias = Annotated[
    Path | None, typer.Option("--runs", metavar="DIR", help="Folder of runs. [default: TUI_TRAINER_RUNS, else ./runs]")
]
RemoteCommand: TypeAlias = Annotated[
    str,
    typer.Option(
        "--remote-command",
        metavar="CMD",
        help="How tui-trainer is called on the other machine. [default: TUI_TRAINER_REMOTE_COMMAND, else tui-trainer]",
    ),
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]
JournalLines: TypeAlias = Annotated[bool, typer.Option("--json", help="Print the run's events, one JSON object a line.")]
Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", "-q", help="Print only the result.")]
Output: TypeAlias = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to; - is the standard output.")
]
Force: TypeAlias = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]
Require: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--require",
        metavar="'METRIC>=VALUE'",
        help="Exit with 1 unless this holds at the end; test.accuracy.CLASS is that of one class. May be repeated.",
    ),
]
Junit: TypeAlias = Annotated[
    Path | None,
    typer.Option("--junit", metavar="FILE", help="Write the result as JUnit XML, with a test case for each --require."),
]
Device: TypeAlias = Annotated[str | None, typer.Option("--device", metavar="NAME", help="auto, cpu, cuda, cuda:N or mps.")]
Threads: TypeAlias = Annotated[int | None, typer.Option("--threads", metavar="N", min=1, help="Threads of the processor.")]
Processes: TypeAlias = Annotated[
    int | None, typer.Option("--nproc", metavar="N", min=1, max=1024, help="Processes that train it together on this machine.")
]
Restarts: TypeAlias = Annotated[
    int | None,
    typer.Option("--max-restarts", metavar="K", min=0, help="Start them anew so often when one dies. [default: 0]"),
]
Create: TypeAlias = Annotated[
    bool, typer.Option("--create", help="Make the run's folder, print its path and start nothing: torchrun will.")
]
Detach: TypeAlias = Annotated[bool, typer.Option("--detach", help="Leave the training to itself and come back at once.")]
Notify: TypeAlias = Annotated[
    str | None,
    typer.Option("--notify", metavar="CMD", help="Run by the shell when the training ends, with $TUI_TRAINER_RESULT, ..."),
]
Log: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--log",
        metavar="KIND[:PLACE]",
        help=f"Give the run to another tool meanwhile, as log does: {', '.join(trackers.kinds())}. May be repeated.",
    ),
]
Foreground: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--foreground/--no-foreground", help="Tie the training's life to this command. [default: only when CI is set]"
    ),
]
Set: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="key.path=value", help="Change a key of the recipe. May be repeated."),
]
Model: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="Another network for all of [model]: one of ours, torchvision:NAME, timm:NAME or python:MODULE:FUNCTION.",
    ),
]
BeginFrom: TypeAlias = Annotated[
    str | None,
    typer.Option("--weights", metavar="RUN|FILE", help="Begin from a run's best weights, or those of a safetensors file."),
]
OwnModel: TypeAlias = Annotated[
    str | None,
    typer.Option("--model", metavar="NAME", help="Name the code that is its model (python:...): no file runs code by itself."),
]
DataSet: TypeAlias = Annotated[str | None, typer.Option("--data", metavar="NAME|PATH", help="A source or a path to images.")]
CheckpointName: TypeAlias = Annotated[
    str, typer.Option("--checkpoint", metavar="NAME", help="best, last, step-N, or the name it was saved under.")
]


def data_of(data: str | None) -> Data | None:
    """What ``--data`` means where the weights have data of their own. Raises UserError."""
    if data is None:
        return None
    from core.data import from_text
    from core.sections import Data

    return from_text(data, Data())
