//! Networks of the office, as the operator writes them.

use std::net::IpAddr;

/// Addresses and networks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Networks(Vec<(IpAddr, u32)>);

/// The bits of an address from the left, IPv4 written as it stands in IPv6.
fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(v4) => u128::from(v4.to_ipv6_mapped()),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

impl Networks {
    /// Reads addresses (`10.1.2.3`) and networks (`10.1.0.0/16`) between commas; none when one of them is neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let one = |word: &str| {
            let (ip, length) = word.split_once('/').map_or((word, None), |(ip, n)| (ip, Some(n)));
            let ip: IpAddr = ip.parse().ok()?;
            let most = if ip.is_ipv4() { 32 } else { 128 };
            let length: u32 = length.map_or(Some(most), |n| n.parse().ok())?;
            (length <= most).then_some((ip, length + 128 - most))
        };
        let words = text.split(',').map(str::trim).filter(|w| !w.is_empty());
        words.map(one).collect::<Option<Vec<_>>>().map(Self)
    }

    /// Whether an address lies in one of them. Without an address it is a test or a socket of this machine, which lies in whatever there is.
    pub(crate) fn hold(&self, address: Option<IpAddr>) -> bool {
        let Some(address) = address else { return !self.0.is_empty() };
        self.0.iter().any(|(ip, length)| {
            let other = (bits(*ip) ^ bits(address)).checked_shr(128 - length).unwrap_or(0);
            other == 0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Networks;

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
            assert_eq!(list.hold(address.parse().ok()), inside, "{address}");
        }
        assert!(list.hold(None), "nobody knows where it is");
        let all = Networks::parse("0.0.0.0/0").unwrap();
        assert!(all.hold("203.0.113.1".parse().ok()) && !all.hold("2001:db8::1".parse().ok()));
        assert!(!Networks::default().hold("10.9.0.1".parse().ok()) && !Networks::default().hold(None));
        for wrong in ["10.9.0.0/33", "10.9", "10.9.0.0/x", "ここ"] {
            assert_eq!(Networks::parse(wrong), None, "{wrong}");
        }
    }
}
