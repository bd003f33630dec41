//! Who takes part. Each verifies the same token with the same key under the same rules (signature, `exp`, `nbf`, `iss`,
//! `aud`, `typ`) and reads the claims into a struct, and each signs the same claims under the same header.

mod counterfoil;
mod josekit;
mod jsonwebtoken;
mod jwt_simple;
mod primitive;

pub use jsonwebtoken::install as install_jsonwebtoken_backend;

use crate::{material::Material, race::Contestant, worker};
use std::rc::Rc;

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    Verify,
    Sign,
}

impl Operation {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Sign => "sign",
        }
    }
}

/// All of them; the bare primitive comes first, for it is what the others are compared with.
pub fn all(operation: Operation, material: &Rc<Material>) -> anyhow::Result<Vec<Contestant>> {
    let m = || Rc::clone(material);
    let in_another_process = worker::contestant(operation, material)?;
    Ok(match operation {
        Operation::Verify => vec![
            primitive::aws_lc_rs_verify(&m())?,
            counterfoil::verify_borrowed(m()),
            counterfoil::verify(m()),
            primitive::ring_verify(&m())?,
            jsonwebtoken::verify("jsonwebtoken (aws-lc-rs)", m())?,
            in_another_process,
            jwt_simple::verify(m())?,
            josekit::verify(m())?,
        ],
        Operation::Sign => vec![
            primitive::aws_lc_rs_sign(&m())?,
            counterfoil::sign(m()),
            primitive::ring_sign(&m())?,
            jsonwebtoken::sign("jsonwebtoken (aws-lc-rs)", m())?,
            in_another_process,
            jwt_simple::sign(&m())?,
            josekit::sign(m())?,
        ],
    })
}

/// `jsonwebtoken` as this process has it: what the other process is asked to measure.
pub fn jsonwebtoken_here(operation: Operation, material: &Rc<Material>) -> anyhow::Result<Contestant> {
    match operation {
        Operation::Verify => jsonwebtoken::verify("here", Rc::clone(material)),
        Operation::Sign => jsonwebtoken::sign("here", Rc::clone(material)),
    }
}
