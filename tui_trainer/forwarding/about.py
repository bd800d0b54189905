"""What is told of a run beside its journal: name, recipe and versions, and nothing else that ``run.json`` may hold."""

from __future__ import annotations

from typing import Any

import msgspec

from core.run.folder import RunFolder
from core.view.state import State
from tui_trainer.escape import printable
from tui_trainer.forwarding import safe
from tui_trainer.trackers._base import About, Ending

LONGEST_RECIPE = 60_000
"""Characters."""
MOST_VERSIONS = 50


def about(run: RunFolder) -> About:
    """Raises UserError where ``run.json`` cannot be read."""
    described = run.read()
    table = described.config if described.program else described.recipe
    versions = {safe.name(package): safe.short(version) for package, version in described.versions.items()}
    return About(
        safe.short(run.name), safe.moment(described.created), safe.settings(table), _text(table),
        dict(list(versions.items())[:MOST_VERSIONS]),
    )  # fmt: skip


def _text(table: dict[str, Any]) -> str:
    """As TOML; as JSON where it holds what TOML cannot."""
    try:
        text = msgspec.toml.encode(table).decode()
    except (TypeError, ValueError):
        text = msgspec.json.format(msgspec.json.encode(table), indent=2).decode()
    return "\n".join(map(printable, text[:LONGEST_RECIPE].splitlines()))


def ending(state: State) -> Ending:
    """Of a run that nobody trains any more."""
    latest = {safe.scalar(name): value for name, value in state.metrics.items()}
    words = safe.short(state.refusal or state.ending)
    return Ending(state.status, words, max(state.step, 0), safe.moment(state.last_time), latest, _best(state))


def _best(state: State) -> dict[str, float]:
    """Of what was watched."""
    stopping = state.stopping
    if stopping.best is not None and stopping.metric:
        return {safe.name(f"best/{stopping.metric.replace('.', '_')}"): stopping.best, "best/epoch": stopping.best_epoch}
    return {}
