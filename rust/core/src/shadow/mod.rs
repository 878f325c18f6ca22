//! Which calls may be compared: the room in front of the worker, and what comparisons may cost and keep.
//!
//! Both are asked on the caller's path, so they are words of memory that are changed without a lock.

mod bucket;
mod memory;
mod room;

pub use bucket::Bucket;
pub use memory::Memory;
pub use room::{Refusal, Room};
