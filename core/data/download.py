"""Download of one large file: goes on where it was interrupted, and shows the file only when whole and right."""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.data import Progress
from core.errors import UserError
from core.files import open_to_append

TIMEOUT = 15.0
"""Seconds without a byte after which a connection counts as dead."""
_READ = 1 << 16


def download(url: str, target: Path, md5: str, advice: str, progress: Progress) -> None:
    """Fetch ``url`` into ``target``, whose folder exists.

    Bytes gather in ``target`` + ``.part``, which stays when the connection or the user breaks off, and the next call asks
    for the rest. Raises UserError, ending with ``advice``, for every failure of network or server and a wrong checksum.
    """
    part = target.with_name(f"{target.name}.part")
    if not url.startswith(("https://", "http://")):
        raise UserError(f"{url!r}: expected an address that begins with https:// or http://; {advice}")
    with _network(url, advice):
        _receive(url, part, progress)
    if file_md5(part) != md5:
        part.unlink()
        raise UserError(f"{url}: what arrived does not have the published checksum {md5}; try again, or {advice}")
    part.replace(target)


def file_md5(path: Path) -> str:
    """The published checksums of archives are MD5, which holds against damage."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _receive(url: str, part: Path, progress: Progress) -> None:
    begun = part.stat().st_size if part.exists() else 0
    progress("download", begun, 0, "bytes")
    request = urllib.request.Request(url, headers={"Range": f"bytes={begun}-"} if begun else {})  # noqa: S310 http(s) only
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310 http(s) only  # nosec B310
            if response.status != http.client.PARTIAL_CONTENT:
                begun = 0  # a server without ranges sends everything again
            _append(response, part, begun, progress)
    except urllib.error.HTTPError as error:
        if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        # Nothing is left to send, so all is here; the checksum will tell.


def _append(response: http.client.HTTPResponse, part: Path, begun: int, progress: Progress) -> None:
    length = response.headers["Content-Length"]
    total = begun + int(length) if length else 0
    with os.fdopen(open_to_append(part), "ab") as file:
        file.truncate(begun)
        done = begun
        for chunk in iter(lambda: response.read1(_READ), b""):
            file.write(chunk)
            done += len(chunk)
            progress("download", done, total, "bytes")
    if done < total:
        raise ConnectionError(f"the connection ended after {done:,} of {total:,} bytes; the next attempt goes on from there")


@contextmanager
def _network(url: str, advice: str) -> Iterator[None]:
    try:
        yield
    except urllib.error.HTTPError as error:
        raise UserError(f"{url}: the server answers {error.code} {error.reason}; {advice}") from error
    except urllib.error.URLError as error:
        raise UserError(f"{url}: no connection ({error.reason}); {advice}") from error
    except TimeoutError as error:
        raise UserError(f"{url}: nothing arrived for {TIMEOUT:.0f} s; try again, or {advice}") from error
    except (ConnectionError, http.client.HTTPException, ValueError) as error:  # not OSError: a full disk is no network's fault
        raise UserError(f"{url}: {error or type(error).__name__}; {advice}") from error
