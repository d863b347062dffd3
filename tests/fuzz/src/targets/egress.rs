//! `transport::egress`: where requests may go. The input is three lines: a provider's base URL, a rule for hosts, a URL.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};
use witgate::transport::egress::{Denied, HostRule, Policy};

use crate::random::Random;

/// Where most clouds hand out credentials.
const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);

/// Checks the URL against the base and the rule in all roles.
pub fn target(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.lines();
    let mut line = || lines.next().unwrap_or_default();
    let (base, rule, url) = (line(), line(), line());
    let rule = HostRule::parse(rule).ok();
    if let Some(rule) = &rule {
        assert_eq!(
            HostRule::parse(&rule.to_string()).as_ref(),
            Ok(rule),
            "a rule is what it shows"
        );
    }
    let Ok(base) = Url::parse(base) else { return };
    let Ok(policy) = Policy::new(&base) else { return };
    assert_eq!(
        policy.check(&base, &[]),
        Ok(()),
        "a provider's own URL has the operator's word"
    );
    addresses(&policy, &mut Random::of(data));
    if let Ok(url) = Url::parse(url) {
        check(&base, &policy, rule.as_slice(), &url);
    }
}

/// What the rule may do for the URL, and what it may not.
fn check(base: &Url, policy: &Policy, rule: &[HostRule], url: &Url) {
    let own = policy.is_base(url);
    let unnamed = policy.check(url, &[]);
    assert!(unnamed.is_err() || own, "a host that nobody named");
    let named = policy.check(url, rule);
    if named.is_ok() && !own {
        assert_eq!(
            url.scheme(),
            "https",
            "only the provider's own origin is reached without TLS"
        );
        assert!(
            literal(url).is_none_or(is_elsewhere),
            "a private address, reached without the operator's word"
        );
    }
    let allowed = Policy::with(base, rule.to_vec(), Vec::new()).expect("the base was good before");
    assert_eq!(
        allowed.check(url, &[]),
        unnamed,
        "to allow a host does not name it for the adapter"
    );
    if literal(url).is_some_and(is_metadata) {
        let refused = allowed.check(url, rule);
        assert!(
            matches!(refused, Err(Denied::Metadata | Denied::NotHttp)),
            "nobody may allow metadata services: {refused:?}"
        );
    }
    let denied = Policy::with(base, rule.to_vec(), rule.to_vec()).expect("the base was good before");
    assert!(
        denied.check(url, rule).is_err() || own,
        "what the operator denies is out of reach"
    );
}

/// What a name may resolve to.
fn addresses(policy: &Policy, random: &mut Random) {
    let four = Ipv4Addr::from(random.number().to_le_bytes().first_chunk().copied().unwrap_or_default());
    for four in [
        four,
        METADATA,
        Ipv4Addr::LOCALHOST,
        Ipv4Addr::new(10, 0, four.octets()[0], 1),
    ] {
        let mapped = four.to_ipv6_mapped();
        let [_, _, _, _, _, _, high, low] = mapped.segments();
        let translated = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low);
        for address in [IpAddr::V4(four), mapped.into(), translated.into()] {
            let reached = policy.permits_address("somewhere.invalid", 443, address);
            assert!(
                !reached || (is_elsewhere(four.into()) && !is_metadata(four.into())),
                "{address}"
            );
        }
    }
}

fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.to_canonical()),
        Host::Domain(_) => None,
    }
}

fn is_metadata(address: IpAddr) -> bool {
    address == IpAddr::V4(METADATA)
}

/// False for what surely is this machine or its network.
fn is_elsewhere(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => !(four.is_private() || four.is_loopback() || four.is_link_local() || four.is_unspecified()),
        IpAddr::V6(six) => {
            !(six.is_loopback() || six.is_unicast_link_local() || six.is_unique_local() || six.is_unspecified())
        }
    }
}
