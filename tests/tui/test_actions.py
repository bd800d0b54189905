"""The table of actions, and that all who read it agree."""

from __future__ import annotations

import pytest
from textual.binding import Binding

from core.view.state import ENDED, State, Status
from tui_trainer import actions
from tui_trainer.actions import TABLE
from tui_trainer.bindings import bindings
from tui_trainer.screens.home import HomeScreen
from tui_trainer.screens.run import RunScreen

STATUSES: tuple[Status, ...] = (
    "preparing",
    "running",
    "paused",
    "finished",
    "early-stopped",
    "stopped",
    "discarded",
    "failed",
    "lost",
    "watched",
    "queued",
)


@pytest.mark.parametrize("action", TABLE, ids=lambda action: action.id)
def test_each_action_has_a_method_where_it_is_offered(action: actions.Action) -> None:
    for screen in (RunScreen, HomeScreen):
        if action.scope in (screen.SCOPE, "anywhere"):
            assert callable(getattr(screen, f"action_{action.id}", None))


@pytest.mark.parametrize("scope", ["run", "home"])
@pytest.mark.parametrize("status", STATUSES)
def test_no_key_means_two_things_at_once(scope: actions.Scope, status: Status) -> None:
    enabled = [action for action in actions.for_scope(scope) if action.enabled(State(status=status))]
    keys = [key for action in enabled for key in action.keys]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("status", STATUSES)
def test_a_command_is_offered_only_where_it_can_be_obeyed(status: Status) -> None:
    ids = actions.enabled_ids("run", State(status=status))
    assert ("pause" in ids) == (status == "running")
    assert ("continue" in ids) == (status == "paused")
    assert ("save" in ids) == (status in ("running", "paused"))
    assert ("detach" in ids) == (status not in ENDED)
    assert ("stop" in ids) == ("change" in ids) == (status not in ENDED and status != "watched")
    assert ("resume" in ids) == (status in ("stopped", "discarded", "failed", "lost"))
    assert {"quit", "help", "home", "next_theme", "zoom"} <= ids


def test_bindings_are_made_of_the_table() -> None:
    made = [binding for binding in bindings("run") if isinstance(binding, Binding)]
    assert {(binding.key, binding.action) for binding in made} == {
        (key, action.id) for action in actions.for_scope("run") for key in action.keys
    }
    assert sum(binding.show for binding in made) == sum(action.in_footer for action in actions.for_scope("run"))


def test_the_commands_can_be_typed_as_they_stand() -> None:
    import typer

    from tui_trainer.cli import application

    verbs = typer.main.get_command(application())
    commands = [action.cli.split()[1:] for action in TABLE if action.cli and "--help" not in action.cli]
    for verb, *arguments in commands:
        command = verbs.get_command(typer.Context(verbs), verb)  # type: ignore[attr-defined]
        assert command, verb
        command.make_context(verb, arguments)


def test_the_footer_of_a_running_run_fits_into_80_columns() -> None:
    state = State(status="paused")
    labels = [action.label for action in actions.for_scope("run") if action.in_footer and action.enabled(state)]
    assert sum(len(label) + 4 for label in labels) <= 80
