//! Images, recordings, films and documents. The base64 text may stand for the real one, so it is copied and never decoded.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::json::{Object, push_comma, push_string, string};

/// The media types of files by the ends of their names; of those that Gemini takes.
const TYPES: [(&str, &str); 31] = [
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("webp", "image/webp"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("gif", "image/gif"),
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
    ("csv", "text/csv"),
    ("html", "text/html"),
    ("xml", "text/xml"),
    ("json", "application/json"),
    ("py", "text/x-python"),
    ("js", "text/javascript"),
    ("css", "text/css"),
    ("wav", "audio/wav"),
    ("mp3", "audio/mp3"),
    ("aac", "audio/aac"),
    ("ogg", "audio/ogg"),
    ("flac", "audio/flac"),
    ("aiff", "audio/aiff"),
    ("m4a", "audio/m4a"),
    ("mp4", "video/mp4"),
    ("mpeg", "video/mpeg"),
    ("mov", "video/mov"),
    ("webm", "video/webm"),
    ("wmv", "video/wmv"),
    ("3gp", "video/3gpp"),
    ("flv", "video/x-flv"),
];

/// Adds what an `image_url` or a `video_url` names. The error says what is wrong with it.
pub(super) fn push_url(out: &mut String, value: Option<&RawValue>, usual: &str) -> Result<(), String> {
    let object = value.and_then(|value| Object::parse(value.get()));
    // The URL is in an object; some clients send it itself.
    let url = match &object {
        Some(object) => object.text("url"),
        None => value.and_then(|value| string(value.get())),
    };
    let url = url.ok_or("The part needs a URL.")?;
    let format = object.and_then(|object| object.text("format"));
    if url.starts_with("data:") {
        return push_data_url(out, &url, format.as_deref());
    }
    push_uri(out, &url, format.as_deref(), usual)
}

/// Adds an `input_audio`.
pub(super) fn push_audio(out: &mut String, audio: &Object<'_>) -> Result<(), String> {
    let data = audio.text("data").ok_or("An audio part needs data.")?;
    let format = audio.text("format").unwrap_or(Cow::Borrowed("wav"));
    let media = by_extension(&format).map_or_else(|| format!("audio/{format}"), str::to_owned);
    push_data(out, &media, &data);
    Ok(())
}

/// Adds a `file`.
pub(super) fn push_file(out: &mut String, file: &Object<'_>) -> Result<(), String> {
    let name = file.text("filename").unwrap_or_default();
    let format = file.text("format");
    let format = format.as_deref().or_else(|| by_name(&name));
    if let Some(id) = file.text("file_id") {
        if !id.contains("://") {
            return Err(
                "A file_id is the URI of a file that was uploaded to Google, or a gs:// or https:// address."
                    .to_owned(),
            );
        }
        return push_uri(out, &id, format, "application/pdf");
    }
    let data = file
        .text("file_data")
        .ok_or("A file part needs file_data or file_id.")?;
    if data.starts_with("data:") {
        return push_data_url(out, &data, format);
    }
    if data.contains("://") {
        return push_uri(out, &data, format, "application/pdf");
    }
    push_data(out, format.unwrap_or("application/pdf"), &data);
    Ok(())
}

/// `known`: the type, where the URL does not tell one.
fn push_data_url(out: &mut String, url: &str, known: Option<&str>) -> Result<(), String> {
    let (head, data) = url.split_once(',').ok_or("The data URL has no comma.")?;
    let head = head.strip_prefix("data:").unwrap_or(head);
    if !head.ends_with(";base64") {
        return Err("Only base64 data URLs can be sent.".to_owned());
    }
    let media = match head.split(';').next().unwrap_or_default() {
        "" | "application/octet-stream" => known.ok_or("The data URL does not tell its media type.")?,
        "image/jpg" => "image/jpeg",
        media => media,
    };
    push_data(out, media, data);
    Ok(())
}

fn push_data(out: &mut String, media: &str, data: &str) {
    push_comma(out);
    out.push_str("{\"inlineData\":{\"mimeType\":");
    push_string(out, media);
    out.push_str(",\"data\":");
    push_string(out, data);
    out.push_str("}}");
}

/// Adds a file that Google fetches itself. The type may be left out only of files that were uploaded to it.
fn push_uri(out: &mut String, uri: &str, format: Option<&str>, usual: &str) -> Result<(), String> {
    if !["https://", "http://", "gs://"]
        .iter()
        .any(|scheme| uri.starts_with(scheme))
    {
        return Err("A file is named by a data:, https:, http: or gs: URL.".to_owned());
    }
    let path = uri.split(['?', '#']).next().unwrap_or_default();
    let uploaded = uri.starts_with("https://generativelanguage.googleapis.com/");
    let media = format.or_else(|| by_name(path)).or((!uploaded).then_some(usual));
    push_comma(out);
    out.push_str("{\"fileData\":{");
    if let Some(media) = media {
        out.push_str("\"mimeType\":");
        push_string(out, media);
        out.push(',');
    }
    out.push_str("\"fileUri\":");
    push_string(out, uri);
    out.push_str("}}");
    Ok(())
}

fn by_name(name: &str) -> Option<&'static str> {
    by_extension(name.rsplit_once('.')?.1)
}

fn by_extension(extension: &str) -> Option<&'static str> {
    let found = TYPES.iter().find(|(end, _)| end.eq_ignore_ascii_case(extension));
    found.map(|(_, media)| *media)
}
