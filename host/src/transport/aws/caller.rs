//! Who a workload at AWS is, in a form that somebody else can check: a request to AWS that is signed here and sent by whoever wants to
//! know, who then learns from AWS whose it is. Google takes one for a statement.

use std::time::SystemTime;

use hyper::{
    HeaderMap, Method,
    header::{AUTHORIZATION, HOST},
};
use url::{Position, Url};

use super::{
    Credentials,
    chain::{Reason, keys_of_variables, region_of_variables},
    metadata, sigv4,
    time::Stamp,
};
use crate::transport::environment::Environment;

/// Where the instance's metadata service says what the environment does not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places<'a> {
    /// The zone that the instance is in.
    pub(crate) zone: Option<&'a str>,
    /// The role that it has; its credentials are below.
    pub(crate) roles: Option<&'a str>,
    /// A token for the other two, if they want one.
    pub(crate) session: Option<&'a str>,
}

/// A workload.
#[derive(Debug)]
pub(crate) struct Caller {
    /// Where it is.
    pub(crate) region: String,
    credentials: Credentials,
}

impl Caller {
    /// The workload that the gateway is: as the environment's variables have it, else the instance's metadata service.
    ///
    /// # Errors
    /// Why neither says it.
    pub(crate) async fn find(environment: &Environment, places: &Places<'_>) -> Result<Self, Reason> {
        let (region, keys) = (region_of_variables(environment), keys_of_variables(environment));
        let session = match places.session {
            Some(url) if region.is_none() || keys.is_none() => metadata::session(url).await?,
            _ => HeaderMap::new(),
        };
        let region = match (region, places.zone) {
            (Some(region), _) => region,
            (None, Some(zone)) => metadata::region(zone, session.clone()).await?,
            (None, None) => return Err("AWS_REGION is not set, and no region_url is given".to_owned()),
        };
        let credentials = match (keys, places.roles) {
            (Some(keys), _) => keys,
            (None, Some(roles)) => metadata::of_role(roles, session).await?,
            (None, None) => return Err("AWS_ACCESS_KEY_ID is not set, and no url is given".to_owned()),
        };
        Ok(Self { region, credentials })
    }

    /// All headers of a request to AWS's token service that has no body, `more` among them, and the signature over all of them.
    pub(crate) fn sign(&self, method: &Method, url: &Url, more: (&str, &str), at: SystemTime) -> Vec<(String, String)> {
        let at = Stamp::of(at);
        let date = at.basic();
        let host = &url[Position::BeforeHost..Position::AfterPort];
        let mut headers = vec![(HOST.as_str(), host), ("x-amz-date", &date), more];
        if let Some(token) = &self.credentials.session_token {
            headers.push(("x-amz-security-token", token.expose()));
        }
        let scope = sigv4::Scope {
            region: &self.region,
            service: "sts",
            at: &at,
        };
        let authorization = sigv4::Request {
            method: method.as_str(),
            path: url.path(),
            query: url.query().unwrap_or_default(),
            headers: headers.clone(),
            payload_hash: &sigv4::hex_sha256(b""),
            plain_path: false,
            normal_path: true,
        }
        .authorization(&self.credentials, &scope);
        headers.push((AUTHORIZATION.as_str(), &authorization));
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        headers.into_iter().map(own).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::secret::Secret;

    /// Signatures that google-auth 2.62 makes of the same.
    #[test]
    fn a_request_is_signed_as_googles_own_library_signs_it() {
        let signed = |session_token: Option<&str>| {
            let caller = Caller {
                region: "us-east-2".to_owned(),
                credentials: Credentials {
                    access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
                    secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
                    session_token: session_token.map(Secret::new),
                    expire: None,
                },
            };
            let url = "https://sts.us-east-2.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15";
            let resource = ("x-goog-cloud-target-resource", "//iam.googleapis.com/p");
            let at = UNIX_EPOCH + Duration::from_secs(1_597_128_922);
            caller.sign(&Method::POST, &Url::parse(url).unwrap(), resource, at)
        };
        let own = |(name, value): (&str, String)| (name.to_owned(), value);
        let head = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20200811/us-east-2/sts/aws4_request, SignedHeaders=host;x-amz-date;";
        let last = "1d9a9a783919c30543a770b922b9478ff86559a6368404040db6df311c4c73ef";
        let expected = [
            ("host", "sts.us-east-2.amazonaws.com".to_owned()),
            ("x-amz-date", "20200811T065522Z".to_owned()),
            ("x-goog-cloud-target-resource", "//iam.googleapis.com/p".to_owned()),
            (
                "authorization",
                format!("{head}x-goog-cloud-target-resource, Signature={last}"),
            ),
        ];
        assert_eq!(signed(None), expected.map(own));
        let token = "AQoEXAMPLEH4aoAH0gNCAPyJxz4BlCFFxWNE1OPTgk5TthT+FvwqnKwRcOIfrRh3c";
        let last = "2856963845e952426c405c86ba1a3303da2ae5988b55d4e11182c129790a0188";
        let headers = signed(Some(token));
        assert_eq!(headers[3], own(("x-amz-security-token", token.to_owned())));
        let names = "x-amz-security-token;x-goog-cloud-target-resource";
        assert_eq!(headers[4].1, format!("{head}{names}, Signature={last}"));
    }
}
