"""plotext, loaded as a screen needs it. This is the only file that imports it."""

from __future__ import annotations

import importlib
import sys
from functools import cache
from types import ModuleType
from typing import Any


def _without_use(name: str, **attributes: object) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(attributes)
    return module


LEFT_OUT: dict[str, ModuleType | None] = {
    "plotext._doc.doc": _without_use("plotext._doc.doc", docs=None),
    "plotext._tests.run": _without_use("plotext._tests.run", test=None),
    "PIL": None,
}
"""Its manual, its own tests, and pictures, without which it goes: nobody asks for them here, and they take most of the time
that it takes to load, while somebody waits for the first frame."""


@cache
def plotext() -> Any:
    """The module without ``LEFT_OUT``; with that, where a version of plotext does not go without."""
    absent = [name for name in LEFT_OUT if name not in sys.modules]
    sys.modules.update({name: LEFT_OUT[name] for name in absent})  # type: ignore[misc]  # None: cannot be imported
    try:
        return importlib.import_module("plotext")
    except Exception:
        for name in [name for name in sys.modules if name.partition(".")[0] == "plotext"]:
            del sys.modules[name]
    finally:
        for name in absent:
            if not name.startswith("plotext."):
                sys.modules.pop(name, None)
    return importlib.import_module("plotext")
