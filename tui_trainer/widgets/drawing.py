"""plotext, loaded as a screen needs it. This is the only file that imports it."""

from __future__ import annotations

import importlib
import sys
from functools import cache
from types import ModuleType
from typing import Any

MANUAL = "plotext._doc.doc"


@cache
def plotext() -> Any:
    """The module without its manual, which nobody reads here and which takes four fifths of the loading time; with
    it where a version of plotext does not go without."""
    manual = ModuleType(MANUAL)
    manual.docs = None  # type: ignore[attr-defined]
    before = sys.modules.setdefault(MANUAL, manual)
    try:
        return importlib.import_module("plotext")
    except Exception:
        if before is not manual:
            raise
        for name in [name for name in sys.modules if name.partition(".")[0] == "plotext"]:
            del sys.modules[name]
        return importlib.import_module("plotext")
