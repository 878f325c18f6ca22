//! How long a request has been waiting for its connection to do something.

use std::future::Future;
use std::pin::pin;

use futures_util::future::{Either, select};
use http::Extensions;
use hyper_util::client::legacy::connect::CaptureConnection;
use tokio::time::{Instant, timeout_at};

use crate::activity::{Activity, Hold};
use crate::failure::{Failure, Kind};
use crate::settings::Timeouts;

/// Looks at the connection of one request.
#[derive(Debug)]
pub(crate) struct Waits {
    connection: CaptureConnection,
    timeouts: Timeouts,
    /// Of its connection, until its response has come whole; of those of HTTP/2, which are not one request's, it has none.
    hold: Option<Hold>,
}

impl Drop for Waits {
    fn drop(&mut self) {
        if let Some(hold) = &self.hold {
            hold.give_up();
        }
    }
}

impl Waits {
    pub(crate) fn new(connection: CaptureConnection, timeouts: Timeouts) -> Self {
        Self { connection, timeouts, hold: None }
    }

    /// What comes of something, once there is a connection, unless that does nothing for longer than it may.
    pub(crate) async fn connected<T>(&mut self, awaited: impl Future<Output = T>) -> Result<T, Failure> {
        let mut awaited = pin!(awaited);
        {
            let connected = pin!(self.connection.wait_for_connection_metadata());
            if let Either::Left((found, _)) = select(&mut awaited, connected).await {
                return Ok(found);
            }
        }
        self.hold = self.own_activity().map(|activity| activity.hold());
        self.reading(awaited).await
    }

    /// What comes of something, unless the connection does nothing for longer than it may.
    pub(crate) async fn reading<T>(&self, awaited: impl Future<Output = T>) -> Result<T, Failure> {
        let Timeouts { read, write, .. } = self.timeouts;
        let Some(look) = read.into_iter().chain(write).min() else { return Ok(awaited.await) };
        let mut awaited = pin!(awaited);
        let begun = Instant::now();
        loop {
            let due = self.due(begun);
            if let Some((at, kind)) = due
                && at <= Instant::now()
            {
                self.keep_from_others();
                return Err(kind.into());
            }
            let next = Instant::now() + look; // a write may begin to wait meanwhile, whose time is another
            let until = due.map_or(next, |(at, _)| at.min(next));
            if let Ok(found) = timeout_at(until, &mut awaited).await {
                return Ok(found);
            }
        }
    }

    /// No further request is to wait for a connection that does nothing, which matters where it is one of HTTP/2.
    fn keep_from_others(&self) {
        if let Some(connected) = &*self.connection.connection_metadata() {
            connected.poison();
        }
    }

    /// When it is too late, and for what. A request that is still being sent waits for that alone.
    fn due(&self, begun: Instant) -> Option<(Instant, Kind)> {
        let activity = self.activity();
        let blocked = activity.as_ref().and_then(Activity::blocked);
        let (since, limit, kind) = match blocked {
            Some(blocked) => (blocked, self.timeouts.write, Kind::WriteTimeout),
            None => (activity.map_or(begun, |it| it.moved()), self.timeouts.read, Kind::ReadTimeout),
        };
        Some((since.max(begun) + limit?, kind))
    }

    /// The response has come whole. What is still to be sent is wanted by nobody, if it is not taken.
    pub(crate) fn end(&mut self) {
        if let Some(hold) = self.hold.take().filter(Hold::is_blocked) {
            hold.give_up();
        }
    }

    fn activity(&self) -> Option<Activity> {
        let mut found = Extensions::new();
        self.connection.connection_metadata().as_ref()?.get_extras(&mut found);
        found.remove()
    }

    /// Of a connection that is one request's at a time, which those of HTTP/2 are not.
    fn own_activity(&self) -> Option<Activity> {
        let is_shared = self.connection.connection_metadata().as_ref()?.is_negotiated_h2();
        self.activity().filter(|_| !is_shared)
    }
}
