use serde_json::{Value, json};
use witgate_bedrock::Bedrock;
use witgate_sdk::testing::{Call, Played, Reply};

fn list(replies: impl IntoIterator<Item = Reply>) -> Played {
    let call = Call::new("models", "{}").config(r#"{"region":"eu-west-1"}"#);
    call.base_url("https://bedrock-runtime.amazonaws.com")
        .get_models::<Bedrock>(replies)
}

fn own() -> Reply {
    Reply::json(json!({"modelSummaries": [
        {"modelId": "amazon.nova-lite-v1:0", "modelName": "Nova Lite", "providerName": "Amazon", "inferenceTypesSupported": ["ON_DEMAND"]},
        {"modelId": "only.by-profile-v1:0", "inferenceTypesSupported": ["INFERENCE_PROFILE"]}
    ]}).to_string())
}

fn ids(played: &Played) -> Vec<Value> {
    let answer = played.answer();
    let data = answer["data"].as_array().expect("a list").clone();
    data.into_iter().map(|model| model["id"].clone()).collect()
}

#[test]
fn models_and_profiles_that_can_be_called_are_listed() {
    let profiles = json!({"inferenceProfileSummaries": [{"inferenceProfileId": "eu.only.by-profile-v1:0", "inferenceProfileName": "EU"}]});
    let played = list([Reply::json(profiles.to_string()), own()]);
    let urls: Vec<&str> = played.requests().iter().map(|request| request.url.as_str()).collect();
    let base = "https://bedrock.eu-west-1.amazonaws.com";
    assert_eq!(
        urls,
        [
            format!("{base}/inference-profiles?maxResults=1000"),
            format!("{base}/foundation-models")
        ]
    );
    assert_eq!(ids(&played), ["amazon.nova-lite-v1:0", "eu.only.by-profile-v1:0"]);
}

#[test]
fn who_may_not_list_profiles_still_has_the_models() {
    let denied = || {
        let reply = Reply::status(403).header("x-amzn-errortype", "AccessDeniedException");
        reply.body(r#"{"message":"no"}"#)
    };
    assert_eq!(ids(&list([denied(), own()])), ["amazon.nova-lite-v1:0"]);
    assert_eq!(list([denied(), denied()]).failure().kind, "permission");
}
