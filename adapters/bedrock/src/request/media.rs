//! Images, videos, sounds and documents. The base64 text may stand for the real one, so it is copied and never decoded. The API fetches
//! nothing but from S3.

use std::borrow::Cow;

use crate::json::{Object, push_comma, push_string};

/// The kinds of documents that Converse takes: media type, ending, its word.
const DOCUMENTS: [(&str, &str, &str); 9] = [
    ("application/pdf", "pdf", "pdf"),
    ("text/csv", "csv", "csv"),
    ("application/msword", "doc", "doc"),
    (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "docx",
        "docx",
    ),
    ("application/vnd.ms-excel", "xls", "xls"),
    (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xlsx",
        "xlsx",
    ),
    ("text/html", "html", "html"),
    ("text/markdown", "md", "md"),
    ("text/plain", "txt", "txt"),
];
/// A document's name has at most so many characters.
const LONGEST_NAME: usize = 150;

/// Adds an image or a video, or the document a data URL turns out to hold. The error says what is wrong with the URL.
pub(super) fn push_url(out: &mut String, kind: &str, url: &str, documents: &mut usize) -> Result<(), String> {
    if let Some(data) = url.strip_prefix("data:") {
        let data = Data::of(data)?;
        return push_data(out, &data, None, documents);
    }
    if !url.starts_with("s3://") {
        return Err(not_fetched(kind));
    }
    let ending = ending(url).to_ascii_lowercase();
    let format = if ending == "jpg" { "jpeg" } else { ending.as_str() };
    push_media(out, kind, format, &Source::S3(url));
    Ok(())
}

/// Adds a sound.
pub(super) fn push_audio(out: &mut String, audio: &Object<'_>) -> Result<(), String> {
    let data = audio.text("data").ok_or("A sound needs data.")?;
    if is_address(&data) {
        return Err("Bedrock fetches no files from the web: send the sound's bytes as base64.".to_owned());
    }
    let format = audio.text("format").unwrap_or_else(|| "wav".into());
    push_media(out, "audio", &format, &Source::Bytes(&data));
    Ok(())
}

/// Adds a `file` part.
pub(super) fn push_file(out: &mut String, file: &Object<'_>, documents: &mut usize) -> Result<(), String> {
    let name = file.text("filename");
    let given = file.text("file_data").or_else(|| file.text("file_id"));
    let data = given.ok_or("A file part needs file_data, or a file_id that is an s3:// address.")?;
    if data.starts_with("s3://") {
        let name = name.unwrap_or_else(|| data.rsplit('/').next().unwrap_or_default().to_owned().into());
        let word = word(&file.text("format").unwrap_or_default(), ending(&data));
        let word = word.ok_or_else(|| unknown(ending(&data)))?;
        push_document(out, word, &name, &Source::S3(&data), documents);
        return Ok(());
    }
    if file.get("file_data").is_none() {
        return Err("Bedrock keeps no files: send file_data, or an s3:// address.".to_owned());
    }
    if is_address(&data) {
        return Err(not_fetched("file"));
    }
    let data = match data.strip_prefix("data:") {
        Some(data) => Data::of(data)?,
        None => Data {
            media: file.text("format").unwrap_or_default().into_owned().into(),
            base64: true,
            text: &data,
        },
    };
    push_data(out, &data, name.as_deref(), documents)
}

/// True if this names a place and holds no bytes: base64 has no colon.
fn is_address(data: &str) -> bool {
    !data.starts_with("data:") && data.contains("://")
}

fn not_fetched(kind: &str) -> String {
    format!("Bedrock fetches no files from the web: send the {kind} as a data URL, or give its s3:// address.")
}

/// What a data URL holds.
struct Data<'a> {
    media: Cow<'a, str>,
    base64: bool,
    text: &'a str,
}

/// Where the bytes are.
enum Source<'a> {
    /// here, in base64
    Bytes(&'a str),
    /// at this address
    S3(&'a str),
}

impl<'a> Data<'a> {
    /// `url` without `data:`.
    fn of(url: &'a str) -> Result<Self, String> {
        let (head, text) = url.split_once(',').ok_or("The data URL has no comma.")?;
        let media = head.split(';').next().unwrap_or_default().into();
        let base64 = head.ends_with(";base64");
        Ok(Self { media, base64, text })
    }
}

fn push_data(out: &mut String, data: &Data<'_>, name: Option<&str>, documents: &mut usize) -> Result<(), String> {
    if !data.base64 {
        return Err("Only base64 data URLs can be sent.".to_owned());
    }
    let source = Source::Bytes(data.text);
    match data.media.split_once('/') {
        Some(("image", "jpg")) => push_media(out, "image", "jpeg", &source),
        Some((kind @ ("image" | "video" | "audio"), format)) => push_media(out, kind, video(format), &source),
        _ => {
            let word = word(&data.media, name.map_or("", ending)).ok_or_else(|| unknown(&data.media))?;
            push_document(out, word, name.unwrap_or("document"), &source, documents);
        }
    }
    Ok(())
}

fn unknown(media: &str) -> String {
    format!("Bedrock does not take files of type {media:?}.")
}

/// Media types that have another name in the API.
fn video(format: &str) -> &str {
    match format {
        "quicktime" => "mov",
        "x-matroska" => "mkv",
        "3gpp" => "three_gp",
        "mpeg" => "mpeg",
        format => format,
    }
}

/// The API's word for a kind of document. A file that does not say what it is, is taken for what its name says, else for a PDF.
fn word(media: &str, ending: &str) -> Option<&'static str> {
    let named = |wanted: &str| {
        DOCUMENTS
            .iter()
            .find(|(_, ending, _)| ending.eq_ignore_ascii_case(wanted))
    };
    let typed = DOCUMENTS.iter().find(|(known, ..)| *known == media);
    let found = match media {
        "" | "application/octet-stream" if ending.is_empty() => named("pdf"),
        "" | "application/octet-stream" => named(ending).or_else(|| named("txt").filter(|_| ending == "json")),
        // What is text in another form is read as text.
        media if media.starts_with("text/") || media == "application/json" => typed.or_else(|| named("txt")),
        media => typed.or_else(|| named(media)),
    };
    found.map(|(.., word)| *word)
}

fn ending(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, ending)| ending)
}

fn push_media(out: &mut String, kind: &str, format: &str, source: &Source<'_>) {
    push_comma(out);
    out.push_str(&["{\"", kind, "\":{\"format\":"].concat());
    push_string(out, format);
    push_source(out, source);
}

fn push_document(out: &mut String, word: &str, name: &str, source: &Source<'_>, documents: &mut usize) {
    *documents += 1;
    push_comma(out);
    out.push_str(&["{\"document\":{\"format\":\"", word, "\",\"name\":"].concat());
    push_string(out, &document_name(name, *documents));
    push_source(out, source);
}

fn push_source(out: &mut String, source: &Source<'_>) {
    out.push_str(",\"source\":{");
    match source {
        Source::Bytes(base64) => {
            out.push_str("\"bytes\":");
            push_string(out, base64);
        }
        Source::S3(uri) => {
            out.push_str("\"s3Location\":{\"uri\":");
            push_string(out, uri);
            out.push('}');
        }
    }
    out.push_str("}}}");
}

/// A name as the API takes it: letters, digits, single blanks, hyphens and brackets; each once in a conversation.
fn document_name(name: &str, number: usize) -> String {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let plain = |c: char| c.is_ascii_alphanumeric() || "-()[]".contains(c);
    let words: String = stem.chars().map(|c| if plain(c) { c } else { ' ' }).collect();
    let mut clean = words.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    clean.truncate(LONGEST_NAME);
    match (clean.as_str(), number) {
        ("", number) => format!("document {number}"),
        (clean, 1) => clean.trim_end().to_owned(),
        (clean, number) => format!("{} {number}", clean.trim_end()),
    }
}
