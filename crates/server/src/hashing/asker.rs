//! For whom a password is hashed, as far as fairness is concerned.

use std::{
    hash::{BuildHasher, RandomState},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// The bits of an IPv4 address that its neighbourhood shares: what is commonly routed, and rented, as one.
const IPV4_NEIGHBOURHOOD: u32 = u32::MAX << 8;
/// The same for IPv6: what one site is given (RFC 6177). Tunnels and hosting give it to anybody for the asking.
const IPV6_NEIGHBOURHOOD: u128 = u128::MAX << 80;
/// One network of IPv6, which a single machine fills with as many addresses as it likes (RFC 4291 §2.5.4).
const IPV6_NETWORK: u128 = u128::MAX << 64;

/// For whom a password is to be hashed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asker<'a> {
    /// Where the request came from; `None` is one party, such as the operator's own commands.
    pub ip: Option<IpAddr>,
    /// The account that is signed in to, by the address that was typed. Whether there is such an account makes no
    /// difference.
    pub account: &'a str,
}

impl Asker<'_> {
    /// The parties it belongs to, the widest first: neighbourhood (IPv4 /24, IPv6 /48), network (IPv4 /32, IPv6 /64),
    /// account.
    ///
    /// Why three. By address alone, whoever rents a block of them would have as many turns. By block alone, one bad
    /// neighbour would slow a whole street: so the block has one turn in each round, and its addresses share it. The
    /// account comes last, because whoever floods makes names up at will; it lets people behind one address (an office,
    /// a proxy) keep their turns while somebody there guesses at a single account.
    ///
    /// The numbers are keyed: nobody can make another's on purpose.
    pub(super) fn parties(&self, keyed: &RandomState) -> [u64; 3] {
        let (neighbourhood, network) = match self.ip.map(|ip| ip.to_canonical()) {
            None => (None, None),
            Some(IpAddr::V4(ip)) => {
                let neighbourhood = Ipv4Addr::from_bits(ip.to_bits() & IPV4_NEIGHBOURHOOD);
                (Some(IpAddr::V4(neighbourhood)), Some(IpAddr::V4(ip)))
            }
            Some(IpAddr::V6(ip)) => {
                let part = |mask| Some(IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & mask)));
                (part(IPV6_NEIGHBOURHOOD), part(IPV6_NETWORK))
            }
        };
        [keyed.hash_one(neighbourhood), keyed.hash_one(network), keyed.hash_one(self.account)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of the parties two askers share.
    fn shared(one: (&str, &str), other: (&str, &str)) -> usize {
        let keyed = RandomState::new();
        let parties = |(ip, account): (&str, &str)| Asker { ip: ip.parse().ok(), account }.parties(&keyed);
        let pairs = parties(one).into_iter().zip(parties(other));
        pairs.take_while(|(one, other)| one == other).count()
    }

    #[test]
    fn who_shares_what() {
        for (one, other, expected) in [
            (("192.0.2.7", "a"), ("192.0.2.7", "a"), 3),
            (("192.0.2.7", "a"), ("::ffff:192.0.2.7", "a"), 3),
            (("192.0.2.7", "a"), ("192.0.2.7", "b"), 2),
            (("192.0.2.7", "a"), ("192.0.2.255", "a"), 1),
            (("192.0.2.7", "a"), ("192.0.3.7", "a"), 0),
            (("2001:db8::1", "a"), ("2001:db8::ffff:2", "a"), 3),
            (("2001:db8::1", "a"), ("2001:db8:0:1::1", "a"), 1),
            (("2001:db8::1", "a"), ("2001:db8:1::1", "a"), 0),
            (("none", "a"), ("none", "a"), 3),
            (("none", "a"), ("192.0.2.7", "a"), 0),
        ] {
            assert_eq!(shared(one, other), expected, "{one:?} {other:?}");
        }
    }
}
