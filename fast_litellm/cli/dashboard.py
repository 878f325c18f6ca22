"""`fast-litellm dashboard`: the report as a page that keeps itself up to date."""

from __future__ import annotations

import errno

import click

from fast_litellm.cli import console, pictures


@click.command(name="dashboard")
@click.option("--host", default="127.0.0.1", show_default=True, help="The name or address to listen on.")
@click.option("--port", default=8686, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
def command(host: str, port: int) -> None:
    """
    Show every feature's evidence in a browser, until interrupted.

    The page is read only and asks nothing of any other machine. It is also JSON at /api/status.json, and text for
    Prometheus at /metrics.
    """
    from fast_litellm.shadow.dashboard import server

    take = pictures.camera()  # an address that names no ledger ends the command, a ledger out of reach does not
    if not server.is_loopback(host):
        console.say(f"warning: {host} can be reached from other machines, and nobody is asked for a password")
        console.hint("leave --host out, and reach it through an SSH tunnel")
    try:
        server.serve(take, host, port, lambda address: console.say(f"dashboard at {address}"))
    except OSError as error:
        is_taken = error.errno in (errno.EADDRINUSE, errno.EACCES)
        hint = "name another port with --port" if is_taken else "name an address of this machine with --host"
        console.fail(f"cannot listen on {host}:{port}: {error.strerror}", hint)
