//! The algorithms of fast-litellm, without Python.
//!
//! # Layout
//!
//! - [`bpe`]: exact token counts for tiktoken's encodings.
//! - [`flags`]: one immutable snapshot of compiled rules, and its evaluation.
//! - [`gate`]: what counts prove about rates.
//! - [`guard`]: the live breaker.
//! - [`messages`]: the walk over chat messages and tool definitions that token counting needs.
//! - [`routing`]: which deployment a request goes to.
//! - [`sample`]: which shadowable calls are compared.
//! - [`account`]: the accounting of served and shadowed calls.
//! - [`shadow`]: which calls may be compared.
//! - [`windows`]: the windows of rate limits.
#![forbid(unsafe_code)]
#![cfg_attr(any(test, feature = "fuzzing"), allow(clippy::unwrap_used, clippy::expect_used))]

pub mod account;
pub mod bpe;
pub mod flags;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod gate;
pub mod guard;
pub mod messages;
pub mod redaction;
pub mod ring;
pub mod routing;
pub mod rules;
pub mod sample;
pub mod shadow;
pub mod shape;
pub mod windows;
