//! Google behind the real program and the real adapter: the Gemini API with its key, Vertex AI with tokens that the gateway gets for a
//! service account's key, and that the adapter never sees.

#[path = "google/partner.rs"]
mod partner;

use std::sync::atomic::{AtomicUsize, Ordering};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::{Value, json};
use tempfile::TempDir;
use witgate_tests::{Asked, Played, Provider, Witgate};

/// A key made for this test; it opens nothing.
const KEY: &str = include_str!("google/test-key.pem");
/// Its public half, as PKCS#1.
const PUBLIC: &[u8] = include_bytes!("google/test-key.public.der");

fn says(text: &str) -> Value {
    let candidate = json!({ "content": { "role": "model", "parts": [{ "text": text }] }, "finishReason": "STOP" });
    let usage =
        json!({ "promptTokenCount": 3, "candidatesTokenCount": 1, "thoughtsTokenCount": 2, "totalTokenCount": 6 });
    json!({ "candidates": [candidate], "usageMetadata": usage })
}

fn hello(model: &str) -> Value {
    json!({ "model": model, "messages": [{ "role": "user", "content": "Say hello." }] })
}

/// A gateway whose Gemini API this provider is.
async fn in_front_of(provider: &Provider) -> Witgate {
    let config = format!(
        "[[providers]]\nid = \"gemini\"\ntype = \"gemini\"\nbase_url = \"{}\"\napi_key = \"AIza-secret\"\n",
        provider.url
    );
    Witgate::start(&config, &["gemini"]).await
}

/// A provider that gives out numbered tokens and takes only the newest; `taken`: how often each is taken.
async fn vertex(taken: usize) -> (Provider, Witgate) {
    let (given, used) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let play = move |asked: &Asked| {
        if asked.path == "/token" {
            used.store(0, Ordering::SeqCst);
            let number = given.fetch_add(1, Ordering::SeqCst) + 1;
            return Played::json(
                200,
                &json!({ "access_token": format!("ya29.{number}"), "expires_in": 3599 }),
            );
        }
        let newest = format!("Bearer ya29.{}", given.load(Ordering::SeqCst));
        if asked.header("authorization") != newest || used.fetch_add(1, Ordering::SeqCst) >= taken {
            let error = json!({ "code": 401, "message": "Expired.", "status": "UNAUTHENTICATED" });
            return Played::json(401, &json!({ "error": error }));
        }
        Played::json(200, &says("Hello"))
    };
    let provider = Provider::start(play).await;
    let gateway = account_at(&provider).await;
    (provider, gateway)
}

/// A gateway that asks this provider as a service account whose tokens the provider gives out.
async fn account_at(provider: &Provider) -> Witgate {
    let (folder, key) = folder(provider);
    let config = format!(
        "[[providers]]\nid = \"vertex\"\ntype = \"vertex-ai\"\nbase_url = \"{}\"\nregion = \"us-east1\"\nmax_retries = 0\n\
         service_account_key = \"{key}\"\n",
        provider.url,
    );
    Witgate::start_in(folder, &config, &[]).await
}

/// A folder with the adapter and with a key file whose tokens `provider` gives out, and the path of that.
fn folder(provider: &Provider) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let account = json!({
        "type": "service_account", "project_id": "shop", "private_key_id": "k1", "private_key": KEY,
        "client_email": "robot@shop.example", "token_uri": format!("{}/token", provider.url),
    });
    let key = folder.path().join("key.json");
    std::fs::write(&key, account.to_string()).expect("a file can be written");
    std::fs::create_dir_all(folder.path().join("adapters")).expect("a folder can be made");
    let built = witgate_tests::root().join("adapters/gemini.wasm");
    std::fs::copy(&built, folder.path().join("adapters/gemini.wasm")).expect("`cargo xtask build` has made it");
    (folder, key.display().to_string())
}

/// A provider that gives out a token and answers everything.
async fn open() -> Provider {
    Provider::start(|asked| match asked.path.as_str() {
        "/token" => Played::json(200, &json!({ "access_token": "ya29.1", "expires_in": 3599 })),
        _ => Played::json(200, &says("Hello")),
    })
    .await
}

/// Path, key and token of what the provider was asked last, after a call of this model.
async fn carried(provider: &Provider, gateway: &Witgate, model: &str) -> (String, String, String) {
    let answer = gateway.post("/v1/chat/completions", &hello(model)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let asked = provider.asked();
    let last = asked.last().expect("the provider was asked");
    let header = |name| last.header(name).to_owned();
    (last.path.clone(), header("x-goog-api-key"), header("authorization"))
}

/// The parts of the signed statement in a request for a token: head, claims, and whether the signature is right.
fn statement(asked: &Asked) -> (Value, Value, bool) {
    let form = String::from_utf8(asked.body.to_vec()).expect("a form is text");
    let (_, jwt) = form.split_once("assertion=").expect("the form has a statement");
    let bytes = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64");
    let (signed, signature) = jwt.rsplit_once('.').expect("three parts");
    let (head, claims) = signed.split_once('.').expect("three parts");
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, PUBLIC);
    let good = key.verify(signed.as_bytes(), &bytes(signature)).is_ok();
    let parse = |text: &str| serde_json::from_slice(&bytes(text)).expect("JSON");
    (parse(head), parse(claims), good)
}

#[tokio::test]
async fn a_service_accounts_key_is_exchanged_once_for_a_token_that_all_calls_use() {
    let (provider, gateway) = vertex(usize::MAX).await;
    for _ in 0..2 {
        let answer = gateway
            .post("/v1/chat/completions", &hello("vertex/gemini-2.5-flash"))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.json()["choices"][0]["message"]["content"], "Hello");
        assert_eq!(answer.json()["usage"]["completion_tokens"], 3);
    }
    let asked = provider.asked();
    let paths: Vec<&str> = asked.iter().map(|asked| asked.path.as_str()).collect();
    let model = "/v1beta1/projects/shop/locations/us-east1/publishers/google/models/gemini-2.5-flash:generateContent";
    assert_eq!(paths, ["/token", model, model]);
    assert_eq!(asked[0].header("authorization"), "");
    let (head, claims, good) = statement(&asked[0]);
    assert!(good, "the signature is the account's");
    assert_eq!(head, json!({ "alg": "RS256", "typ": "JWT", "kid": "k1" }));
    assert_eq!(
        (&claims["iss"], &claims["aud"]),
        (&json!("robot@shop.example"), &json!(format!("{}/token", provider.url)))
    );
    assert_eq!(
        claims["exp"]
            .as_u64()
            .zip(claims["iat"].as_u64())
            .map(|(end, begin)| end - begin),
        Some(3600)
    );
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_and_the_call_made_again() {
    let (provider, gateway) = vertex(1).await;
    for _ in 0..2 {
        let answer = gateway
            .post("/v1/chat/completions", &hello("vertex/gemini-2.5-flash"))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let tokens = provider.asked().iter().filter(|asked| asked.path == "/token").count();
    assert_eq!(tokens, 2);
}

#[tokio::test]
async fn a_key_file_that_is_not_there_is_told_with_its_setting() {
    let config = "[[providers]]\nid = \"vertex\"\ntype = \"vertex-ai\"\nservice_account_key = \"/nowhere/key.json\"\n";
    let gateway = Witgate::start(config, &["gemini"]).await;
    let answer = gateway
        .post("/v1/chat/completions", &hello("vertex/gemini-2.5-flash"))
        .await;
    assert!(
        answer.status >= 500 && answer.text.contains("service_account_key"),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn application_default_credentials_go_to_other_hosts_than_googles_only_where_the_operator_says_so() {
    let provider = open().await;
    let (folder, key) = folder(&provider);
    let url = &provider.url;
    let config = format!(
        "[[providers]]\nid = \"asked\"\ntype = \"vertex-ai\"\nbase_url = \"{url}\"\nregion = \"us-east1\"\n\
         credentials = \"application-default\"\n[[providers]]\nid = \"unasked\"\ntype = \"gemini\"\nbase_url = \"{url}\"\n"
    );
    let gateway = Witgate::start_in(folder, &config, &[("GOOGLE_APPLICATION_CREDENTIALS", &key)]).await;
    let (path, key, token) = carried(&provider, &gateway, "asked/gemini-2.5-flash").await;
    assert!(
        path.contains("/projects/shop/locations/us-east1/"),
        "the key file's project: {path}"
    );
    assert_eq!((key.as_str(), token.as_str()), ("", "Bearer ya29.1"));
    let (path, key, token) = carried(&provider, &gateway, "unasked/gemini-2.5-flash").await;
    assert_eq!(path, "/v1beta/models/gemini-2.5-flash:generateContent");
    assert_eq!((key.as_str(), token.as_str()), ("", ""));
}

#[tokio::test]
async fn on_vertex_a_service_account_goes_before_a_key_and_a_key_is_an_access_token_unless_the_operator_says_how_it_travels()
 {
    let provider = open().await;
    let (folder, key) = folder(&provider);
    let entry = |id: &str, more: &str| {
        let url = &provider.url;
        format!("[[providers]]\nid = \"{id}\"\ntype = \"vertex-ai\"\nbase_url = \"{url}\"\napi_key = \"k\"\n{more}\n")
    };
    let config = entry("both", &format!("service_account_key = \"{key}\""))
        + &entry("token", "project_id = \"p\"")
        + &entry("key", "project_id = \"p\"\nauth = { header = \"x-goog-api-key\" }");
    let gateway = Witgate::start_in(folder, &config, &[]).await;
    for (id, key, token) in [
        ("both", "", "Bearer ya29.1"),
        ("token", "", "Bearer k"),
        ("key", "k", ""),
    ] {
        let (_, in_header, bearer) = carried(&provider, &gateway, &format!("{id}/gemini-2.5-flash")).await;
        assert_eq!((in_header.as_str(), bearer.as_str()), (key, token), "{id}");
    }
}

#[tokio::test]
async fn the_gemini_api_gets_its_key_and_streams() {
    let provider = Provider::start(|asked| {
        if asked.header("x-goog-api-key") != "AIza-secret" || asked.headers.contains_key("authorization") {
            return Played::json(
                400,
                &json!({ "error": { "code": 400, "message": "API key not valid." } }),
            );
        }
        let event = |text: &str| format!("data: {}\r\n\r\n", says(text));
        Played::events([event("Hel"), event("lo")])
    })
    .await;
    let gateway = in_front_of(&provider).await;
    let mut body = hello("gemini/gemini-2.5-flash");
    body["stream"] = json!(true);
    let answer = gateway.post("/v1/chat/completions", &body).await;
    let chunks = answer.text.lines().filter_map(|line| line.strip_prefix("data: "));
    let chunks: Vec<Value> = chunks.filter_map(|data| serde_json::from_str(data).ok()).collect();
    let deltas = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str());
    assert_eq!(deltas.collect::<String>(), "Hello", "{}", answer.text);
    assert!(answer.text.trim_end().ends_with("data: [DONE]"), "{}", answer.text);
    assert_eq!(
        provider.asked()[0].path,
        "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
    );
}

#[tokio::test]
async fn a_stream_that_is_answered_with_one_value_is_a_stream_to_the_client() {
    let events = || format!("data: {}\r\n\r\ndata: {}\r\n\r\n", says("Hel"), says("lo"));
    let list = || format!("\r\n[{},\r\n{}]", says("Hel"), says("lo"));
    // The last are events with a wrong label.
    for (label, body) in [
        ("application/json; charset=UTF-8", list()),
        ("application/json", says("Hello").to_string()),
        ("application/json", events()),
    ] {
        let sent = body.clone();
        let provider = Provider::start(move |_| Played::bytes(200, label, vec![sent.clone().into()])).await;
        let gateway = in_front_of(&provider).await;
        let mut asked = hello("gemini/gemini-2.5-flash");
        asked["stream"] = json!(true);
        let answer = gateway.post("/v1/chat/completions", &asked).await;
        let said: String = answer
            .events()
            .iter()
            .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
            .collect();
        assert_eq!(
            (answer.status, said.as_str()),
            (200, "Hello"),
            "{body}: {}",
            answer.text
        );
    }
}

#[tokio::test]
async fn without_a_base_url_it_is_googles_unless_the_operator_denies_that() {
    let config = "[[providers]]\nid = \"gemini\"\ntype = \"gemini\"\napi_key = \"AIza-secret\"\n\
                  security = { deny_hosts = [\"*.googleapis.com\"] }\n";
    let gateway = Witgate::start(config, &["gemini"]).await;
    let answer = gateway
        .post("/v1/chat/completions", &hello("gemini/gemini-2.5-flash"))
        .await;
    assert!(answer.text.contains("the operator denies this host"), "{}", answer.text);
}

#[tokio::test]
async fn open_models_on_vertex_are_asked_in_openais_api_and_their_answers_relayed() {
    let path = "/endpoints/openapi/chat/completions";
    let model = "meta/llama-3.3-70b-instruct-maas";
    let body = json!({ "model": model, "messages": [{ "role": "user", "content": "Say hello." }], "max_tokens": 9, "user": "u" });
    let provider = partner::start(path, path, body).await;
    let gateway = account_at(&provider).await;
    for name in [
        "vertex/meta/llama-3.3-70b-instruct-maas",
        "vertex/publishers/meta/models/llama-3.3-70b-instruct-maas",
    ] {
        let mut asked = hello(name);
        asked["max_completion_tokens"] = json!(9);
        asked["user"] = json!("u");
        partner::is_answered(&gateway, asked).await;
    }
    let other = gateway.post("/v1/chat/completions", &hello("vertex/meta/none")).await;
    assert!(
        other.status == 404 && other.text.contains("is not known here"),
        "{}",
        other.text
    );
    let nameless = gateway
        .post("/v1/chat/completions", &hello("vertex/llama-3.3-70b-instruct-maas"))
        .await;
    assert!(
        nameless.status == 404 && nameless.text.contains("PUBLISHER/llama"),
        "{}",
        nameless.text
    );
}

#[tokio::test]
async fn mistrals_models_on_vertex_are_asked_in_mistrals_api_and_their_answers_relayed() {
    let (whole, streamed) = (
        "/publishers/mistralai/models/mistral-medium-3%40001:rawPredict",
        "/publishers/mistralai/models/mistral-medium-3%40001:streamRawPredict",
    );
    let body = json!({ "model": "mistral-medium-3", "messages": [{ "role": "user", "content": "Say hello." }], "random_seed": 7 });
    let provider = partner::start(whole, streamed, body).await;
    let gateway = account_at(&provider).await;
    let mut asked = hello("vertex/mistral-medium-3@001");
    asked["seed"] = json!(7);
    partner::is_answered(&gateway, asked.clone()).await;
    asked["user"] = json!("u");
    let told = gateway.post("/v1/chat/completions", &asked).await;
    let dropped = told
        .headers
        .get("x-witgate-dropped")
        .and_then(|value| value.to_str().ok());
    assert_eq!((told.status, dropped), (200, Some("user")), "{}", told.text);
}

/// A gateway for a workload whose statement comes from `source`, and that the provider exchanges for a token.
async fn workload(provider: &Provider, source: Value, variables: &[(&str, &str)]) -> Witgate {
    let (folder, key) = folder(provider);
    let account = json!({
        "type": "external_account", "audience": "//iam.example/pool", "token_url": format!("{}/token", provider.url),
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "credential_source": source,
    });
    std::fs::write(&key, account.to_string()).expect("a file can be written");
    let config = format!(
        "[[providers]]\nid = \"vertex\"\ntype = \"vertex-ai\"\nbase_url = \"{}\"\nregion = \"us-east1\"\nproject_id = \"shop\"\n\
         max_retries = 0\nservice_account_key = \"{key}\"\n",
        provider.url,
    );
    Witgate::start_in(folder, &config, variables).await
}

/// The statement that the provider was given for a token.
fn exchanged(provider: &Provider) -> String {
    let asked = provider.asked();
    let exchange = asked.iter().find(|asked| asked.path == "/token");
    let form = String::from_utf8_lossy(&exchange.expect("a statement was exchanged").body).into_owned();
    let (_, statement) = form.split_once("subject_token=").expect("a statement");
    statement.to_owned()
}

#[tokio::test]
async fn a_workload_that_another_issuer_vouches_for_asks_with_what_its_statement_is_exchanged_for() {
    let provider = Provider::start(|asked| match asked.path.as_str() {
        "/identity" if asked.header("metadata") == "True" => Played::json(200, &json!({ "access_token": "jwt" })),
        "/token" => Played::json(200, &json!({ "access_token": "ya29.1", "expires_in": 3599 })),
        _ => Played::json(200, &says("Hello")),
    })
    .await;
    let format = json!({ "type": "json", "subject_token_field_name": "access_token" });
    let source =
        json!({ "url": format!("{}/identity", provider.url), "headers": { "Metadata": "True" }, "format": format });
    let gateway = workload(&provider, source, &[]).await;
    let (_, _, token) = carried(&provider, &gateway, "vertex/gemini-2.5-flash").await;
    assert_eq!(
        (token.as_str(), exchanged(&provider).as_str()),
        ("Bearer ya29.1", "jwt")
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_program_vouches_for_the_workload_only_where_the_environment_of_the_gateway_allows_it() {
    let provider = open().await;
    let answer = json!({ "version": 1, "success": true, "token_type": "urn:ietf:params:oauth:token-type:id_token",
        "id_token": "jwt" });
    let source = json!({ "executable": { "command": format!("echo '{answer}'") } });
    let allow = "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES";
    let gateway = workload(&provider, source.clone(), &[]).await;
    let answer = gateway
        .post("/v1/chat/completions", &hello("vertex/gemini-2.5-flash"))
        .await;
    assert!(answer.status >= 500 && answer.text.contains(allow), "{}", answer.text);
    let gateway = workload(&provider, source, &[(allow, "1")]).await;
    let (_, _, token) = carried(&provider, &gateway, "vertex/gemini-2.5-flash").await;
    assert_eq!(
        (token.as_str(), exchanged(&provider).as_str()),
        ("Bearer ya29.1", "jwt")
    );
}
