//! `vectors/attacks.json`: the same table that the command line is held against.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail loudly too")]

use std::collections::{BTreeMap, BTreeSet};

use counterfoil_jwt::{Algorithm, AlgorithmSet, Policy, VerifyingKey, verify};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Table {
    now: u64,
    issuer: String,
    audience: String,
    #[serde(rename = "type")]
    token_type: String,
    keys: BTreeMap<String, Value>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    rule: String,
    key: String,
    token: String,
    verdict: String,
    algorithms: Option<Vec<String>>,
}

#[test]
fn each_attack_is_refused_with_its_code() {
    let table: Table = serde_json::from_str(include_str!("../../../vectors/attacks.json")).unwrap();
    let mut failures = Vec::new();
    for case in &table.cases {
        let jwk = &table.keys[&case.key];
        let named = case.algorithms.clone().unwrap_or_else(|| vec![jwk["alg"].as_str().unwrap().to_owned()]);
        let algorithms: AlgorithmSet = named.iter().map(|name| name.parse::<Algorithm>().unwrap()).collect();
        let policy = Policy::new(algorithms)
            .issuer(table.issuer.as_str())
            .audience(table.audience.as_str())
            .token_type(table.token_type.as_str());
        let outcome = VerifyingKey::from_jwk(&jwk.to_string(), None)
            .and_then(|key| verify::<Value>(&case.token, &key, &policy, table.now));
        let found = outcome.err().map_or("accepted", |refusal| refusal.code());
        if found != case.verdict {
            failures.push(format!("{} ({}): {found}, not {}", case.name, case.rule, case.verdict));
        }
        assert!(!case.rule.is_empty(), "{}: says no rule", case.name);
    }
    assert!(failures.is_empty(), "{failures:#?}");
    let codes: BTreeSet<&str> = table.cases.iter().map(|case| case.verdict.as_str()).collect();
    assert!(table.cases.len() > 150 && codes.len() > 25, "{} cases, {} codes", table.cases.len(), codes.len());
}
