//! A network of its own for a service: a namespace with two links to here, one to the server and one for whoever asks the
//! service. The first can be cut, in both ways or in one.
//!
//! A link is cut in one way by telling the sender a wrong hardware address for the receiver: what it sends goes nowhere, and
//! nobody tells it so, as on a network that loses everything.

use anyhow::{Context, bail};
use std::{
    env,
    net::Ipv4Addr,
    process::{self, Command},
    sync::atomic::{AtomicU8, Ordering},
};

/// An address that no interface has; locally administered.
const NOBODY: &str = "02:00:00:00:00:01";
/// Private addresses for the links of this run (RFC 1918).
const NETWORK: [u8; 2] = [10, 231];

/// Counts the networks of this process, so that tests beside each other have their own.
static NEXT: AtomicU8 = AtomicU8::new(0);

/// The namespace; dropping it removes it and its links.
pub(crate) struct Link {
    namespace: String,
    third: u8,
}

/// In which way nothing arrives any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cut {
    /// Neither way.
    BothWays,
    /// The service's questions are lost.
    ToServer,
    /// The server's answers are lost.
    FromServer,
}

impl Link {
    /// Makes it. Needs the rights of root, as `cargo xtask test` has in a container.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let third = u8::try_from(process::id() % 64).unwrap_or(0) * 4 + NEXT.fetch_add(1, Ordering::Relaxed) % 4;
        let link = Self { namespace: format!("counterfoil-{third}"), third };
        let name = link.namespace.as_str();
        ip(&["netns", "add", name]).context("making a network of its own for a service (this needs root)")?;
        for (what, fourth) in [("feed", 0), ("front", 4)] {
            let (here, there) = (link.interface(what, 'a'), link.interface(what, 'b'));
            ip(&["link", "add", &here, "type", "veth", "peer", "name", &there, "netns", name])?;
            ip(&["addr", "add", &format!("{}/30", link.address(fourth + 1)), "dev", &here])?;
            ip(&["link", "set", &here, "up"])?;
            ip(&["-n", name, "addr", "add", &format!("{}/30", link.address(fourth + 2)), "dev", &there])?;
            ip(&["-n", name, "link", "set", &there, "up"])?;
        }
        ip(&["-n", name, "link", "set", "lo", "up"])?;
        Ok(link)
    }

    /// Where the server listens for the service.
    pub(crate) fn server(&self) -> Ipv4Addr {
        self.address(1)
    }

    /// Where the service listens for whoever asks.
    pub(crate) fn front(&self) -> Ipv4Addr {
        self.address(6)
    }

    /// This program, in the namespace.
    pub(crate) fn command(&self) -> anyhow::Result<Command> {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace]).arg(env::current_exe()?);
        Ok(command)
    }

    /// Cuts the link between service and server.
    pub(crate) fn cut(&self, cut: Cut) -> anyhow::Result<()> {
        let (here, there) = (self.interface("feed", 'a'), self.interface("feed", 'b'));
        if cut != Cut::ToServer {
            ip(&[
                "neigh",
                "replace",
                &self.address(2).to_string(),
                "lladdr",
                NOBODY,
                "dev",
                &here,
                "nud",
                "permanent",
            ])?;
        }
        if cut != Cut::FromServer {
            let server = self.server().to_string();
            let neighbour = ["neigh", "replace", &server, "lladdr", NOBODY, "dev", &there, "nud", "permanent"];
            ip(&[&["-n", &self.namespace], &neighbour[..]].concat())?;
        }
        Ok(())
    }

    /// Mends it.
    pub(crate) fn mend(&self) {
        let (here, there) = (self.interface("feed", 'a'), self.interface("feed", 'b'));
        // Whichever was not cut has nothing to forget.
        let _ = ip(&["neigh", "del", &self.address(2).to_string(), "dev", &here]);
        let _ = ip(&["-n", &self.namespace, "neigh", "del", &self.server().to_string(), "dev", &there]);
    }

    const fn address(&self, fourth: u8) -> Ipv4Addr {
        Ipv4Addr::new(NETWORK[0], NETWORK[1], self.third, fourth)
    }

    fn interface(&self, what: &str, end: char) -> String {
        format!("cf-{what}-{}{end}", self.third)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // The links go with it.
        let _ = ip(&["netns", "del", &self.namespace]);
    }
}

fn ip(arguments: &[&str]) -> anyhow::Result<()> {
    let output = Command::new("ip").args(arguments).output().context("running `ip` (of the package iproute2)")?;
    if !output.status.success() {
        bail!("ip {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
