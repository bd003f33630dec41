//! Connections of this machine, as Linux lists them.

use std::fs;

/// How many TCP connections from or to this port there are, those included that ended within the last minute (`TIME_WAIT`).
/// `None` where the list is not to be had.
pub(super) fn connections(port: u16) -> Option<usize> {
    fs::read_to_string("/proc/net/tcp").ok().map(|table| count(&table, port))
}

/// A connection of this machine with itself is listed once for each end; only the far end's line counts, where the port is
/// the remote one. A line is `sl local_address remote_address st …`, addresses `0100007F:1F90`.
fn count(table: &str, port: u16) -> usize {
    let ending = format!(":{port:04X}");
    let ends =
        |line: &&str| line.split_whitespace().skip(1).take(2).filter(|address| address.ends_with(&ending)).count() == 1;
    let pairs = table.lines().skip(1).filter(ends).filter_map(|line| {
        let mut addresses: Vec<&str> = line.split_whitespace().skip(1).take(2).collect();
        addresses.sort_unstable();
        (!addresses.contains(&"00000000:0000")).then_some(addresses)
    });
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_one_connection_and_a_listener_is_none() {
        let table = "\
  sl  local_address rem_address   st
   0: 0100007F:1F90 00000000:0000 0A
   1: 0100007F:1F90 0100007F:C001 01
   2: 0100007F:C001 0100007F:1F90 01
   3: 0100007F:C002 0100007F:1F90 06
   4: 0100007F:C003 0100007F:1F91 01
";
        assert_eq!(count(table, 0x1F90), 2);
        assert_eq!(count(table, 0x1F91), 1);
        assert_eq!(count("", 80), 0);
    }
}
