//! What can go wrong with a request, as those who raise an exception for it want to know it.

use std::error::Error;
use std::io;
use std::iter::successors;

/// Which thing has gone wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No connection came about, so nothing was sent.
    NotConnected,
    /// One took too long.
    ConnectTimeout,
    /// No bytes came for too long.
    ReadTimeout,
    /// No bytes were taken for too long.
    WriteTimeout,
    /// No place among the connections became free.
    PlaceTimeout,
    /// The connection broke.
    Broken,
    /// It ended.
    Ended,
    /// It ended without TLS's own notice, which ends a body that has no length.
    EndedUnannounced,
    /// What came over it is no HTTP.
    NoHttp,
}

/// Something went wrong.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Which thing.
    pub kind: Kind,
    /// What the library says, without the address of the request.
    pub text: String,
    /// The operating system's number of its error, if it was one.
    pub number: Option<i32>,
}

impl From<Kind> for Failure {
    fn from(kind: Kind) -> Self {
        Self { kind, text: String::new(), number: None }
    }
}

impl Failure {
    /// What an error of hyper's comes from.
    pub(crate) fn of(error: &(dyn Error + 'static)) -> Self {
        let causes: Vec<_> = causes(error).collect();
        if let Some(failure) = causes.iter().find_map(|cause| cause.downcast_ref::<ConnectFailure>()) {
            return failure.0.clone();
        }
        let kind = kind_of(&causes);
        let number = causes.iter().find_map(|cause| io_error(*cause)?.raw_os_error());
        let text = causes.last().map(ToString::to_string).unwrap_or_default();
        Self { kind, text, number }
    }
}

/// An error and what it comes from, the first cause last.
pub(crate) fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(error), |&error| error.source())
}

fn kind_of(causes: &[&(dyn Error + 'static)]) -> Kind {
    if causes.iter().any(|cause| cause.downcast_ref().is_some_and(hyper_util::client::legacy::Error::is_connect)) {
        return Kind::NotConnected;
    }
    if let Some(error) = causes.iter().find_map(|cause| io_error(*cause)) {
        return kind_of_io(error);
    }
    let is_end = |error: &hyper::Error| error.is_incomplete_message() || error.is_closed() || error.is_canceled();
    if causes.iter().any(|cause| cause.downcast_ref().is_some_and(is_end)) { Kind::Ended } else { Kind::NoHttp }
}

fn io_error<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    cause.downcast_ref().or_else(|| cause.downcast_ref::<h2::Error>()?.get_io())
}

fn kind_of_io(error: &io::Error) -> Kind {
    match error.kind() {
        io::ErrorKind::UnexpectedEof if error.to_string().contains("close_notify") => Kind::EndedUnannounced,
        io::ErrorKind::UnexpectedEof => Kind::Ended,
        // h2's, of a connection that has ended in an orderly way
        io::ErrorKind::BrokenPipe if error.raw_os_error().is_none() => Kind::Ended,
        // a body whose chunks are none, as hyper tells them
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
            if error.raw_os_error().is_none() && !is_tls(error) =>
        {
            Kind::NoHttp
        }
        _ => Kind::Broken,
    }
}

fn is_tls(error: &io::Error) -> bool {
    error.get_ref().is_some_and(<dyn Error + Send + Sync>::is::<rustls::Error>)
}

/// What a connector fails with, so that it is found again among hyper's causes.
#[derive(Debug)]
pub(crate) struct ConnectFailure(pub(crate) Failure);

impl std::fmt::Display for ConnectFailure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0.text)
    }
}

impl Error for ConnectFailure {}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(error: impl Into<io::Error>) -> (Kind, Option<i32>) {
        let failure = Failure::of(&error.into());
        (failure.kind, failure.number)
    }

    #[test]
    fn an_error_of_the_system_is_a_broken_connection_with_its_number() {
        assert_eq!((Kind::Broken, Some(104)), told(io::Error::from_raw_os_error(104)));
    }

    #[test]
    fn an_end_is_told_from_one_that_tls_did_not_announce() {
        let unannounced = "peer closed connection without sending TLS close_notify";

        assert_eq!((Kind::Ended, None), told(io::ErrorKind::UnexpectedEof));
        assert_eq!((Kind::EndedUnannounced, None), told(io::Error::new(io::ErrorKind::UnexpectedEof, unannounced)));
    }

    #[test]
    fn an_alert_of_tls_breaks_a_connection_and_bad_chunks_are_no_http() {
        let alert = rustls::Error::AlertReceived(rustls::AlertDescription::CertificateRequired);

        assert_eq!((Kind::Broken, None), told(io::Error::new(io::ErrorKind::InvalidData, alert)));
        assert_eq!((Kind::NoHttp, None), told(io::Error::new(io::ErrorKind::InvalidInput, "Invalid chunk size line")));
    }

    #[test]
    fn what_a_connector_fails_with_comes_out_as_it_was() {
        let failure = Failure::of(&ConnectFailure(Kind::ConnectTimeout.into()));

        assert_eq!(Kind::ConnectTimeout, failure.kind);
    }
}
