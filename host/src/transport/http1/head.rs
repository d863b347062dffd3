//! The heads of requests and replies.

use bytes::{BufMut as _, Bytes, BytesMut};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING},
};
use url::{Position, Url};

use super::{Broken, Form, Reply, body::Framing};
use crate::transport::http::Outgoing;

/// How long a reply's head may be, in bytes, and how many headers it may have.
const LONGEST: usize = 128 << 10;
const MOST: usize = 128;

/// How long a request's body is.
#[derive(Clone, Copy)]
pub(super) enum Length {
    /// So many bytes.
    Known(u64),
    /// It goes in chunks.
    Unknown,
}

/// Writes a request's head. Names, values and URLs have types that cannot hold a line break.
pub(super) fn write(request: &Outgoing, form: &Form, length: Length, out: &mut BytesMut) {
    let url = &request.url;
    out.put_slice(request.method.as_str().as_bytes());
    out.put_u8(b' ');
    let target = match form {
        Form::Path => &url[Position::BeforePath..Position::AfterQuery],
        Form::Whole(_) => &url[..Position::AfterQuery],
    };
    out.put_slice(target.as_bytes());
    out.put_slice(b" HTTP/1.1\r\n");
    if !request.headers.contains_key(HOST) {
        line(b"host", authority(url).as_bytes(), out);
    }
    if let Form::Whole(Some(credentials)) = form {
        line(b"proxy-authorization", credentials.as_bytes(), out);
    }
    for (name, value) in &request.headers {
        // How the message is framed is said here and by nobody else.
        if *name != CONTENT_LENGTH && *name != TRANSFER_ENCODING && *name != CONNECTION {
            line(name.as_str().as_bytes(), value.as_bytes(), out);
        }
    }
    match length {
        Length::Known(0) if matches!(request.method.as_str(), "GET" | "HEAD" | "DELETE") => {}
        Length::Known(length) => line(b"content-length", length.to_string().as_bytes(), out),
        Length::Unknown => line(b"transfer-encoding", b"chunked", out),
    }
    out.put_slice(b"\r\n");
}

/// Host and port, the port only if it is not the scheme's own.
fn authority(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}

fn line(name: &[u8], value: &[u8], out: &mut BytesMut) {
    out.reserve(name.len() + value.len() + 4);
    out.put_slice(name);
    out.put_slice(b": ");
    out.put_slice(value);
    out.put_slice(b"\r\n");
}

/// Takes a reply's head out of `buffer` once it is whole; interim replies (1xx) are passed over.
pub(super) fn read(buffer: &mut BytesMut) -> Result<Option<Reply>, Broken> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; MOST];
        let mut reply = httparse::Response::new(&mut headers);
        let length = match reply.parse(buffer) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) if buffer.len() > LONGEST => {
                return Err(Broken::Malformed("its head is too long"));
            }
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(httparse::Error::TooManyHeaders) => return Err(Broken::Malformed("it has too many headers")),
            Err(_) => return Err(Broken::Malformed("its head cannot be read")),
        };
        let status = reply.code.and_then(|code| StatusCode::from_u16(code).ok());
        let status = status.ok_or(Broken::Malformed("its status is no status"))?;
        let old = reply.version == Some(0);
        let spans: Vec<_> = reply.headers.iter().map(|header| span(buffer, header)).collect();
        let head = buffer.split_to(length).freeze();
        if status.is_informational() {
            if status == StatusCode::SWITCHING_PROTOCOLS {
                return Err(Broken::Malformed("it switches to another protocol"));
            }
            continue;
        }
        let headers = collect(&head, &spans)?;
        let framing = Framing::of(status, &headers)?;
        let reusable = stays_open(old, &headers) && framing != Framing::UntilClose;
        return Ok(Some(Reply {
            status,
            headers,
            framing,
            reusable,
        }));
    }
}

/// Where a header lies in `buffer`: the name, and the begin and end of the value.
fn span(buffer: &[u8], header: &httparse::Header<'_>) -> (usize, usize, usize, usize) {
    let from = |part: &[u8]| (part.as_ptr() as usize).saturating_sub(buffer.as_ptr() as usize);
    let (name, value) = (from(header.name.as_bytes()), from(header.value));
    (name, name + header.name.len(), value, value + header.value.len())
}

/// The headers as slices of the head.
fn collect(head: &Bytes, spans: &[(usize, usize, usize, usize)]) -> Result<HeaderMap, Broken> {
    let mut headers = HeaderMap::with_capacity(spans.len());
    for &(name, name_end, value, value_end) in spans {
        let name = head.get(name..name_end).unwrap_or_default();
        let name = HeaderName::from_bytes(name).map_err(|_| Broken::Malformed("a header's name is none"))?;
        // An empty value may lie anywhere.
        let value = if value < value_end && value_end <= head.len() {
            HeaderValue::from_maybe_shared(head.slice(value..value_end))
                .map_err(|_| Broken::Malformed("a header's value is none"))?
        } else {
            HeaderValue::from_static("")
        };
        headers.append(name, value);
    }
    Ok(headers)
}

fn stays_open(old: bool, headers: &HeaderMap) -> bool {
    let mut words = headers.get_all(CONNECTION).iter().flat_map(|value| {
        let text = value.to_str().unwrap_or("close");
        text.split(',').map(str::trim)
    });
    if old {
        words.any(|word| word.eq_ignore_ascii_case("keep-alive"))
    } else {
        !words.any(|word| word.eq_ignore_ascii_case("close"))
    }
}
