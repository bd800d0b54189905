"""``hparams.yaml``, which Lightning writes beside a run: of YAML as much as it uses for plain values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.files import read_plain

NAME = "hparams.yaml"
LARGEST = 256 << 10
MOST = 500
"""Keys."""
LONGEST = 200
"""Characters of a value."""


def read(path: Path) -> dict[str, Any]:
    """By their keys, with dots where one is part of another; empty where there are none. What is no text of one line is not
    understood, and left out."""
    try:
        lines = read_plain(path, LARGEST).decode("utf-8", "replace").splitlines()
    except OSError:
        return {}
    found, outer = dict[str, Any](), list[tuple[int, str]]()
    for line in lines:
        indent, text = len(line) - len(line.lstrip()), line.strip()
        outer = [item for item in outer if item[0] < indent or (text.startswith("- ") and item[0] == indent)]
        if text.startswith("- ") and outer:
            _append(found, ".".join(key for _, key in outer), text[2:])
            continue
        key, colon, value = text.partition(":")
        if not colon or text.startswith("#"):
            continue
        name = ".".join([*(before for _, before in outer), key.strip("'\" ")])[:LONGEST]
        outer.append((indent, key.strip("'\" ")))
        if value.strip() and len(found) < MOST:
            found[name] = _plain(value)
    return found


def _append(found: dict[str, Any], name: str, text: str) -> None:
    """To a list, which is shown as one text."""
    if name in found or len(found) < MOST:
        before = f"{found[name]}, " if name in found else ""
        found[name] = f"{before}{_plain(text)}"[:LONGEST]


def _plain(text: str) -> str:
    return text.strip().strip("'\"")[:LONGEST]
