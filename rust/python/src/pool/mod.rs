//! Requests over a pool of `fast-litellm-pool`: settings, errors, and the classes for Python.

mod answer;
mod bell;
mod ends;
mod exchange;
mod task;

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use fast_litellm_pool::{Failure, Kind, Language, Limits, Outgoing, Pool, Proxy, Settings, Timeouts, Trust};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};

use exchange::Exchange;

create_exception!(
    fast_litellm._native,
    PoolError,
    PyException,
    "What has gone wrong with a request: which kind of thing, what is said of it, and the system's number or None."
);

/// Adds this directory's classes to the module.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("PoolError", module.py().get_type::<PoolError>())?;
    module.add_class::<answer::Answer>()?;
    module.add_class::<bell::Bell>()?;
    module.add_class::<ConnectionPool>()?;
    module.add_class::<exchange::Exchange>()?;
    module.add_class::<task::Task>()?;
    module.add_function(wrap_pyfunction!(begin_connections, module)?)
}

/// Begins the thread of connections, unless it is there. `OSError` where the system gives none.
#[pyfunction]
fn begin_connections() -> io::Result<()> {
    fast_litellm_pool::begin()
}

/// Thirty years; a clock that is to show more than it can is an error of its own.
const LONGEST_S: f64 = 1e9;

type Header = (PyBackedBytes, PyBackedBytes);
type Seconds = Option<f64>;
/// Roots in DER, whether certificates are looked at, whether TLS 1.2 and 1.3 are spoken, a client's PEM.
type Trusted = (Vec<PyBackedBytes>, bool, bool, bool, Option<PyBackedBytes>);
/// An address, headers for a tunnel, whom to believe where it speaks TLS itself, name and password for SOCKS.
type Proxied = (PyBackedStr, Vec<Header>, Option<Trusted>, Option<(String, String)>);

/// Connections that are kept.
#[pyclass(frozen, module = "fast_litellm._native")]
pub(crate) struct ConnectionPool(Pool);

#[pymethods]
impl ConnectionPool {
    /// `ValueError` for what rustls or hyper do not take.
    #[new]
    #[pyo3(signature = (limits, trust, proxy, local_address, has_http2, /))]
    fn new(
        limits: (Option<usize>, Option<usize>, Seconds),
        trust: Option<Trusted>,
        proxy: Option<Proxied>,
        local_address: Option<IpAddr>,
        has_http2: bool,
    ) -> PyResult<Self> {
        let (connections, idle, idle_time) = limits;
        let limits = Limits { connections, idle, idle_time: idle_time.map(duration).transpose()? };
        let proxy = proxy.map(proxy_of).transpose()?;
        let settings = Settings { limits, trust: trust.map(trust_of), proxy, local_address, has_http2 };
        Pool::new(&settings).map(Self).map_err(refused)
    }

    /// A request that goes out when it is waited for. `ValueError` where something of it could not go out as it is.
    #[pyo3(signature = (method, url, headers, body, timeouts, /))]
    #[allow(clippy::needless_pass_by_value)] // as PyO3 hands it on
    fn request(
        &self,
        method: &str,
        url: &str,
        headers: Vec<Header>,
        body: &[u8],
        timeouts: (Seconds, Seconds, Seconds, Seconds),
    ) -> PyResult<Exchange> {
        let headers = headers.iter().map(|(name, value)| (&**name, &**value));
        let body = Bytes::copy_from_slice(body);
        let outgoing = Outgoing::new(method, url, headers, body, timeouts_of(timeouts)?).map_err(refused)?;
        if outgoing.url() != url {
            return Err(PyValueError::new_err("the address would be written otherwise"));
        }
        Ok(Exchange::new(self.0.clone(), outgoing))
    }
}

fn trust_of((roots, is_verified, has_tls12, has_tls13, identity): Trusted) -> Trust {
    let roots = roots.iter().map(|root| root.to_vec()).collect();
    Trust { roots, is_verified, has_tls12, has_tls13, identity: identity.map(|pem| pem.to_vec()) }
}

fn proxy_of(proxied: Proxied) -> PyResult<Proxy> {
    let (address, headers, trust, credentials) = proxied;
    let address = address.parse::<Uri>().map_err(refused)?;
    let language = if address.scheme_str().is_some_and(|scheme| scheme.starts_with("socks")) {
        Language::Socks { credentials }
    } else {
        Language::Http { headers: headers_of(&headers)?, trust: trust.map(trust_of) }
    };
    Ok(Proxy { address, language })
}

fn headers_of(listed: &[Header]) -> PyResult<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in listed {
        headers
            .append(HeaderName::from_bytes(name).map_err(refused)?, HeaderValue::from_bytes(value).map_err(refused)?);
    }
    Ok(headers)
}

fn timeouts_of((connect, read, write, place): (Seconds, Seconds, Seconds, Seconds)) -> PyResult<Timeouts> {
    let limit = |seconds: Seconds| seconds.map(duration).transpose();
    Ok(Timeouts { connect: limit(connect)?, read: limit(read)?, write: limit(write)?, place: limit(place)? })
}

fn duration(seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds.min(LONGEST_S)).map_err(refused)
}

#[allow(clippy::needless_pass_by_value)] // as `map_err` hands it on
fn refused(error: impl ToString) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// The exception for a failure.
fn raised(failure: Failure) -> PyErr {
    PoolError::new_err((name_of(failure.kind), failure.text, failure.number))
}

fn name_of(kind: Kind) -> &'static str {
    match kind {
        Kind::NotConnected => "not_connected",
        Kind::ConnectTimeout => "connect_timeout",
        Kind::ReadTimeout => "read_timeout",
        Kind::WriteTimeout => "write_timeout",
        Kind::PlaceTimeout => "pool_timeout",
        Kind::Broken => "broken",
        Kind::Ended => "ended",
        Kind::EndedUnannounced => "ended_unannounced",
        Kind::NoHttp => "no_http",
    }
}
