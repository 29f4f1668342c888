//! Networks of an office, as people write them: addresses and ranges between commas.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

/// Addresses and networks in one list, at most.
const MOST: usize = 100;

/// Addresses and networks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Networks(Vec<(IpAddr, u32)>);

/// The part of a list that is neither an address nor a network, as it was written; a list that is too long, as its first part too many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoNetwork(pub String);

/// The bits of an address from the left, IPv4 written as it stands in IPv6.
fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(v4) => u128::from(v4.to_ipv6_mapped()),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

/// Bits that the left part of a mapped address takes, in front of what its length counts.
fn before(ip: IpAddr) -> u32 {
    if ip.is_ipv4() { 96 } else { 0 }
}

impl Networks {
    /// Reads addresses (`10.1.2.3`) and networks (`10.1.0.0/16`, CIDR as in RFC 4632 and RFC 4291) between commas.
    ///
    /// # Errors
    /// The first part that is neither.
    pub fn parse(text: &str) -> Result<Self, NoNetwork> {
        let one = |word: &str| {
            let (ip, length) = word.split_once('/').map_or((word, None), |(ip, n)| (ip, Some(n)));
            let ip: IpAddr = ip.parse().ok()?;
            let most = 128 - before(ip);
            let length: u32 = length.map_or(Some(most), |n| n.parse().ok())?;
            (length <= most).then_some((ip, length + before(ip)))
        };
        let mut list = Vec::new();
        for word in text.split(',').map(str::trim).filter(|w| !w.is_empty()) {
            let found = one(word).filter(|_| list.len() < MOST);
            list.push(found.ok_or_else(|| NoNetwork(word.to_owned()))?);
        }
        Ok(Self(list))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an address lies in one of them.
    #[must_use]
    pub fn hold(&self, address: IpAddr) -> bool {
        self.0.iter().any(|(ip, length)| {
            let other = (bits(*ip) ^ bits(address)).checked_shr(128 - length).unwrap_or(0);
            other == 0
        })
    }

    /// The first one that is wider than so many leading bits say: `(8, 16)` takes `10.0.0.0/8` and refuses `0.0.0.0/0`.
    #[must_use]
    pub fn wider_than(&self, v4: u32, v6: u32) -> Option<String> {
        let mapped = bits(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let wide = self.0.iter().find(|(ip, n)| {
            // A range of IPv6 may also hold IPv4 as it stands there.
            let holds_v4 = (bits(*ip) ^ mapped).checked_shr(128 - (*n).min(96)).unwrap_or(0) == 0;
            *n < if holds_v4 { 96 + v4 } else { v6 }
        });
        wide.map(|one| Self(vec![*one]).to_string())
    }
}

impl fmt::Display for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (ip, length)) in self.0.iter().enumerate() {
            f.write_str(if n == 0 { "" } else { ", " })?;
            match length {
                128 => write!(f, "{ip}")?,
                _ => write!(f, "{ip}/{}", length - before(*ip))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_lies_in_its_networks_alone() {
        let list = Networks::parse("10.9.0.0/16, 192.0.2.7, 2001:db8:1::/48").unwrap();
        for (address, inside) in [
            ("10.9.255.1", true),
            ("10.10.0.1", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("::ffff:10.9.1.1", true),
            ("2001:db8:1:2::3", true),
            ("2001:db8:2::3", false),
        ] {
            assert_eq!(list.hold(address.parse().unwrap()), inside, "{address}");
        }
        let all = Networks::parse("0.0.0.0/0").unwrap();
        assert!(all.hold("203.0.113.1".parse().unwrap()) && !all.hold("2001:db8::1".parse().unwrap()));
        assert!(!Networks::default().hold("10.9.0.1".parse().unwrap()) && Networks::default().is_empty());
    }

    #[test]
    fn what_is_no_network_is_named() {
        for wrong in ["10.9.0.0/33", "10.9", "10.9.0.0/x", "ここ", "::/129", "10.0.0.1/"] {
            assert_eq!(
                Networks::parse(&format!("10.1.0.0/16, {wrong}")),
                Err(NoNetwork(wrong.to_owned())),
                "{wrong}"
            );
        }
        let many = vec!["10.0.0.1"; MOST + 1].join(",");
        assert_eq!(Networks::parse(&many), Err(NoNetwork("10.0.0.1".to_owned())));
    }

    #[test]
    fn a_list_is_written_as_it_is_read_and_what_is_too_wide_is_named() {
        let text = "10.9.0.0/16, 192.0.2.7, 2001:db8:1::/48, ::1";
        let list = Networks::parse(&text.replace(' ', "")).unwrap();
        assert_eq!(list.to_string(), text);
        assert_eq!(list.wider_than(8, 16), None);
        assert_eq!(list.wider_than(24, 16).as_deref(), Some("10.9.0.0/16"));
        for wide in ["0.0.0.0/0", "10.0.0.0/7", "2000::/3", "::ffff:0.0.0.0/96", "::/80", "::/0"] {
            assert_eq!(Networks::parse(wide).unwrap().wider_than(8, 16).as_deref(), Some(wide));
        }
    }
}
