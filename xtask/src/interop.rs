//! Interop: libraries that never saw our code judge the tokens of a running server, and the server judges theirs.
//!
//! What is asked, and by which scripts, is told in `interop/README.md`. Here it is driven: fetch the libraries, start
//! the server once per algorithm, put each question, and count the answers.

mod libraries;
mod token;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::cases::Cases;
use crate::process;
use crate::server::{self, Server};
use crate::tally::Tally;
use crate::test::Options;
use crate::workspace::Workspace;
use libraries::{Issuer, Judge, Libraries, Question, Verdict};
use token::Part;

/// One of each kind: Edwards curve, NIST curve, RSA, shared secret.
const ALGORITHMS: [&str; 4] = ["EdDSA", "ES256", "RS256", "HS512"];

/// Nobody's audience.
const ELSEWHERE: &str = "https://elsewhere.example";

/// Runs all cases and counts them.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<Tally> {
    let libraries = Libraries::fetch(workspace)?;
    let binary = server::binary(workspace, options)?;
    let mut cases = Cases::default();
    for algorithm in ALGORITHMS {
        println!("\n{algorithm}");
        let folder = workspace.empty_folder(&format!("interop/run/{algorithm}"))?;
        let round = Round { libraries: &libraries, binary: &binary, folder, algorithm };
        // A round that breaks off (the server does not start, say) is one failed case; the next may still go.
        if let Err(error) = round.play(&mut cases) {
            cases.note("the round can be played", Err(error));
        }
        if process::interrupted() {
            break;
        }
    }
    Ok(cases.tally)
}

/// The questions of one algorithm.
struct Round<'a> {
    libraries: &'a Libraries,
    binary: &'a Path,
    folder: PathBuf,
    algorithm: &'static str,
}

impl Round<'_> {
    fn play(&self, cases: &mut Cases) -> anyhow::Result<()> {
        let secret_file = match self.algorithm {
            "HS512" => Some(self.libraries.write_secret(&self.folder.join("secret"))?),
            _ => None,
        };
        let mut settings = vec![("COUNTERFOIL_SIGNING__ALGORITHM", OsStr::new(self.algorithm))];
        settings.extend(secret_file.iter().map(|file| ("COUNTERFOIL_SIGNING__SECRET_FILE", file.as_os_str())));
        let server = Server::start(self.binary, &self.folder, &settings)?;
        let genuine = server.sign_up()?;
        let issuer = Issuer { url: server.base_url(), algorithm: self.algorithm, secret_file: secret_file.as_deref() };

        for judge in Judge::BOTH {
            let question = Question { issuer: &issuer, token: &genuine, audience: None };
            let verdict = self.libraries.ask(judge, &question);
            cases.note(&format!("{judge} accepts the token"), verdict.and_then(Verdict::expect_acceptance));
        }
        for part in [Part::Payload, Part::Signature] {
            let token = token::with_flipped_bit(&genuine, part)?;
            for judge in Judge::BOTH {
                let question = Question { issuer: &issuer, token: &token, audience: None };
                let refused = self.refuses(judge, &question, judge.says_bad_signature());
                cases.note(&format!("{judge} refuses a flipped {part} bit"), refused);
            }
        }
        for judge in Judge::BOTH {
            let question = Question { issuer: &issuer, token: &genuine, audience: Some(ELSEWHERE) };
            let refused = self.refuses(judge, &question, judge.says_wrong_audience());
            cases.note(&format!("{judge} refuses it for another audience"), refused);
        }

        // The other direction. Without the first case, a server that refuses everybody would pass the second.
        cases.note("Counterfoil accepts its own token", server.expect_status_of_account(&genuine, 200));
        let forged = self.libraries.forge(&genuine);
        let refused = forged.and_then(|forged| server.expect_status_of_account(&forged, 401));
        cases.note("Counterfoil refuses the same claims under PyJWT's key", refused);
        server.stop()
    }

    fn refuses(&self, judge: Judge, question: &Question<'_>, reason: &str) -> anyhow::Result<()> {
        self.libraries.ask(judge, question)?.expect_refusal(reason)
    }
}
