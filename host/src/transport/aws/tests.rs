//! Signers, with an environment, files and services of their own.

use std::time::Duration;

use bytes::Bytes;
use hyper::{HeaderMap, Method};
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::transport::service::{environment, service};

fn signer(settings: &Value, secrets: &[(&str, &str)], variables: &[(&str, &str)]) -> Signer {
    let base = Url::parse("http://127.0.0.1:9").unwrap();
    let mut settings = settings.as_object().unwrap().clone();
    let secrets = secrets
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Secret::new(*value)));
    let variables = [&[("HOME", "/nowhere"), ("AWS_REGION", "eu-central-1")], variables].concat();
    Signer::take(
        "p",
        "bedrock",
        &base,
        &mut settings,
        &secrets.collect(),
        environment(&variables),
    )
}

async fn signed(signer: &Signer) -> Result<Outgoing> {
    let mut request = Outgoing {
        method: Method::POST,
        url: Url::parse("https://bedrock-runtime.eu-central-1.amazonaws.com/model/a%3A0/converse").unwrap(),
        headers: HeaderMap::from_iter([(
            hyper::header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        )]),
        body: Bytes::from_static(b"{}").into(),
        timeout: None,
    };
    signer.sign(&mut request).await.map(|_| request)
}

fn text<'a>(request: &'a Outgoing, name: &str) -> &'a str {
    request.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

/// Who a request is from.
async fn by(signer: &Signer) -> String {
    let request = signed(signer).await.unwrap();
    let authorization = text(&request, "authorization").to_owned();
    let credential = authorization.split("Credential=").nth(1).unwrap_or(&authorization);
    let id = credential.split('/').next().unwrap().to_owned();
    match text(&request, "x-amz-security-token") {
        "" => id,
        token => format!("{id} {token}"),
    }
}

async fn why(signer: &Signer) -> String {
    signed(signer).await.map(drop).unwrap_err().to_string()
}

fn files(credentials: &str, config: &str) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    std::fs::write(home.path().join(".aws/credentials"), credentials).unwrap();
    std::fs::write(home.path().join(".aws/config"), config).unwrap();
    home
}

fn role(id: &str, lives: Duration) -> String {
    let expire = Stamp::of(SystemTime::now() + lives);
    let text = expire.basic();
    let (date, time) = text.split_at(8);
    let expire = format!(
        "{}-{}-{}T{}:{}:{}Z",
        &date[..4],
        &date[4..6],
        &date[6..],
        &time[1..3],
        &time[3..5],
        &time[5..7]
    );
    format!(
        "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{id}</AccessKeyId><SecretAccessKey>s&amp;3</SecretAccessKey>\
         <SessionToken>token</SessionToken><Expiration>{expire}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
    )
}

#[tokio::test]
async fn the_operators_own_keys_come_first_and_sign_host_type_body_and_token() {
    let settings = json!({"access_key_id": "AKOWN", "region": "us-west-2"});
    let secrets = [("secret_access_key", "k"), ("session_token", "t")];
    let signer = signer(
        &settings,
        &secrets,
        &[("AWS_ACCESS_KEY_ID", "AKENV"), ("AWS_SECRET_ACCESS_KEY", "k")],
    );
    let request = signed(&signer).await.unwrap();
    let authorization = text(&request, "authorization");
    assert!(
        authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKOWN/"),
        "{authorization}"
    );
    let scope = "/us-west-2/bedrock/aws4_request, SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token, ";
    assert!(authorization.contains(scope), "{authorization}");
    assert_eq!(text(&request, "x-amz-security-token"), "t");
    assert!(request.headers["authorization"].is_sensitive());
}

#[test]
fn what_is_for_the_signature_is_out_of_the_adapters_sight_and_the_region_is_put_in() {
    let take = |base: &str, settings: Value, variables: &[(&str, &str)]| {
        let mut settings = settings.as_object().unwrap().clone();
        let base = Url::parse(base).unwrap();
        Signer::take("p", "x", &base, &mut settings, &BTreeMap::new(), environment(variables));
        Value::Object(settings)
    };
    let all: Map<String, Value> = SETTINGS.iter().map(|name| ((*name).to_owned(), "v".into())).collect();
    let left = take("https://x.example", Value::Object(all), &[("HOME", "/nowhere")]);
    assert_eq!(left, json!({}));
    let regional = "https://bedrock-runtime.eu-west-3.amazonaws.com";
    let env = [("AWS_REGION", "us-gov-west-1"), ("HOME", "/nowhere")];
    assert_eq!(take(regional, json!({}), &env), json!({"region": "eu-west-3"}));
    assert_eq!(
        take(regional, json!({"region": "us-east-1"}), &env),
        json!({"region": "us-east-1"})
    );
    assert_eq!(
        take("https://x.example", json!({}), &env),
        json!({"region": "us-gov-west-1"})
    );
    let home = files("", "[default]\nregion = sa-east-1\n");
    let home = [("HOME", home.path().to_str().unwrap())];
    assert_eq!(
        take("https://x.example", json!({}), &home),
        json!({"region": "sa-east-1"})
    );
}

#[test]
fn a_region_is_read_from_addresses_of_aws_only() {
    for (url, region) in [
        (
            "https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com",
            Some("us-gov-west-1"),
        ),
        (
            "https://vpce-0a-1.bedrock-runtime.us-east-1.vpce.amazonaws.com",
            Some("us-east-1"),
        ),
        (
            "https://bedrock-runtime.cn-north-1.amazonaws.com.cn",
            Some("cn-north-1"),
        ),
        ("https://bedrock-mantle.us-east-2.api.aws", Some("us-east-2")),
        ("https://bedrock-runtime.amazonaws.com", None),
        ("https://us-east-1.example.com", None),
        ("http://127.0.0.1", None),
    ] {
        assert_eq!(region_of(&Url::parse(url).unwrap()), region, "{url}");
    }
}

#[tokio::test]
async fn a_key_in_the_environment_travels_as_a_bearer_and_goes_before_keys_to_sign_with() {
    let keys = [
        ("AWS_ACCESS_KEY_ID", "AKENV"),
        ("AWS_SECRET_ACCESS_KEY", "k"),
        ("AWS_SESSION_TOKEN", "t"),
    ];
    assert_eq!(by(&signer(&json!({}), &[], &keys)).await, "AKENV t");
    let bearer = [keys[0], keys[1], ("AWS_BEARER_TOKEN_BEDROCK", "abc")];
    assert_eq!(by(&signer(&json!({}), &[], &bearer)).await, "Bearer abc");
}

#[tokio::test]
async fn an_operators_own_authorization_is_left_alone() {
    let mut request = signed(&signer(&json!({}), &[], &[("AWS_BEARER_TOKEN_BEDROCK", "abc")]))
        .await
        .unwrap();
    let nothing = signer(&json!({}), &[], &[]);
    nothing.sign(&mut request).await.unwrap();
    assert_eq!(text(&request, "authorization"), "Bearer abc");
}

#[tokio::test]
async fn without_credentials_the_error_says_where_they_were_looked_for() {
    let reason = why(&signer(&json!({}), &[], &[])).await;
    for word in [
        "access_key_id",
        "AWS_ACCESS_KEY_ID",
        "AWS_BEARER_TOKEN_BEDROCK",
        "/nowhere/.aws/credentials",
        "credentials",
    ] {
        assert!(reason.contains(word), "{word}: {reason}");
    }
    let reason = why(&signer(&json!({"credentials": "container"}), &[], &[])).await;
    assert!(reason.contains("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"), "{reason}");
}

#[tokio::test]
async fn half_a_key_and_an_unknown_word_are_mistakes_and_not_passed_over() {
    let half = signer(
        &json!({"access_key_id": "AK"}),
        &[],
        &[("AWS_BEARER_TOKEN_BEDROCK", "abc")],
    );
    assert!(why(&half).await.contains("`secret_access_key`"));
    let word = signer(
        &json!({"credentials": "imds"}),
        &[],
        &[("AWS_BEARER_TOKEN_BEDROCK", "abc")],
    );
    assert!(why(&word).await.contains("\"instance\""));
}

#[tokio::test]
async fn profiles_are_read_as_awss_own_tools_write_them() {
    let home = files(
        "# keys\n[default]\naws_access_key_id = AKDEFAULT\naws_secret_access_key=k\n\n[work]\naws_access_key_id=AKWORK # mine\n\
         aws_secret_access_key = k\naws_session_token = t\n",
        "[default]\nregion = us-east-1\n[profile  work]\nregion=us-east-2\ns3 =\n  region = no\n[profile sso]\nsso_session = x\n",
    );
    let home = ("HOME", home.path().to_str().unwrap());
    assert_eq!(by(&signer(&json!({}), &[], &[home])).await, "AKDEFAULT");
    assert_eq!(by(&signer(&json!({"profile": "work"}), &[], &[home])).await, "AKWORK t");
    assert_eq!(
        by(&signer(&json!({}), &[], &[home, ("AWS_PROFILE", "work")])).await,
        "AKWORK t"
    );
    // A profile that the operator names is meant, whatever the environment has.
    let keys = [home, ("AWS_ACCESS_KEY_ID", "AKENV"), ("AWS_SECRET_ACCESS_KEY", "k")];
    assert_eq!(by(&signer(&json!({"profile": "work"}), &[], &keys)).await, "AKWORK t");
    assert!(
        why(&signer(&json!({"profile": "sso"}), &[], &[home]))
            .await
            .contains("sso_session")
    );
    assert!(
        why(&signer(&json!({"profile": "gone"}), &[], &[home]))
            .await
            .contains("no profile `gone`")
    );
}

#[tokio::test]
async fn a_role_is_assumed_by_the_token_of_a_web_identity() {
    let (url, asked) = service(&[("AssumeRoleWithWebIdentity", role("AKROLE", Duration::from_hours(1)))]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "jwt+1\n").unwrap();
    let file = file.to_str().unwrap();
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", file),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r"),
        ("AWS_ENDPOINT_URL_STS", &url),
    ];
    assert_eq!(by(&signer(&json!({}), &[], &variables)).await, "AKROLE token");
    let settings =
        json!({"role_arn": "arn:aws:iam::1:role/own", "web_identity_token_file": file, "role_session_name": "me"});
    assert_eq!(by(&signer(&settings, &[], &variables[2..])).await, "AKROLE token");
    let asked = asked.lock().unwrap();
    assert!(
        asked[0].contains("WebIdentityToken=jwt%2B1&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=witgate"),
        "{asked:?}"
    );
    assert!(
        asked[1].contains("role%2Fown&RoleSessionName=me") && !asked[1].contains("authorization"),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_role_is_assumed_with_other_keys_in_a_signed_request() {
    let (url, asked) = service(&[("Action=AssumeRole&", role("AKROLE", Duration::from_hours(1)))]).await;
    let home = files(
        "[base]\naws_access_key_id=AKBASE\naws_secret_access_key=k\n",
        "[profile r]\nrole_arn=arn:r\nsource_profile=base\n",
    );
    let variables = [("HOME", home.path().to_str().unwrap()), ("AWS_ENDPOINT_URL_STS", &url)];
    assert_eq!(
        by(&signer(&json!({"profile": "r"}), &[], &variables)).await,
        "AKROLE token"
    );
    let own = json!({"access_key_id": "AKOWN", "role_arn": "arn:r"});
    assert_eq!(
        by(&signer(&own, &[("secret_access_key", "k")], &variables)).await,
        "AKROLE token"
    );
    let asked = asked.lock().unwrap();
    assert!(
        asked[0].contains("Credential=AKBASE/") && asked[0].contains("/eu-central-1/sts/aws4_request"),
        "{asked:?}"
    );
    assert!(asked[1].contains("Credential=AKOWN/"), "{asked:?}");
}

#[tokio::test]
async fn a_role_that_is_refused_is_told_in_the_services_words() {
    let (url, _) = service(&[]).await;
    let variables = [("AWS_ENDPOINT_URL_STS", url.as_str())];
    let own = json!({"access_key_id": "AKOWN", "role_arn": "arn:r"});
    let reason = why(&signer(&own, &[("secret_access_key", "k")], &variables)).await;
    assert!(reason.contains("arn:r") && reason.contains("404"), "{reason}");
}

fn answer(id: &str) -> String {
    json!({"AccessKeyId": id, "SecretAccessKey": "k", "Token": "t", "Expiration": "2999-01-01T00:00:00Z"}).to_string()
}

#[tokio::test]
async fn a_containers_and_an_instances_roles_are_used_where_the_operator_says_so() {
    let instance = [
        ("PUT /latest/api/token", "tok".to_owned()),
        ("GET /latest/meta-data/iam/security-credentials/ ", "my-role".to_owned()),
        (
            "GET /latest/meta-data/iam/security-credentials/my-role",
            answer("AKINSTANCE"),
        ),
        ("GET /creds", answer("AKCONTAINER")),
    ];
    let (url, asked) = service(&instance).await;
    let full = format!("{url}/creds");
    let variables = [
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", url.as_str()),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &full),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "secret"),
    ];
    assert_eq!(
        by(&signer(&json!({"credentials": "instance"}), &[], &variables)).await,
        "AKINSTANCE t"
    );
    assert_eq!(
        by(&signer(&json!({"credentials": "container"}), &[], &variables)).await,
        "AKCONTAINER t"
    );
    {
        let asked = asked.lock().unwrap();
        assert!(
            asked[0].contains("x-aws-ec2-metadata-token-ttl-seconds: 300"),
            "{asked:?}"
        );
        assert!(asked[2].contains("x-aws-ec2-metadata-token: tok"), "{asked:?}");
        assert!(asked[3].contains("authorization: secret"), "{asked:?}");
    }
    let before = asked.lock().unwrap().len();
    why(&signer(&json!({}), &[], &variables)).await;
    assert_eq!(asked.lock().unwrap().len(), before, "nobody asked for it");
}

#[tokio::test]
async fn a_profiles_role_is_assumed_with_keys_from_where_the_profile_says() {
    let (url, asked) = service(&[
        ("Action=AssumeRole&", role("AKROLE", Duration::from_hours(1))),
        ("PUT /latest/api/token", "tok".to_owned()),
        ("GET /latest/meta-data/iam/security-credentials/ ", "my-role".to_owned()),
        (
            "GET /latest/meta-data/iam/security-credentials/my-role",
            answer("AKINSTANCE"),
        ),
        ("GET /creds", answer("AKCONTAINER")),
    ])
    .await;
    let full = format!("{url}/creds");
    for (place, key) in [
        ("Environment", "AKENV"),
        ("EcsContainer", "AKCONTAINER"),
        ("Ec2InstanceMetadata", "AKINSTANCE"),
    ] {
        let home = files("", &format!("[profile r]\nrole_arn=arn:r\ncredential_source={place}\n"));
        let variables = [
            ("HOME", home.path().to_str().unwrap()),
            ("AWS_ENDPOINT_URL_STS", &url),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", &url),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &full),
            ("AWS_ACCESS_KEY_ID", "AKENV"),
            ("AWS_SECRET_ACCESS_KEY", "k"),
        ];
        let signer = signer(&json!({"profile": "r"}), &[], &variables);
        assert_eq!(by(&signer).await, "AKROLE token");
        let asked = asked.lock().unwrap();
        assert!(
            asked.last().unwrap().contains(&format!("Credential={key}/")),
            "{asked:?}"
        );
    }
    for (source, word) in [
        ("credential_source=Cloud", "EcsContainer"),
        ("credential_source=Environment\nsource_profile=r", "both"),
    ] {
        let home = files("", &format!("[profile r]\nrole_arn=arn:r\n{source}\n"));
        let home = [("HOME", home.path().to_str().unwrap())];
        let reason = why(&signer(&json!({"profile": "r"}), &[], &home)).await;
        assert!(reason.contains(word), "{reason}");
    }
}

#[tokio::test]
async fn a_metadata_service_is_asked_at_known_addresses_only() {
    for url in [
        "http://10.0.0.1/x",
        "http://169.254.169.1/x",
        "https://169.254.170.2/x",
        "http://evil.example/x",
    ] {
        let variables = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)];
        let reason = why(&signer(&json!({"credentials": "container"}), &[], &variables)).await;
        assert!(reason.contains("only over http"), "{url}: {reason}");
    }
}

#[tokio::test]
async fn a_crowd_asks_once() {
    let (url, asked) = service(&[("AssumeRole", role("AKROLE", Duration::from_secs(1000)))]).await;
    let variables = [("AWS_ENDPOINT_URL_STS", url.as_str())];
    let own = json!({"access_key_id": "AKOWN", "role_arn": "arn:r"});
    let signer = signer(&own, &[("secret_access_key", "k")], &variables);
    let crowd = (0..20).map(|_| by(&signer));
    let all = futures_util::future::join_all(crowd).await;
    assert!(all.iter().all(|by| by == "AKROLE token"));
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn keys_that_are_over_are_asked_for_again() {
    let (url, asked) = service(&[("AssumeRole", role("AKROLE", Duration::ZERO))]).await;
    let variables = [("AWS_ENDPOINT_URL_STS", url.as_str())];
    let own = json!({"access_key_id": "AKOWN", "role_arn": "arn:r"});
    let signer = signer(&own, &[("secret_access_key", "k")], &variables);
    by(&signer).await;
    by(&signer).await;
    assert_eq!(asked.lock().unwrap().len(), 2);
}
