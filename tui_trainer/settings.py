"""What a person has settled about the console, in one TOML file; without it everything is as delivered."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta
from platformdirs import user_config_path

from core.errors import UserError
from core.explain import explain, hint
from core.files import read_named
from tui_trainer.keymap import Keymap, checked

LARGEST = 1 << 20
"""Bytes of a file; larger ones are something else."""
Layout: TypeAlias = dict[str, tuple[str, ...]]
"""By page, the names of the panels that are not shown on it."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field is a key of the file."""

    theme: str = ""
    """Empty: the one that was chosen last."""
    marker: Literal["braille", "quadrants", "dots", "ascii"] = "braille"
    """What curves are drawn with."""
    smoothing: Annotated[float, Meta(ge=0, lt=1)] = 0.8
    """Weight of the past in the smoothed curves."""
    log: tuple[str, ...] = ()
    """What trainings that the console starts are given to, each as ``train --log`` has it."""
    keys: dict[str, tuple[str, ...]] = {}
    """By the id of an action."""
    layouts: dict[str, Layout] = {}
    """By recipe, or ``default``."""

    @property
    def keymap(self) -> Keymap:
        return checked(self.keys, "settings")


def path() -> Path:
    """``TUI_TRAINER_CONFIG``, else in the user's folder of settings; it need not exist."""
    given = os.environ.get("TUI_TRAINER_CONFIG")
    return Path(given) if given else user_config_path("tui-trainer") / "config.toml"


def load() -> Settings:
    """Raises UserError, in a line that names file, key and what was expected."""
    file = path()
    try:
        text = read_named(file, LARGEST).decode()
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise UserError(f"settings file {file}: {reason}") from None
    return _parsed(text, str(file))


def _parsed(text: str, where: str) -> Settings:
    import tomllib  # which most do without

    try:
        table: Any = tomllib.loads(text)
        _check_lists(table, where)
        settings = msgspec.convert(table, Settings)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{where}: not valid TOML: {error}") from None
    except RecursionError:
        raise UserError(f"{where}: nested too deeply, which no settings are") from None
    except msgspec.ValidationError as error:
        raise UserError(f"{where}: {explain(str(error), table, Settings)}") from None
    checked(settings.keys, where)
    _check_names(settings, where)
    return settings


def _check_lists(table: dict[str, Any], where: str) -> None:
    """Of tables whose keys are anybody's, which msgspec would not name."""
    tables = {"keys": table.get("keys"), **_tables("layouts", table.get("layouts"))}
    for name, lists in tables.items():
        for key, given in lists.items() if isinstance(lists, dict) else ():
            if not isinstance(given, list) or not all(isinstance(item, str) for item in given):
                raise UserError(f'{where}: {name}.{key}: expected a list of texts, for instance ["a", "b"] (given: {given!r})')


def _tables(name: str, found: Any) -> dict[str, Any]:
    return {f"{name}.{key}": value for key, value in found.items()} if isinstance(found, dict) else {}


def _check_names(settings: Settings, where: str) -> None:
    """What only this program knows: themes, pages, panels and trackers."""
    if settings.log:
        from tui_trainer import trackers

        for text in settings.log:  # whether its library is there is looked at when a training begins
            trackers.named(f"{where}: log:", text)
    if settings.theme:
        from tui_trainer import theme

        _known(settings.theme, list(theme.NAMES), f"{where}: theme: no theme")
    if settings.layouts:
        from tui_trainer.panels import names
        from tui_trainer.widgets.panel import PAGES

        for recipe, layout in settings.layouts.items():
            for page, hidden in layout.items():
                _known(page, list(PAGES), f"{where}: layouts.{recipe}: no page")
                for name in hidden if page != "plots" else ():  # whose panels are what a run tells
                    _known(name, names(), f"{where}: layouts.{recipe}.{page}: no panel")


def _known(name: str, known: list[str], where: str) -> None:
    if name not in known:
        raise UserError(f"{where} '{name}'{hint(name, known)}; expected one of {', '.join(known)}")
