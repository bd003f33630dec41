//! `vectors/` through the command line: the RFCs' examples and the table of attacks, by exit status and code.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

use crate::run;

type KeyAndAlgorithms = (String, Vec<String>);
type TokenAndVerdict = (String, String);

fn read(file: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

fn vectors() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors")
}

/// Runs `token verify` and says how it ended: the code of the refusal, or `accepted`.
fn verdict(folder: &Path, options: &[&str], token: &str) -> String {
    let ended = run(folder, &[&["token", "verify"], options, &["--", token]].concat(), "");
    if ended.status == 0 {
        assert!(ended.err.is_empty(), "{}", ended.err);
        return "accepted".into();
    }
    let ended = ended.expect(1);
    assert!(ended.out.is_empty(), "{}", ended.out);
    let code = ended.err.strip_prefix("refused: ").and_then(|refusal| refusal.split(':').next());
    code.unwrap_or_else(|| panic!("{}", ended.err)).to_owned()
}

#[test]
fn the_examples_of_the_rfcs_end_as_documented() {
    let folder = tempfile::tempdir().unwrap();
    let mut count = 0;
    for file in std::fs::read_dir(vectors().join("jws")).unwrap() {
        let case = read(&file.unwrap().path());
        std::fs::write(folder.path().join("key"), case["key"].to_string()).unwrap();
        let options = ["--key", "key", "--signature-only", "--alg", case["algorithm"].as_str().unwrap()];
        let found = verdict(folder.path(), &options, case["token"].as_str().unwrap());
        assert_eq!(found, case["verdict"].as_str().unwrap(), "{}", case["source"]);
        count += 1;
    }
    assert!(count >= 25, "{count}");
}

#[test]
fn each_attack_ends_with_its_code_alone_and_in_a_stream() {
    const LINES: usize = 10_000;
    let table = read(&vectors().join("attacks.json"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (now, issuer, audience, kind) =
        (table["now"].to_string(), text(&table["issuer"]), text(&table["audience"]), text(&table["type"]));
    let folder = tempfile::tempdir().unwrap();
    // What goes through one process: cases by key and algorithms.
    let mut streams: BTreeMap<KeyAndAlgorithms, Vec<TokenAndVerdict>> = BTreeMap::new();
    for case in table["cases"].as_array().unwrap() {
        let key = text(&case["key"]);
        let algorithms = match &case["algorithms"] {
            Value::Array(named) => named.iter().map(text).collect(),
            _ => vec![text(&table["keys"][&key]["alg"])],
        };
        streams.entry((key, algorithms)).or_default().push((text(&case["token"]), text(&case["verdict"])));
    }
    for ((key, algorithms), cases) in &streams {
        std::fs::write(folder.path().join("key"), table["keys"][key].to_string()).unwrap();
        let mut options =
            vec!["--key", "key", "--now", &now, "--issuer", &issuer, "--audience", &audience, "--type", &kind];
        options.extend(algorithms.iter().flat_map(|algorithm| ["--alg", algorithm.as_str()]));
        for (token, expected) in cases {
            assert_eq!(&verdict(folder.path(), &options, token), expected, "{key}: {token}");
        }
        // The longest stream goes on until it has ten thousand lines.
        let lines = if cases.len() > 100 { LINES } else { cases.len() };
        let input: String = cases.iter().cycle().take(lines).flat_map(|(token, _)| [token, "\n"]).collect();
        let ended = run(folder.path(), &[&["token", "verify"], options.as_slice(), &["-"]].concat(), &input);
        assert_eq!(ended.out.lines().count(), lines, "{}", ended.err);
        for (line, (token, expected)) in ended.out.lines().zip(cases.iter().cycle()) {
            let answer: Value = serde_json::from_str(line).unwrap();
            let found = answer["code"].as_str().unwrap_or("accepted");
            assert_eq!((found, answer["ok"] == true), (expected.as_str(), expected == "accepted"), "{token}");
        }
    }
    assert!(streams.values().any(|cases| cases.len() > 100), "no stream is long enough to be drawn out");
}
