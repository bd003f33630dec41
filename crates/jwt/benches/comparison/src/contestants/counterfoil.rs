//! Ours.

use crate::{
    material::{BorrowedClaims, Claims, Material, TYPE, now_unix_seconds, policy},
    race::Contestant,
};
use counterfoil_jwt::Signer;
use std::{hint::black_box, rc::Rc};

pub fn verify(material: Rc<Material>) -> Contestant {
    let policy = policy(material.algorithm);
    Contestant::new("counterfoil-jwt (owned claims)", move || {
        let key = material.key.verifying_key();
        let verified = counterfoil_jwt::verify::<Claims>(black_box(&material.token), key, &policy, now_unix_seconds())?;
        black_box(verified);
        Ok(())
    })
}

pub fn verify_borrowed(material: Rc<Material>) -> Contestant {
    let policy = policy(material.algorithm);
    let mut buffer = Vec::new();
    Contestant::new("counterfoil-jwt", move || {
        let (token, key) = (black_box(&material.token), material.key.verifying_key());
        let now = now_unix_seconds();
        let verified = counterfoil_jwt::verify_borrowed::<BorrowedClaims<'_>>(token, key, &policy, now, &mut buffer)?;
        black_box(&verified);
        Ok(())
    })
}

pub fn sign(material: Rc<Material>) -> Contestant {
    Contestant::new("counterfoil-jwt", move || {
        black_box(Signer::new(&material.key).token_type(TYPE).sign(black_box(&material.claims))?);
        Ok(())
    })
}
