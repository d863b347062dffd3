//! Where a request goes.

/// What base URLs are written with behind the host.
const ENDINGS: [&str; 5] = ["/v2/chat", "/compatibility/v1", "/v2", "/v1", "/"];

/// The URL of `path` ("v2/chat"): base URLs are written with and without a version.
pub(crate) fn url(base: &str, path: &str) -> String {
    let bare = ENDINGS.iter().find_map(|ending| base.strip_suffix(ending));
    [bare.unwrap_or(base), "/", path].concat()
}

#[cfg(test)]
mod tests {
    use super::url;

    #[test]
    fn every_way_to_write_the_base_url_leads_to_the_same_place() {
        for ending in ["", "/", "/v1", "/v2", "/v2/chat", "/compatibility/v1"] {
            let base = format!("https://a.example{ending}");
            assert_eq!(url(&base, "v2/chat"), "https://a.example/v2/chat", "{base}");
        }
        assert_eq!(
            url("http://b.example/cohere/v2", "v1/models"),
            "http://b.example/cohere/v1/models"
        );
    }
}
