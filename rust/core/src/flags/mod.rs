//! Rules compiled into one immutable snapshot, and their evaluation.
//!
//! # Layout
//!
//! - [`document`]: the validated rules as they come in, one JSON document.
//! - [`snapshot`]: the document compiled; finds a flag by name.
//! - [`flag`]: one compiled flag; decides which implementation serves a call. The only evaluator there is.
//! - [`condition`]: what a rule's `when` asks of a call.
//! - [`call`]: what a decision may see of a call: its unit and its attributes.
//! - [`bucket`]: the hash behind stickiness.
//! - [`hash`]: the hashes of other engines beside it, for teams that come from one.
//! - [`standing`]: what was stopped at run time.
//! - [`decision`]: the answer and its reason.
//! - [`explain`]: the same evaluation, rule by rule, for people.

pub mod bucket;
pub mod call;
pub mod condition;
pub mod decision;
pub mod document;
pub mod explain;
pub mod flag;
pub mod hash;
pub mod snapshot;
pub mod standing;

#[cfg(test)]
mod vectors;

pub use call::{Call, Path, Sequence, Value};
pub use decision::{Decision, Detail, Implementation, Reason, Stage};
pub use document::{Document, Process};
pub use snapshot::{CompileError, Snapshot};
pub use standing::{Cause, Standing};
