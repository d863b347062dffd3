//! Request bodies as guests describe them, made into bytes: text with tokens in it, the client's files, multipart forms.

use std::io::Write as _;

use bytes::{BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, header};
use serde_json::json;

use super::{
    contract::{Body, Part, PartData},
    site::NO_RANDOM,
};
use crate::{
    call::object::Object,
    error::{Error, Result},
    transport::{
        pieces::Pieces,
        tokens::{Escape, Tokens},
    },
};

/// Files of the client's that a guest can name but does not see.
#[derive(Default)]
pub(super) struct Uploads(Vec<Upload>);

/// One file of a client's multipart request.
pub struct Upload {
    /// The form field it came in.
    pub field: String,
    /// As the client named it.
    pub filename: Option<String>,
    /// As the client declared it.
    pub content_type: Option<String>,
    /// What is in it.
    pub bytes: Bytes,
}

impl Uploads {
    /// Keeps `files`, and puts what the guest is told of each into `body`, the request's other fields: a JSON object whose `base64` is
    /// a token, so that megabytes do not pass through the guest.
    pub(super) fn keep(files: Vec<Upload>, body: &str, tokens: &mut Tokens) -> Result<(Self, String)> {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let fields = Object::parse(body).map_err(|_| Error::Internal("an upload beside a body that is no object"))?;
        let mut told = Vec::with_capacity(files.len());
        for (id, file) in files.iter().enumerate() {
            let base64 = tokens
                .issue_file(STANDARD.encode(&file.bytes).into())
                .ok_or(NO_RANDOM)?;
            let description = json!({
                "upload": id.to_string(),
                "filename": file.filename,
                "content_type": file.content_type,
                "size": file.bytes.len(),
                "base64": base64,
            });
            told.push(description.to_string());
        }
        let fields_of = files
            .iter()
            .zip(&told)
            .map(|(file, told)| (file.field.as_str(), told.as_str()));
        let body = fields.with(body, &fields_of.collect::<Vec<_>>());
        Ok((Self(files), body))
    }

    fn get(&self, id: &str) -> Result<&Upload, &'static str> {
        let index: usize = id.parse().map_err(|_| NO_UPLOAD)?;
        self.0.get(index).ok_or(NO_UPLOAD)
    }
}

const NO_UPLOAD: &str = "an upload id that was not given to it";

/// The bytes of `body`; content-type is set where the body decides about it. The error says what is wrong.
pub(super) fn encode(
    body: Body,
    headers: &mut HeaderMap,
    tokens: &Tokens,
    uploads: &Uploads,
) -> Result<Pieces, &'static str> {
    Ok(match body {
        Body::Empty => Pieces::default(),
        Body::Text(text) => tokens.reveal_body(text, escape(headers)),
        Body::Bytes(bytes) => bytes.into(),
        Body::Upload(id) => {
            let file = uploads.get(&id)?;
            let declared = file.content_type.as_deref().unwrap_or("application/octet-stream");
            if let (false, Ok(value)) = (
                headers.contains_key(header::CONTENT_TYPE),
                HeaderValue::from_str(declared),
            ) {
                headers.insert(header::CONTENT_TYPE, value);
            }
            file.bytes.clone().into()
        }
        Body::Multipart(parts) => multipart(&parts, headers, tokens, uploads)?.into(),
    })
}

/// How a secret has to be written in a text body of this content-type.
fn escape(headers: &HeaderMap) -> Escape {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind == "application/x-www-form-urlencoded" {
        Escape::Percent
    } else if kind.ends_with("json") {
        Escape::Json
    } else {
        Escape::Plain
    }
}

/// `multipart/form-data` (RFC 7578).
fn multipart(
    parts: &[Part],
    headers: &mut HeaderMap,
    tokens: &Tokens,
    uploads: &Uploads,
) -> Result<Bytes, &'static str> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|_| "a form that needs random bytes, which the system does not give")?;
    let boundary = format!("witgate-{:032x}", u128::from_be_bytes(random));
    let mut out = BytesMut::new();
    for part in parts {
        out.put_slice(format!("--{boundary}\r\n").as_bytes());
        put_part(part, tokens, uploads, &mut out)?;
        out.put_slice(b"\r\n");
    }
    out.put_slice(format!("--{boundary}--\r\n").as_bytes());
    let kind = HeaderValue::from_str(&format!("multipart/form-data; boundary={boundary}"));
    headers.insert(header::CONTENT_TYPE, kind.map_err(|_| "a form")?);
    Ok(out.freeze())
}

fn put_part(part: &Part, tokens: &Tokens, uploads: &Uploads, out: &mut BytesMut) -> Result<(), &'static str> {
    let file = match &part.data {
        PartData::Upload(id) => Some(uploads.get(id)?),
        PartData::Text(_) | PartData::Bytes(_) => None,
    };
    let filename = part
        .filename
        .as_deref()
        .or_else(|| file.map(|f| f.filename.as_deref().unwrap_or("file")));
    let default = match &part.data {
        PartData::Text(_) => None,
        PartData::Bytes(_) => Some("application/octet-stream"),
        PartData::Upload(_) => Some(
            file.and_then(|f| f.content_type.as_deref())
                .unwrap_or("application/octet-stream"),
        ),
    };
    out.put_slice(format!("content-disposition: form-data; name=\"{}\"", quoted(&part.name)).as_bytes());
    if let Some(filename) = filename {
        out.put_slice(format!("; filename=\"{}\"", quoted(filename)).as_bytes());
    }
    out.put_slice(b"\r\n");
    if let Some(kind) = part.content_type.as_deref().or(default) {
        HeaderValue::from_str(kind).map_err(|_| "a form part whose content-type has a control character")?;
        out.put_slice(format!("content-type: {kind}\r\n").as_bytes());
    }
    out.put_slice(b"\r\n");
    match &part.data {
        PartData::Text(text) => out.put_slice(tokens.reveal(text, Escape::Plain).as_bytes()),
        PartData::Bytes(bytes) => out.put_slice(bytes),
        PartData::Upload(_) => out.put_slice(file.map(|f| &*f.bytes).unwrap_or_default()),
    }
    Ok(())
}

/// As browsers write names: quotes and line breaks percent-encoded, so that none of them ends the header.
fn quoted(name: &str) -> String {
    name.chars().fold(String::with_capacity(name.len()), |mut out, c| {
        match c {
            '"' => out.push_str("%22"),
            '\r' => out.push_str("%0D"),
            '\n' => out.push_str("%0A"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
        out
    })
}

/// The body compressed, with its content-encoding; as it is if that fails.
pub(super) fn gzip(body: Pieces, headers: &mut HeaderMap) -> Pieces {
    let small = Vec::with_capacity(body.len() / 4);
    let mut encoder = flate2::write::GzEncoder::new(small, flate2::Compression::fast());
    let written = body.iter().try_for_each(|piece| encoder.write_all(piece));
    match written.and_then(|()| encoder.finish()) {
        Ok(small) => {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            small.into()
        }
        Err(_) => body,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn form(parts: &[Part], tokens: &Tokens, uploads: &Uploads) -> (String, String) {
        let mut headers = HeaderMap::new();
        let bytes = multipart(parts, &mut headers, tokens, uploads).unwrap();
        let kind = headers[header::CONTENT_TYPE].to_str().unwrap().to_owned();
        (kind, String::from_utf8_lossy(&bytes).into_owned())
    }

    fn part(name: &str, data: PartData) -> Part {
        Part {
            name: name.to_owned(),
            filename: None,
            content_type: None,
            data,
        }
    }

    #[test]
    fn a_form_has_the_clients_file_and_the_secret_and_no_name_breaks_out_of_its_header() {
        let mut tokens = Tokens::default();
        let token = tokens.issue(Secret::new("s3cret!")).unwrap().to_owned();
        let file = Upload {
            field: "file".to_owned(),
            filename: Some("a.wav".to_owned()),
            content_type: Some("audio/wav".to_owned()),
            bytes: Bytes::from_static(b"RIFF"),
        };
        let (uploads, told) = Uploads::keep(vec![file], r#"{"model":"m"}"#, &mut tokens).unwrap();
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        assert_eq!(
            (told["model"].as_str(), told["file"]["size"].as_u64()),
            (Some("m"), Some(4))
        );
        let id = told["file"]["upload"].as_str().unwrap().to_owned();
        let parts = [
            part("key\"\r\nx: y", PartData::Text(token)),
            part("file", PartData::Upload(id)),
        ];
        let (kind, body) = form(&parts, &tokens, &uploads);
        let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
        let expected = format!(
            "--{boundary}\r\ncontent-disposition: form-data; name=\"key%22%0D%0Ax: y\"\r\n\r\ns3cret!\r\n--{boundary}\r\n\
             content-disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\ncontent-type: audio/wav\r\n\r\nRIFF\r\n--{boundary}--\r\n"
        );
        assert_eq!(body, expected);
    }

    #[test]
    fn an_upload_that_does_not_exist_is_an_error() {
        let mut headers = HeaderMap::new();
        let body = Body::Upload("7".to_owned());
        assert!(encode(body, &mut headers, &Tokens::default(), &Uploads::default()).is_err());
    }

    #[test]
    fn the_content_type_decides_how_a_secret_is_escaped() {
        let with = |kind: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
            escape(&headers)
        };
        assert_eq!(with("application/json; charset=utf-8"), Escape::Json);
        assert_eq!(with("application/vnd.api+json"), Escape::Json);
        assert_eq!(with("application/x-www-form-urlencoded"), Escape::Percent);
        assert_eq!(with("text/plain"), Escape::Plain);
    }
}
