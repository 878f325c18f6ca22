//! What a pool and a request are set to.

use std::net::IpAddr;
use std::time::Duration;

use http::{HeaderMap, Uri};

/// How many connections a pool has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Requests that may be under way; none is no limit.
    pub connections: Option<usize>,
    /// Connections to one host that are kept; none is no limit.
    pub idle: Option<usize>,
    /// How long one is kept; none is for ever.
    pub idle_time: Option<Duration>,
}

/// Whom a pool believes over TLS, and what it shows.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// The certificates it trusts, in DER. What rustls cannot read among them is not trusted.
    pub roots: Vec<Vec<u8>>,
    /// Whether it looks at certificates at all.
    pub is_verified: bool,
    /// Whether it speaks TLS 1.2.
    pub has_tls12: bool,
    /// Whether it speaks TLS 1.3.
    pub has_tls13: bool,
    /// A client's certificates and key, in PEM.
    pub identity: Option<Vec<u8>>,
}

/// What requests go over.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// Where it is.
    pub address: Uri,
    /// How it is spoken to.
    pub language: Language,
}

/// What a proxy speaks.
#[derive(Clone, Debug)]
pub enum Language {
    /// HTTP: a request for `http` is handed to it as it is, one for `https` goes through a tunnel.
    Http {
        /// What a tunnel is asked for with.
        headers: HeaderMap,
        /// For a proxy that speaks TLS itself.
        trust: Option<Trust>,
    },
    /// SOCKS, in its fifth version, which finds hosts by their names.
    Socks {
        /// Name and password.
        credentials: Option<(String, String)>,
    },
}

/// All that a pool is made from.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// How many connections it has.
    pub limits: Limits,
    /// For requests over TLS.
    pub trust: Option<Trust>,
    /// What all requests go over.
    pub proxy: Option<Proxy>,
    /// Where connections come from; none is wherever the system likes.
    pub local_address: Option<IpAddr>,
    /// Whether HTTP/2 is spoken with servers that choose it.
    pub has_http2: bool,
}

/// How long a request waits for each of the things it waits for; none is as long as it takes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timeouts {
    /// For a connection, and once more for its TLS.
    pub connect: Option<Duration>,
    /// For the next bytes.
    pub read: Option<Duration>,
    /// For the next bytes to be taken.
    pub write: Option<Duration>,
    /// For a place among the connections.
    pub place: Option<Duration>,
}
