//! A provider's base URL, cleaned of what is often copied along: a trailing slash, the path of an endpoint.

use url::Url;

use super::{read::Table, report::Report};

/// Paths of endpoints that are not part of a base URL. `/models` is not among them: there are providers whose base ends with it.
const ENDPOINTS: &[&str] = &[
    "/chat/completions",
    "/completions",
    "/embeddings",
    "/responses",
    "/messages",
];

/// The base URL of the provider in `table`.
pub(super) fn read(table: &mut Table<'_>, report: &mut Report<'_>) -> Option<Url> {
    let found = table.take("base_url", report)?;
    let text = &found.text(report)?.text;
    match normalise(text) {
        Ok((url, cut)) => {
            if let Some(cut) = cut {
                report.warn(
                    found.line,
                    &found.path,
                    format!("`{cut}` was taken off: the base URL ends before it"),
                );
            }
            Some(url)
        }
        Err((message, remedy)) => {
            report.problem(found.line, &found.path, message, remedy);
            None
        }
    }
}

/// The cleaned URL, and the endpoint's path that was cut off; or what is wrong and what to do.
pub(super) fn normalise(text: &str) -> Result<(Url, Option<&'static str>), (&'static str, String)> {
    let text = text.trim();
    if !text.starts_with("http://") && !text.starts_with("https://") {
        return Err((
            "must begin with http:// or https://",
            "write the whole URL, such as \"http://localhost:8000/v1\"".to_owned(),
        ));
    }
    let mut url = Url::parse(text).map_err(|error| ("is not a URL", format!("{error}: check its spelling")))?;
    if !url.username().is_empty() || url.password().is_some() {
        let remedy = "put them in `api_key` as \"user:password\" with `auth = \"basic\"`".to_owned();
        return Err(("holds a user name or password", remedy));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(("has a query or fragment", "end it before the `?` or `#`".to_owned()));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    let cut = ENDPOINTS.iter().find(|endpoint| path.ends_with(*endpoint)).copied();
    let path = cut.and_then(|cut| path.strip_suffix(cut)).unwrap_or(&path);
    url.set_path(path.trim_end_matches('/'));
    Ok((url, cut))
}

/// True if the URL is on this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
