//! `--wait`: what the verifiers of the running server have heard of a sign-out that a command wrote.

use super::{EXIT_DONE, EXIT_REFUSED, output};
use crate::{
    app::RECEIPT_WAIT_MAX,
    receipt_socket::{self, AskedOf, ReceiptQuestion},
};
use counterfoil_domain::revocation::FeedPosition;
use counterfoil_wire::Receipt;
use serde_json::{Value, json};
use std::{
    io::{self, ErrorKind, Write},
    path::Path,
    time::Duration,
};

/// A time to wait, as an argument.
pub(super) fn parse_wait(text: &str) -> Result<Duration, String> {
    let wait = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if wait <= RECEIPT_WAIT_MAX { Ok(wait) } else { Err("at most 10s".to_owned()) }
}

/// Asks the server that runs on the data folder.
pub(super) fn ask(data: &Path, of: AskedOf, feed: FeedPosition, wait: Duration) -> io::Result<Receipt> {
    let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    // Just now: nothing was done in between.
    let question = ReceiptQuestion { epoch: feed.epoch.0, seq: feed.seq, written_ms_ago: 0, wait_ms, of };
    receipt_socket::ask(data, &question)
}

/// The body of `--json` with the receipt, null where there is none.
pub(super) fn with_receipt(mut body: Value, receipt: Option<&io::Result<Receipt>>) -> Value {
    if let (Value::Object(members), Some(receipt)) = (&mut body, receipt) {
        members.insert("receipt".to_owned(), json!(receipt.as_ref().ok()));
    }
    body
}

/// Tells what came of waiting; the exit status.
pub(super) fn tell(
    receipt: Option<io::Result<Receipt>>,
    is_json: bool,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> anyhow::Result<u8> {
    let receipt = match receipt {
        None => return Ok(EXIT_DONE),
        Some(Ok(receipt)) => receipt,
        Some(Err(error)) => {
            let why = match error.kind() {
                ErrorKind::NotFound | ErrorKind::ConnectionRefused => "no server runs on this data folder".to_owned(),
                _ => format!("the running server could not be asked: {error}"),
            };
            writeln!(err, "counterfoil: no receipt: {why}; a server obeys as soon as it reads the store")?;
            return Ok(EXIT_REFUSED);
        }
    };
    if !is_json {
        let Receipt { verifiers, confirmed, slowest_ms, .. } = &receipt;
        let verifiers = output::count(*verifiers, "verifier");
        let slowest = slowest_ms.map(|slowest_ms| format!(", the slowest after {slowest_ms} ms")).unwrap_or_default();
        writeln!(out, "heard of by {confirmed} of {verifiers}{slowest}")?;
        if !receipt.missing.is_empty() {
            writeln!(out, "not by {}", receipt.missing.join(", "))?;
        }
    }
    Ok(if receipt.missing.is_empty() { EXIT_DONE } else { EXIT_REFUSED })
}
