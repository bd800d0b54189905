"""One file = one panel. A new panel is a new file here; nothing else has to be edited."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from tui_trainer.widgets.panel import Panel


def panels() -> list[type[Panel[Any]]]:
    """The panels of all files of this folder, by their rank."""
    modules = [importlib.import_module(f"{__name__}.{entry.name}") for entry in pkgutil.iter_modules(__path__)]
    found = [
        member
        for module in modules
        for member in vars(module).values()
        if isinstance(member, type) and issubclass(member, Panel) and member.__module__ == module.__name__
    ]
    return sorted(found, key=lambda panel: (panel.RANK, panel.__name__))


def name(panel: type[Panel[Any]]) -> str:
    """As settings have it: that of its file."""
    return panel.__module__.rpartition(".")[2]


def names() -> list[str]:
    return sorted(map(name, panels()))
