//! Identities, with an environment and token services of their own.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::transport::service::{environment, service};

fn identity(settings: &Value, variables: &[(&str, &str)]) -> Identity {
    let said = Said {
        settings: settings.as_object().unwrap().clone(),
        secrets: &BTreeMap::new(),
        environment: environment(variables),
    };
    Identity::new(said, Some("https://a.example/.default"))
}

async fn asked(identity: &Identity) -> Result<(String, String), String> {
    let request = identity.request().await?;
    let form = String::from_utf8(request.body.whole().to_vec()).unwrap();
    Ok((request.url.to_string(), form))
}

#[tokio::test]
async fn tokens_are_asked_for_where_the_tenant_is() {
    let settings = json!({ "tenant_id": "t", "client_id": "c", "client_secret": "s/&" });
    let (url, form) = asked(&identity(&settings, &[])).await.unwrap();
    assert_eq!(url, "https://login.microsoftonline.com/t/oauth2/v2.0/token");
    assert_eq!(
        form,
        "grant_type=client_credentials&client_id=c&client_secret=s%2F%26&scope=https%3A%2F%2Fa.example%2F.default"
    );
}

#[tokio::test]
async fn what_the_settings_leave_out_is_in_the_variables_that_azures_tools_know() {
    let variables = [
        ("AZURE_TENANT_ID", "t"),
        ("AZURE_CLIENT_ID", "c"),
        ("AZURE_CLIENT_SECRET", "s"),
        ("AZURE_AUTHORITY_HOST", "https://login.other.example/"),
    ];
    let (url, form) = asked(&identity(&json!({}), &variables)).await.unwrap();
    assert_eq!(url, "https://login.other.example/t/oauth2/v2.0/token");
    assert!(form.contains("client_id=c&client_secret=s"), "{form}");
}

#[tokio::test]
async fn a_workloads_own_statement_stands_for_the_secret_and_is_read_anew() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let variables = [
        ("AZURE_TENANT_ID", "t"),
        ("AZURE_CLIENT_ID", "c"),
        ("AZURE_FEDERATED_TOKEN_FILE", file.to_str().unwrap()),
    ];
    let workload = identity(&json!({}), &variables);
    for statement in ["jwt1", "jwt2"] {
        std::fs::write(&file, format!("{statement}\n")).unwrap();
        let (_, form) = asked(&workload).await.unwrap();
        assert!(form.contains(&format!("&client_assertion={statement}&")), "{form}");
    }
}

/// What a managed identity says of its tokens' ends, an hour from now.
fn given(name: &str) -> String {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    json!({ "access_token": name, "expires_on": (now.as_secs() + 3600).to_string(), "token_type": "Bearer" })
        .to_string()
}

#[tokio::test]
async fn an_apps_identity_is_asked_of_the_service_beside_it_where_the_operator_says_so() {
    let (url, asked) = service(&[("GET /msi/token?", given("app"))]).await;
    let endpoint = format!("{url}/msi/token");
    let variables = [("IDENTITY_ENDPOINT", endpoint.as_str()), ("IDENTITY_HEADER", "word")];
    let managed = json!({ "credentials": "managed-identity" });
    let token = identity(&managed, &variables).fetch().await.unwrap();
    assert_eq!(token.expose(), "app");
    {
        let asked = asked.lock().unwrap();
        let line = "GET /msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fa.example HTTP/1.1\r\n";
        assert!(asked[0].starts_with(line), "{asked:?}");
        assert!(asked[0].contains("x-identity-header: word\r\n"), "{asked:?}");
    }
    let unasked = identity(&json!({}), &variables).fetch().await;
    assert!(unasked.err().unwrap().contains("managed-identity"));
    assert_eq!(asked.lock().unwrap().len(), 1, "nobody asked for it");
}

#[tokio::test]
async fn a_machines_identity_is_asked_of_its_metadata_service_and_one_of_several_by_its_client_id() {
    let (url, asked) = service(&[("GET /metadata/identity/oauth2/token?", given("machine"))]).await;
    let variables = [("AZURE_POD_IDENTITY_AUTHORITY_HOST", url.as_str())];
    let settings = json!({ "credentials": "managed-identity", "client_id": "one", "scope": "api://x/.default" });
    let token = identity(&settings, &variables).fetch().await.unwrap();
    assert_eq!(token.expose(), "machine");
    let asked = asked.lock().unwrap();
    let query = "?api-version=2018-02-01&resource=api%3A%2F%2Fx&client_id=one HTTP/1.1\r\n";
    assert!(asked[0].contains(query), "{asked:?}");
    assert!(asked[0].contains("metadata: true\r\n"), "{asked:?}");
}

#[tokio::test]
async fn an_identity_that_cannot_be_had_says_why() {
    let (url, _) = service(&[]).await;
    let managed = json!({ "credentials": "managed-identity" });
    for (settings, variables, why) in [
        (
            &managed,
            ("AZURE_POD_IDENTITY_AUTHORITY_HOST", url.as_str()),
            "status 404",
        ),
        (
            &managed,
            ("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://10.0.0.1"),
            "only over http",
        ),
        (
            &managed,
            ("IDENTITY_ENDPOINT", "http://127.0.0.1:1/x"),
            "IDENTITY_HEADER",
        ),
        (&json!({ "credentials": "imds" }), ("X", "y"), "\"managed-identity\""),
    ] {
        let reason = identity(settings, &[variables]).fetch().await.err().unwrap();
        assert!(reason.contains(why), "{reason}");
    }
}
