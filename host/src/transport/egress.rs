//! Where requests may go. A provider's base URL has the operator's word, also on localhost or in a private network. Any other host
//! has to be named by the adapter's manifest, over https, at a public address; the operator can allow more and deny any of it. The
//! metadata services of clouds are out of reach for everybody: they hand out credentials to whoever asks.
//!
//! Names are checked twice: by [`Policy::check`] before a request, and by [`Policy::permits_address`] when the client's resolver has
//! made addresses of them. So a name that resolves to a public address first and to a private one later gains nothing.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use url::{Host, Url};

/// Addresses of cloud metadata services and their kin: AWS (EC2, ECS, EKS), Azure, Google and Oracle share the first; Alibaba,
/// Azure's host agent, Oracle's second, Scaleway, Tencent.
const METADATA_V4: [Ipv4Addr; 8] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(169, 254, 170, 23),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
    Ipv4Addr::new(169, 254, 42, 42),
    Ipv4Addr::new(169, 254, 0, 23),
];
/// The same over IPv6: AWS' two, Google, Oracle, Scaleway, and the first of the above as a link-local address (OpenStack).
const METADATA_V6: [Ipv6Addr; 6] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe),
    Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42),
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0xa9fe, 0xa9fe),
];
/// Their names.
const METADATA_NAMES: [&str; 4] = [
    "metadata.google.internal",
    "metadata.goog",
    "metadata",
    "instance-data.ec2.internal",
];

/// A host, or all names below one: `api.example.com`, `*.example.com`, with `:port` if only that one is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostRule {
    name: String,
    below: bool,
    port: Option<u16>,
}

impl HostRule {
    /// Reads a rule; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (below, rest) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let bad = || format!("`{text}` is not a host name, nor `*.` and a suffix");
        // The URL parser knows all spellings of a host; so a rule and a URL are spelled alike afterwards.
        let url = Url::parse(&format!("https://{rest}")).map_err(|_| bad())?;
        let plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        let name = url
            .host_str()
            // `*` is a letter to the URL parser.
            .filter(|name| plain && !rest.ends_with('/') && !name.contains('*'))
            // `com.` is `com`: it has one label.
            .map(|name| name.trim_end_matches('.'))
            // What the parser took for a name because of a dot may be a number without it: `10..` is none, `10` is 0.0.0.10.
            .filter(|name| Host::parse(name).is_ok_and(|host| host.to_string() == *name))
            .ok_or_else(bad)?;
        if below && (matches!(url.host(), Some(Host::Ipv4(_) | Host::Ipv6(_))) || !name.contains('.')) {
            return Err(format!("`{text}` takes in too much: at least two labels after `*.`"));
        }
        let port = if rest.ends_with(":443") { Some(443) } else { url.port() };
        Ok(Self {
            name: name.to_owned(),
            below,
            port,
        })
    }

    fn fits(&self, host: &str, port: Option<u16>) -> bool {
        let named = if self.below {
            host.strip_suffix(self.name.as_str())
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        } else {
            host == self.name
        };
        named && self.port.is_none_or(|mine| port == Some(mine))
    }
}

impl fmt::Display for HostRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let star = if self.below { "*." } else { "" };
        write!(f, "{star}{}", self.name)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// Where the requests of one provider may go. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Policy(Arc<Rules>);

#[derive(Debug)]
struct Rules {
    base: Url,
    /// The operator has written the base URL, and not an adapter.
    vouched: bool,
    host: String,
    allow: Vec<HostRule>,
    deny: Vec<HostRule>,
}

/// Why a request may not go out. It names no host: that may be a guest's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Not `http` or `https`, or no host.
    #[error("the URL is not an absolute http or https URL")]
    NotHttp,
    /// Neither the provider's own origin nor among the adapter's permissions.
    #[error("the host is neither the provider's own nor among the adapter's permissions")]
    NotPermitted,
    /// `http` to a host other than the provider's own.
    #[error("a host other than the provider's own is reached over https only, unless the operator allows it")]
    NotHttps,
    /// The operator said no.
    #[error("the operator denies this host")]
    Operator,
    /// An address that is not public.
    #[error("a private or local address is reached only with the operator's word")]
    Private,
    /// A cloud's metadata service.
    #[error("cloud metadata addresses are never reached")]
    Metadata,
}

impl Policy {
    /// The policy for a provider at `base`: its own origin, and whatever public hosts its adapter's manifest names.
    pub fn new(base: &Url) -> Result<Self, Denied> {
        Self::with(base, Vec::new(), Vec::new())
    }

    /// The same with the operator's rules. `allow`: hosts that may also be private, or plain http (the manifest still has to name
    /// them). `deny`: hosts that are out of reach whatever a manifest says.
    pub fn with(base: &Url, allow: Vec<HostRule>, deny: Vec<HostRule>) -> Result<Self, Denied> {
        let host = host(base)?;
        never(base, &host)?;
        Ok(Self(Arc::new(Rules {
            base: base.clone(),
            vouched: true,
            host,
            allow,
            deny,
        })))
    }

    /// The policy for a provider at a base URL that its adapter offers: without the operator's word for it, that has to be at a public
    /// address, and may be denied.
    pub fn offered(base: &Url, allow: Vec<HostRule>, deny: Vec<HostRule>) -> Result<Self, Denied> {
        let host = host(base)?;
        never(base, &host)?;
        if deny.iter().any(|rule| rule.fits(&host, base.port_or_known_default())) {
            return Err(Denied::Operator);
        }
        Ok(Self(Arc::new(Rules {
            base: base.clone(),
            vouched: false,
            host,
            allow,
            deny,
        })))
    }

    /// True for the provider's own origin: scheme, host and port.
    pub fn is_base(&self, url: &Url) -> bool {
        let base = &self.0.base;
        base.scheme() == url.scheme()
            && base.host_str() == url.host_str()
            && base.port_or_known_default() == url.port_or_known_default()
    }

    /// Whether a request to `url` may leave, with `permitted` from the adapter's manifest.
    pub fn check(&self, url: &Url, permitted: &[HostRule]) -> Result<(), Denied> {
        let host = host(url)?;
        never(url, &host)?;
        if self.is_base(url) {
            return Ok(());
        }
        let port = url.port_or_known_default();
        let among = |rules: &[HostRule]| rules.iter().any(|rule| rule.fits(&host, port));
        if among(&self.0.deny) {
            return Err(Denied::Operator);
        }
        if !among(permitted) {
            return Err(Denied::NotPermitted);
        }
        if among(&self.0.allow) {
            return Ok(());
        }
        // Another port of the provider's own host is another service, so it needs the operator.
        if host == self.0.host {
            return Err(Denied::Private);
        }
        if url.scheme() != "https" {
            return Err(Denied::NotHttps);
        }
        match literal(url) {
            Some(address) if !is_public(address) => Err(Denied::Private),
            _ => Ok(()),
        }
    }

    /// Whether a request to `name` and `port` may go to `address`, which the name has just been resolved to.
    pub fn permits_address(&self, name: &str, port: u16, address: IpAddr) -> bool {
        !is_metadata(address) && (is_public(address) || self.trusts(name, port))
    }

    /// True for what has the operator's word: the provider's own host and port, and what the operator allows.
    pub fn trusts(&self, name: &str, port: u16) -> bool {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let base = self.0.vouched && name == self.0.host && self.0.base.port_or_known_default() == Some(port);
        base || self.0.allow.iter().any(|rule| rule.fits(&name, Some(port)))
    }
}

fn host(url: &Url) -> Result<String, Denied> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Denied::NotHttp);
    }
    let host = url.host_str().ok_or(Denied::NotHttp)?;
    Ok(host.trim_end_matches('.').to_owned())
}

/// The metadata services, by name and by address.
fn never(url: &Url, host: &str) -> Result<(), Denied> {
    if METADATA_NAMES.contains(&host) || literal(url).is_some_and(is_metadata) {
        return Err(Denied::Metadata);
    }
    Ok(())
}

/// The address, if the URL's host is one: no resolver is asked for those.
fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    }
}

fn is_metadata(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => METADATA_V4.contains(&address),
        IpAddr::V6(address) => {
            METADATA_V6.contains(&address) || inner(address).is_some_and(|v4| METADATA_V4.contains(&v4))
        }
    }
}

/// True for addresses of the public internet: IANA's special-purpose registries (RFC 6890 and its successors) are not.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match inner(address) {
            Some(v4) => is_public_v4(v4),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b))
        || METADATA_V4.contains(&address);
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    // Global unicast is 2000::/3; of it, Teredo and the other protocol assignments, documentation.
    let global = first & 0xe000 == 0x2000;
    let special = (first == 0x2001 && (second < 0x200 || second == 0xdb8)) || first == 0x3fff;
    global && !special
}

/// The IPv4 address inside an IPv6 one: mapped, compatible, NAT64 and 6to4.
fn inner(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] if high != 0 || low > 1 => Some(v4(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(v4(high, low)),
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
