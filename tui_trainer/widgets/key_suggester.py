"""Completes the key that is being typed among other ones."""

from __future__ import annotations

from textual.suggester import Suggester

from tui_trainer import recipe_keys


class KeySuggester(Suggester):
    """Of a recipe; ``→`` takes what it proposes."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        completed = recipe_keys.completed(value)
        return completed if completed != value else None
