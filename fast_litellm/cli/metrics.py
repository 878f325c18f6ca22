"""`fast-litellm metrics`: the ledger's figures as Prometheus reads them."""

from __future__ import annotations

import sys

import click

from fast_litellm.cli import console, pictures
from fast_litellm.shadow.dashboard import metrics


@click.command(name="metrics")
@console.json_option
def command(as_json: bool) -> None:
    """
    Print the figures of all processes in Prometheus' text format.

    Have a collector run it, such as node_exporter's textfile collector, or let Prometheus ask a running
    `fast-litellm dashboard` at /metrics.
    """
    picture = pictures.current()
    if as_json:
        console.print_json(metrics.document(picture))
        return
    sys.stdout.write(metrics.exposition(picture))
