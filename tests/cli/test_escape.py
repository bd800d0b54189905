"""What a terminal may be shown of a text from outside."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.hostile import EVIL, lets_through
from tui_trainer.escape import LONGEST, printable, printable_json
from tui_trainer.stream import Escaped, write_lines

DEFECT = """
import sys
from core.run import folder
def defect(*_):
    raise RuntimeError(sys.argv[2])
folder.runs_folder = defect
from tui_trainer import cli
cli.run()
"""


@pytest.mark.parametrize("text", ["", "ant", "Größe 12 %", "蟻", "é", "e\u0301", "שלום", "🐜", "[bold]", "\\x1b"])
def test_what_prints_stays(text: str) -> None:
    assert printable(text) == text


@given(st.text() | st.text("\x1b\x85\x9b\u200b\u202e\u2066\u2069\u3164\ufe0f\udc9b\n\r\t", max_size=9))
def test_nothing_else_gets_through(text: str) -> None:
    shown = printable(text)
    assert not lets_through(shown) and "\n" not in shown
    assert printable(shown) == shown


def test_a_text_without_end_is_cut() -> None:
    assert len(printable("x" * 1_000_000)) == len(printable("x" * LONGEST)) + len(" ...")
    assert len(printable("\u202e" * 1_000_000)) < 10 * LONGEST


def documents() -> st.SearchStrategy[object]:
    texts = st.text(st.characters(exclude_categories=["Cs"])) | st.just(EVIL)
    return st.recursive(texts | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(texts, inner))


@given(documents(), st.booleans())
def test_json_means_the_same(value: object, indented: bool) -> None:
    document = json.dumps(value, ensure_ascii=False, indent=2 if indented else None, separators=(",\t", ":\r")).encode()
    shown = printable_json(document)
    assert json.loads(shown) == json.loads(document)
    assert not lets_through(shown.decode())


def test_json_that_is_not_utf8() -> None:
    """Of a field that nobody decodes."""
    shown = printable_json(b'{"type":"Later","text":"\x9b2J"}\r').decode()
    assert json.loads(shown) == {"type": "Later", "text": "\ufffd2J"} and not lets_through(shown)


def test_whatever_is_written_is_escaped() -> None:
    stream = io.StringIO()
    write_lines(stream, [EVIL, "second"])
    print(EVIL, "third", file=Escaped(stream), sep="\n")
    assert "evil" in stream.getvalue()
    assert [line for line in stream.getvalue().split("\n") if line in ("second", "third")] == ["second", "third"]
    assert not lets_through(stream.getvalue())


@pytest.mark.parametrize("words", [("attach", EVIL), ("show", EVIL, "--json")])
def test_a_traceback_is_escaped(words: tuple[str, ...]) -> None:
    told = subprocess.run([sys.executable, "-c", DEFECT, *words], capture_output=True, check=False)
    text = told.stderr.decode()
    assert told.returncode == 1 and "RuntimeError: evil\\x1b[31m" in text
    assert not lets_through(text)
