"""The tables as they were before there were revisions: a ledger of that time is taken over with what is in it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_COUNTED = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Makes what is not there."""
    tables = set(sa.inspect(op.get_bind()).get_table_names())
    if "process" not in tables:
        _make_first()
    if "pause" not in tables:
        _make_pauses()


def _make_first() -> None:
    op.create_table(
        "process",
        sa.Column("proc_uuid", sa.Text, primary_key=True),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("birth", sa.Text, nullable=False),
        sa.Column("versions", sa.Text, nullable=False),
        sa.Column("started_at", sa.Float, nullable=False),
        sa.Column("last_seen", sa.Float, nullable=False),
        sa.Column("ended_at", sa.Float),
    )
    parts = ("feature", "candidate_build", "reference", "comparator", "rules_revision")
    op.create_table(
        "epoch",
        sa.Column("epoch_id", _COUNTED, primary_key=True),
        *(sa.Column(part, sa.Text, nullable=False) for part in parts),
        sa.Column("opened_at", sa.Float, nullable=False),
        sa.UniqueConstraint(*parts),
    )
    op.create_table(
        "counter",
        sa.Column("epoch_id", _COUNTED, sa.ForeignKey("epoch.epoch_id"), primary_key=True),
        sa.Column("proc_uuid", sa.Text, sa.ForeignKey("process.proc_uuid"), primary_key=True),
        sa.Column("counts", sa.Text, nullable=False),
        sa.Column("labels", sa.Text, nullable=False),
        sa.Column("updated_at", sa.Float, nullable=False),
    )
    _make_divergences()
    _make_states()


def _make_divergences() -> None:
    op.create_table(
        "divergence_class",
        sa.Column("fingerprint", sa.Text, primary_key=True),
        sa.Column("epoch_id", _COUNTED, sa.ForeignKey("epoch.epoch_id"), primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("kind", "pattern", "control_type", "candidate_type")),
        sa.Column("first_seen", sa.Float, nullable=False),
        sa.Column("last_seen", sa.Float, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
    )
    op.create_table(
        "sighting",
        sa.Column("fingerprint", sa.Text, primary_key=True),
        sa.Column("epoch_id", _COUNTED, sa.ForeignKey("epoch.epoch_id"), primary_key=True),
        sa.Column("proc_uuid", sa.Text, sa.ForeignKey("process.proc_uuid"), primary_key=True),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("samples", sa.Text, nullable=False),
    )


def _make_states() -> None:
    op.create_table(
        "feature_state",
        sa.Column("feature", sa.Text, primary_key=True),
        sa.Column("candidate_build", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("state", "reason", "actor")),
        sa.Column("at", sa.Float, nullable=False),
    )
    words = ("feature", "candidate_build", "from_state", "to_state", "actor", "reason")
    op.create_table(
        "transition",
        sa.Column("seq", _COUNTED, primary_key=True),
        sa.Column("uid", sa.Text, nullable=False, unique=True),
        sa.Column("at", sa.Float, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in words),
    )


def _make_pauses() -> None:
    op.create_table(
        "pause",
        sa.Column("feature", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("until", sa.Float),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("actor", "reason")),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.add_column("transition", sa.Column("scope", sa.Text, nullable=False, server_default="build"))
    op.add_column("transition", sa.Column("until", sa.Float))
