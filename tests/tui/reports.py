"""A report's page taken apart, as a browser would."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from html.parser import HTMLParser

from markdown_it import MarkdownIt

VOID = {"meta", "img", "link", "br", "hr", "input", "source"}
TAGS = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section", "h1", "h2", "h3", "p", "span",
    "strong", "dl", "div", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "svg",
    "desc", "path", "text", "circle", "rect", "ul", "ol", "li", "img", "pre", "code",
}  # fmt: skip
"""All that a page is made of; none of them runs or fetches anything, but for what ``img`` names."""
NAMING = {"src", "href", "srcset", "action", "data", "poster", "background", "xlink:href", "formaction", "style"}
"""Attributes by which something could be fetched."""


class Page(HTMLParser):
    """Raises AssertionError where it is not well-formed, or asks for anything from outside."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.images: list[bytes] = []
        self.words: list[str] = []
        self.ids: list[str] = []
        self.policy = self.style = ""
        self._open: list[str] = []
        self.feed(document)
        self.close()
        assert self._open == []
        self._check_style()

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        self.tags.append(tag)
        if tag not in VOID:
            self._open.append(tag)
        for name, value in attributes:
            self._attribute(tag, name, value or "")
        if tag == "meta" and ("http-equiv", "Content-Security-Policy") in attributes:
            self.policy = dict(attributes)["content"] or ""

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Of a picture's parts."""
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def _attribute(self, tag: str, name: str, value: str) -> None:
        assert not name.startswith("on"), (name, value)
        if name == "id":
            self.ids.append(value)
        if name in NAMING:
            assert (tag, name) == ("img", "src") and value.startswith("data:image/png;base64,")
            self.images.append(base64.b64decode(value.partition(",")[2], validate=True))

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "style":
            self.style += data
        else:
            self.words.append(data)

    def _check_style(self) -> None:
        """It is the one that the policy admits, and asks for nothing either."""
        digest = base64.b64encode(hashlib.sha256(self.style.encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in self.policy and "default-src 'none'" in self.policy
        assert not re.search(r"url\(|@import|@font-face|expression", self.style)


def kinds(document: str) -> set[str]:
    """The types of what a Markdown document is made of, links that are made of addresses included."""
    return {part.type for token in _reader().parse(document) for part in (token, *(token.children or ()))}


def html_of(document: str) -> str:
    return str(_reader().render(document))


@cache
def _reader() -> MarkdownIt:
    """As those who show pull requests: a name with a dot in it is no address yet."""
    reader = MarkdownIt("gfm-like")
    assert reader.linkify is not None
    reader.linkify.set({"fuzzy_link": False})
    return reader
