"""
The page, live: read only, for this machine unless somebody says otherwise.

A page of any other site that makes the browser ask this server under a name of its own (DNS rebinding) is refused by
the Host header, and no other site may frame, read or embed what is answered.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import json
import logging
import signal
import time
from dataclasses import asdict, replace
from typing import Any, Awaitable, Callable, Optional, Tuple
from urllib.parse import urlsplit

from fast_litellm.errors import MissingExtraError
from fast_litellm.shadow.dashboard import metrics, page
from fast_litellm.shadow.dashboard.model import Picture

try:
    from aiohttp import http_exceptions, web
except ImportError as error:
    raise MissingExtraError("fast_litellm.shadow.dashboard", "dashboard") from error

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": f"{page.policy(live=True)}; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "Server": "fast-litellm",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_READING = {"GET", "HEAD"}
_FRESH_SECONDS = 1.0
_TAG_DIGITS = 32
_PATIENCE_SECONDS = 0.5
"""How long an answer may take once the server is told to end."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Dashboard:
    """
    Answers from pictures that are at most a second old, however many browsers ask.

    Args:
        take: Takes a picture; called in a thread.
        host: The name or address the server listens on, under which it may be asked.
        clock: Seconds; monotonic.
    """

    def __init__(self, take: Callable[[], Picture], host: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._take = take
        self._host = host
        self._clock = clock
        self._latest: Optional[Tuple[float, Picture, str]] = None

    def application(self) -> web.Application:
        """
        Returns:
            What aiohttp runs.
        """
        made = web.Application(middlewares=[self._guard])
        made.add_routes(
            [web.get("/", self._page), web.get("/api/status.json", self._status), web.get("/metrics", self._metrics)]
        )
        return made

    def _picture(self) -> Tuple[Picture, str]:
        """The picture with its tag, which does not depend on when it was taken."""
        now = self._clock()
        if self._latest is None or now - self._latest[0] >= _FRESH_SECONDS:
            picture = self._take()
            content = f"{page.policy(live=True)}{replace(picture, at=0.0)!r}"
            self._latest = (now, picture, hashlib.sha256(content.encode()).hexdigest()[:_TAG_DIGITS])
        return self._latest[1:]

    async def _page(self, request: web.Request) -> web.Response:
        return await self._answer(request, lambda picture: page.render(picture, live=True), "text/html")

    async def _status(self, request: web.Request) -> web.Response:
        return await self._answer(request, lambda picture: json.dumps(asdict(picture)), "application/json")

    async def _metrics(self, request: web.Request) -> web.Response:
        return await self._answer(request, metrics.exposition, "text/plain")

    async def _answer(self, request: web.Request, text: Callable[[Picture], str], content_type: str) -> web.Response:
        in_thread = asyncio.get_running_loop().run_in_executor
        picture, tag = await in_thread(None, self._picture)
        if any(known.value == tag for known in request.if_none_match or ()):
            return web.Response(status=304, headers={"ETag": f'"{tag}"'})
        body = await in_thread(None, text, picture)
        return web.Response(text=body, content_type=content_type, charset="utf-8", headers={"ETag": f'"{tag}"'})

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await self._checked(request, handler)
        answer.headers.update(HEADERS)
        return answer

    async def _checked(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not is_own(request.headers.get("Host", ""), self._host):
            return web.Response(status=421, text="This dashboard is asked by address or as localhost.\n")
        if request.method not in _READING:
            return web.Response(status=405, text="This dashboard is read only.\n", headers={"Allow": "GET, HEAD"})
        try:
            return await handler(request)
        except web.HTTPException as error:
            return web.Response(status=error.status, text=f"{error.reason}\n")


def is_own(asked: str, host: str) -> bool:
    """
    Args:
        asked: The Host header.
        host: The name or address the server listens on.

    Returns:
        Whether the browser meant this server: an address cannot be rebound, and any name but these two may have been.
    """
    try:
        name = urlsplit(f"//{asked}").hostname or ""
    except ValueError:
        return False
    return name in {"localhost", host.lower()} or is_address(name)


def is_address(name: str) -> bool:
    """
    Returns:
        Whether a name is an IP address.
    """
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """
    Returns:
        Whether only this machine can reach the host.
    """
    return host.lower() == "localhost" or (is_address(host) and ipaddress.ip_address(host).is_loopback)


def serve(take: Callable[[], Picture], host: str, port: int, ready: Callable[[str], Any]) -> None:
    """
    Serve until SIGINT or SIGTERM.

    Args:
        take: Takes a picture.
        host: The name or address to listen on.
        port: The port; 0 takes a free one.
        ready: Called with the page's address once it can be asked.

    Raises:
        OSError: The address cannot be listened on.
    """
    asyncio.run(_serve(Dashboard(take, host).application(), host, port, ready))


async def _serve(application: web.Application, host: str, port: int, ready: Callable[[str], Any]) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    runner = web.AppRunner(application, access_log=None, logger=_logger(), shutdown_timeout=_PATIENCE_SECONDS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        ready(_address(host, runner.addresses[0][1]))
        await ended.wait()
    finally:
        await runner.cleanup()


def _logger() -> logging.Logger:
    found = logging.getLogger(__name__)
    found.addFilter(_is_no_quotation)
    return found


def _is_no_quotation(record: logging.LogRecord) -> bool:
    """Whether a record is of anything but a request that is no HTTP, of which aiohttp tells in the request's words."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, http_exceptions.HttpProcessingError)


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
