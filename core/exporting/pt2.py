"""A program of torch.export: needs torch alone, preprocessing inside, facts in its extra file ``about.json``.

Weights are in it as plain bytes and the graph as JSON. torch.export.load also unpickles what a file says is pickled; here it is
given none but the one that was written a moment before.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core.exporting import _use
from core.exporting._facts import Facts

if TYPE_CHECKING:
    from core.exporting import Run
    from core.exporting._program import Model

BESIDE = ()
WORDS = "a program of torch.export with its preprocessing inside"
ABOUT = "about.json"


def check() -> None:
    """torch is there."""


def files(model: Model, name: str) -> dict[str, bytes]:
    """Serialised in memory, since torch ends the process on a full disk."""
    import torch

    file = io.BytesIO()
    torch.export.save(model.traced, file, extra_files={ABOUT: msgspec.json.encode(model.facts).decode()})
    return {name: file.getvalue()}


def opened(path: Path, code: Path | None) -> Run:
    import torch

    from core.exporting._program import without_gradients

    return without_gradients(torch.export.load(path).module())


def use(facts: Facts, name: str) -> str:
    return _use.program(
        facts,
        ("import json",),
        ("import torch",),
        f"""\
about = {{"{ABOUT}": ""}}
network = torch.export.load({_use.quoted(name)}, extra_files=about).module()
classes = json.loads(about["{ABOUT}"])["classes"]""",
        "with torch.no_grad():\n    logits = network(torch.from_numpy(images))",
    )
