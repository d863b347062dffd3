//! Images and documents. The base64 text may stand for the real one, so it is copied and, but for plain text, never decoded.

use crate::json::{Object, push_comma, push_field, push_string};

/// Adds an image, or the document a data URL turns out to hold. The error says what is wrong with the URL.
pub(super) fn push_image(out: &mut String, url: &str) -> Result<(), String> {
    if let Some(data) = url.strip_prefix("data:") {
        return push_data(out, Data::of(data)?, None, None);
    }
    check_web(url)?;
    push_comma(out);
    out.push_str("{\"type\":\"image\",\"source\":{\"type\":\"url\",\"url\":");
    push_string(out, url);
    out.push_str("}}");
    Ok(())
}

/// Adds a `file` part. True if it names a file that was uploaded to the provider.
pub(super) fn push_file(out: &mut String, file: &Object<'_>) -> Result<bool, String> {
    let name = file.get("filename");
    if let Some(id) = file.get("file_id") {
        open_document(out, "file");
        push_field(out, "file_id", id);
        close_document(out, name);
        return Ok(true);
    }
    let data = file
        .text("file_data")
        .ok_or("A file part needs file_data or file_id.")?;
    if let Some(data) = data.strip_prefix("data:") {
        push_data(out, Data::of(data)?, name, file.text("filename").as_deref())?;
    } else if data.starts_with("http://") || data.starts_with("https://") {
        open_document(out, "url");
        out.push_str(",\"url\":");
        push_string(out, &data);
        close_document(out, name);
    } else {
        let media = file.text("format").unwrap_or_default();
        let data = Data {
            media: &media,
            base64: true,
            text: &data,
        };
        push_data(out, data, name, file.text("filename").as_deref())?;
    }
    Ok(false)
}

/// What a data URL holds.
#[derive(Clone, Copy)]
struct Data<'a> {
    media: &'a str,
    base64: bool,
    text: &'a str,
}

impl<'a> Data<'a> {
    /// `url` without `data:`.
    fn of(url: &'a str) -> Result<Self, String> {
        let (head, text) = url.split_once(',').ok_or("The data URL has no comma.")?;
        let media = head.split(';').next().unwrap_or_default();
        let base64 = head.ends_with(";base64");
        Ok(Self { media, base64, text })
    }
}

fn push_data(out: &mut String, data: Data<'_>, title: Option<&str>, filename: Option<&str>) -> Result<(), String> {
    let extension = filename
        .and_then(|name| name.rsplit_once('.'))
        .map_or("", |(_, extension)| extension);
    let media = match (data.media, extension) {
        ("image/jpg", _) => "image/jpeg",
        ("" | "application/octet-stream", "pdf" | "PDF" | "") => "application/pdf",
        ("" | "application/octet-stream", "txt" | "md" | "csv" | "json") => "text/plain",
        (media, _) => media,
    };
    if media.starts_with("text/") {
        let text = if data.base64 {
            decode(data.text)?
        } else {
            percent_decode(data.text)?
        };
        open_document(out, "text");
        out.push_str(",\"media_type\":\"text/plain\",\"data\":");
        push_string(out, &text);
        close_document(out, title);
        return Ok(());
    }
    if !data.base64 {
        return Err("Only base64 data URLs can be sent.".to_owned());
    }
    let document = match media {
        "application/pdf" => true,
        _ if media.starts_with("image/") => false,
        _ => return Err(format!("Anthropic's models do not take files of type {media:?}.")),
    };
    if document {
        open_document(out, "base64");
    } else {
        push_comma(out);
        out.push_str("{\"type\":\"image\",\"source\":{\"type\":\"base64\"");
    }
    out.push_str(",\"media_type\":");
    push_string(out, media);
    out.push_str(",\"data\":");
    push_string(out, data.text);
    if document {
        close_document(out, title);
    } else {
        out.push_str("}}");
    }
    Ok(())
}

fn open_document(out: &mut String, source: &str) {
    push_comma(out);
    out.push_str("{\"type\":\"document\",\"source\":{\"type\":\"");
    out.push_str(source);
    out.push('"');
}

fn close_document(out: &mut String, title: Option<&str>) {
    out.push('}');
    if let Some(title) = title {
        push_field(out, "title", title);
    }
    out.push('}');
}

fn check_web(url: &str) -> Result<(), String> {
    if url.starts_with("https://") || url.starts_with("http://") {
        return Ok(());
    }
    Err("An image is an http, https or data URL.".to_owned())
}

fn decode(base64: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(base64.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in base64.bytes().filter(|byte| *byte != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'\n' | b'\r' => continue,
            _ => return Err("The file is not valid base64.".to_owned()),
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    utf8(bytes)
}

fn percent_decode(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let hex = |digit: Option<u8>| digit.and_then(|digit| char::from(digit).to_digit(16));
        bytes.push(match byte {
            b'%' => match (hex(rest.next()), hex(rest.next())) {
                (Some(high), Some(low)) => (high * 16 + low) as u8,
                _ => return Err("The data URL has a broken percent escape.".to_owned()),
            },
            _ => byte,
        });
    }
    utf8(bytes)
}

fn utf8(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|_| "The text file is not valid UTF-8.".to_owned())
}
