//! Workloads and people whom another issuer vouches for.

use percent_encoding::percent_decode_str;
use url::form_urlencoded;

use super::*;
use crate::transport::service::Asked;

/// A key file of a workload whose statement comes from `source`, with its tokens at `url`.
fn workload(url: &str, source: Value) -> Value {
    let mut key = json!({ "type": "external_account", "audience": "//iam.example/pool", "token_url": format!("{url}/sts"),
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt" });
    key["credential_source"] = source;
    key
}

/// The field of the form in the last request.
fn field(asked: &Asked, name: &str) -> Option<String> {
    let asked = asked.lock().unwrap();
    let (_, form) = asked.last().unwrap().split_once("\r\n\r\n").unwrap();
    let mut fields = form_urlencoded::parse(form.as_bytes());
    fields.find_map(|(field, value)| (field == name).then(|| value.into_owned()))
}

#[tokio::test]
async fn another_issuers_statement_is_exchanged_and_then_for_a_service_accounts_token() {
    let impersonated = json!({ "accessToken": "ya29.robot", "expireTime": "2999-01-01T00:00:00Z" }).to_string();
    let answers = [
        ("POST /sts", given("federated")),
        ("POST /robot@shop:generateAccessToken", impersonated),
    ];
    let (url, asked) = service(&answers).await;
    let (_folder, statement) = file("statement", &json!({ "id_token": "jwt" }));
    let format = json!({ "type": "json", "subject_token_field_name": "id_token" });
    let mut key = workload(&url, json!({ "file": statement, "format": format }));
    assert_eq!(token(&account(&json!({ KEY: key }), &[])).await, "federated");
    assert_eq!(field(&asked, "audience").as_deref(), Some("//iam.example/pool"));
    assert_eq!(field(&asked, "subject_token").as_deref(), Some("jwt"));
    assert_eq!(field(&asked, "scope").as_deref(), Some(SCOPE));
    key["service_account_impersonation_url"] = json!(format!("{url}/robot@shop:generateAccessToken"));
    key["service_account_impersonation"] = json!({ "token_lifetime_seconds": 600 });
    let settings = json!({ KEY: key, "scope": "a b" });
    assert_eq!(token(&account(&settings, &[])).await, "ya29.robot");
    let asked = asked.lock().unwrap();
    let all = form_urlencoded::byte_serialize(SCOPE.as_bytes()).collect::<String>();
    assert!(asked[1].contains(&all), "what lets it act as the account: {asked:?}");
    let (head, body) = asked[2].split_once("\r\n\r\n").unwrap();
    assert!(head.contains("authorization: Bearer federated"), "{head}");
    assert_eq!(body, r#"{"lifetime":"600s","scope":["a","b"]}"#);
}

#[tokio::test]
async fn a_workforce_says_who_pays_or_which_client_asks() {
    let (url, asked) = service(&[("POST /sts", given("federated"))]).await;
    let (_folder, statement) = file("statement", &json!("jwt"));
    let mut key = workload(&url, json!({ "file": statement }));
    key["workforce_pool_user_project"] = json!("123");
    assert_eq!(token(&account(&json!({ KEY: key }), &[])).await, "federated");
    let options = field(&asked, "options").unwrap();
    let options = percent_decode_str(&options).decode_utf8().unwrap();
    assert_eq!(options, r#"{"userProject":"123"}"#);
    key["client_id"] = json!("c");
    key["client_secret"] = json!("s");
    assert_eq!(token(&account(&json!({ KEY: key }), &[])).await, "federated");
    assert_eq!(field(&asked, "options"), None);
    assert!(asked.lock().unwrap()[1].contains("authorization: Basic Yzpz\r\n"));
}

#[tokio::test]
async fn a_person_of_another_issuers_has_a_refresh_token() {
    let (url, asked) = service(&[("POST /oauthtoken", given("ya29.5"))]).await;
    let key = json!({ "type": "external_account_authorized_user", "audience": "//iam.example/pool", "client_id": "c",
        "client_secret": "s", "refresh_token": "r", "token_url": format!("{url}/oauthtoken") });
    let (_folder, login) = file("login.json", &key);
    assert_eq!(token(&account(&json!({}), &[(VARIABLE, &login)])).await, "ya29.5");
    let asked = asked.lock().unwrap();
    assert!(asked[0].contains("authorization: Basic Yzpz\r\n"), "{asked:?}");
    assert!(
        asked[0].ends_with("\r\n\r\ngrant_type=refresh_token&refresh_token=r"),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_statement_is_asked_for_at_the_address_of_the_key_file_with_its_headers() {
    let answers = [
        ("GET /text", " jwt\n".to_owned()),
        ("GET /json", json!({ "access_token": "jwt2" }).to_string()),
        ("POST /sts", given("federated")),
    ];
    let (url, asked) = service(&answers).await;
    let source = |path: &str, format: Value| {
        let source = json!({ "url": format!("{url}{path}"), "headers": { "Metadata": "hunter2" }, "format": format });
        account(&json!({ KEY: workload(&url, source) }), &[])
    };
    let member = json!({ "type": "json", "subject_token_field_name": "access_token" });
    assert_eq!(token(&source("/text", json!({}))).await, "federated");
    assert_eq!(field(&asked, "subject_token").as_deref(), Some("jwt"));
    assert_eq!(token(&source("/json?a=b", member.clone())).await, "federated");
    assert_eq!(field(&asked, "subject_token").as_deref(), Some("jwt2"));
    assert!(asked.lock().unwrap()[2].contains("metadata: hunter2\r\n"));
    for (path, format, why_not) in [
        ("/gone?key=hunter2", member.clone(), "status 404"),
        ("/text", member, "no `access_token`"),
        ("/json", json!({ "type": "json" }), "subject_token_field_name"),
        ("/json", json!({ "type": "xml" }), "a format other than"),
    ] {
        let reason = why(&source(path, format)).await;
        assert!(reason.contains(why_not) && reason.contains("127.0.0.1"), "{reason}");
        assert!(!reason.contains("hunter2") && !reason.contains("jwt"), "{reason}");
    }
}

#[tokio::test]
async fn a_source_of_statements_that_is_unknown_or_not_one_is_told() {
    for source in [
        json!({}),
        json!({ "certificate": {} }),
        json!({ "file": "/a", "url": "http://localhost/a" }),
    ] {
        let reason = why(&account(&json!({ KEY: workload("", source) }), &[])).await;
        assert!(reason.contains("not one of a file"), "{reason}");
    }
}

/// The request that a statement of a workload at AWS is: address, method, headers.
fn request(statement: &str) -> (Value, Vec<(String, String)>) {
    let request = percent_decode_str(statement).decode_utf8().unwrap();
    let mut request: Value = serde_json::from_str(&request).unwrap();
    let text = |pair: &Value, name: &str| pair[name].as_str().unwrap().to_owned();
    let headers = request["headers"].take();
    let headers = headers.as_array().unwrap().iter();
    let headers = headers.map(|pair| (text(pair, "key"), text(pair, "value"))).collect();
    (request, headers)
}

fn at_aws(url: &str) -> Value {
    json!({ "environment_id": "aws1", "url": format!("{url}/latest/meta-data/iam/security-credentials"),
        "region_url": format!("{url}/latest/meta-data/placement/availability-zone"),
        "imdsv2_session_token_url": format!("{url}/latest/api/token"),
        "regional_cred_verification_url": "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15" })
}

#[tokio::test]
async fn a_workload_at_aws_signs_who_it_is_with_the_keys_of_its_environment() {
    let (url, asked) = service(&[("POST /sts", given("federated"))]).await;
    let variables = [
        ("AWS_ACCESS_KEY_ID", "AKENV"),
        ("AWS_SECRET_ACCESS_KEY", "hunter2"),
        ("AWS_SESSION_TOKEN", "session"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
    ];
    let key = json!({ KEY: workload(&url, at_aws(&url)) });
    assert_eq!(token(&account(&key, &variables)).await, "federated");
    assert_eq!(asked.lock().unwrap().len(), 1, "the metadata service is left alone");
    let (request, headers) = request(&field(&asked, "subject_token").unwrap());
    let address = "https://sts.eu-west-1.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15";
    assert_eq!((&request["url"], &request["method"]), (&json!(address), &json!("POST")));
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "host",
        "x-amz-date",
        "x-goog-cloud-target-resource",
        "x-amz-security-token",
        "authorization",
    ];
    assert_eq!(names, expected);
    assert_eq!(headers[0].1, "sts.eu-west-1.amazonaws.com");
    assert_eq!(
        (headers[2].1.as_str(), headers[3].1.as_str()),
        ("//iam.example/pool", "session")
    );
    let by = &headers[4].1;
    assert!(
        by.contains("Credential=AKENV/") && by.contains("/eu-west-1/sts/aws4_request"),
        "{by}"
    );
}

#[tokio::test]
async fn an_instance_at_aws_is_asked_for_its_zone_and_the_keys_of_its_role() {
    let keys = json!({ "AccessKeyId": "AKROLE", "SecretAccessKey": "s", "Token": "t" }).to_string();
    let answers = [
        ("PUT /latest/api/token", "word".to_owned()),
        (
            "GET /latest/meta-data/placement/availability-zone",
            "us-east-2b".to_owned(),
        ),
        ("GET /latest/meta-data/iam/security-credentials/web", keys),
        ("GET /latest/meta-data/iam/security-credentials", "web".to_owned()),
        ("POST /sts", given("federated")),
    ];
    let (url, asked) = service(&answers).await;
    let key = json!({ KEY: workload(&url, at_aws(&url)) });
    assert_eq!(token(&account(&key, &[])).await, "federated");
    let (_, headers) = request(&field(&asked, "subject_token").unwrap());
    let by = &headers[4].1;
    assert!(
        by.contains("Credential=AKROLE/") && by.contains("/us-east-2/sts/"),
        "{by}"
    );
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 5);
    for asked in &asked[1..4] {
        assert!(asked.contains("x-aws-ec2-metadata-token: word\r\n"), "{asked}");
    }
}

#[tokio::test]
async fn an_identity_at_aws_that_cannot_be_had_says_why() {
    let region = [("AWS_REGION", "eu-west-1")];
    let keys = [
        region[0],
        ("AWS_ACCESS_KEY_ID", "a"),
        ("AWS_SECRET_ACCESS_KEY", "hunter2"),
    ];
    let aws = |name: &str, value: Value| {
        let mut source = at_aws("http://8.8.8.8");
        source[name] = value;
        json!({ KEY: workload("http://127.0.0.1:1", source) })
    };
    let verification = "regional_cred_verification_url";
    for (settings, variables, why_not) in [
        (aws("environment_id", json!("aws2")), &keys[..], "aws1"),
        (aws(verification, json!("http://sts.example")), &keys, "no https URL"),
        (aws(verification, Value::Null), &keys, "lacks regional_cred"),
        (aws("imdsv2_session_token_url", Value::Null), &region, "only over http"),
        (aws("region_url", Value::Null), &[], "only over http"),
    ] {
        let reason = why(&account(&settings, variables)).await;
        assert!(reason.contains(why_not), "{settings}: {reason}");
        assert!(!reason.contains("hunter2"), "{reason}");
    }
}

#[cfg(unix)]
mod programs {
    use super::*;

    const ALLOWED: [(&str, &str); 1] = [("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1")];

    /// A folder with a program in it that does this, and the command that runs it.
    fn program(does: &str) -> (TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a program");
        fs::write(&path, does).unwrap();
        let command = format!("sh '{}' \"--for=a b\"", path.display());
        (folder, command)
    }

    /// What one says that gives out this token.
    fn gives(token: &str) -> Value {
        json!({ "version": 1, "success": true, "token_type": "urn:ietf:params:oauth:token-type:id_token", "id_token": token })
    }

    fn says(answer: &Value) -> String {
        format!("echo '{answer}'")
    }

    fn by(url: &str, executable: &Value) -> Value {
        json!({ KEY: workload(url, json!({ "executable": executable })) })
    }

    #[tokio::test]
    async fn a_program_gives_the_statement_where_the_environment_allows_it() {
        let (url, asked) = service(&[("POST /sts", given("federated"))]).await;
        let does = "printf '{\"version\":1,\"success\":true,\"token_type\":\"urn:ietf:params:oauth:token-type:saml2\",\
            \"saml_response\":\"%s %s %s %s\"}' \"$1\" $GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE \
            $GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE $GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE";
        let (_folder, command) = program(does);
        let settings = by(&url, &json!({ "command": command }));
        assert_eq!(token(&account(&settings, &ALLOWED)).await, "federated");
        let expected = "--for=a b //iam.example/pool 0 urn:ietf:params:oauth:token-type:jwt";
        assert_eq!(field(&asked, "subject_token").as_deref(), Some(expected));
        for variables in [&[][..], &[("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "0")]] {
            let reason = why(&account(&settings, variables)).await;
            assert!(reason.contains("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES"), "{reason}");
        }
    }

    #[tokio::test]
    async fn a_programs_last_answer_is_taken_from_its_file_while_it_holds() {
        let (url, asked) = service(&[("POST /sts", given("federated"))]).await;
        let (_folder, command) =
            program("cp \"$GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE.new\" \"$GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE\"");
        let (_kept, path) = file("kept", &json!({}));
        let settings = by(&url, &json!({ "command": command, "output_file": path }));
        let kept = |token: &str, expires: Value| {
            let mut answer = gives(token);
            answer["expiration_time"] = expires;
            answer.to_string()
        };
        fs::write(format!("{path}.new"), gives("new").to_string()).unwrap();
        for (before, expected) in [
            (kept("good", json!(4_102_444_800_u64)), "good"),
            (kept("old", json!(1)), "new"),
            (kept("unsaid", Value::Null), "new"),
            ("{".to_owned(), "new"),
        ] {
            fs::write(&path, before).unwrap();
            assert_eq!(token(&account(&settings, &ALLOWED)).await, "federated");
            assert_eq!(field(&asked, "subject_token").as_deref(), Some(expected));
        }
    }

    #[tokio::test]
    async fn a_program_that_gives_nothing_good_is_told_with_what_it_says() {
        let refusal = json!({ "version": 1, "success": false, "code": "401", "message": "Log in first." });
        let mut newer = gives("hunter2");
        newer["version"] = json!(2);
        let mut expired = gives("hunter2");
        expired["expiration_time"] = json!(1);
        let mut other = gives("hunter2");
        other["token_type"] = json!("hunter2");
        let long = "head -c 70000 /dev/zero | tr '\\0' ' '";
        for (does, why_not) in [
            (format!("{}; exit 3", says(&refusal)), "401: Log in first."),
            (says(&refusal), "401: Log in first."),
            (
                format!("{}; exit 3", says(&gives("hunter2"))),
                "has failed: exit status: 3",
            ),
            ("echo hunter2 >&2; exit 4".to_owned(), "exit status: 4"),
            ("echo hunter2".to_owned(), "JSON"),
            (says(&newer), "version 2"),
            (says(&expired), "expired"),
            (says(&other), "a type other than"),
            (says(&json!({ "version": 1 })), "without success"),
            (long.to_owned(), "too long"),
        ] {
            let (_folder, command) = program(&does);
            let reason = why(&account(&by("", &json!({ "command": command })), &ALLOWED)).await;
            assert!(
                reason.contains(why_not) && !reason.contains("hunter2"),
                "{does}: {reason}"
            );
        }
        for (executable, why_not) in [
            (
                json!({ "command": "/nowhere/program" }),
                "cannot be run: /nowhere/program",
            ),
            (json!({ "command": "sh 'a" }), "quotes"),
            (json!({}), "lacks command"),
            (json!({ "command": "true", "timeout_millis": 1 }), "timeout_millis"),
        ] {
            let reason = why(&account(&by("", &executable), &ALLOWED)).await;
            assert!(reason.contains(why_not), "{reason}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_program_that_does_not_end_is_ended() {
        let settings = by("", &json!({ "command": "tail -f /dev/null", "timeout_millis": 5000 }));
        let reason = why(&account(&settings, &ALLOWED)).await;
        assert!(reason.contains("not ended within 5s"), "{reason}");
    }
}
