"""A report as one HTML page that asks nothing of the outside: styles, curves and pictures are within it; no script is."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from functools import cache
from importlib import resources
from importlib.metadata import version

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tui_trainer.escape import printable
from tui_trainer.reporting import curves
from tui_trainer.reporting.contents import Report

POLICY = "default-src 'none'; img-src data:; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'"
"""What a browser may do for the page: draw the pictures in it, and apply the one style sheet whose hash this is."""


def page(report: Report) -> str:
    style = (resources.files(__package__) / "page.css").read_text("utf-8")
    template = templates().get_template("page.html.j2")
    return template.render(
        report=report, frame=curves, style=style, policy=_policy(style), version=version("tui-trainer")
    )  # fmt: skip


@cache
def templates() -> Environment:
    """All text is escaped twice over: for HTML by jinja, and what does not print, or turns the text around, by us."""
    environment = Environment(
        loader=PackageLoader("tui_trainer", "reporting"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, finalize=_printable,
    )  # fmt: skip
    environment.filters["lined"] = _lined
    return environment


def _printable(value: object) -> object:
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _lined(lines: Iterable[str]) -> Markup:
    """As lines of preformatted text."""
    return Markup("\n").join(map(printable, lines))


def _policy(style: str) -> str:
    return POLICY.format(base64.b64encode(hashlib.sha256(style.encode()).digest()).decode())
