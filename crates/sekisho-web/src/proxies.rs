//! Proxies whose word is believed: who the client is (`X-Forwarded-For`) and which certificate it showed. From anybody else these headers
//! are what a stranger wrote.

use std::net::{IpAddr, SocketAddr};

use sekisho_base::Networks;

/// Addresses and networks of the proxies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proxies(Networks);

impl Proxies {
    /// Reads addresses (`10.1.2.3`) and networks (`10.1.0.0/16`) between commas; none when one of them is neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Networks::parse(text).ok().map(Self)
    }

    /// This machine, where a proxy that ends TLS usually stands.
    #[must_use]
    pub fn here() -> Self {
        Self::parse("127.0.0.0/8,::1").unwrap_or_default()
    }

    /// Whether an address is one of theirs. Without an address it is a test or a socket of this machine.
    pub(crate) fn trusts(&self, peer: Option<IpAddr>) -> bool {
        peer.map_or(!self.0.is_empty(), |ip| self.0.hold(ip))
    }

    /// Who the client is: the last one in the chain of forwarders who is none of ours. Who forwarded for whom is believed only as far as
    /// our own proxies wrote it.
    pub(crate) fn client<'h>(
        &self,
        peer: Option<IpAddr>,
        forwarded: impl Iterator<Item = &'h str>,
    ) -> Option<IpAddr> {
        if !self.trusts(peer) {
            return peer;
        }
        let words: Vec<&str> = forwarded.flat_map(|line| line.split(',')).map(str::trim).collect();
        let mut client = peer;
        for word in words.iter().rev() {
            let plain = word.trim_start_matches('[').trim_end_matches(']');
            let ip = plain.parse().ok().or_else(|| word.parse::<SocketAddr>().ok().map(|a| a.ip()));
            let Some(ip) = ip else { break };
            client = Some(ip);
            if !self.trusts(client) {
                break;
            }
        }
        client
    }
}

#[cfg(test)]
mod tests {
    use super::Proxies;

    fn client(list: &str, peer: &str, forwarded: &[&str]) -> String {
        let peer = peer.parse().ok();
        let found = Proxies::parse(list).unwrap().client(peer, forwarded.iter().copied());
        found.map(|ip| ip.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_stranger_who_sends_the_header_is_not_believed() {
        assert_eq!(client("127.0.0.1", "10.9.9.9", &["192.0.2.1"]), "10.9.9.9");
        assert_eq!(client("", "127.0.0.1", &["192.0.2.1"]), "127.0.0.1");
        assert_eq!(client("", "", &["192.0.2.1"]), "");
    }

    #[test]
    fn the_client_is_the_last_that_our_own_proxies_name() {
        assert_eq!(client("127.0.0.1", "127.0.0.1", &["192.0.2.66, 10.1.2.3"]), "10.1.2.3");
        assert_eq!(client("127.0.0.1", "127.0.0.1", &["192.0.2.66", "10.1.2.3:5000"]), "10.1.2.3");
        let two = "127.0.0.1, 10.0.0.0/24";
        assert_eq!(client(two, "127.0.0.1", &["192.0.2.66, 10.1.2.3, 10.0.0.7"]), "10.1.2.3");
        assert_eq!(client(two, "127.0.0.1", &["10.0.0.9, 10.0.0.7"]), "10.0.0.9");
        assert_eq!(client(two, "127.0.0.1", &["10.1.2.3, unknown"]), "127.0.0.1");
        assert_eq!(client(two, "127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(client("::1", "::1", &["[2001:db8::5]"]), "2001:db8::5");
    }

    #[test]
    fn networks_are_read_and_end_where_they_say() {
        let list = Proxies::parse("10.1.0.0/16, 2001:db8::/32, 192.0.2.5").unwrap();
        for (ip, ours) in [
            ("10.1.255.255", true),
            ("10.2.0.0", false),
            ("2001:db8:ffff::1", true),
            ("2001:db9::1", false),
            ("192.0.2.5", true),
            ("192.0.2.4", false),
            ("::ffff:10.1.0.1", true),
        ] {
            assert_eq!(list.trusts(ip.parse().ok()), ours, "{ip}");
        }
        assert!(Proxies::parse("0.0.0.0/0").unwrap().trusts("203.0.113.9".parse().ok()));
        for bad in ["proxy.example", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.1/x"] {
            assert_eq!(Proxies::parse(bad), None, "{bad}");
        }
        assert!(Proxies::here().trusts("127.0.0.9".parse().ok()));
    }
}
