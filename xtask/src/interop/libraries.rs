//! The judges: PyJWT and jose, fetched in pinned versions into `target/interop`, and asked through small scripts.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::install::{self, Stamp, must_succeed};
use crate::workspace::Workspace;
use crate::{npm, process};

const ANSWER_LIMIT: Duration = Duration::from_mins(1);

/// Both libraries, ready to be asked.
pub(super) struct Libraries {
    scripts: PathBuf,
    python: PathBuf,
    node: PathBuf,
    node_folder: PathBuf,
}

/// Whom we ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judge {
    /// PyJWT, in Python.
    PyJwt,
    /// jose, in JavaScript.
    Jose,
}

impl Judge {
    /// Everybody there is to ask.
    pub(super) const BOTH: [Self; 2] = [Self::PyJwt, Self::Jose];

    /// What this library calls a signature that does not fit.
    pub(super) fn says_bad_signature(self) -> &'static str {
        match self {
            Self::PyJwt => "InvalidSignatureError",
            Self::Jose => "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
        }
    }

    /// What this library says when the token is for somebody else.
    pub(super) fn says_wrong_audience(self) -> &'static str {
        match self {
            Self::PyJwt => "InvalidAudienceError",
            Self::Jose => "unexpected \"aud\" claim value",
        }
    }
}

impl fmt::Display for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PyJwt => "PyJWT",
            Self::Jose => "jose",
        })
    }
}

/// What a judge needs to know about the server.
pub(super) struct Issuer<'a> {
    /// Where its metadata is.
    pub(super) url: &'a str,
    /// How it signs.
    pub(super) algorithm: &'a str,
    /// What it shares with whoever verifies, if it does not publish its keys.
    pub(super) secret_file: Option<&'a Path>,
}

/// One question to a judge.
pub(super) struct Question<'a> {
    /// Whose token it claims to be.
    pub(super) issuer: &'a Issuer<'a>,
    /// The token.
    pub(super) token: &'a str,
    /// `None`: the audience that the server issues for.
    pub(super) audience: Option<&'a str>,
}

/// A judge's answer.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The claims as the library understood them.
    Accepted(Value),
    /// The library's own words.
    Refused(String),
}

impl Verdict {
    pub(super) fn expect_acceptance(self) -> anyhow::Result<()> {
        match self {
            Self::Accepted(claims) if claims.get("sub").is_some_and(Value::is_string) => Ok(()),
            Self::Accepted(claims) => bail!("accepted, but without a subject: {claims}"),
            Self::Refused(error) => bail!("{error}"),
        }
    }

    /// Refused, and for this reason: a refusal for another would prove nothing about the case at hand.
    pub(super) fn expect_refusal(self, reason: &str) -> anyhow::Result<()> {
        match self {
            Self::Refused(error) if error.contains(reason) => Ok(()),
            Self::Refused(error) => bail!("refused, but not for `{reason}`: {error}"),
            Self::Accepted(claims) => bail!("accepted: {claims}"),
        }
    }
}

impl Libraries {
    /// Fetches what is not yet there.
    pub(super) fn fetch(workspace: &Workspace) -> anyhow::Result<Self> {
        let scripts = workspace.root.join("interop");
        let folder = workspace.target.join("interop");
        fs::create_dir_all(&folder)?;
        let python = fetch_pyjwt(&scripts.join("requirements.txt"), &folder.join("venv"))?;
        let node_folder = folder.join("node");
        let node = npm::fetch(&scripts.join("node"), &node_folder, "jose")?;
        Ok(Self { scripts, python, node, node_folder })
    }

    /// Puts a question to a judge; fails only when it could not be put.
    pub(super) fn ask(&self, judge: Judge, question: &Question<'_>) -> anyhow::Result<Verdict> {
        let mut command = match judge {
            Judge::PyJwt => self.python_script("pyjwt_verify.py"),
            Judge::Jose => {
                let mut node = Command::new(&self.node);
                node.arg("jose_verify.mjs").current_dir(&self.node_folder);
                node
            }
        };
        command.args(["--issuer-url", question.issuer.url, "--alg", question.issuer.algorithm]);
        if let Some(file) = question.issuer.secret_file {
            command.arg("--secret-file").arg(file);
        }
        if let Some(audience) = question.audience {
            command.args(["--audience", audience]);
        }
        let said = process::ask(without_proxy(&mut command), question.token, ANSWER_LIMIT)?;
        match said.status.code() {
            Some(0) => Ok(Verdict::Accepted(serde_json::from_str(&said.stdout).context("the claims it printed")?)),
            // Warnings of the interpreter may stand before the refusal; an uncaught error exits 1, too, without one.
            Some(1) => match said.stderr.lines().find_map(|line| line.strip_prefix("refused: ")) {
                Some(reason) => Ok(Verdict::Refused(reason.to_owned())),
                None => bail!("{judge} broke down: {}", said.stderr.trim()),
            },
            _ => bail!("{judge} could not be asked: {}", said.stderr.trim()),
        }
    }

    /// A token with the same header and claims, signed by PyJWT with a new key of its own.
    pub(super) fn forge(&self, genuine: &str) -> anyhow::Result<String> {
        let said = process::ask(&mut self.python_script("pyjwt_forge.py"), genuine, ANSWER_LIMIT)?;
        if !said.status.success() {
            bail!("PyJWT could not sign: {}", said.stderr.trim());
        }
        Ok(said.stdout.trim().to_owned())
    }

    /// Writes a new shared secret of 64 random bytes as base64url text, for nobody else to read.
    pub(super) fn write_secret(&self, file: &Path) -> anyhow::Result<PathBuf> {
        let recipe = "import secrets; print(secrets.token_urlsafe(64), end='')";
        let said = process::ask(Command::new(&self.python).args(["-c", recipe]), "", ANSWER_LIMIT)?;
        if !said.status.success() {
            bail!("no secret from Python: {}", said.stderr.trim());
        }
        let mut written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
        written.write_all(said.stdout.trim().as_bytes())?;
        Ok(file.to_owned())
    }

    fn python_script(&self, name: &str) -> Command {
        let mut command = Command::new(&self.python);
        command.arg("-B").arg(self.scripts.join(name)); // -B: leave no bytecode in the sources
        command
    }
}

/// The server is on this machine: a proxy that the environment names must not be asked for it.
fn without_proxy(command: &mut Command) -> &mut Command {
    command.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1")
}

/// A virtual environment with PyJWT; gives its Python.
fn fetch_pyjwt(requirements: &Path, venv: &Path) -> anyhow::Result<PathBuf> {
    let python = venv.join("bin/python");
    let wanted = fs::read_to_string(requirements)?;
    let stamp = Stamp { file: venv.join("installed.txt"), wanted: &wanted };
    // The system's Python may have been upgraded away under the environment: it must also still run.
    if stamp.fits() && install::answers(Command::new(&python).args(["-c", "import jwt, cryptography"])) {
        return Ok(python);
    }
    let system = install::program("python3", &["python3", "python3-venv"])?;
    if !install::answers(Command::new(&system).args(["-c", "import venv, ensurepip"])) {
        println!("This Python cannot make virtual environments.");
        install::apt_get(&["python3-venv"]).context("Python's venv is needed: please install python3-venv")?;
    }
    println!("Fetching PyJWT into {}", venv.display());
    must_succeed(Command::new(&system).args(["-m", "venv", "--clear"]).arg(venv))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--requirement"];
    must_succeed(Command::new(&python).args(pip).arg(requirements))?;
    stamp.set()?;
    Ok(python)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_counts_only_with_its_reason() {
        let refused = |error: &str| Verdict::Refused(error.to_owned());
        assert!(refused("InvalidSignatureError: no").expect_refusal(Judge::PyJwt.says_bad_signature()).is_ok());
        assert!(refused("ExpiredSignatureError: no").expect_refusal(Judge::PyJwt.says_bad_signature()).is_err());
        assert!(Verdict::Accepted(Value::Null).expect_refusal("x").is_err());
    }

    #[test]
    fn an_acceptance_names_a_subject() {
        assert!(Verdict::Accepted(serde_json::json!({ "sub": "a" })).expect_acceptance().is_ok());
        assert!(Verdict::Accepted(serde_json::json!({})).expect_acceptance().is_err());
        assert!(Verdict::Refused("no".to_owned()).expect_acceptance().is_err());
    }
}
