//! A response: its head, and its body as it comes.

use std::collections::VecDeque;

use bytes::Bytes;
use futures_util::FutureExt;
use http::response::Parts;
use http::{HeaderMap, Response, Version};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Frame, Incoming};
use hyper::ext::ReasonPhrase;
use tokio::sync::OwnedSemaphorePermit;

use crate::failure::{Failure, Kind};
use crate::waits::Waits;

/// How often a body is looked at when its head has come: it is asked for, comes, and ends.
const LOOKS: usize = 3;
/// Bytes that are taken before somebody wants them.
const MOST_TAKEN: usize = 1 << 17;

type Read = Option<Result<Frame<Bytes>, hyper::Error>>;

/// What comes before a body.
#[derive(Debug)]
pub struct Head {
    /// As a number.
    pub status: u16,
    /// HTTP's.
    pub version: Version,
    /// What the server has said of it; nothing over HTTP/2.
    pub reason: Vec<u8>,
    /// Names in lower case, those of one name together.
    pub headers: HeaderMap,
}

impl Head {
    fn new(parts: Parts) -> Self {
        let usual = parts.status.canonical_reason().unwrap_or_default().as_bytes();
        // hyper notes what is not the usual one
        let reason = parts.extensions.get::<ReasonPhrase>().map_or(usual, ReasonPhrase::as_bytes).to_vec();
        Self { status: parts.status.as_u16(), version: parts.version, reason, headers: parts.headers }
    }
}

/// A response whose body is still to be read. Dropped before its end, it closes its connection.
#[derive(Debug)]
pub struct Answer {
    /// What has come before the body.
    pub head: Head,
    incoming: Incoming,
    waits: Waits,
    taken: VecDeque<Result<Bytes, Failure>>,
    place: Option<OwnedSemaphorePermit>,
    is_over: bool,
}

impl Answer {
    pub(crate) async fn new(response: Response<Incoming>, waits: Waits, place: Option<OwnedSemaphorePermit>) -> Self {
        let (parts, incoming) = response.into_parts();
        let head = Head::new(parts);
        let mut answer = Self { head, incoming, waits, taken: VecDeque::new(), place, is_over: false };
        for _ in 0..LOOKS {
            answer.take_what_came();
            if answer.is_over {
                break;
            }
            tokio::task::yield_now().await;
        }
        answer
    }

    /// The next part of the body that has come already.
    pub fn taken(&mut self) -> Option<Result<Bytes, Failure>> {
        self.taken.pop_front()
    }

    /// Whether all has come, and been taken.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_over && self.taken.is_empty()
    }

    /// Waits for more of the body, until there is something to take or all has come.
    pub async fn read(&mut self) {
        while self.taken.is_empty() && !self.is_over {
            let read = self.waits.reading(self.incoming.frame()).await;
            self.keep(read);
            self.take_what_came();
        }
    }

    fn take_what_came(&mut self) {
        let mut bytes: usize = self.taken.iter().flatten().map(Bytes::len).sum();
        while !self.is_over && bytes < MOST_TAKEN {
            let Some(read) = self.incoming.frame().now_or_never() else { return };
            self.keep(Ok(read));
            bytes += self.taken.back().and_then(|last| last.as_ref().ok()).map_or(0, Bytes::len);
        }
    }

    fn keep(&mut self, read: Result<Read, Failure>) {
        match read {
            Ok(Some(Ok(frame))) => self.taken.extend(frame.into_data().ok().filter(|data| !data.is_empty()).map(Ok)),
            // hyper takes a stream that is reset without an error for one that has ended
            Ok(None) if self.head.version == Version::HTTP_2 && !self.incoming.is_end_stream() => {
                self.fail(Kind::Ended.into());
            }
            Ok(None) => self.end(),
            Ok(Some(Err(error))) => self.fail(Failure::of(&error)),
            Err(failure) => self.fail(failure),
        }
        if self.incoming.is_end_stream() {
            self.end();
        }
    }

    fn fail(&mut self, failure: Failure) {
        self.taken.push_back(Err(failure));
        self.end();
    }

    fn end(&mut self) {
        self.is_over = true;
        self.waits.end();
        self.place = None;
    }
}
