//! The connections of fast-litellm, without Python.
//!
//! hyper's pool of connections, rustls and tokio, put together so that a request goes out, waits and fails as one of
//! httpx's: with times for connecting, for one read, for one write and for a place, each of them begun anew as httpcore
//! begins them; with the roots of one context of TLS and no others; and given up wherever it stands when it is dropped.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod activity;
mod answer;
mod connect;
mod failure;
mod names;
mod pool;
mod runtime;
mod settings;
mod stream;
mod tls;
mod waits;

pub use answer::{Answer, Head};
pub use failure::{Failure, Kind};
pub use pool::{Outgoing, Pool};
pub use runtime::{begin, spawn};
pub use settings::{Language, Limits, Proxy, Settings, Timeouts, Trust};
