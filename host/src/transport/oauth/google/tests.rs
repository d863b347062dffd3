//! Accounts, with an environment, key files and token services of their own.

mod federated;

use std::{collections::BTreeMap, fs};

use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use tempfile::TempDir;

use super::*;
use crate::transport::service::{environment, service};

/// A key made for tests; it opens nothing. And its public half, as PKCS#1.
const PEM: &str = include_str!("../../../../../tests/tests/google/test-key.pem");
const PUBLIC: &[u8] = include_bytes!("../../../../../tests/tests/google/test-key.public.der");

fn account(settings: &Value, variables: &[(&str, &str)]) -> Account {
    let said = Said {
        settings: settings.as_object().unwrap().clone(),
        secrets: &BTreeMap::new(),
        environment: environment(variables),
    };
    Account::new(said, None)
}

fn robot(token_uri: &str) -> Value {
    json!({ "type": "service_account", "project_id": "shop", "private_key_id": "k1", "private_key": PEM,
        "client_email": "robot@shop.example", "token_uri": token_uri })
}

fn person(token_uri: &str) -> Value {
    json!({ "type": "authorized_user", "client_id": "c", "client_secret": "s/&", "refresh_token": "r", "token_uri": token_uri })
}

fn given(token: &str) -> String {
    json!({ "access_token": token, "expires_in": 3599, "token_type": "Bearer" }).to_string()
}

/// A folder with this file in it, and the path of that.
fn file(name: &str, content: &Value) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content.to_string()).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

async fn token(account: &Account) -> String {
    account.fetch().await.map(|held| held.expose().to_owned()).unwrap()
}

async fn why(account: &Account) -> String {
    account.fetch().await.err().unwrap()
}

#[tokio::test]
async fn a_service_accounts_key_signs_the_statement_that_is_exchanged() {
    let (url, asked) = service(&[("POST /token", given("ya29.1"))]).await;
    let uri = format!("{url}/token");
    let (_folder, path) = file("key.json", &robot(&uri));
    for key in [json!(path), robot(&uri), json!(robot(&uri).to_string())] {
        assert_eq!(token(&account(&json!({ KEY: key }), &[])).await, "ya29.1");
    }
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 3);
    let (form, jwt) = asked[0].split_once("&assertion=").unwrap();
    assert!(
        form.ends_with("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"),
        "{form}"
    );
    let (signed, signature) = jwt.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, PUBLIC);
    public.verify(signed.as_bytes(), &signature).unwrap();
    let part = |text: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap();
    let (head, claims) = signed.split_once('.').unwrap();
    let (head, claims) = (part(head), part(claims));
    assert_eq!(head, json!({ "alg": "RS256", "typ": "JWT", "kid": "k1" }));
    assert_eq!(claims["iss"], "robot@shop.example");
    assert_eq!((&claims["aud"], &claims["scope"]), (&json!(uri), &json!(SCOPE)));
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), HOLDS);
}

#[tokio::test]
async fn what_gclouds_login_left_is_found_where_it_is_and_exchanged() {
    let (url, asked) = service(&[("POST /token", given("ya29.2"))]).await;
    let home = tempfile::tempdir().unwrap();
    let gcloud = home.path().join(".config/gcloud");
    fs::create_dir_all(&gcloud).unwrap();
    let login = person(&format!("{url}/token")).to_string();
    fs::write(gcloud.join("application_default_credentials.json"), login).unwrap();
    let variables = [("HOME", home.path().to_str().unwrap())];
    assert_eq!(token(&account(&json!({}), &variables)).await, "ya29.2");
    let form = "grant_type=refresh_token&client_id=c&client_secret=s%2F%26&refresh_token=r";
    assert!(asked.lock().unwrap()[0].ends_with(form), "{asked:?}");
    // The file that the variable names goes before it.
    let (_folder, robot) = file("key.json", &robot(&format!("{url}/token")));
    let variables = [variables[0], (VARIABLE, &robot)];
    assert_eq!(
        token(&account(&json!({ "credentials": "application-default" }), &variables)).await,
        "ya29.2"
    );
    assert!(asked.lock().unwrap()[1].contains("assertion="), "{asked:?}");
}

#[tokio::test]
async fn the_machines_account_is_asked_for_where_the_operator_says_so() {
    let (url, asked) = service(&[(
        "GET /computeMetadata/v1/instance/service-accounts/default/token?",
        given("ya29.3"),
    )])
    .await;
    let host = url.strip_prefix("http://").unwrap();
    let variables = [("GCE_METADATA_HOST", host), ("HOME", "/nowhere")];
    let machine = account(
        &json!({ "credentials": "instance", "scope": "https://a.example/b" }),
        &variables,
    );
    assert_eq!(token(&machine).await, "ya29.3");
    {
        let asked = asked.lock().unwrap();
        assert!(
            asked[0].contains("/token?scopes=https%3A%2F%2Fa.example%2Fb HTTP/1.1\r\n"),
            "{asked:?}"
        );
        assert!(asked[0].contains("metadata-flavor: Google\r\n"), "{asked:?}");
    }
    let reason = why(&account(&json!({}), &variables)).await;
    for word in [KEY, VARIABLE, "/nowhere/.config/gcloud", "\"instance\""] {
        assert!(reason.contains(word), "{word}: {reason}");
    }
    assert_eq!(asked.lock().unwrap().len(), 1, "nobody asked for it");
    let elsewhere = account(
        &json!({ "credentials": "instance" }),
        &[("GCE_METADATA_HOST", "evil.example")],
    );
    assert!(why(&elsewhere).await.contains("only over http"));
}

#[tokio::test]
async fn what_is_wrong_with_a_key_file_is_told_and_never_what_it_holds() {
    let (_folder, broken) = file("key.json", &json!("hunter2"));
    for (settings, why_not) in [
        (json!({ KEY: "/nowhere/key.json" }), "/nowhere/key.json"),
        (json!({ KEY: broken }), "no key file of Google's"),
        (
            json!({ KEY: "{\"private_key\": \"hunter2\"" }),
            "no key file of Google's",
        ),
        (json!({ KEY: "-----BEGIN PRIVATE KEY-----\nhunter2" }), "no path"),
        (
            json!({ KEY: { "client_email": "a", "private_key": "hunter2" } }),
            "private_key",
        ),
        (json!({ KEY: { "private_key": "hunter2" } }), "client_email"),
        (json!({ KEY: { "type": "hunter2" } }), "of a type other than"),
        (json!({ KEY: broken, "credentials": "instance" }), "both"),
        (json!({ "credentials": "metadata" }), "\"instance\""),
    ] {
        let reason = why(&account(&settings, &[])).await;
        assert!(
            reason.contains(why_not) && !reason.contains("hunter2"),
            "{settings}: {reason}"
        );
    }
}

#[test]
fn the_project_is_the_key_files_else_the_environments() {
    let (_folder, path) = file("key.json", &robot("https://t.example"));
    let (_other, login) = file("login.json", &person("https://t.example"));
    let project = |settings: Value, variables: &[(&str, &str)]| account(&settings, variables).project();
    assert_eq!(
        project(json!({ KEY: path }), &[("GOOGLE_CLOUD_PROJECT", "other")]).as_deref(),
        Some("shop")
    );
    assert_eq!(
        project(json!({}), &[(VARIABLE, path.as_str())]).as_deref(),
        Some("shop")
    );
    let login = [(VARIABLE, login.as_str()), ("GOOGLE_CLOUD_PROJECT", "other")];
    assert_eq!(project(json!({}), &login).as_deref(), Some("other"));
    assert_eq!(
        project(json!({ "credentials": "instance" }), &login[1..]).as_deref(),
        Some("other")
    );
    assert_eq!(project(json!({}), &[("HOME", "/nowhere")]), None);
}

#[test]
fn tokens_that_the_operator_did_not_name_go_to_googles_own_hosts_only() {
    let goes = |settings: Value, base: &str| account(&settings, &[]).goes_to(&Url::parse(base).unwrap());
    for base in [
        "https://aiplatform.googleapis.com",
        "https://europe-west1-aiplatform.googleapis.com/v1",
    ] {
        assert!(goes(json!({}), base), "{base}");
    }
    for base in [
        "https://proxy.example",
        "http://127.0.0.1:1",
        "http://aiplatform.googleapis.com",
        "https://googleapis.com.evil.example",
    ] {
        assert!(!goes(json!({}), base), "{base}");
        assert!(goes(json!({ "credentials": "application-default" }), base), "{base}");
        assert!(goes(json!({ KEY: "/key.json" }), base), "{base}");
    }
}
