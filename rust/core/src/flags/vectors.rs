//! The decisions both test runners must agree on: `tests/vectors/flags.json`.
