//! Rules compiled into one immutable snapshot, and their evaluation.
