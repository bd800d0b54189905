"""Addresses of runs: what is one, and the command that ssh is given."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.errors import UserError
from core.remote.address import Address, of_run, parse
from core.remote.connection import reason


@pytest.mark.parametrize(
    ("text", "host", "port", "path"),
    [
        ("ssh://box/runs/a", "box", None, "/runs/a"),
        ("ssh://me@box.example:2222/~/runs/a", "me@box.example", 2222, "runs/a"),
        ("ssh://me@[::1]:22/a%20b", "me@[::1]", 22, "/a b"),
        ("ssh://box", "box", None, ""),
        ("ssh://box/~", "box", None, "."),
        ("ssh://box/~/", "box", None, "."),
    ],
)
def test_what_an_address_says(text: str, host: str, port: int | None, path: str) -> None:
    found = parse(text)
    assert found == Address(host, port, path)
    assert parse(str(found)) == found


@pytest.mark.parametrize(
    "text",
    [
        "ssh://-oProxyCommand=x/runs/a", "ssh://me@-x/a", "ssh:///a", "ssh://box:0/a", "ssh://box:70000/a", "ssh://a b/c",
        "ssh://box;x/a", "ssh://box:22x/a", "ssh://bo\nx/a", "ssh://box/a%00b",
    ],
)  # fmt: skip
def test_what_is_none(text: str) -> None:
    with pytest.raises(UserError):
        parse(text)


@pytest.mark.parametrize("text", ["ssh://box", "ssh://box/", "ssh://box/~/", "ssh://box/~"])
def test_a_run_has_to_be_named(text: str) -> None:
    with pytest.raises(UserError, match="names no run"):
        of_run(text)


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
@example("~")
@example("~/runs/%7E")
def test_any_path_is_one_word_for_the_far_shell(path: str) -> None:
    address = Address("me@box", None, f"/{path}")
    assert parse(str(address)) == address
    *_, there = address.command(["stream", "--", address.path], "cd x && .venv/bin/tui-trainer")
    assert shlex.split(there)[-1] == address.path


def test_what_ssh_is_called_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_TRAINER_SSH", "ssh -F 'my config'")
    assert parse("ssh://me@[::1]:22/r").command(["show", "/r"], options=["-T"]) == [
        "ssh", "-F", "my config", "-T", "-p", "22", "--", "me@::1", "tui-trainer show /r",
    ]  # fmt: skip
    assert parse("ssh://box:22/a b").copy_of("m.safetensors") == "scp -P 22 'box:/a b/m.safetensors' ."


def test_a_program_that_cannot_be_read_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_TRAINER_SSH", "ssh -F 'my config")
    with pytest.raises(UserError, match=r"^TUI_TRAINER_SSH=.*: No closing quotation; expected a program"):
        parse("ssh://box/r").command(["show", "r"])


@pytest.mark.parametrize(
    ("status", "words", "expected"),
    [
        (255, "banner\nme@box: Permission denied (publickey).\n", "box: me@box: Permission denied (publickey)."),
        (255, "@@@\nHost key verification failed.\n", "box: Host key verification failed; ssh says more: ssh box"),
        (255, "", "box: ssh has ended without a word"),
        (127, "sh: tui-trainer: not found", "not found there (sh: tui-trainer: not found); say where it is: --remote-command"),
        (2, "tui-trainer: run 'x' not found in runs", "box: run 'x' not found in runs"),
        (2, "tui-trainer: No such command 'stream'", "update tui-trainer there"),
        (-9, "", "box: the far side has ended (status -9)"),
    ],
)
def test_why_ssh_has_ended(status: int, words: str, expected: str) -> None:
    assert expected in reason("box", status, words)
