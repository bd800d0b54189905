"""An outcome as JUnit's XML, which servers of continuous integration show beside other tests: one test case is the training
itself, and each requirement is one."""

from __future__ import annotations

import time

from tui_trainer.reporting.outcome import Outcome
from tui_trainer.reporting.page import templates


def junit(outcome: Outcome) -> bytes:
    """The form that Jenkins, GitLab, GitHub's actions and others read; nothing in a name can break it."""
    properties = [*outcome.facts, *((name, repr(value)) for name, value in outcome.metrics.items())]
    template = templates().get_template("junit.xml.j2")
    text = template.render(outcome=outcome, started=_moment(outcome.started), properties=properties)
    return f"{text}\n".encode()


def _moment(seconds: float) -> str:
    """Without a zone, as its schema has it; in UTC."""
    try:
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(max(seconds, 0)))
    except (OverflowError, ValueError, OSError):
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(0))
