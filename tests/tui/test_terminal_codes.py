"""Which terminal is told what beside the screen, when, and that no name gets into it as more than a name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import pytest
from msgspec.structs import replace

from core import events as e
from core.view.fold import fold
from core.view.state import State
from core.view.summary import with_liveness
from tests.core.hostile import EVIL, lets_through
from tests.tui import runs
from tui_trainer import terminal
from tui_trainer.outside import Outside, shown
from tui_trainer.terminal import NOTHING, TITLED, Abilities, abilities, notifies

ALL = Abilities(True, True, True, "777")
CODE = re.compile(r"\x1b\]([^\x07\x1b]*)\x1b\\")
RUNNING = fold(State(), runs.running())


def iterm(version: str) -> dict[str, str]:
    return {"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app", "TERM_PROGRAM_VERSION": version}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, NOTHING),
        ({"TERM": "dumb", "TERM_PROGRAM": "ghostty"}, NOTHING),
        ({"TERM": "linux"}, Abilities()),
        ({"TERM": "xterm-256color"}, TITLED),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}, TITLED),
        ({"TERM": "xterm-ghostty"}, ALL),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, ALL),
        ({"TERM": "xterm-kitty"}, Abilities(True, True, False, "9")),
        ({"TERM": "foot"}, Abilities(True, True, False, "777")),
        ({"TERM": "rxvt-unicode-256color"}, Abilities(True, True, False, "777")),
        (iterm("3.6.6"), Abilities(True, True, True, "9")),
        (iterm("3.10.0"), Abilities(True, True, True, "9")),
        (iterm("3.5.14"), Abilities(True, True, False, "9")),
        (iterm("x.y"), Abilities(True, True, False, "9")),
        ({"TERM": "xterm-256color", "WT_SESSION": "0-1"}, Abilities(True, True, True)),
        ({"TERM": "xterm-256color", "VTE_VERSION": "8203"}, Abilities(True, True, True)),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7006"}, TITLED),
        ({"TERM": "xterm-256color", "VTE_VERSION": "²"}, TITLED),
        ({"TERM": "tmux-256color", "TERM_PROGRAM": "tmux"}, TITLED),
        ({"TERM": "xterm-ghostty", "TMUX": "/tmp/tmux-0/default,1,0"}, TITLED),
        ({"TERM": "screen.xterm-256color"}, TITLED),
    ],
)  # fmt: skip
def test_what_a_terminal_understands(environment: dict[str, str], expected: Abilities) -> None:
    assert abilities(environment) == expected


def test_notifying_is_switched_off_by_a_word() -> None:
    assert notifies({}) and notifies({"TUI_TRAINER_NOTIFY": ""}) and notifies({"TUI_TRAINER_NOTIFY": "on"})
    assert not notifies({"TUI_TRAINER_NOTIFY": "off"}) and not notifies({"TUI_TRAINER_NOTIFY": " OFF"})


@pytest.mark.parametrize(
    ("story", "title", "progress"),
    [
        (runs.warming_up, "demo · preparing", "none"),
        (runs.running, "demo · epoch 8/20 · 68.8 %", "going"),
        (runs.paused, "demo · paused · epoch 8/20 · 68.8 %", "paused"),
        (runs.diverged, "demo · failed · 55.9 %", "failed"),
        (runs.early_stopped, "demo · early-stopped · 71.3 %", "none"),
    ],
)
def test_what_stands_outside(story: Callable[[], Iterable[e.Event]], title: str, progress: str) -> None:
    state = fold(State(), story())
    assert shown("demo", state)[:2] == (title, progress)


def test_no_faster_than_once_a_second_only_what_changed_and_an_end_at_once() -> None:
    outside = Outside(ALL, True)
    first = outside.show("demo", RUNNING, 0.0)
    assert CODE.findall(first) == ["2;demo · epoch 8/20 · 68.8 %", "9;4;1;38"]
    assert outside.show("demo", RUNNING, 5.0) == ""
    later = fold(RUNNING, [e.EpochStarted(epoch=9, step=800)])
    assert CODE.findall(outside.show("demo", later, 6.0)) == ["2;demo · epoch 9/20 · 68.8 %", "9;4;1;40"]
    paused = fold(later, [e.RunPaused(step=800, epoch=9)])
    assert outside.show("demo", paused, 6.5) == ""
    assert CODE.findall(outside.show("demo", paused, 7.0)) == ["2;demo · paused · epoch 9/20 · 68.8 %", "9;4;4;40"]
    assert outside.show("demo", paused, 16.9) == ""
    assert CODE.findall(outside.show("demo", paused, 17.0)) == ["9;4;4;40"]  # some take it away otherwise
    ended = outside.show("demo", fold(paused, [e.RunFailed(reason="x")]), 17.1)
    assert "\a" in ended and CODE.findall(ended)[1:] == ["9;4;2;40", "777;notify;demo;failed: x, validation accuracy 68.84 %"]
    assert outside.show("demo", fold(paused, [e.RunFailed(reason="x")]), 30.0) == ""
    assert CODE.findall(outside.restore()) == ["9;4;0;0", "2;"] and outside.restore() == ""


def test_an_end_is_told_once_and_again_after_a_resume() -> None:
    outside, ended = Outside(ALL._replace(title=False, progress=False), True), fold(RUNNING, [e.RunFinished(step=2000)])
    told = [outside.show("demo", state, 0.0).count("\a") for state in (ended, RUNNING, ended, ended, RUNNING, ended)]
    assert told == [0, 0, 1, 0, 0, 1]


@pytest.mark.parametrize(
    ("event", "rings"),
    [
        (e.RunFinished(early=True), True),
        (e.RunFailed(reason="x"), True),
        (e.RunStopped(reason="asked to stop"), False),
        (e.RunStopped(discarded=True), False),
        (e.ResumeRefused(reason="x"), False),
    ],
)
def test_which_ends_ring(event: e.Event, rings: bool) -> None:
    outside = Outside(ALL, True)
    outside.show("demo", RUNNING, 0.0)
    assert ("\a" in outside.show("demo", fold(RUNNING, [event]), 0.1)) == rings


def test_a_lost_run_rings() -> None:
    outside = Outside(Abilities(), True)
    outside.show("demo", RUNNING, 0.0)
    assert outside.show("demo", with_liveness(RUNNING, alive=False), 0.1) == "\a"


def test_no_name_gets_into_the_codes_as_more_than_a_name() -> None:
    evil = replace(RUNNING, name=EVIL, classes=(EVIL,))
    for form in ("9", "777"):
        outside = Outside(ALL._replace(notification=form), True)
        told = outside.show(EVIL, evil, 0.0) + outside.show(EVIL, fold(evil, [e.RunFailed(reason=EVIL)]), 0.1)
        codes = CODE.findall(told)
        assert len(codes) == 5 and "evil" in codes[0] and "evil" in codes[-1]
        assert lets_through("".join(codes)) == []
        assert CODE.sub("", told) == terminal.SAVE_TITLE + "\a"
    assert terminal.notification("9", "4;1;50", "x") == "\x1b]9;tui-trainer: 4;1;50: x\x1b\\"
    assert terminal.notification("777", "a;b", "c;d") == "\x1b]777;notify;a,b;c,d\x1b\\"


def test_long_names_are_cut() -> None:
    (code,) = CODE.findall(terminal.title("n" * 5000))
    assert len(code) == len("2;") + terminal.LONGEST_TITLE
