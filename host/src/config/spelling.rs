//! The two spellings of a key, and the key that was probably meant.

use super::node::Format;

/// `baseUrl` and `base_url` as `base_url`.
pub(super) fn snake(key: &str) -> String {
    let mut out = String::with_capacity(key.len() + 4);
    for c in key.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// `base_url` as `baseUrl`.
fn camel(key: &str) -> String {
    let mut words = key.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut out, word| {
        let mut letters = word.chars();
        out.extend(letters.next().map(|c| c.to_ascii_uppercase()));
        out.push_str(letters.as_str());
        out
    })
}

/// True if `key` was probably meant by what is written.
pub(super) fn is_like(written: &str, key: &str) -> bool {
    strsim::jaro_winkler(written, key) > ALIKE
}

/// From here on two words are alike.
const ALIKE: f64 = 0.8;

/// What to write instead of an unknown key, spelled as is usual in the file's format.
pub(super) fn nearest(key: &str, known: &[&str], format: Format) -> String {
    let spelled = |key: &str| match format {
        Format::Toml => key.to_owned(),
        Format::Json => camel(key),
    };
    let close = known
        .iter()
        .map(|known| (strsim::jaro_winkler(key, known), known))
        .filter(|(score, _)| *score > ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match close {
        Some((_, known)) => format!("did you mean `{}`?", spelled(known)),
        None => {
            let all: Vec<_> = known.iter().map(|known| spelled(known)).collect();
            format!("the keys here are {}", all.join(", "))
        }
    }
}
