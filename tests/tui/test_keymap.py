"""A person's own keys: what they are, that everything that names a key names them, and that none means two things."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UserError
from tests.tui import runs as made
from tests.tui.screens import PATIENCE, seen, settled, text_of, trained
from tui_trainer.actions import TABLE, Scope
from tui_trainer.app import TrainerApp
from tui_trainer.keymap import PANELS, Keymap, checked, named, written
from tui_trainer.panels import panels
from tui_trainer.screens.help import HelpScreen
from tui_trainer.settings import Settings
from tui_trainer.widgets.panel import Panel
from tui_trainer.widgets.plot_panel import PlotPanel

KEYS = {"pause": ("f5",), "continue": ("f5",), "stop": ("Q",), "halve_rate": ("H",), "detach": (), "compare": ("u",)}


def console(run: Any, keys: dict[str, tuple[str, ...]]) -> TrainerApp:
    return TrainerApp(run.path.parent, attach=run, clock=lambda: made.NOW, settings=Settings(keys=keys))


@pytest.mark.parametrize(
    ("given", "textual"),
    [("?", "question_mark"), ("question_mark", "question_mark"), ("G", "G"), ("shift+g", "G"), ("ctrl+left", "ctrl+left"),
     ("-", "minus"), ("minus", "minus"), ("/", "slash"), ("f5", "f5"), ("ö", "ö"), ("alt+x", "alt+x"), (",", "comma")],
)  # fmt: skip
def test_a_key_as_one_would_write_it(given: str, textual: str) -> None:
    assert named(given, "") == textual


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"paus": ["f5"]}, "keys.paus: no such action (did you mean 'pause'?)"),
        ({"pause": ["hoem"]}, "'hoem' is no key (did you mean 'home'?)"),
        ({"pause": [""]}, "'' is no key"),
        ({"pause": ["ctrl+"]}, "'ctrl+' is no key"),
        ({"pause": ["q"]}, "'q' would mean both 'pause' and 'quit'"),
        ({"zoom": ["o"]}, "'o' would mean both 'zoom' and 'sort_next'"),
        ({"remark": ["N"]}, "'N' would mean both 'remark' and 'previous_match'"),
        ({"pause": ["f5"], "save": ["f5"]}, "'f5' would mean both 'pause' and 'save'"),
        ({"sort_next": ["m"]}, "'m' would mean both 'compare' and 'sort_next'"),
        ({"new_run": ["j"]}, "'j' is taken: it moves through the list of runs"),
        ({"quit": ["ctrl+c"]}, "'ctrl+c' is taken: it says how to leave"),
    ],
    ids=str,
)
def test_what_cannot_be_a_key_is_told(keys: dict[str, list[str]], words: str) -> None:
    with pytest.raises(UserError) as told:
        checked(keys, "config.toml")
    assert str(told.value).startswith("config.toml: keys") and words in str(told.value)


@hypothesis.settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.sampled_from([action.id for action in TABLE]), st.lists(st.sampled_from("pqrsxzQRSXZ"), max_size=2)))
def test_whatever_is_taken_no_new_pair_shares_a_key(keys: dict[str, Sequence[str]]) -> None:
    try:
        keymap = checked(keys, "")
    except UserError:
        return
    for scopes in ({"run", "either", "view", "anywhere", *panel} for panel in PANELS):
        offered = [action for action in TABLE if action.scope in scopes]
        for one, other in combinations(offered, 2):
            if set(keymap.keys(one)) & set(keymap.keys(other)):
                assert set(one.keys) & set(other.keys)


def test_the_table_itself_would_be_taken() -> None:
    """As ``config --init`` writes it."""
    assert checked({action.id: action.keys for action in TABLE}, "").keys(TABLE[0]) == TABLE[0].keys


def test_no_panel_has_other_scopes() -> None:
    known_panels: list[type[Panel[Any]]] = [*panels(), PlotPanel]
    found: set[tuple[Scope, ...]] = {panel.SCOPES for panel in known_panels if panel.SCOPES}
    assert all(any(set(scopes) <= set(known) for known in PANELS) for scopes in found)
    assert set(PANELS) <= found


async def test_they_do_what_they_are_for_and_the_others_nothing(runs: Path) -> None:
    run = made.make(runs, "demo", made.running())
    with trained(run, live=True):
        async with console(run, KEYS).run_test(size=(120, 40)) as pilot:
            screen = await settled(pilot, run)
            await pilot.press("p", "d", "x")
            assert not screen.pending and pilot.app.screen is screen
            await pilot.press("f5")
            assert screen.pending == ("pause",)
            await pilot.press("H")
            assert len(screen.pending) == 2
            await pilot.press("Q")
            await seen(pilot, "End this training?")


async def test_footer_help_hints_and_reasons_name_them(runs: Path) -> None:
    run = made.make(runs, "demo", made.running())
    with trained(run, live=True):
        async with console(run, {**KEYS, "change": ("f6",)}).run_test(size=(140, 40)) as pilot:
            screen = await settled(pilot, run)
            footer = text_of(pilot).splitlines()[-1].split()
            assert footer[:4] == ["f5", "Pause", "s", "Save"] and "Detach" not in footer
            await pilot.press("3")
            await seen(pilot, "u compare")
            await pilot.press("question_mark")
            await pilot.pause()
            assert isinstance(pilot.app.screen, HelpScreen)
            words = [" ".join(line.split()) for line in _help_lines(pilot.app.screen)]
            assert any(line.startswith("f5 Pause") for line in words)
            assert any(line.startswith("H f6 h Learning rate x0.5") for line in words)
            await pilot.press("escape", "r")
            assert screen.keymap.shown("pause") == "f5"


def _help_lines(screen: HelpScreen) -> list[str]:
    from tui_trainer.screens.help import keys

    return [f"{keys(action, screen.app.keymap)} {action.label}" for action in TABLE]  # type: ignore[attr-defined]


async def test_a_reason_names_the_key_in_force(runs: Path) -> None:
    run = made.make(runs, "demo", made.stopped())
    async with console(run, {"resume": ("f8",)}).run_test(size=(120, 40)) as pilot:
        await settled(pilot, run)
        assert "press f8, or:" in text_of(pilot)
        await pilot.press("s")
        await pilot.pause()
        assert [notice.message.split("; ")[1] for notice in pilot.app._notifications] == ["f8 resumes it"]


async def test_on_home_and_in_the_past(runs: Path) -> None:
    run = made.make(runs, "demo", made.stopped())
    app = TrainerApp(runs, clock=lambda: made.NOW, settings=Settings(keys={"new_run": ("W",), "back": ("a",)}))
    async with app.run_test(size=(120, 40)) as pilot:
        await seen(pilot, "W New run")
        await seen(pilot, "■ stopped")  # there is a run to open
        await pilot.press("enter")
        await settled(pilot, run)
        await pilot.press("b")
        await seen(pilot, "a Back")
        before = text_of(pilot).splitlines()[0]
        await pilot.press("a")
        for _ in range(PATIENCE):
            await pilot.pause(0.03)
            if text_of(pilot).splitlines()[0] != before:
                return
        raise AssertionError("the past did not change")


def test_without_others_the_keys_are_the_table() -> None:
    assert all(Keymap().keys(action) == action.keys for action in TABLE)
    assert [written(key) for key in ("shift+left", "escape", "enter", "full_stop")] == ["shift+←", "esc", "enter", "."]
