//! Undoing content encodings. We do not ask for any (a stream's events would wait in the compressor), but some servers send one all
//! the same. What comes out is counted by the same limits as any body.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder};
use bytes::Bytes;
use futures_util::Stream;
use tokio_util::io::{ReaderStream, StreamReader};

use super::pool::Body;

/// A body without its encoding.
pub(super) type Decoded = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// Undoes `encoding`. The body comes back in a box if it is none we know, and the bytes stay as they are.
pub(super) fn decode(encoding: &str, body: Body) -> Result<Decoded, Box<Body>> {
    let encoding = encoding.trim().to_ascii_lowercase();
    if !matches!(encoding.as_str(), "gzip" | "x-gzip" | "br" | "deflate" | "zstd") {
        return Err(Box::new(body));
    }
    let reader = StreamReader::new(Encoded(body));
    Ok(match encoding.as_str() {
        "br" => Box::pin(ReaderStream::new(BrotliDecoder::new(reader))),
        "deflate" => Box::pin(ReaderStream::new(ZlibDecoder::new(reader))),
        "zstd" => Box::pin(ReaderStream::new(ZstdDecoder::new(reader))),
        _ => Box::pin(ReaderStream::new(GzipDecoder::new(reader))),
    })
}

struct Encoded(Body);

impl Stream for Encoded {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let read = self.0.poll_next(context);
        read.map(|next| next.map(|piece| piece.map_err(|()| io::Error::from(io::ErrorKind::UnexpectedEof))))
    }
}
