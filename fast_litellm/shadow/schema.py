"""
The ledger's tables. `migrations/` makes a database of an earlier version one of this; both say the same.
"""

from __future__ import annotations

from typing import Any, Optional

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

METADATA = MetaData()

# SQLite counts only a plain INTEGER up by itself.
_COUNTED = BigInteger().with_variant(Integer, "sqlite")


class Unsigned(TypeDecorator[int]):
    """A number of 64 bits without a sign; the databases' have one, so the upper half is kept as negative numbers."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Optional[int], dialect: Any) -> Optional[int]:  # noqa: ARG002
        return value if value is None or value < 1 << 63 else value - (1 << 64)

    def process_result_value(self, value: Optional[int], dialect: Any) -> Optional[int]:  # noqa: ARG002
        return None if value is None else value % (1 << 64)


SECRET = Table("secret", METADATA, Column("name", Text, primary_key=True), Column("value", LargeBinary, nullable=False))
"""Where no file beside the database can hold it: the key of all digests."""

PROCESS = Table(
    "process",
    METADATA,
    Column("proc_uuid", Text, primary_key=True),
    Column("host", Text, nullable=False),  # keyed digest of the host's name and process namespace
    Column("pid", Integer, nullable=False),
    Column("birth", Text, nullable=False),  # tells two processes of one pid apart; '' where the system does not say
    Column("versions", Text, nullable=False),  # JSON: package to version
    Column("started_at", Float, nullable=False),
    Column("last_seen", Float, nullable=False),
    Column("ended_at", Float),  # NULL until the process has closed its ledger
    Column("folded", Integer, nullable=False, server_default="0"),  # 1: what it counted is in its host's sum
)

EPOCH = Table(
    "epoch",
    METADATA,
    Column("epoch_id", _COUNTED, primary_key=True),
    Column("feature", Text, nullable=False),
    Column("candidate_build", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("comparator", Text, nullable=False),
    Column("rules_revision", Text, nullable=False),
    Column("opened_at", Float, nullable=False),
    Column("profile", Text, nullable=False, server_default="plain"),  # the table of dimensions of its shapes
    UniqueConstraint("feature", "candidate_build", "reference", "comparator", "rules_revision"),
)

COUNTER = Table(
    "counter",
    METADATA,
    Column("epoch_id", _COUNTED, ForeignKey("epoch.epoch_id"), primary_key=True),
    Column("proc_uuid", Text, ForeignKey("process.proc_uuid"), primary_key=True),
    Column("counts", Text, nullable=False),  # JSON: absolute values of one reading; writing them twice is harmless
    Column("labels", Text, nullable=False),  # JSON: what the process said of the feature
    Column("updated_at", Float, nullable=False),
)

SHAPE_COUNTER = Table(
    "shape_counter",
    METADATA,
    Column("epoch_id", _COUNTED, ForeignKey("epoch.epoch_id"), primary_key=True),
    Column("proc_uuid", Text, ForeignKey("process.proc_uuid"), primary_key=True),
    Column("shape", Unsigned, primary_key=True),
    Column("counts", Text, nullable=False),  # JSON, absolute
    Column("sketch", LargeBinary),  # of the distinct inputs compared
)

TIMING = Table(
    "timing",
    METADATA,
    Column("epoch_id", _COUNTED, ForeignKey("epoch.epoch_id"), primary_key=True),
    Column("proc_uuid", Text, ForeignKey("process.proc_uuid"), primary_key=True),
    Column("timings", Text, nullable=False),  # JSON, absolute: pairs, faster, tail, and the histogram of ratios
)

DIVERGENCE_CLASS = Table(
    "divergence_class",
    METADATA,
    Column("fingerprint", Text, primary_key=True),
    Column("epoch_id", _COUNTED, ForeignKey("epoch.epoch_id"), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("pattern", Text, nullable=False),
    Column("control_type", Text, nullable=False),
    Column("candidate_type", Text, nullable=False),
    Column("first_seen", Float, nullable=False),
    Column("last_seen", Float, nullable=False),
    Column("state", Text, nullable=False),  # noise < new < confirmed
)

SIGHTING = Table(
    "sighting",
    METADATA,
    Column("fingerprint", Text, primary_key=True),
    Column("epoch_id", _COUNTED, ForeignKey("epoch.epoch_id"), primary_key=True),
    Column("proc_uuid", Text, ForeignKey("process.proc_uuid"), primary_key=True),
    Column("count", BigInteger, nullable=False),  # absolute
    Column("samples", Text, nullable=False),  # JSON: a few redacted events, drawn from all of this process
)

FEATURE_STATE = Table(
    "feature_state",
    METADATA,
    Column("feature", Text, primary_key=True),
    Column("candidate_build", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Float, nullable=False),
)

TRANSITION = Table(
    "transition",
    METADATA,
    Column("seq", _COUNTED, primary_key=True),
    Column("uid", Text, nullable=False, unique=True),  # chosen by the writer: a retried write is one transition
    Column("at", Float, nullable=False),
    Column("feature", Text, nullable=False),
    Column("candidate_build", Text, nullable=False),
    Column("from_state", Text, nullable=False),
    Column("to_state", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("scope", Text, nullable=False, server_default="build"),
    Column("until", Float),
    Column("evaluation", Text),  # JSON: the gate's verdict it rested on
    Column("prev_hash", Text, nullable=False, server_default=""),
    Column("hash", Text, nullable=False, server_default=""),
)

PAUSE = Table(
    "pause",
    METADATA,
    Column("feature", Text, primary_key=True),
    Column("state", Text, nullable=False),  # paused, or running: a pause ends by a row that says so
    Column("until", Float),  # NULL: it does not end by itself
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Float, nullable=False),
)

WAIVER = Table(
    "waiver",
    METADATA,
    Column("fingerprint", Text, primary_key=True),
    Column("feature", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("max_count", BigInteger),  # NULL: any number until it expires
)

ROLLOUT = Table(
    "rollout",
    METADATA,
    Column("feature", Text, primary_key=True),
    Column("candidate_build", Text, nullable=False),
    Column("step", Integer, nullable=False),  # an index into the plan
    Column("state", Text, nullable=False),  # running | paused | blocked | done
    Column("since", Float, nullable=False),
    Column("certified", Text, nullable=False),  # JSON: the cells that are certified
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

GATE_EVALUATION = Table(
    "gate_evaluation",
    METADATA,
    Column("evaluation_id", _COUNTED, primary_key=True),
    Column("feature", Text, nullable=False),
    Column("epoch_id", _COUNTED, ForeignKey("epoch.epoch_id"), nullable=False),
    Column("at", Float, nullable=False),
    Column("step", Integer, nullable=False),
    Column("decision", Text, nullable=False),
    Column("checks", Text, nullable=False),  # JSON
)

CAPTURE = Table(
    "capture",
    METADATA,
    Column("uid", Text, primary_key=True),
    Column("feature", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("candidate_build", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # the call's literal, to a public key
)

PROGRESS = Table(
    "progress",
    METADATA,
    Column("epoch_id", _COUNTED, ForeignKey("epoch.epoch_id"), primary_key=True),
    Column("at", Float, primary_key=True),
    Column("compared", BigInteger, nullable=False),
    Column("distinct_inputs", BigInteger, nullable=False),
    Column("diverged", BigInteger, nullable=False),
)
