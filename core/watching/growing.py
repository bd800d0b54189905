"""A file that somebody else writes."""

from __future__ import annotations

from pathlib import Path


class Growing:
    """``offset``: up to where it has been read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0

    @property
    def size(self) -> int:
        """Bytes; as far as it was read where it is gone."""
        try:
            return self.path.stat().st_size
        except OSError:
            return self.offset
