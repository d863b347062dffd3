//! Percent-encoding.

/// `text` as one segment of a URL's path, or one value of its query: all but letters, digits and `-._~` is escaped.
///
/// ```
/// assert_eq!(witgate_sdk::url::segment("a/b c:ü"), "a%2Fb%20c%3A%C3%BC");
/// ```
#[must_use]
pub fn segment(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    push(&mut encoded, text);
    encoded
}

/// `fields` as a query (without its question mark) or a form.
///
/// ```
/// assert_eq!(witgate_sdk::url::query(&[("q", "a&b"), ("n", "1")]), "q=a%26b&n=1");
/// ```
#[must_use]
pub fn query(fields: &[(&str, &str)]) -> String {
    let mut encoded = String::new();
    for (name, value) in fields {
        if !encoded.is_empty() {
            encoded.push('&');
        }
        push(&mut encoded, name);
        encoded.push('=');
        push(&mut encoded, value);
    }
    encoded
}

fn push(encoded: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(HEX[usize::from(byte >> 4)]));
            encoded.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}
