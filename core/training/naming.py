"""Parameters by patterns of their names, as a recipe gives them: ``layer1``, ``layer1.*``, ``*.bias``."""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import accumulate

from torch import nn

from core.errors import UserError

SHOWN = 8
"""Names in an error."""


def fits(pattern: str, name: str) -> bool:
    """Whether a pattern fits a name or what it lies in: ``layer1`` has all of ``layer1.0.conv1.weight``."""
    return any(fnmatchcase(path, pattern) for path in accumulate(name.split("."), "{}.{}".format))


def matching(network: nn.Module, pattern: str, key: str) -> list[nn.Parameter]:
    """Those that train and whose names fit. Raises UserError, which names the recipe's ``key``, where there are none."""
    named = [(name, parameter) for name, parameter in network.named_parameters() if parameter.requires_grad]
    found = [parameter for name, parameter in named if fits(pattern, name)]
    if not found:
        parts = list(dict.fromkeys(name.partition(".")[0] for name, _ in named))
        there = ", ".join(parts[:SHOWN]) + (f" and {len(parts) - SHOWN} more" if len(parts) > SHOWN else "")
        raise UserError(f"{key}: {pattern!r} fits no parameter that trains; the model's parts are {there}")
    return found
