//! Where a request goes.

/// The URL of `path` ("responses", "models"). Base URLs end where OpenAI's paths begin, in `/v1` as a rule; some are written with
/// `/responses` behind that, some are the bare host.
pub(crate) fn url(base: &str, path: &str) -> String {
    let base = base.trim_end_matches('/');
    let base = base.strip_suffix("/responses").unwrap_or(base);
    let bare = base.split_once("://").is_some_and(|(_, rest)| !rest.contains('/'));
    [base, if bare { "/v1/" } else { "/" }, path].concat()
}

#[cfg(test)]
mod tests {
    use super::url;

    #[test]
    fn every_way_to_write_the_base_url_leads_to_the_same_place() {
        for ending in ["", "/", "/v1", "/v1/", "/v1/responses"] {
            let base = format!("https://a.example{ending}");
            assert_eq!(url(&base, "responses"), "https://a.example/v1/responses", "{base}");
        }
        assert_eq!(
            url("https://b.example/backend-api/codex", "responses"),
            "https://b.example/backend-api/codex/responses"
        );
    }
}
