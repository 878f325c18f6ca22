//! Rules compiled into one immutable snapshot, and their evaluation.
//!
//! # Layout
//!
//! - [`document`]: the validated rules as they come in, one JSON document.
//! - [`snapshot`]: the document compiled ([`compile`], `course`); finds a flag by name.
//! - [`evaluation`]: which implementation serves a call, and why. The only evaluator there is.
//! - [`flag`]: one compiled flag.
//! - [`condition`]: what a rule's `when` asks of a call; `contradiction`: whether it can hold at all.
//! - [`call`]: what a decision may see of a call: its unit and its attributes.
//! - [`bucket`]: the hash behind stickiness.
//! - [`hash`]: the hashes of other engines beside it, for teams that come from one.
//! - [`standing`]: what was stopped at run time.
//! - [`page`]: standings in memory that processes share.
//! - [`decision`]: the answer and its reason.
//! - [`moment`], [`version`]: times and version ranges in conditions.
//! - [`explain`]: the same evaluation, rule by rule, for people.

pub mod bucket;
pub mod call;
pub mod compile;
pub mod condition;
mod contradiction;
mod course;
pub mod decision;
pub mod document;
pub mod evaluation;
pub mod explain;
pub mod flag;
pub mod hash;
pub mod moment;
pub mod page;
pub mod snapshot;
pub mod standing;
pub mod version;

#[cfg(test)]
mod json_call;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod statistics;
#[cfg(test)]
mod vectors;

pub use call::{At, Call, Path, Sequence, Value};
pub use compile::CompileError;
pub use decision::{Decision, Detail, Implementation, Outline, Reason, Stage};
pub use document::{Document, Process};
pub use snapshot::Snapshot;
pub use standing::{Cause, Standing};
