//! Connections for hyper's pool: a socket, a tunnel through a proxy where there is one, and TLS over it.

use std::future::{Future, Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use crate::activity::Activity;
use crate::failure::{ConnectFailure, Failure, Kind};
use crate::names::Resolver;
use crate::settings::{Language, Proxy, Settings, Timeouts, Trust};
use crate::stream::{Stream, Transport};
use crate::tls;

tokio::task_local! {
    /// Of the request for which a connection is made: hyper's pool begins to make one while it is polled for that
    /// request, and hands on the address alone.
    pub(crate) static TIMEOUTS: Timeouts;
}

type Failable<T> = Result<T, ConnectFailure>;

/// Makes connections.
#[derive(Clone)]
pub(crate) struct Connector {
    sockets: HttpConnector<Resolver>,
    tls: Option<Arc<ClientConfig>>,
    proxy: Option<Arc<Reached>>,
}

/// A proxy, and how TLS is spoken with it.
struct Reached {
    proxy: Proxy,
    tls: Option<Arc<ClientConfig>>,
}

impl Connector {
    /// What connects as a pool's settings say; what rustls does not take.
    pub(crate) fn new(settings: &Settings) -> Result<Self, rustls::Error> {
        let mut sockets = HttpConnector::new_with_resolver(Resolver);
        sockets.enforce_http(false);
        sockets.set_nodelay(true);
        sockets.set_local_address(settings.local_address);
        let tls = configured(settings.trust.as_ref(), settings.has_http2)?;
        let proxy = settings.proxy.clone().map(Reached::new).transpose()?.map(Arc::new);
        Ok(Self { sockets, tls, proxy })
    }

    async fn connect(self, to: Uri, timeouts: Timeouts) -> Failable<Stream> {
        let is_tls = is_tls(&to);
        let is_forwarded = !is_tls && self.proxy.as_ref().is_some_and(|reached| reached.takes_requests());
        let transport = match &self.proxy {
            Some(reached) => self.over(reached, &to, timeouts).await?,
            None => self.reach(&to, None, timeouts).await?,
        };
        let (transport, is_http2) = if is_tls {
            in_time(timeouts.connect, Kind::ConnectTimeout, secure(transport, self.tls.clone(), &to)).await?
        } else {
            (transport, false)
        };
        Ok(Stream { transport, activity: Activity::begin(), is_forwarded, is_http2 })
    }

    /// A connection to a host itself.
    async fn reach(
        &self,
        host: &Uri,
        tls: Option<&Arc<ClientConfig>>,
        timeouts: Timeouts,
    ) -> Failable<Box<dyn Transport>> {
        let socket = async { self.sockets.clone().call(host.clone()).await.map_err(failed) };
        let socket = Box::new(in_time(timeouts.connect, Kind::ConnectTimeout, socket).await?);
        match tls {
            None => Ok(socket),
            tls => Ok(in_time(timeouts.connect, Kind::ConnectTimeout, secure(socket, tls.cloned(), host)).await?.0),
        }
    }

    /// A connection over a proxy.
    async fn over(&self, reached: &Reached, to: &Uri, timeouts: Timeouts) -> Failable<Box<dyn Transport>> {
        let Proxy { address, language } = &reached.proxy;
        let transport = self.reach(address, reached.tls.as_ref(), timeouts).await?;
        match language {
            Language::Http { .. } if !is_tls(to) => Ok(transport),
            Language::Http { headers, .. } => {
                let mut tunnel = Tunnel::new(address.clone(), Connected(Some(transport))).with_headers(headers.clone());
                answered(timeouts, tunnel.call(to.clone())).await
            }
            Language::Socks { credentials } => {
                let mut tunnel = SocksV5::new(address.clone(), Connected(Some(transport)));
                if let Some((name, password)) = credentials.clone() {
                    tunnel = tunnel.with_auth(name, password);
                }
                answered(timeouts, tunnel.call(to.clone())).await
            }
        }
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = ConnectFailure;
    type Future = Pin<Box<dyn Future<Output = Failable<Stream>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Failable<()>> {
        self.sockets.poll_ready(cx).map_err(failed)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let timeouts = TIMEOUTS.try_with(|timeouts| *timeouts).unwrap_or_default();
        Box::pin(self.clone().connect(to, timeouts))
    }
}

impl Reached {
    fn new(proxy: Proxy) -> Result<Self, rustls::Error> {
        let tls = match &proxy.language {
            Language::Http { trust, .. } => configured(trust.as_ref(), false)?,
            Language::Socks { .. } => None,
        };
        Ok(Self { proxy, tls })
    }

    /// Whether requests for `http` are handed to it as they are.
    fn takes_requests(&self) -> bool {
        matches!(self.proxy.language, Language::Http { .. })
    }
}

fn configured(trust: Option<&Trust>, has_http2: bool) -> Result<Option<Arc<ClientConfig>>, rustls::Error> {
    trust.map(|trust| tls::config(trust, has_http2).map(Arc::new)).transpose()
}

fn is_tls(to: &Uri) -> bool {
    to.scheme_str() == Some("https")
}

/// What a proxy makes of a request for a tunnel, in the time that any answer has.
async fn answered<E: ToString>(
    timeouts: Timeouts,
    asked: impl Future<Output = Result<Box<dyn Transport>, E>>,
) -> Failable<Box<dyn Transport>> {
    in_time(timeouts.read, Kind::NotConnected, async { asked.await.map_err(failed) }).await
}

/// The connection to a proxy, of which hyper's tunnel would make one of its own.
struct Connected(Option<Box<dyn Transport>>);

impl Service<Uri> for Connected {
    type Response = Box<dyn Transport>;
    type Error = io::Error;
    type Future = Ready<io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        ready(self.0.take().ok_or_else(|| io::ErrorKind::NotConnected.into()))
    }
}

async fn secure(
    transport: Box<dyn Transport>,
    config: Option<Arc<ClientConfig>>,
    to: &Uri,
) -> Failable<(Box<dyn Transport>, bool)> {
    let config = config.ok_or_else(|| failed("no settings for TLS"))?;
    let host = to.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(host).map_err(failed)?;
    let stream = TlsConnector::from(config).connect(name, TokioIo::new(transport)).await.map_err(failed)?;
    let is_http2 = tls::is_http2(stream.get_ref().1.alpn_protocol());
    Ok((Box::new(TokioIo::new(stream)), is_http2))
}

/// What comes of something, unless it takes longer than it may.
async fn in_time<T>(limit: Option<Duration>, late: Kind, awaited: impl Future<Output = Failable<T>>) -> Failable<T> {
    match limit {
        None => awaited.await,
        Some(limit) => tokio::time::timeout(limit, awaited).await.unwrap_or(Err(ConnectFailure(late.into()))),
    }
}

#[allow(clippy::needless_pass_by_value)] // as `map_err` hands it on
fn failed(error: impl ToString) -> ConnectFailure {
    ConnectFailure(Failure { kind: Kind::NotConnected, text: error.to_string(), number: None })
}
