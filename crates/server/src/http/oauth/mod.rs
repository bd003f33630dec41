//! OAuth's endpoints: form in, OAuth's own JSON out.

pub(super) mod introspect;
pub(super) mod jwks;
pub(super) mod metadata;
pub(super) mod revoke;
pub(super) mod token;
