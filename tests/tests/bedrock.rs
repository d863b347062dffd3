//! AWS Bedrock behind the real program and the real adapter: requests signed with keys that the adapter never sees, a key that travels
//! as it is, and a stream that breaks in the middle.

use bytes::Bytes;
use ring::{digest, hmac};
use serde_json::{Value, json};
use witgate_tests::{Asked, Played, Provider, Witgate, fixture, root};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const KEYS: &str = "region = \"eu-west-3\"\naccess_key_id = \"AKIDEXAMPLE\"\nsession_token = \"to+ken\"\n\
                    secret_access_key = \"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\"\n";

fn hello(model: &str) -> Value {
    json!({ "model": model, "messages": [{ "role": "user", "content": "Say hello." }] })
}

fn said() -> Played {
    let message = json!({ "role": "assistant", "content": [{ "text": "Hello" }] });
    let usage = json!({ "inputTokens": 3, "outputTokens": 1, "totalTokens": 4 });
    let body = json!({ "output": { "message": message }, "stopReason": "end_turn", "usage": usage });
    Played::json(200, &body)
}

/// The gateway with these settings of the provider, and these variables.
async fn gateway(
    play: impl Fn(&Asked) -> Played + Send + Sync + 'static,
    settings: &str,
    environment: &[(&str, &str)],
) -> (Provider, Witgate) {
    let provider = Provider::start(play).await;
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    std::fs::create_dir_all(folder.path().join("adapters")).expect("a folder can be made");
    let built = root().join("adapters/bedrock.wasm");
    std::fs::copy(&built, folder.path().join("adapters/bedrock.wasm")).expect("`cargo xtask build` has made it");
    let config = format!(
        "[[providers]]\nid = \"aws\"\ntype = \"aws-bedrock\"\nbase_url = \"{}\"\nmax_retries = 0\n{settings}",
        provider.url
    );
    let nothing_else = [("HOME", "/nowhere"), ("AWS_EC2_METADATA_DISABLED", "true")];
    let gateway = Witgate::start_in(folder, &config, &[&nothing_else, environment].concat()).await;
    (provider, gateway)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

/// The authorization that AWS works out for a request as it arrived, over the headers that the request says are signed.
fn authorization(asked: &Asked) -> String {
    let given = asked.header("authorization");
    let (_, signed) = given.split_once("SignedHeaders=").expect("it says what is signed");
    let (signed, _) = signed.split_once(',').expect("a signature follows");
    let headers: String = signed
        .split(';')
        .map(|name| format!("{name}:{}\n", asked.header(name)))
        .collect();
    // Each segment of a path is escaped once more than it travels.
    let path = asked.path.replace('%', "%25");
    let canonical = format!(
        "{}\n{path}\n\n{headers}\n{signed}\n{}",
        asked.method,
        sha256(&asked.body)
    );
    let (time, region) = (asked.header("x-amz-date"), "eu-west-3");
    let day = &time[..8];
    let scope = format!("{day}/{region}/bedrock/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256(canonical.as_bytes()));
    let first = format!("AWS4{SECRET}").into_bytes();
    let key = [day, region, "bedrock", "aws4_request"]
        .iter()
        .fold(first, |key, part| hmac(&key, part));
    let signature = hex(&hmac(&key, &text));
    format!("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders={signed}, Signature={signature}")
}

#[tokio::test]
async fn a_request_is_signed_as_it_arrives_and_a_profiles_arn_is_one_segment_of_its_path() {
    let (provider, gateway) = gateway(|_| said(), KEYS, &[]).await;
    for (model, segment) in [
        (
            "us.anthropic.claude-haiku-4-5-20251001-v1:0",
            "us.anthropic.claude-haiku-4-5-20251001-v1%3A0",
        ),
        (
            "arn:aws:bedrock:eu-west-3:123456789012:application-inference-profile/abc",
            "arn%3Aaws%3Abedrock%3Aeu-west-3%3A123456789012%3Aapplication-inference-profile%2Fabc",
        ),
    ] {
        let answer = gateway
            .post("/v1/chat/completions", &hello(&format!("aws/{model}")))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.json()["choices"][0]["message"]["content"], "Hello");
        let asked = provider.asked().pop().expect("a request");
        assert_eq!(asked.path, format!("/model/{segment}/converse"));
        assert_eq!(asked.header("x-amz-security-token"), "to+ken");
        assert_eq!(asked.header("authorization"), authorization(&asked));
    }
}

#[tokio::test]
async fn a_key_of_bedrocks_own_travels_as_a_bearer_from_the_settings_or_the_environment() {
    let from_settings = gateway(|_| said(), "api_key = \"ABSKone\"\nregion = \"us-east-1\"\n", &[]);
    let variables = [("AWS_BEARER_TOKEN_BEDROCK", "ABSKtwo"), ("AWS_REGION", "us-east-1")];
    let from_environment = gateway(|_| said(), "", &variables);
    for ((provider, gateway), key) in [(from_settings.await, "ABSKone"), (from_environment.await, "ABSKtwo")] {
        let answer = gateway
            .post("/v1/chat/completions", &hello("aws/amazon.nova-lite-v1:0"))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let asked = provider.asked().pop().expect("a request");
        assert_eq!(asked.header("authorization"), format!("Bearer {key}"));
        assert_eq!(asked.header("x-amz-date"), "");
    }
}

/// The first of the messages of a recorded stream, then an exception as Bedrock sends it.
fn broken() -> Vec<Bytes> {
    let read = |file: &str| std::fs::read(fixture(&format!("bedrock/{file}.stream.bin"))).expect("a recording");
    let whole = read("stream-test-nova-converse-stream-17fdeb");
    let mut end = 0;
    for _ in 0..3 {
        let length = whole[end..end + 4].try_into().expect("four bytes");
        end += u32::from_be_bytes(length) as usize;
    }
    vec![
        whole[..end].to_vec().into(),
        read("stream-exception-frame-throttlingexception").into(),
    ]
}

#[tokio::test]
async fn an_exception_in_the_middle_of_a_stream_ends_it_as_an_error_and_not_as_an_answer() {
    let play = |_: &Asked| Played::bytes(200, "application/vnd.amazon.eventstream", broken());
    let (_provider, gateway) = gateway(play, KEYS, &[]).await;
    let answer = gateway.chat("aws/amazon.nova-lite-v1:0", true).await;
    assert_eq!(answer.status, 200);
    assert!(!answer.streamed_text().is_empty(), "{}", answer.text);
    assert!(answer.text.contains("\"error\""), "{}", answer.text);
    assert!(!answer.text.contains("[DONE]"), "{}", answer.text);
}

#[tokio::test]
async fn a_damaged_message_is_an_error_and_no_text() {
    let damaged = || {
        let mut bytes = broken()[0].to_vec();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        vec![Bytes::from(bytes)]
    };
    let play = move |_: &Asked| Played::bytes(200, "application/vnd.amazon.eventstream", damaged());
    let (_provider, gateway) = gateway(play, KEYS, &[]).await;
    let answer = gateway.chat("aws/amazon.nova-lite-v1:0", true).await;
    assert!(
        answer.text.contains("\"error\"") && !answer.text.contains("[DONE]"),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn the_models_of_the_region_are_listed() {
    let play = |asked: &Asked| match asked.path.as_str() {
        "/foundation-models" => Played::json(
            200,
            &json!({ "modelSummaries": [{ "modelId": "amazon.nova-lite-v1:0", "inferenceTypesSupported": ["ON_DEMAND"] }] }),
        ),
        _ => Played::json(403, &json!({ "message": "not authorized" })),
    };
    let (_provider, gateway) = gateway(play, KEYS, &[]).await;
    let list = gateway.get("/v1/models").await;
    assert_eq!(
        list.json()["data"][0]["id"],
        "aws/amazon.nova-lite-v1:0",
        "{}",
        list.text
    );
}
