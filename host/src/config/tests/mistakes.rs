//! What a mistake in the file is answered with.

use super::{read, toml};
use crate::config::Format;

/// The lines of the error that `text` is answered with.
fn errors(text: &str) -> Vec<String> {
    let error = toml(text, &[]).expect_err("a mistake");
    error.to_string().lines().map(str::to_owned).collect()
}

const START: &str = "[[providers]]\nid = \"a\"\nbase_url = \"http://localhost:1/v1\"\n";

#[test]
fn an_unknown_key_is_named_with_file_line_and_the_nearest_known_key() {
    let text = "[[providers]]\nid = \"a\"\nbas_url = \"http://localhost:1/v1\"\nbase_url = \"http://localhost:1/v1\"";
    assert_eq!(
        errors(text),
        ["witgate.toml:3: `providers[0].bas_url` is not a key here; did you mean `base_url`?"]
    );
}

#[test]
fn a_slip_in_a_required_key_is_one_mistake() {
    assert_eq!(
        errors("[[providers]]\nid = \"a\"\nbase_urll = \"http://localhost:1/v1\""),
        ["witgate.toml:3: `providers[0].base_urll` is not a key here; did you mean `base_url`?"]
    );
}

#[test]
fn the_nearest_key_is_spelled_as_json_spells_keys() {
    let text = "{\"providers\": [{\n\"id\": \"a\", \"baseUrl\": \"http://localhost:1/v1\",\n\"maxRetrys\": 3}]}";
    let error = read(text, Format::Json, &[]).expect_err("a mistake").to_string();
    assert_eq!(
        error,
        "witgate.toml:3: `providers[0].maxRetrys` is not a key here; did you mean `maxRetries`?"
    );
}

#[test]
fn a_key_like_no_other_is_answered_with_the_keys_there_are() {
    let lines = errors("[server.tls]\ncert = \"c\"\nkey = \"k\"\nqqq = 1");
    assert_eq!(
        lines,
        ["witgate.toml:4: `server.tls.qqq` is not a key here; the keys here are cert, key"]
    );
}

#[test]
fn all_mistakes_are_reported_at_once_in_the_order_of_the_file() {
    let text = format!(
        "{START}priority = 101\nenabled = \"yes\"\ntimeout = 30\n[limits]\nbody_byte = 3\n[server]\nlisten = 4000"
    );
    let lines = errors(&text);
    assert_eq!(lines.len(), 5, "{lines:#?}");
    assert!(lines[0].starts_with("witgate.toml:4: `providers[0].priority` is out of range; it can be 1 to 100"));
    assert!(lines[1].starts_with("witgate.toml:5: `providers[0].enabled` must be true or false, this is text;"));
    assert!(lines[2].contains("a plain number is in milliseconds"));
    assert!(lines[3].contains("did you mean `body_bytes`?"));
    assert!(lines[4].starts_with("witgate.toml:10: `server.listen` must be text, this is a number;"));
}

#[test]
fn no_message_shows_a_secret() {
    let text = format!(
        "{START}api_key = [\"sk-secret\"]\nadmin = 3\nauth = \"sk-secret\"\nheaders = {{ a = \"sk-secret\\n\" }}"
    );
    let error = toml(&text, &[]).expect_err("mistakes");
    assert!(!error.to_string().contains("sk-secret"), "{error}");
    let config = toml(
        &format!("{START}api_key = \"sk-secret\"\nsecret_access_key = \"sk-secret\""),
        &[],
    )
    .expect("valid");
    assert!(!format!("{config:?}").contains("sk-secret"), "{config:?}");
}

#[test]
fn a_syntax_error_has_its_line() {
    assert!(errors("discover = true\nlimits = {\n")[0].starts_with("witgate.toml:"));
    let error = read("{\n\"discover\": true,\n}", Format::Json, &[]).expect_err("a mistake");
    assert_eq!(error.problems[0].line, Some(3));
}

#[test]
fn a_key_in_both_spellings_is_a_mistake() {
    let lines = errors(&format!("{START}baseUrl = \"http://localhost:2/v1\""));
    assert_eq!(
        lines,
        ["witgate.toml:4: `providers[0].baseUrl` is there twice; keep one of them"]
    );
}

#[test]
fn two_providers_cannot_have_one_name() {
    let lines = errors(&format!(
        "{START}[[providers]]\nid = \"b\"\nname = \" A \"\nbase_url = \"http://localhost:2/v1\""
    ));
    assert!(
        lines[0].contains("`providers[1]` is called like the provider `a`"),
        "{lines:?}"
    );
}

#[test]
fn a_variable_that_is_not_set_is_a_mistake_with_its_remedy() {
    let lines = errors(&format!("{START}api_key = \"${{TOKEN}}\""));
    assert_eq!(
        lines,
        [
            "witgate.toml:4: `providers[0].api_key` needs the environment variable TOKEN, which is not set; set TOKEN, or write \
          `${TOKEN:-default}`"
        ]
    );
}

#[test]
fn a_base_url_that_cannot_be_one_says_why() {
    for (url, word) in [
        ("localhost:8000/v1", "http://"),
        ("http://a:b@c/v1", "basic"),
        ("http://a/v1?x=1", "query"),
    ] {
        let lines = errors(&format!("[[providers]]\nid = \"a\"\nbase_url = \"{url}\""));
        assert!(lines.len() == 1 && lines[0].contains(word), "{url}: {lines:?}");
    }
}

#[test]
fn a_provider_of_a_known_api_without_a_base_url_is_a_mistake() {
    assert!(errors("[[providers]]\nid = \"a\"")[0].contains("`providers[0].base_url` is missing"));
}

#[test]
fn nesting_without_end_is_refused() {
    let deep = format!("{{\"a\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(read(&deep, Format::Json, &[]).is_err());
}
