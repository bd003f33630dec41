//! `counterfoil key rotate` and `counterfoil key import`.

use super::{
    ConfigArgs, EXIT_DONE, EXIT_REFUSED,
    administration::{Administration, block_on},
    key_file::{KeyFile, read_text},
    output,
};
use crate::{
    app::{KeyAdministration, Rotation, timestamp},
    data_folder::DataFolder,
    keys::MasterKey,
    system::{OsEntropy, SystemClock},
};
use clap::Args;
use counterfoil_domain::time::{Clock, UnixMillis};
use counterfoil_jwt::{Algorithm, SigningKey};
use serde_json::json;
use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

#[derive(Args)]
pub(super) struct RotateArgs {
    /// A key has leaked: sign with a new one at once, and refuse everything that the keys before have signed. Everybody who is
    /// signed in refreshes once.
    #[arg(long)]
    compromised: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Args)]
pub(super) struct ImportArgs {
    /// A private key of the configured algorithm: a JWK or a PEM. Its `kid` is kept; without one it gets its thumbprint.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

pub(super) fn rotate(args: &RotateArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<u8> {
    let (keys, _) = open(&args.config)?;
    let now = SystemClock.now();
    if args.compromised {
        return match block_on(async { Ok(keys.give_up(now).await?) })? {
            None => tell(&Rotation::NoActiveKey, args.json, out, err),
            Some((done, _)) if args.json => {
                output::json(out, &json!({ "active": done.kid, "given_up": done.given_up }))?;
                Ok(EXIT_DONE)
            }
            Some((done, _)) => {
                writeln!(out, "key {} signs now", done.kid)?;
                writeln!(out, "given up, and refused from now on: {}", done.given_up.join(", "))?;
                let max_age = keys.terms.jwks_max_age.as_secs();
                writeln!(out, "a running server obeys within a second, and verifiers that follow the feed with it")?;
                writeln!(
                    out,
                    "those that only read the published keys go on with their copy for up to {max_age} seconds"
                )?;
                Ok(EXIT_DONE)
            }
        };
    }
    let (rotation, _) = block_on(async { Ok(keys.rotate(now, false).await?) })?;
    tell(&rotation, args.json, out, err)
}

pub(super) fn import(args: &ImportArgs, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<u8> {
    let (keys, algorithm) = open(&args.config)?;
    let key = read_private_key(&args.file, algorithm)?;
    let (rotation, _) = block_on(async { Ok(keys.import(key, SystemClock.now()).await?) })?;
    tell(&rotation, args.json, out, err)
}

fn open(args: &ConfigArgs) -> anyhow::Result<(KeyAdministration, Algorithm)> {
    let Administration { config, accounts } = Administration::open(args)?;
    anyhow::ensure!(
        config.signing.secret_file.is_none(),
        "the secret comes from the file of `signing.secret_file`: put another secret into it, give it to those who verify, and \
         restart the server; what the secret before has signed is refused from then on"
    );
    let folder = DataFolder::open(&config.data)?;
    let master = MasterKey::load(folder.path())?;
    let master = master.ok_or_else(|| anyhow::anyhow!("there is no master key in {}", folder.path().display()))?;
    let algorithm = config.signing.algorithm.parse()?;
    let terms = config.key_terms(accounts.longest_token_lifetime);
    let (store, master, entropy) = (accounts.store, Arc::new(master), Arc::new(OsEntropy));
    Ok((KeyAdministration { store, master, entropy, terms }, algorithm))
}

/// A key that names no algorithm, as most RSA keys do, is taken for the configured one.
fn read_private_key(file: &Path, algorithm: Algorithm) -> anyhow::Result<SigningKey> {
    let key = KeyFile::Text(read_text(file)?).signing_key(Some(algorithm));
    key.map_err(|refusal| {
        anyhow::anyhow!("{}: {refusal}; expected a private key for {}", file.display(), algorithm.name())
    })
}

fn tell(rotation: &Rotation, is_json: bool, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<u8> {
    match rotation {
        Rotation::Announced { kid, signs_at, .. } | Rotation::AnotherIsUpcoming { kid, signs_at } if is_json => {
            let is_new = matches!(rotation, Rotation::Announced { .. });
            output::json(out, &json!({ "kid": kid, "new": is_new, "signs_at": timestamp(*signs_at) }))?;
        }
        Rotation::Announced { kid, algorithm, signs_at } => {
            writeln!(out, "key {kid} ({algorithm}) is published now")?;
            tell_of_signing(*signs_at, out)?;
        }
        Rotation::AnotherIsUpcoming { kid, signs_at } => {
            writeln!(out, "key {kid} is on its way already, and nothing was changed")?;
            tell_of_signing(*signs_at, out)?;
        }
        Rotation::KnownKey { kid } => return refuse(&format!("the server has, or had, a key {kid}"), err),
        Rotation::OtherAlgorithm { active } => {
            let advice =
                format!("the server signs with {active}: configure another `signing.algorithm` first, and restart");
            return refuse(&advice, err);
        }
        Rotation::NoActiveKey | Rotation::NotDue => {
            return refuse("no keys yet: the server makes them when it starts", err);
        }
    }
    Ok(EXIT_DONE)
}

fn tell_of_signing(signs_at: UnixMillis, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(
        out,
        "a running server signs with it from {} on, when no copy without it is left and",
        output::time(signs_at)
    )?;
    writeln!(out, "every verifier that follows the feed has loaded it; the key before stays good for its tokens")?;
    Ok(())
}

fn refuse(why: &str, err: &mut dyn Write) -> anyhow::Result<u8> {
    writeln!(err, "counterfoil: {why}")?;
    Ok(EXIT_REFUSED)
}
