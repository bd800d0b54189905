"""Which keys do what: those of the table of actions, or others that a person has given them, and how a key is written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import TypeAlias

from core.errors import UserError
from core.explain import hint
from tui_trainer import actions
from tui_trainer.actions import Action, Scope

Keys: TypeAlias = Mapping[str, Sequence[str]]
"""By the action's id."""
Hint: TypeAlias = tuple[tuple[str, str], ...]
"""What keys do: ids of their actions, parted by blanks, and the words for them."""
FIXED: dict[str, str] = {
    "ctrl+c": "says how to leave", "ctrl+q": "leaves the console at once", "ctrl+p": "opens the command palette",
    "ctrl+z": "suspends the console",
}  # fmt: skip
LISTS: dict[Scope, tuple[str, ...]] = {"home": ("up", "k", "down", "j", "pageup", "pagedown", "home", "end")}
"""What moves the selection there, before a screen's own keys."""
NAMED = (
    "enter", "escape", "space", "tab", "backspace", "delete", "insert", "home", "end", "pageup", "pagedown", "up", "down",
    "left", "right", *(f"f{number}" for number in range(1, 25)),
)  # fmt: skip
MODIFIERS = re.compile(r"(?:(?:ctrl|alt|shift)\+)*")
SHOWN = {"enter": "enter", "escape": "esc", "full_stop": ".", "minus": "-"}
"""Where Textual writes them otherwise."""
PLAIN = {"↑": "up", "↓": "down", "←": "left", "→": "right", "⏎": "enter", "⌫": "backspace", "␣": "space"}
"""For terminals that have no such characters."""
PANELS: tuple[tuple[Scope, ...], ...] = (
    ("plots",), ("classes", "table"), ("classes", "matrix"), ("pictures", "mistakes"), ("checkpoints",), ("log",),
)  # fmt: skip
"""The scopes that a panel can have together."""


class Keymap:
    """The keys in force. ``chosen`` are other ones than the table's, as :func:`checked` gives them."""

    def __init__(self, chosen: Keys | None = None) -> None:
        self.chosen = {name: tuple(keys) for name, keys in (chosen or {}).items()}

    def keys(self, action: Action) -> tuple[str, ...]:
        return self.chosen.get(action.id, action.keys)

    def shown(self, action_id: str) -> str:
        """The first key of an action as it stands in a sentence; empty where it has none."""
        action = actions.by_id(action_id)
        keys = self.keys(action) if action else ()
        return written(keys[0]) if keys else ""

    def named(self, action_id: str) -> str:
        """The same, and the palette's key where it has none, since that does everything."""
        return self.shown(action_id) or "ctrl+p"

    def hint(self, *parts: tuple[str, str]) -> str:
        """What some keys do, in a row."""
        return "  ".join(f"{keys} {words}" for ids, words in parts if (keys := self._together(ids.split())))

    def _together(self, ids: Sequence[str]) -> str:
        keys = [self.shown(name) for name in ids]
        return "arrows" if keys == [written(key) for key in ("up", "down", "left", "right")] else " ".join(filter(None, keys))


def written(key: str) -> str:
    """A key as it is on the keyboard, for instance ``ctrl+←``."""
    from textual.keys import format_key

    from tui_trainer.widgets.glyphs import ASCII, glyphs

    *modifiers, last = key.split("+")
    last = SHOWN.get(last) or format_key(last)
    return "+".join([*modifiers, PLAIN.get(last, last) if glyphs() is ASCII else last])


def checked(given: Keys, where: str) -> Keymap:
    """``given`` by a person in a file, ``where``. Raises UserError, in a line that names what is wrong."""
    for name in given:
        if actions.by_id(name) is None:
            known = [action.id for action in actions.TABLE]
            raise UserError(f"{where}: keys.{name}: no such action{hint(name, known)}; tui-trainer config lists them")
    keymap = Keymap({name: [named(key, f"{where}: keys.{name}") for key in keys] for name, keys in given.items()})
    for one, other in combinations(actions.TABLE, 2):
        if keymap.chosen.keys() & {one.id, other.id}:
            _tell_apart(one, other, keymap, where)
    for name in keymap.chosen:
        _leave_fixed(name, keymap, where)
    return keymap


def named(key: str, where: str) -> str:
    """Textual's name of a key: ``?`` is ``question_mark``, and ``shift+s`` arrives as ``S``."""
    prefix = MODIFIERS.match(key)
    modifiers, last = (prefix[0], key[prefix.end() :]) if prefix else ("", key)
    if modifiers == "shift+" and len(last) == 1 and last.isalpha():
        modifiers, last = "", last.upper()
    if len(last) == 1 and last.isprintable():
        return modifiers + (last if last.isalnum() else _unicode_name(last))
    if last in NAMED or _character(last):
        return modifiers + last
    expected = "for instance 'g', 'G', '?', 'f5', 'ctrl+g', 'shift+left', 'space' or 'pagedown'"
    raise UserError(f"{where}: '{key}' is no key{hint(last, list(NAMED))}; expected {expected}")


def _unicode_name(character: str) -> str:
    from textual.keys import KEY_NAME_REPLACEMENTS

    name = unicodedata.name(character, "").lower().replace("-", "_").replace(" ", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name)


def _character(name: str) -> str:
    """What a key such as ``question_mark`` types; empty where there is none of that name."""
    from textual.keys import KEY_NAME_REPLACEMENTS, key_to_character

    if name in KEY_NAME_REPLACEMENTS.values():
        return name
    found = key_to_character(name) if name.islower() else None
    return found if found and not found.isalnum() else ""


def _tell_apart(one: Action, other: Action, keymap: Keymap, where: str) -> None:
    """Two actions that may be offered at the same time may share a key only where they do so in the table: one of them cannot
    be done then, or the panel's own comes first, as one expects it there."""
    both = set(keymap.keys(one)) & set(keymap.keys(other))
    if both and not set(one.keys) & set(other.keys) and any({one.scope, other.scope} <= scopes for scopes in _together()):
        named = "' and '".join(f"{action.id}" for action in (one, other))
        raise UserError(
            f"{where}: keys: '{written(min(both))}' would mean both '{named}' ({one.help} / {other.help}); give one another key"
        )


def _together() -> Iterator[set[Scope]]:
    """Scopes whose actions may be offered at the same time."""
    lists: tuple[Scope, ...] = ("home", "sweep", "compare")
    yield from ({screen, *actions.SHARED[screen]} for screen in lists)
    for screen in ("run", "replay"):
        yield from ({screen, *actions.SHARED[screen], *panel} for panel in PANELS)


def _leave_fixed(name: str, keymap: Keymap, where: str) -> None:
    action = actions.by_id(name)
    assert action
    for key in set(keymap.chosen[name]) - set(action.keys):
        if key in FIXED:
            raise UserError(f"{where}: keys.{name}: '{key}' is taken: it {FIXED[key]}")
        for scope, keys in LISTS.items():
            if key in keys and action.scope in (scope, *actions.SHARED[scope]):
                raise UserError(f"{where}: keys.{name}: '{written(key)}' is taken: it moves through the list of runs")
