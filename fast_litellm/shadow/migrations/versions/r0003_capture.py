"""Calls that were captured, sealed; and which processes have been added up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Adds to what is there."""
    op.add_column("process", sa.Column("folded", sa.Integer, nullable=False, server_default="0"))
    op.create_table(
        "capture",
        sa.Column("uid", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("feature", "fingerprint", "candidate_build")),
        *(sa.Column(name, sa.Float, nullable=False) for name in ("at", "expires_at")),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
