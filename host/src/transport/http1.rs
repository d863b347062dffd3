//! HTTP/1.1 to a provider, without a task in between: whoever waits for a reply reads the socket himself. What one read of the
//! socket brought leaves as one piece, however many chunks it was sent in, so that a burst of a stream's events costs one write on
//! the way to the client and not one each.
//!
//! RFC 9112; a message that could be read in two ways is an error and no guess.

mod body;
mod head;
mod stream_out;

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

use self::{body::Framing, head::Length};
use super::{http::Outgoing, pieces::Unsent};
use crate::call::Abandoned;

/// Free room a read is given at least, and at most.
const READ: std::ops::RangeInclusive<usize> = 2 << 10..=64 << 10;

/// Why there is no reply, or no whole one.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error("the connection was closed before an answer came")]
    Closed,
    #[error(transparent)]
    Abandoned(#[from] Abandoned),
    #[error("what came is not HTTP/1.1: {0}")]
    Malformed(&'static str),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A connection that carries one request at a time.
pub(super) struct Connection<S> {
    socket: S,
    form: Form,
    /// What was read and is not used yet.
    buffer: BytesMut,
    /// How much the next read is given room for.
    room: usize,
}

/// The head of a reply, and how its body is framed.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    framing: Framing,
    /// The connection can be used again afterwards.
    reusable: bool,
}

/// How the target of a request is written.
pub(super) enum Form {
    /// For a server: the path.
    Path,
    /// For a proxy: all of the URL, with what the proxy wants in `proxy-authorization`.
    Whole(Option<HeaderValue>),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(super) fn new(socket: S, form: Form) -> Self {
        Self {
            socket,
            form,
            buffer: BytesMut::new(),
            room: *READ.start() * 2,
        }
    }

    /// True as long as the other side has neither closed it nor said anything that nobody asked for.
    pub(super) fn is_idle(&mut self) -> bool {
        self.buffer.is_empty() && self.poll_fill(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    /// Sends a request and waits for the head of its reply.
    pub(super) async fn send(&mut self, request: &Outgoing) -> Result<Reply, Broken> {
        let sent = self.write(request).await;
        // Who refuses a large request often answers and closes before all of it is sent; the answer counts.
        match (self.head().await, sent) {
            (Ok(reply), Ok(())) => Ok(reply),
            (Ok(reply), Err(_)) => Ok(Reply {
                reusable: false,
                ..reply
            }),
            (Err(_), Err(error)) => Err(error.into()),
            (Err(error), Ok(())) => Err(error),
        }
    }

    async fn write(&mut self, request: &Outgoing) -> io::Result<()> {
        let mut head = BytesMut::with_capacity(1 << 10);
        head::write(request, &self.form, Length::Known(request.body.len() as u64), &mut head);
        let mut all = Unsent::new(head.freeze(), &request.body);
        self.socket.write_all_buf(&mut all).await?;
        self.socket.flush().await
    }

    async fn head(&mut self) -> Result<Reply, Broken> {
        loop {
            if let Some(reply) = head::read(&mut self.buffer)? {
                return Ok(reply);
            }
            if std::future::poll_fn(|context| self.poll_fill(context)).await? == 0 {
                return Err(Broken::Closed);
            }
        }
    }

    /// Reads what has come; 0 at the end.
    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.buffer.capacity() - self.buffer.len() < *READ.start() {
            self.buffer.reserve(self.room);
        }
        let free = self.buffer.capacity() - self.buffer.len();
        let mut socket = Pin::new(&mut self.socket);
        let read = ready!(tokio_util::io::poll_read_buf(
            socket.as_mut(),
            context,
            &mut self.buffer
        ))?;
        if read == free {
            self.room = (self.room * 2).min(*READ.end());
        }
        Poll::Ready(Ok(read))
    }
}

/// A reply's body being read. Dropped before its end, it closes the connection: the provider sees that nobody listens.
pub(super) struct Body<S> {
    connection: Option<Connection<S>>,
    framing: Framing,
    reusable: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Body<S> {
    pub(super) fn new(connection: Connection<S>, reply: &Reply) -> Self {
        Self {
            connection: Some(connection),
            framing: reply.framing,
            reusable: reply.reusable,
        }
    }

    /// What has come of the body; `None` at its end. Then, and only then, [`Body::spare`] may give the connection back.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        loop {
            if self.framing == Framing::Over {
                return Poll::Ready(None);
            }
            let Some(connection) = &mut self.connection else {
                return Poll::Ready(None);
            };
            match self.framing.decode(&mut connection.buffer) {
                Err(error) => return self.broken(error),
                Ok(Some(piece)) => return Poll::Ready(Some(Ok(piece))),
                Ok(None) if self.framing == Framing::Over => continue,
                Ok(None) => {}
            }
            match ready!(connection.poll_fill(context)) {
                Err(error) => return self.broken(error.into()),
                Ok(0) if self.framing == Framing::UntilClose => self.framing = Framing::Over,
                Ok(0) => return self.broken(Broken::Closed),
                Ok(_) => {}
            }
        }
    }

    /// The connection, if the body is over and another request may follow.
    pub(super) fn spare(&mut self) -> Option<Connection<S>> {
        let over = self.framing == Framing::Over && self.reusable;
        self.connection
            .take_if(|connection| over && connection.buffer.is_empty())
    }

    fn broken(&mut self, error: Broken) -> Poll<Option<Result<Bytes, Broken>>> {
        self.connection = None;
        self.framing = Framing::Over;
        Poll::Ready(Some(Err(error)))
    }
}

#[cfg(test)]
mod tests;
