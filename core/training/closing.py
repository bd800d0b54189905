"""What a training ends with: which weights, and what they are measured on."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from torch import nn

from core import checkpoint
from core.checkpoint import Best, Damaged
from core.errors import TrainingError
from core.events import Event, MessageLogged, Split
from core.recipe import Recipe
from core.training.setup import Setup
from core.training.snapshot import read_weights


def final_splits(setup: Setup) -> tuple[Split, ...]:
    """The held-out split is measured again only where that says more than its epoch did."""
    held_out = setup.recipe.evaluation.tta != "none" and len(setup.validation) > 0
    return ("validation", "test") if held_out else ("test",)


def load_final(folder: Path, run: str, recipe: Recipe, network: nn.Module) -> Generator[Event, None, Best]:
    """Put the best or the last weights among a folder of checkpoints into a network, as the recipe says; where they are
    damaged or not of the run with that id, the newest that are not. Raises TrainingError when none are whole."""
    best = checkpoint.pointed(folder, "best") if recipe.evaluation.weights == "best" else None
    newest_first = [Best(path.name) for path in reversed(checkpoint.listing(folder))]
    for candidate in [best, *newest_first] if best else newest_first:
        try:
            manifest, files = checkpoint.read(folder / candidate.checkpoint, only=checkpoint.WEIGHTS)
            checkpoint.check_run(manifest, run)
            network.load_state_dict(read_weights(files[checkpoint.WEIGHTS])[0])
            return candidate
        except Damaged as error:
            text = f"checkpoint {candidate.checkpoint} is damaged ({error}) and was set aside"
            checkpoint.set_aside(folder / candidate.checkpoint)
            yield MessageLogged(level="warning", text=text)
    raise TrainingError("checkpoint", f"{folder}: none of the checkpoints is whole")
