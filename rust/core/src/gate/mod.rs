//! What counts prove: whether a rate lies below a limit, whether it lies above, and which of two things happens more often.
//!
//! # Layout
//!
//! - [`limit`]: evidence about one rate.
//! - [`sign`]: evidence about which of two outcomes is the more frequent.
//! - `beta`: the beta function as far as it can be trusted.
//!
//! # Evidence
//!
//! Evidence is the logarithm of an *e-value*: of what a bet against a hypothesis has become, when no bet can be expected
//! to gain while the hypothesis is true. By Ville's inequality (1939) it reaches `1 / alpha` at any time at all with a
//! probability of at most `alpha`, so that looking after every single call costs nothing. It presumes that each call
//! differs with a probability that respects the hypothesis, whatever came before; not that calls are independent.

mod beta;
pub mod limit;
pub mod sign;
#[cfg(test)]
mod simulation;

pub use limit::{Counts, Limit};

/// What evidence must reach to decide at a level in (0, 1).
#[must_use]
pub fn threshold(alpha: f64) -> f64 {
    -alpha.ln()
}
