//! Where hosts are, by the system's own way of finding them.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;
use std::vec::IntoIter;

use hyper_util::client::legacy::connect::dns::Name;
use tokio::sync::oneshot;
use tower_service::Service;

/// Asks the system, which makes whoever asks wait, on a thread for each question. hyper's own way has tokio begin that
/// thread, and panics where the system gives none.
#[derive(Clone)]
pub(crate) struct Resolver;

impl Service<Name> for Resolver {
    type Response = IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (told, found) = oneshot::channel();
        let ask = move || drop(told.send((name.as_str(), 0).to_socket_addrs()));
        let begun = thread::Builder::new().name("fast-litellm-name".into()).spawn(ask);
        Box::pin(async move {
            begun?;
            found.await.unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
        })
    }
}
