"""Where things are kept that can always be made again."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path


def cache_folder() -> Path:
    """``TUI_TRAINER_CACHE``, else the user's cache folder; it may not exist yet."""
    given = os.environ.get("TUI_TRAINER_CACHE")
    return Path(given) if given else user_cache_path("tui-trainer")
