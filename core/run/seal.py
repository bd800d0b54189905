"""A mark by which this user's programs know again what one of them wrote: made with a key that lies in the cache folder, where
nobody else can read it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

from core.cache import cache_folder
from core.files import make_folder, read_plain, write_whole

SIZE = 32
"""Bytes of a seal."""
KEY = 32


def seal(*parts: bytes) -> bytes:
    """Of these parts, in this order. Makes the key where there is none yet; raises OSError where that cannot be written."""
    return _seal(_key() or _new_key(), parts)


def holds(given: bytes, *parts: bytes) -> bool:
    """Whether this user's programs sealed these parts so."""
    key = _key()
    return bool(key) and hmac.compare_digest(given, _seal(key, parts))


def _seal(key: bytes, parts: tuple[bytes, ...]) -> bytes:
    found = hmac.new(key, digestmod=hashlib.sha256)
    for part in parts:
        found.update(len(part).to_bytes(8, "big") + part)
    return found.digest()


def _key() -> bytes:
    """This user's; empty while there is none."""
    try:
        key = read_plain(_key_file(), KEY)
    except OSError:
        return b""
    return key if len(key) == KEY else b""


def _new_key() -> bytes:
    make_folder(_key_file().parent)
    write_whole(_key_file(), secrets.token_bytes(KEY))
    return _key()  # another process may have been faster


def _key_file() -> Path:
    return cache_folder() / "view.key"
