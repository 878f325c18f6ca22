//! The two ends by which the thread of connections wakes an event loop.

#[cfg(unix)]
pub(super) use unix::{Ends, Handle};
#[cfg(windows)]
pub(super) use windows::{Ends, Handle};

#[cfg(unix)]
mod unix {
    use std::io::{self, Read, Write};
    use std::os::fd::{AsRawFd, RawFd};
    use std::os::unix::net::UnixStream;

    pub(crate) type Handle = RawFd;

    /// A pair of sockets.
    pub(crate) struct Ends {
        pulled: UnixStream,
        heard: UnixStream,
    }

    impl Ends {
        pub(crate) fn new() -> io::Result<Self> {
            let (pulled, heard) = UnixStream::pair()?;
            pulled.set_nonblocking(true)?;
            heard.set_nonblocking(true)?;
            Ok(Self { pulled, heard })
        }

        pub(crate) fn pull(&self) -> io::Result<usize> {
            (&self.pulled).write(&[1])
        }

        pub(crate) fn clear(&self) -> io::Result<usize> {
            (&self.heard).read(&mut [0; 16])
        }

        /// What a loop watches.
        pub(crate) fn heard(&self) -> Handle {
            self.heard.as_raw_fd()
        }
    }
}

#[cfg(windows)]
mod windows {
    use std::io;
    use std::net::{Ipv4Addr, UdpSocket};
    use std::os::windows::io::{AsRawSocket, RawSocket};

    pub(crate) type Handle = RawSocket;

    /// A socket that is connected to itself, and so hears nobody else: loops watch nothing there but sockets of the network.
    pub(crate) struct Ends(UdpSocket);

    impl Ends {
        pub(crate) fn new() -> io::Result<Self> {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
            socket.connect(socket.local_addr()?)?;
            socket.set_nonblocking(true)?;
            Ok(Self(socket))
        }

        pub(crate) fn pull(&self) -> io::Result<usize> {
            self.0.send(&[1])
        }

        pub(crate) fn clear(&self) -> io::Result<usize> {
            self.0.recv(&mut [0; 16])
        }

        /// What a loop watches.
        pub(crate) fn heard(&self) -> Handle {
            self.0.as_raw_socket()
        }
    }
}
