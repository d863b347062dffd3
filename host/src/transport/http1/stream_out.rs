//! Sending a request whose body is still coming. The reply is looked for all the while: who refuses an upload does not wait for its
//! end.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Buf as _, BufMut as _, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Broken, Connection, Reply, head, head::Length};
use crate::{
    call::{Abandoned, Rest},
    transport::http::Outgoing,
};

/// A body on its way out.
struct Sending<'r> {
    rest: &'r Rest,
    /// Written to the socket next.
    out: BytesMut,
    /// The body goes in chunks, since nobody knows how long it will be.
    chunked: bool,
    over: bool,
}

/// How sending ended.
enum Sent {
    /// All of it is out. The reply may have begun.
    All(Option<Reply>),
    /// The other side takes no more of it.
    Cut,
    /// The other side has refused it.
    Refused(Reply),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Sends a request with what is still to come of its body, and waits for the head of its reply.
    pub(in crate::transport) async fn send_on(&mut self, request: &Outgoing, rest: &Rest) -> Result<Reply, Broken> {
        let mut sending = Sending::new(request, rest, |out| {
            let length = rest.length().map(|more| more + request.body.len() as u64);
            head::write(request, &self.form, length.map_or(Length::Unknown, Length::Known), out);
        });
        let mut early = None;
        let sent = std::future::poll_fn(|context| self.poll_send(&mut sending, &mut early, context)).await?;
        let unusable = |reply| Reply {
            reusable: false,
            ..reply
        };
        match sent {
            Sent::All(Some(reply)) => Ok(reply),
            Sent::All(None) => self.head().await,
            Sent::Refused(reply) => Ok(unusable(reply)),
            Sent::Cut => self.head().await.map(unusable),
        }
    }

    fn poll_send(
        &mut self,
        sending: &mut Sending<'_>,
        early: &mut Option<Reply>,
        context: &mut Context<'_>,
    ) -> Poll<Result<Sent, Broken>> {
        // A body that comes early is left in the socket.
        while early.is_none() {
            match self.poll_fill(context) {
                Poll::Pending => break,
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(Broken::Closed)),
                Poll::Ready(Err(_)) => return Poll::Ready(Ok(Sent::Cut)),
                Poll::Ready(Ok(_)) => *early = head::read(&mut self.buffer)?,
            }
        }
        if let Some(reply) = early.take_if(|reply| !reply.status.is_success()) {
            return Poll::Ready(Ok(Sent::Refused(reply)));
        }
        match sending.poll(Pin::new(&mut self.socket), context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(())) => Poll::Ready(Ok(Sent::All(early.take()))),
            Poll::Ready(Err(Broken::Io(_))) => Poll::Ready(Ok(Sent::Cut)),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        }
    }
}

impl<'r> Sending<'r> {
    fn new(request: &Outgoing, rest: &'r Rest, write_head: impl FnOnce(&mut BytesMut)) -> Self {
        let mut sending = Self {
            rest,
            out: BytesMut::with_capacity(request.body.len() + (1 << 10)),
            chunked: rest.length().is_none(),
            over: false,
        };
        write_head(&mut sending.out);
        request.body.iter().for_each(|piece| sending.push(piece));
        sending
    }

    fn push(&mut self, piece: &[u8]) {
        if self.chunked && !piece.is_empty() {
            self.out.put_slice(format!("{:x}\r\n", piece.len()).as_bytes());
            self.out.put_slice(piece);
            self.out.put_slice(b"\r\n");
        } else {
            self.out.put_slice(piece);
        }
    }

    fn poll(
        &mut self,
        mut socket: Pin<&mut (impl AsyncWrite + ?Sized)>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), Broken>> {
        loop {
            while self.out.has_remaining() {
                match std::task::ready!(socket.as_mut().poll_write(context, &self.out))? {
                    0 => return Poll::Ready(Err(io::Error::from(io::ErrorKind::WriteZero).into())),
                    written => self.out.advance(written),
                }
            }
            if self.over {
                return socket.poll_flush(context).map_err(Broken::from);
            }
            match self.rest.poll_next(context) {
                Poll::Ready(Some(Ok(piece))) => self.push(&piece),
                Poll::Ready(Some(Err(_))) => return Poll::Ready(Err(Abandoned.into())),
                Poll::Ready(None) => {
                    self.over = true;
                    if self.chunked {
                        self.out.put_slice(b"0\r\n\r\n");
                    }
                }
                Poll::Pending => {
                    // What is there is not held back while the client thinks.
                    if let Poll::Ready(Err(error)) = socket.as_mut().poll_flush(context) {
                        return Poll::Ready(Err(error.into()));
                    }
                    return Poll::Pending;
                }
            }
        }
    }
}
