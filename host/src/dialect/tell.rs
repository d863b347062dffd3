//! A chat's answer, told to the client in its own API.

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, stream};

use super::{Memo, Translated, Writer};
use crate::{
    error::{Error, Result},
    reply::{Body, Events, Reply},
    transport::frame::{Cutter, Framing, LIMIT},
};

/// A comment: it keeps connections open that close when they are silent.
const HEARTBEAT: Bytes = Bytes::from_static(b":\n\n");

impl Translated {
    /// The reply to the chat as the client is to see it. `provider` is for the error of one that cannot be read.
    pub fn tell(self, mut reply: Reply, provider: &str) -> Result<Reply> {
        reply.body = match reply.body {
            Body::Whole(answer) => Body::Whole(whole(&self.memo, &answer, provider)?),
            Body::Raw(raw) => Body::Raw(raw),
            Body::Events(chat) => Body::Events(events(chat, self.memo.writer(), provider.to_owned())),
        };
        Ok(reply)
    }
}

fn whole(memo: &Memo, answer: &[u8], provider: &str) -> Result<Bytes> {
    let told = std::str::from_utf8(answer)
        .map_err(|_| "it is not valid UTF-8")
        .and_then(|answer| memo.answer(answer));
    told.map(Bytes::from).map_err(|what| unusable(provider, what))
}

fn unusable(provider: &str, what: &str) -> Error {
    Error::BadAnswer {
        provider: provider.to_owned(),
        what: what.to_owned(),
    }
}

/// A stream being told.
struct Telling {
    chat: Events,
    cutter: Cutter,
    writer: Box<dyn Writer>,
    provider: String,
    ended: bool,
    /// What broke it, once that has been told.
    broken: Option<Error>,
    over: bool,
}

/// The events of the client's API. An error comes after the event that tells of it, for the account.
fn events(chat: Events, writer: Box<dyn Writer>, provider: String) -> Events {
    let telling = Telling {
        chat,
        // A relayed body may be cut anywhere, so its events are looked for as a provider's are.
        cutter: Cutter::new(Framing::Sse, LIMIT),
        writer,
        provider,
        ended: false,
        broken: None,
        over: false,
    };
    Box::pin(stream::unfold(telling, async |mut telling| {
        let item = telling.next().await?;
        Some((item, telling))
    }))
}

impl Telling {
    async fn next(&mut self) -> Option<Result<Bytes>> {
        if let Some(error) = self.broken.take() {
            self.over = true;
            return Some(Err(error));
        }
        while !self.over {
            let mut out = BytesMut::new();
            let read = self.chat.next().await;
            let quiet = matches!(&read, Some(Ok(read)) if read.first() == Some(&b':'));
            let told = match read {
                Some(Ok(read)) => self.read(read, &mut out),
                Some(Err(error)) => Err(error),
                None => self.end(),
            };
            if let Err(error) = told {
                self.writer.fail(&error, &mut out);
                self.broken = Some(error);
            }
            if !out.is_empty() {
                return Some(Ok(out.freeze()));
            }
            if let Some(error) = self.broken.take() {
                self.over = true;
                return Some(Err(error));
            }
            if quiet {
                return Some(Ok(HEARTBEAT));
            }
        }
        None
    }

    fn read(&mut self, read: Bytes, out: &mut BytesMut) -> Result<()> {
        self.cutter.feed(read);
        while let Some(frame) = self.cutter.cut().map_err(|long| long.from(&self.provider))? {
            if self.ended {
                continue;
            }
            if frame.data == "[DONE]" {
                self.ended = true;
                self.writer.finish(out);
                continue;
            }
            let told = std::str::from_utf8(&frame.data)
                .map_err(|_| "a chunk that is not valid UTF-8")
                .and_then(|chunk| self.writer.push(chunk, out));
            told.map_err(|what| unusable(&self.provider, what))?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        self.over = true;
        if self.ended {
            return Ok(());
        }
        Err(Error::Truncated {
            provider: self.provider.clone(),
        })
    }
}
