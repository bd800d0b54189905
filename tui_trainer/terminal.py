"""What the terminal around the screen understands beside the screen, and its control codes: title, progress in the tab or the
taskbar, bell, and the desktop's notifications."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

from tui_trainer.escape import printable

Notification: TypeAlias = Literal["", "9", "777"]
"""The number of the control code that notifies: 9 has one text, 777 a title and a text."""
Progress: TypeAlias = Literal["none", "going", "failed", "paused"]
STATES: dict[Progress, int] = {"none": 0, "going": 1, "failed": 2, "paused": 4}


class Abilities(NamedTuple):
    bell: bool = True
    title: bool = False
    progress: bool = False
    """OSC 9;4. Whoever does not know it may show its numbers as a notification, so that it only goes to who does."""
    notification: Notification = ""


NOTHING = Abilities(bell=False)
TITLED = Abilities(title=True)
PROGRAMS = {
    "ghostty": TITLED._replace(progress=True, notification="777"),
    "WezTerm": TITLED._replace(progress=True, notification="777"),
    "iTerm.app": TITLED._replace(notification="9"),  # and progress, from ITERM_PROGRESS on
    "vscode": TITLED._replace(progress=True),
}
"""By TERM_PROGRAM, which an SSH connection does not carry on."""
TERMS = {
    "xterm-ghostty": PROGRAMS["ghostty"],
    "wezterm": PROGRAMS["WezTerm"],
    "xterm-kitty": TITLED._replace(notification="9"),
    "foot": TITLED._replace(notification="777"),
    "foot-extra": TITLED._replace(notification="777"),
    "rxvt-unicode": TITLED._replace(notification="777"),
    "rxvt-unicode-256color": TITLED._replace(notification="777"),
}
"""By TERM, which it does."""
UNKNOWING = ("linux", "ansi", "cons", "vt", "sun", "eterm")
"""Beginnings of the TERMs of those that have a bell but no title, or print what they do not know."""
MULTIPLEXERS = ("tmux", "screen")
ITERM_PROGRESS = (3, 6, 6)
VTE_PROGRESS = 8000
"""The version as VTE_VERSION counts: 0.80."""
LONGEST_TITLE = 120
LONGEST_TEXT = 240
BELL = "\a"
SAVE_TITLE = "\x1b[22;0t"
RESTORE_TITLE = "\x1b]2;\x1b\\\x1b[23;0t"
"""Those that cannot save one have an empty one then, for which most show their own."""


def abilities(environment: Mapping[str, str]) -> Abilities:
    """Of the terminal that these variables are set in. Within tmux or screen only the title is told, since the one around them
    cannot be known, and may be another one tomorrow."""
    term, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "")
    if term in ("", "dumb", "unknown"):
        return NOTHING
    if term.startswith(UNKNOWING):
        return Abilities()
    if environment.get("TMUX") or environment.get("STY") or term.startswith(MULTIPLEXERS):
        return TITLED
    known = PROGRAMS.get(program) or TERMS.get(term, TITLED)
    return known._replace(progress=known.progress or _has_progress(environment, program))


def notifies(environment: Mapping[str, str]) -> bool:
    """Whether an end is to ring the bell and to notify: always, unless ``TUI_TRAINER_NOTIFY=off``."""
    return environment.get("TUI_TRAINER_NOTIFY", "").strip().lower() not in ("off", "no", "0", "false")


def _has_progress(environment: Mapping[str, str], program: str) -> bool:
    """Of terminals that are told by other variables, or by their version."""
    if program == "iTerm.app":
        return _version(environment.get("TERM_PROGRAM_VERSION", "")) >= ITERM_PROGRESS
    vte = environment.get("VTE_VERSION", "")
    return bool(
        environment.get("WT_SESSION")
        or environment.get("ConEmuANSI") == "ON"
        or (vte.isascii() and vte.isdigit() and int(vte[:9]) >= VTE_PROGRESS)
    )


def _version(text: str) -> tuple[int, ...]:
    parts = [part for part in text.split(".")[:3] if part.isascii() and part.isdigit()]
    return tuple(int(part[:9]) for part in parts)


def title(text: str) -> str:
    return f"\x1b]2;{_one_line(text, LONGEST_TITLE)}\x1b\\"


def progress(state: Progress, percent: int) -> str:
    return f"\x1b]9;4;{STATES[state]};{min(max(percent, 0), 100)}\x1b\\"


def notification(form: Notification, heading: str, text: str) -> str:
    """Empty for a terminal that has none."""
    heading, text = _one_line(heading, LONGEST_TITLE), _one_line(text, LONGEST_TEXT)
    if form == "777":
        return f"\x1b]777;notify;{heading.replace(';', ',')};{text.replace(';', ',')}\x1b\\"
    # It never begins with a number, which would make it another code.
    return f"\x1b]9;tui-trainer: {heading}: {text}\x1b\\" if form == "9" else ""


def _one_line(text: str, longest: int) -> str:
    """Without anything that would end the control code early, or begin another."""
    shown = printable(" ".join(text.split()))
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"
