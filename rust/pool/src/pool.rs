//! hyper's pool of connections, with a bound of requests.

use std::iter::repeat_n;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::answer::Answer;
use crate::connect::{Connector, TIMEOUTS};
use crate::failure::{Failure, Kind, causes};
use crate::settings::{Limits, Settings, Timeouts};
use crate::waits::Waits;

/// Bytes that may come of a body, or of a connection's bodies, before anybody has read them: httpcore's.
const WINDOW: u32 = 1 << 24;
/// Bytes of headers over HTTP/2: httpcore's.
const MOST_HEADERS_2: u32 = 1 << 16;
/// Bytes of headers over HTTP/1, as httpcore has h11 bound them; hyper bounds their number as well.
const MOST_HEAD: usize = 100 * 1024;
const MOST_HEADERS: usize = 1024;

/// How often a request goes out again that a server has told not to have looked at, while it ends a connection of HTTP/2.
const MOST_REPEATED: usize = 2;

type Received = Result<Response<Incoming>, Error>;

/// A request as it goes out.
#[derive(Debug)]
pub struct Outgoing {
    request: Request<Full<Bytes>>,
    timeouts: Timeouts,
}

impl Outgoing {
    /// A request.
    ///
    /// # Errors
    ///
    /// Something of it cannot be sent as it is, which is told.
    pub fn new<'a>(
        method: &str,
        url: &str,
        headers: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
        body: Bytes,
        timeouts: Timeouts,
    ) -> Result<Self, http::Error> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::from_bytes(method.as_bytes())?;
        *request.uri_mut() = url.parse::<Uri>()?;
        for (name, value) in headers {
            request.headers_mut().try_append(HeaderName::from_bytes(name)?, HeaderValue::from_bytes(value)?)?;
        }
        Ok(Self { request, timeouts })
    }

    /// Its address, as it would be written.
    #[must_use]
    pub fn url(&self) -> String {
        self.request.uri().to_string()
    }
}

/// Connections that are kept, and a bound of those that are in use.
#[derive(Clone)]
pub struct Pool {
    client: Client<Connector, Full<Bytes>>,
    places: Option<Arc<Semaphore>>,
    has_http2: bool,
}

impl Pool {
    /// A pool without connections.
    ///
    /// # Errors
    ///
    /// What rustls does not take.
    pub fn new(settings: &Settings) -> Result<Self, rustls::Error> {
        let places = settings.limits.connections.map(|most| Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))));
        let client = client(Connector::new(settings)?, settings.limits);
        Ok(Self { client, places, has_http2: settings.has_http2 })
    }

    /// Sends a request. Dropped before it is over, it is given up, with its connection where that is its own.
    ///
    /// # Errors
    ///
    /// What has gone wrong.
    pub async fn send(self, outgoing: Outgoing) -> Result<Answer, Failure> {
        let Outgoing { request, timeouts } = outgoing;
        let place = self.place(timeouts).await?;
        let spare = self.has_http2.then(|| request.clone());
        let (mut response, mut waits) = self.sent(request, timeouts).await?;
        for again in repeat_n(spare, MOST_REPEATED).flatten() {
            if response.as_ref().is_err_and(is_left_undone) {
                (response, waits) = self.sent(again, timeouts).await?;
            }
        }
        Ok(Answer::new(response.map_err(|error| Failure::of(&error))?, waits, place).await)
    }

    async fn sent(&self, mut request: Request<Full<Bytes>>, timeouts: Timeouts) -> Result<(Received, Waits), Failure> {
        let mut waits = Waits::new(capture_connection(&mut request), timeouts);
        let response = waits.connected(TIMEOUTS.scope(timeouts, self.client.request(request))).await?;
        Ok((response, waits))
    }

    async fn place(&self, timeouts: Timeouts) -> Result<Option<OwnedSemaphorePermit>, Failure> {
        let Some(places) = self.places.clone() else { return Ok(None) };
        let place = places.acquire_owned();
        // for a place in a connection of HTTP/2 httpcore waits as long as it takes
        let place = match timeouts.place.filter(|_| !self.has_http2) {
            None => place.await,
            Some(limit) => tokio::time::timeout(limit, place).await.map_err(|_| Kind::PlaceTimeout)?,
        };
        Ok(place.ok()) // nobody closes it
    }
}

/// Whether a server has ended its connection of HTTP/2 in an orderly way, before this request: httpcore takes another one.
fn is_left_undone(error: &Error) -> bool {
    causes(error)
        .filter_map(|cause| cause.downcast_ref::<h2::Error>())
        .any(|error| error.is_go_away() && error.is_remote() && error.reason() == Some(h2::Reason::NO_ERROR))
}

fn client(connector: Connector, limits: Limits) -> Client<Connector, Full<Bytes>> {
    let is_kept = limits.idle_time != Some(Duration::ZERO);
    Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(limits.idle_time)
        .pool_max_idle_per_host(if is_kept { limits.idle.unwrap_or(usize::MAX) } else { 0 })
        .http1_title_case_headers(true)
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_max_buf_size(MOST_HEAD)
        .http1_max_headers(MOST_HEADERS)
        .http2_initial_stream_window_size(WINDOW)
        .http2_initial_connection_window_size(WINDOW)
        .http2_max_header_list_size(MOST_HEADERS_2)
        .build(connector)
}

/// Against servers on loopback. Time stands still but where nothing else goes on: then it is the next timeout's.
#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    const SECOND: Option<Duration> = Some(Duration::from_secs(1));

    async fn listening() -> (TcpListener, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        (listener, url)
    }

    /// A server that sends this to whoever asks, and closes the connection then, if it is to.
    async fn answering(answer: &'static [u8], ends: bool) -> String {
        let (listener, url) = listening().await;
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    while asked(&mut stream).await {
                        stream.write_all(answer).await.unwrap();
                        if ends {
                            break;
                        }
                    }
                });
            }
        });
        url
    }

    async fn asked(stream: &mut TcpStream) -> bool {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return false,
            }
        }
        true
    }

    async fn get(pool: &Pool, url: &str, timeouts: Timeouts) -> Result<Answer, Failure> {
        let outgoing = Outgoing::new("GET", url, [], Bytes::new(), timeouts).unwrap();
        pool.clone().send(outgoing).await
    }

    async fn kind(url: &str, timeouts: Timeouts) -> Kind {
        get(&Pool::new(&Settings::default()).unwrap(), url, timeouts).await.unwrap_err().kind
    }

    async fn body(answer: &mut Answer) -> Vec<u8> {
        let mut body = Vec::new();
        while !answer.is_over() {
            answer.read().await;
            while let Some(part) = answer.taken() {
                body.extend(part.unwrap());
            }
        }
        body
    }

    #[tokio::test]
    async fn a_small_response_has_come_whole_with_its_head() {
        let url = answering(b"HTTP/1.1 299 Fine\r\nX-A: 1\r\nContent-Length: 5\r\n\r\nhello", false).await;
        let mut answer = get(&Pool::new(&Settings::default()).unwrap(), &url, Timeouts::default()).await.unwrap();

        assert_eq!((299, b"Fine".to_vec()), (answer.head.status, answer.head.reason.clone()));
        assert_eq!(Some(Bytes::from_static(b"hello")), answer.taken().transpose().unwrap());
        assert!(answer.is_over());
    }

    #[tokio::test]
    async fn a_body_in_chunks_comes_to_its_end() {
        let url =
            answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", false)
                .await;
        let mut answer = get(&Pool::new(&Settings::default()).unwrap(), &url, Timeouts::default()).await.unwrap();

        assert_eq!(b"abc".to_vec(), body(&mut answer).await);
    }

    #[tokio::test]
    async fn what_goes_wrong_is_told_apart() {
        let (closed, refusing) = listening().await;
        drop(closed);
        let ending = answering(b"", true).await;
        let odd = answering(b"what is this\r\n\r\n", true).await;

        assert_eq!(Kind::NotConnected, kind(&refusing, Timeouts::default()).await);
        assert_eq!(Kind::Ended, kind(&ending, Timeouts::default()).await);
        assert_eq!(Kind::NoHttp, kind(&odd, Timeouts::default()).await);
    }

    #[tokio::test(start_paused = true)]
    async fn what_never_comes_is_waited_for_as_long_as_a_read_may_take() {
        let url = answering(b"", false).await;
        let begun = tokio::time::Instant::now();

        assert_eq!(Kind::ReadTimeout, kind(&url, Timeouts { read: SECOND, ..Timeouts::default() }).await);
        assert!((1..2).contains(&begun.elapsed().as_secs()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stops_is_waited_for_as_long_as_a_read_may_take() {
        let url = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", false).await;
        let timeouts = Timeouts { read: SECOND, ..Timeouts::default() };
        let mut answer = get(&Pool::new(&Settings::default()).unwrap(), &url, timeouts).await.unwrap();
        answer.read().await;
        let first = answer.taken().unwrap().unwrap();
        answer.read().await;

        assert_eq!(b"hel".as_slice(), first);
        assert_eq!(Kind::ReadTimeout, answer.taken().unwrap().unwrap_err().kind);
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_is_free_once_a_body_is_over_or_given_up() {
        let hanging = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", false).await;
        let limits = Limits { connections: Some(1), ..Limits::default() };
        let pool = Pool::new(&Settings { limits, ..Settings::default() }).unwrap();
        let timeouts = Timeouts { place: SECOND, ..Timeouts::default() };
        let first = get(&pool, &hanging, timeouts).await.unwrap();

        assert_eq!(Kind::PlaceTimeout, get(&pool, &hanging, timeouts).await.unwrap_err().kind);
        drop(first);
        assert!(get(&pool, &hanging, timeouts).await.is_ok());
    }

    #[tokio::test]
    async fn a_request_that_is_dropped_is_given_up_on_the_wire() {
        let (listener, url) = listening().await;
        let pool = Pool::new(&Settings::default()).unwrap();
        let request = tokio::spawn(async move { get(&pool, &url, Timeouts::default()).await.is_ok() });
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(asked(&mut stream).await);
        request.abort();

        assert!(stream.read_u8().await.is_err());
    }

    #[test]
    fn what_cannot_go_out_as_it_is_is_no_request() {
        let send = |url, name: &'static [u8]| {
            Outgoing::new("GET", url, [(name, b"1".as_slice())], Bytes::new(), Timeouts::default()).is_err()
        };

        assert_eq!((false, true, true), (send("http://h/", b"a"), send("http://h/ ", b"a"), send("http://h/", b"a b")));
    }
}
