"""Evidence by shape, timings, steps of rollouts, waivers, the gate's evaluations, and the chain of the audit trail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_COUNTED = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Adds to what is there."""
    op.add_column("epoch", sa.Column("profile", sa.Text, nullable=False, server_default="plain"))
    op.add_column("transition", sa.Column("evaluation", sa.Text))
    for name in ("prev_hash", "hash"):
        op.add_column("transition", sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.create_table(
        "secret", sa.Column("name", sa.Text, primary_key=True), sa.Column("value", sa.LargeBinary, nullable=False)
    )
    _make_counters()
    _make_rollouts()
    _make_judgements()


def _make_counters() -> None:
    op.create_table(
        "shape_counter",
        sa.Column("epoch_id", _COUNTED, sa.ForeignKey("epoch.epoch_id"), primary_key=True),
        sa.Column("proc_uuid", sa.Text, sa.ForeignKey("process.proc_uuid"), primary_key=True),
        sa.Column("shape", sa.BigInteger, primary_key=True),
        sa.Column("counts", sa.Text, nullable=False),
        sa.Column("sketch", sa.LargeBinary),
    )
    op.create_table(
        "timing",
        sa.Column("epoch_id", _COUNTED, sa.ForeignKey("epoch.epoch_id"), primary_key=True),
        sa.Column("proc_uuid", sa.Text, sa.ForeignKey("process.proc_uuid"), primary_key=True),
        sa.Column("timings", sa.Text, nullable=False),
    )


def _make_rollouts() -> None:
    op.create_table(
        "waiver",
        sa.Column("fingerprint", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("feature", "actor", "reason")),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("expires_at", sa.Float, nullable=False),
        sa.Column("max_count", sa.BigInteger),
    )
    op.create_table(
        "rollout",
        sa.Column("feature", sa.Text, primary_key=True),
        sa.Column("candidate_build", sa.Text, nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("since", sa.Float, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("certified", "actor", "reason")),
    )


def _make_judgements() -> None:
    op.create_table(
        "gate_evaluation",
        sa.Column("evaluation_id", _COUNTED, primary_key=True),
        sa.Column("feature", sa.Text, nullable=False),
        sa.Column("epoch_id", _COUNTED, sa.ForeignKey("epoch.epoch_id"), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("decision", "checks")),
    )
    op.create_table(
        "progress",
        sa.Column("epoch_id", _COUNTED, sa.ForeignKey("epoch.epoch_id"), primary_key=True),
        sa.Column("at", sa.Float, primary_key=True),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("compared", "distinct_inputs", "diverged")),
    )
