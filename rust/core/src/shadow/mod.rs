//! Which calls may be compared: the room in front of the worker, and what comparisons may cost.
//!
//! Both are asked on the caller's path, so they are words of memory that are changed without a lock.

mod bucket;
mod room;

pub use bucket::Bucket;
pub use room::{Refusal, Room};
