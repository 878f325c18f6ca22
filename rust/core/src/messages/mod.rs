//! The walk over chat messages and tool definitions that token counting needs.
//!
//! The rules are those of LiteLLM's `litellm_core_utils/token_counter.py`. What differs between its releases is a field of
//! [`Semantics`]. Whatever the control would answer with an exception, and whatever is not certain, is a [`Decline`]: the
//! control then answers itself.
//!
//! # Layout
//!
//! - [`node`]: what the walk may ask of a value; implemented for JSON in tests and for Python objects at the border.
//! - [`semantics`]: what differs between releases, and the constants of one call.
//! - [`walk`]: messages, their keys, tool calls, and the extras around them.
//! - [`content`]: the blocks of a content list.
//! - [`server_tools`]: the blocks of tools that Anthropic's servers run.
//! - [`tools`]: tool definitions written out as the text that is counted.

pub mod content;
pub mod node;
pub mod semantics;
pub mod server_tools;
pub mod tools;
pub mod walk;

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod json;

pub use node::{Decline, Key, Kind, Node};
pub use semantics::{Accounting, Semantics};
pub use walk::{Call, count_messages};
