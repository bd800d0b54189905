"""What the console looks like, for whoever has not trained yet."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from tui_trainer.cli.opening import prepare, show

SPEED = 8.0
"""All of it in a good minute."""
FASTEST = 1000.0


Speed: TypeAlias = Annotated[
    float, typer.Option("--speed", metavar="N", min=0.1, max=FASTEST, help="So many times as fast as it was trained.")
]


def demo(speed: Speed = SPEED) -> None:
    """Watch a recorded training in the console: nothing is trained, and no data is needed."""
    personal = prepare()
    from tui_trainer.demo import DemoApp
    from tui_trainer.recording import unpacked

    with unpacked() as run:
        show(DemoApp(run, speed, **personal))
