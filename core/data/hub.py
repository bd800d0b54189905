"""``python -P -m core.data.hub NAME CONFIGURATION REVISION`` has the library of Hugging Face fetch a data set into its own
cache, in a process that can be ended at any moment. The last two may be empty."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any


def load(name: str, config: str, revision: str) -> Any:
    """Its splits by name. Raises whatever the library raises."""
    import datasets

    # Whose data they are is for the user to know; a run refuses to go on with others than it began with.
    return datasets.load_dataset(name, config or None, revision=revision or None)


def reason(error: Exception) -> str:
    """In a line."""
    return " ".join(str(error).split()) or type(error).__name__


def place(name: str) -> Path:
    """The folder of the library's cache in which what it downloads gathers."""
    from huggingface_hub.constants import HF_HUB_CACHE

    return Path(HF_HUB_CACHE) / f"datasets--{name.replace('/', '--')}"


if __name__ == "__main__":
    try:
        load(*sys.argv[1:4])
    except Exception as error:  # of the network, the hub, a file, and the library's own
        sys.exit(reason(error))
