//! A second process, for a library that has one backend a process.
//!
//! It is this same program, started with `worker`. It gets its keys and token on the first line, then a number of
//! repetitions a line, and answers each with the nanoseconds they took. While it is not asked it waits on its input, so
//! turns never overlap.

use crate::{
    contestants::{self, Operation},
    material::{Claims, Material},
    race::Contestant,
};
use anyhow::Context;
use counterfoil_jwt::{Algorithm, SigningKey};
use serde::{Deserialize, Serialize};
use std::{
    env,
    io::{self, BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    rc::Rc,
    time::Duration,
};

/// The argument that makes this program a worker.
pub const ARGUMENT: &str = "worker";

#[derive(Serialize, Deserialize)]
struct Job {
    is_sign: bool,
    algorithm: String,
    token: String,
    claims: Claims,
    secret: Vec<u8>,
    private_pem: String,
    public_pem: String,
}

struct Worker {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Worker {
    fn start(job: &Job) -> anyhow::Result<Self> {
        let mut child = Command::new(env::current_exe()?)
            .arg(ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting the second process")?;
        let input = child.stdin.take().context("its input")?;
        let output = BufReader::new(child.stdout.take().context("its output")?);
        let mut worker = Self { child, input, output };
        worker.say(&serde_json::to_string(job)?)?;
        Ok(worker)
    }

    fn say(&mut self, line: &str) -> anyhow::Result<()> {
        writeln!(self.input, "{line}")?;
        Ok(self.input.flush()?)
    }

    fn measure(&mut self, times: u64) -> anyhow::Result<Duration> {
        self.say(&times.to_string())?;
        let mut answer = String::new();
        self.output.read_line(&mut answer)?;
        Ok(Duration::from_nanos(answer.trim().parse().context("the second process ended")?))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// `jsonwebtoken` on `RustCrypto`, over there.
pub fn contestant(operation: Operation, material: &Rc<Material>) -> anyhow::Result<Contestant> {
    let mut worker = Worker::start(&Job {
        is_sign: operation == Operation::Sign,
        algorithm: material.algorithm.name().into(),
        token: material.token.clone(),
        claims: material.claims.clone(),
        secret: material.secret.clone(),
        private_pem: material.private_pem.clone(),
        public_pem: material.public_pem.clone(),
    })?;
    Ok(Contestant::measuring_itself("jsonwebtoken (RustCrypto)", move |times| worker.measure(times)))
}

/// Being the second process.
pub fn run() -> anyhow::Result<()> {
    contestants::install_jsonwebtoken_backend(true)?;
    let mut lines = io::stdin().lines();
    let job: Job = serde_json::from_str(&lines.next().context("no job")??)?;
    let algorithm: Algorithm = job.algorithm.parse()?;
    let material = Rc::new(Material {
        algorithm,
        claims: job.claims,
        token: job.token,
        // Not used here, but a material has one.
        key: SigningKey::generate(Algorithm::EdDsa)?,
        secret: job.secret,
        private_der: vec![],
        public_raw: vec![],
        private_pem: job.private_pem,
        public_pem: job.public_pem,
    });
    let operation = if job.is_sign { Operation::Sign } else { Operation::Verify };
    let mut here = contestants::jsonwebtoken_here(operation, &material)?;
    for line in lines {
        println!("{}", here.measure(line?.trim().parse()?)?.as_nanos());
    }
    Ok(())
}
