"""Who may ask the server for anything. Run folders are for their owner alone, so the console is too: whoever can reach the
port, as any other user of this machine can, needs the token."""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple, TypeAlias

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

COOKIE = "tui-trainer"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the page may load: nothing of the outside. Its terminal makes styles as it goes."""
HEADERS = {
    "Server": "tui-trainer",
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PORT = re.compile(r":\d+$")
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Access(NamedTuple):
    place: str
    """The path below which everything lies. Nobody can guess it: a cookie for it goes to no other server on this machine, whose
    ports browsers do not tell apart."""
    token: str | None
    """None: whoever reaches the port may come in."""
    names: frozenset[str]
    """Hosts that the server may be called by, whatever the port, which a tunnel may change; empty: any. A page that had its own
    name lead to the loopback calls by that name."""


def access(token: bool, names: Iterable[str] = ()) -> Access:
    return Access(f"/{secrets.token_urlsafe(12)}/", secrets.token_urlsafe(32) if token else None, frozenset(names))


def guard(access: Access) -> Middleware:
    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        if why := _foreign(request, access):
            return web.Response(status=403, text=f"tui-trainer serve: {why}\n")
        if not _known(request, access):
            return web.Response(status=401, text="tui-trainer serve: open the address that it printed, with its token\n")
        return await handler(request)

    return guarded


async def harden(request: web.Request, response: web.StreamResponse) -> None:
    """For every answer, whatever it is."""
    response.headers.update(HEADERS)


def _foreign(request: web.Request, access: Access) -> str:
    """Why a request comes from a page of somebody else; empty when it does not."""
    if access.names and PORT.sub("", request.host).lower() not in access.names:
        return "it is not called by this name"
    origin, own = request.headers.get(hdrs.ORIGIN), {f"http://{request.host}", f"https://{request.host}"}
    asks_for_socket = request.headers.get(hdrs.UPGRADE) is not None
    return "another page asks" if (origin is None and asks_for_socket) or (origin is not None and origin not in own) else ""


def _known(request: web.Request, access: Access) -> bool:
    """By the token in the first address, by the cookie from then on."""
    if access.token is None:
        return True
    shown = request.query.get("token", "") if request.path == "/" else request.cookies.get(COOKIE, "")
    return secrets.compare_digest(shown.encode("utf-8", "replace"), access.token.encode())
