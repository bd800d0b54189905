"""plotext, loaded as a screen needs it."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

MANUAL = "plotext._doc.doc"


def plotext() -> Any:
    """The module without its manual, which nobody reads here and which takes four fifths of the time that loading it takes."""
    if "plotext" not in sys.modules and MANUAL not in sys.modules:
        manual = ModuleType(MANUAL)
        manual.docs = None  # type: ignore[attr-defined]
        sys.modules[MANUAL] = manual
    import plotext

    return plotext
