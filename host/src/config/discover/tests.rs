//! What is found where nothing is configured.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{Server, from_environment, known, servers};
use crate::{config::Provider, secret::Secret};

fn found(variables: &[(&str, &str)]) -> Vec<Provider> {
    let lookup = |name: &str| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    from_environment(known::table(), Some(4000), &lookup, &mut Vec::new())
}

fn ids(providers: &[Provider]) -> Vec<&str> {
    providers.iter().map(|provider| provider.id.as_str()).collect()
}

#[test]
fn a_provider_is_found_by_its_key_variable() {
    let providers = found(&[
        ("GROQ_API_KEY", "k"),
        ("ANTHROPIC_API_KEY", "k"),
        ("MISTRAL_API_KEY", ""),
        ("HF_TOKEN", "none"),
    ]);
    assert_eq!(ids(&providers), ["anthropic", "groq"]);
    assert_eq!(providers[0].type_, "anthropic");
    assert_eq!(providers[0].key.source.to_string(), "$ANTHROPIC_API_KEY");
    assert!(providers.iter().all(|provider| provider.built_in));
}

#[test]
fn a_base_url_variable_describes_the_local_provider_and_keeps_its_key_for_it() {
    let providers = found(&[
        ("OPENAI_BASE_URL", "http://localhost:8000/v1/"),
        ("OPENAI_API_KEY", "k"),
    ]);
    assert_eq!(
        ids(&providers),
        ["local"],
        "the key of a local server is not sent to a hosted one"
    );
    assert_eq!(providers[0].key.secret.as_ref().map(Secret::expose), Some("k"));
}

#[test]
fn the_custom_provider_of_an_env_file_is_found_with_its_model() {
    let file = include_str!("../../../../tests/fixtures/seeds/polydev.env");
    let variables: Vec<_> = file.lines().filter_map(|line| line.split_once('=')).collect();
    let providers = found(&variables);
    assert_eq!(ids(&providers), ["custom_provider"]);
    assert_eq!(providers[0].models[0].id, "custom-model-v1");
    assert_eq!(
        providers[0].base_url.as_ref().expect("a URL").as_str(),
        "https://your-api.example.com/v1"
    );
}

#[test]
fn the_gateway_does_not_find_itself_by_the_variable_of_its_own_clients() {
    let providers = found(&[("OPENAI_BASE_URL", "http://localhost:4000/v1"), ("OPENAI_API_KEY", "k")]);
    assert_eq!(ids(&providers), ["openai"]);
}

#[tokio::test]
async fn a_local_server_is_found_by_its_port_and_named_by_what_it_says() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut request = [0; 1024];
        let length = stream.read(&mut request).await.expect("a request");
        assert!(request[..length].starts_with(b"GET /v1/models HTTP/1.1\r\n"));
        let body = r#"{"object":"list","data":[{"id":"m:1","owned_by":"second"}]}"#;
        let reply = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(reply.as_bytes()).await.expect("sent");
    });
    let row = |id: &str, owned_by: Option<&str>| Server {
        id: id.to_owned(),
        also: Vec::new(),
        type_: None,
        port,
        owned_by: owned_by.map(str::to_owned),
    };
    let known = [
        row("first", Some("first")),
        row("second", Some("second")),
        row("any", None),
    ];
    let providers = servers(&known, None).await;
    serving.await.expect("served");
    assert_eq!(ids(&providers), ["second"]);
    assert_eq!(providers[0].models[0].id, "m:1");
    assert!(
        servers(&known, Some(port)).await.is_empty(),
        "its own port is not asked"
    );
    assert!(servers(&known, None).await.is_empty(), "nobody is there any more");
}
