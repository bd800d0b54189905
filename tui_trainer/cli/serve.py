"""The console for a browser."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated, TypeAlias

import typer

from core.errors import UserError
from core.run.folder import find, runs_folder
from tui_trainer.cli import options
from tui_trainer.cli.say import complain, say

PORT = 8000
Run: TypeAlias = Annotated[
    str | None, typer.Argument(metavar="[RUN]", help="A run's name, its path, or 'last'; Home without one.", show_default=False)
]
Host: TypeAlias = Annotated[str, typer.Option("--host", metavar="ADDRESS", help="Where to listen.")]
Port: TypeAlias = Annotated[int, typer.Option("--port", metavar="N", min=0, max=65535, help="0: any that is free.")]
Token: TypeAlias = Annotated[
    bool, typer.Option("--token/--no-token", help="Whether the address must have one; --host 127.0.0.1 can do without.")
]


def serve(run: Run = None, runs: options.Runs = None, host: Host = "127.0.0.1", port: Port = PORT, token: Token = True) -> None:
    """Serve the console to a browser on this machine. Needs the extra 'serve'."""
    if find_spec("textual_serve") is None:
        raise UserError("serve needs the extra 'serve': pip install 'tui-trainer[serve]', or '.[serve]' in a clone")
    folder = runs_folder(runs)
    chosen = find(run, folder) if run else None
    import asyncio

    from tui_trainer.web import server as web

    with web.listening(host, port) as listener:
        server = web.opened(listener, folder, chosen, token)
        say(web.address(server, listener, host), "Ctrl+C ends it; training goes on.")
        if not web.is_loopback(listener):
            tunnel = f"ssh -L {web.port(listener)}:127.0.0.1:{web.port(listener)}"
            complain(f"what goes over the network is not encrypted; safer: --host 127.0.0.1, and {tunnel} from there")
        asyncio.run(web.serve(server, listener))
