//! What may leave and what may not.

use super::*;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn rules(hosts: &[&str]) -> Vec<HostRule> {
    hosts.iter().map(|host| HostRule::parse(host).unwrap()).collect()
}

#[test]
fn a_provider_on_localhost_has_the_operators_word_for_its_own_origin_only() {
    let policy = Policy::new(&url("http://127.0.0.1:8080/v1")).unwrap();
    let own = rules(&["127.0.0.1", "localhost"]);
    assert_eq!(policy.check(&url("http://127.0.0.1:8080/other"), &[]), Ok(()));
    assert_eq!(policy.check(&url("http://127.0.0.1:6379/"), &own), Err(Denied::Private));
    assert_eq!(policy.check(&url("https://127.0.0.1/"), &own), Err(Denied::Private));
    assert_eq!(
        policy.check(&url("http://localhost:8080/"), &own),
        Err(Denied::NotHttps)
    );
}

#[test]
fn a_base_url_that_an_adapter_offers_is_at_a_public_address_and_may_be_denied() {
    let base = url("https://api.example.com/v1");
    let offered = Policy::offered(&base, vec![], vec![]).unwrap();
    assert_eq!(offered.check(&url("https://api.example.com/v1/chat"), &[]), Ok(()));
    assert!(offered.permits_address("api.example.com", 443, [8, 8, 8, 8].into()));
    assert!(!offered.permits_address("api.example.com", 443, [127, 0, 0, 1].into()));
    assert!(
        Policy::new(&base)
            .unwrap()
            .permits_address("api.example.com", 443, [127, 0, 0, 1].into())
    );
    let denied = Policy::offered(&base, vec![], rules(&["*.example.com"]));
    assert_eq!(denied.unwrap_err(), Denied::Operator);
}

#[test]
fn another_host_needs_the_manifest_and_https() {
    let policy = Policy::new(&url("https://api.example.com/v1")).unwrap();
    let permitted = rules(&["*.example.com", "login.example.net"]);
    assert_eq!(policy.check(&url("https://stream.example.com/x"), &permitted), Ok(()));
    assert_eq!(policy.check(&url("https://login.example.net/x"), &permitted), Ok(()));
    for outside in [
        "https://example.com/",
        "https://evil-example.com/",
        "https://login.example.net.evil.org/",
        "https://sub.login.example.net/",
    ] {
        assert_eq!(
            policy.check(&url(outside), &permitted),
            Err(Denied::NotPermitted),
            "{outside}"
        );
    }
    assert_eq!(
        policy.check(&url("http://stream.example.com/"), &permitted),
        Err(Denied::NotHttps)
    );
    assert_eq!(
        policy.check(&url("ftp://stream.example.com/"), &permitted),
        Err(Denied::NotHttp)
    );
}

#[test]
fn private_addresses_in_every_spelling_need_the_operators_word() {
    let policy = Policy::new(&url("https://api.example.com")).unwrap();
    for host in [
        "10.0.0.1",
        "127.1",
        "0x7f.1",
        "2130706433",
        "192.168.1.1",
        "169.254.1.1",
        "100.64.0.1",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[fd12::1]",
        "[fe80::1]",
        "[::ffff:10.0.0.1]",
        "[64:ff9b::10.0.0.1]",
        "[2002:0a00:0001::]",
        "224.0.0.1",
        "[ff02::1]",
    ] {
        let target = url(&format!("https://{host}/"));
        let permitted = rules(&[host]);
        assert_eq!(policy.check(&target, &permitted), Err(Denied::Private), "{host}");
        let allowed = Policy::with(&url("https://api.example.com"), permitted.clone(), vec![]).unwrap();
        assert_eq!(allowed.check(&target, &permitted), Ok(()), "{host}");
    }
}

#[test]
fn metadata_services_are_out_of_reach_for_everybody() {
    for host in [
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "[fd00:ec2::254]",
        "[::ffff:169.254.169.254]",
        "[fd20:ce::254]",
        "[fd00:c1::a9fe:a9fe]",
        "169.254.42.42",
        "[fd00:42::42]",
        "169.254.0.23",
        "[fe80::a9fe:a9fe]",
        "metadata.google.internal",
        "metadata.google.internal.",
        "METADATA.google.internal",
        "2852039166",
    ] {
        let target = url(&format!("http://{host}/latest"));
        assert_eq!(Policy::new(&target).unwrap_err(), Denied::Metadata, "{host}");
        let base = url("https://api.example.com");
        let policy = Policy::with(&base, rules(&[host]), vec![]).unwrap();
        assert_eq!(policy.check(&target, &rules(&[host])), Err(Denied::Metadata), "{host}");
    }
}

#[test]
fn what_the_operator_denies_no_manifest_permits() {
    let base = url("https://api.example.com");
    let policy = Policy::with(&base, vec![], rules(&["*.example.com"])).unwrap();
    assert_eq!(
        policy.check(&url("https://files.example.com/"), &rules(&["*.example.com"])),
        Err(Denied::Operator)
    );
}

#[test]
fn a_name_that_resolves_to_a_private_address_is_refused_when_it_is_resolved() {
    let policy = Policy::new(&url("http://models.internal:8000")).unwrap();
    let permits = |name: &str, ip: &str| policy.permits_address(name, 8000, ip.parse().unwrap());
    assert!(permits("models.internal", "10.1.2.3"));
    assert!(permits("api.example.org", "93.184.216.34"));
    assert!(!permits("models.internal", "169.254.169.254"));
    assert!(!permits("rebind.example.org", "10.1.2.3"));
    assert!(!permits("rebind.example.org", "::ffff:127.0.0.1"));
}

#[test]
fn a_host_that_the_operator_allows_at_one_port_is_private_at_any_other() {
    let base = url("https://api.example.com");
    let policy = Policy::with(&base, rules(&["db.internal:8443"]), vec![]).unwrap();
    let private: IpAddr = "10.1.2.3".parse().unwrap();
    assert!(policy.permits_address("db.internal", 8443, private));
    assert!(!policy.permits_address("db.internal", 443, private));
    let own = Policy::new(&url("http://models.internal:8000")).unwrap();
    assert!(!own.permits_address("models.internal", 443, private));
}

#[test]
fn a_rule_that_is_no_host_or_takes_in_the_world_is_an_error() {
    for text in [
        "",
        "*",
        "*.",
        "*.com",
        "a b",
        "https://x.org",
        "x.org/path",
        "user@x.org",
        "*.1.2.3.4",
        "*.com.",
        "10..",
        "192.0.2..",
    ] {
        assert!(HostRule::parse(text).is_err(), "{text}");
    }
    assert_eq!(
        HostRule::parse("API.Example.com:8443").unwrap().to_string(),
        "api.example.com:8443"
    );
}
