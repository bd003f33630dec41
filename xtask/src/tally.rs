//! Counting: how many checks passed and failed, over tests, lints and interop cases alike.

use std::fmt;
use std::ops::AddAssign;

/// How many checks passed and how many failed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Checks that held.
    pub(crate) passed: u64,
    /// Checks that did not.
    pub(crate) failed: u64,
}

impl Tally {
    /// One check, held or not.
    pub(crate) fn one(held: bool) -> Self {
        Self { passed: u64::from(held), failed: u64::from(!held) }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, more: Self) {
        self.passed += more.passed;
        self.failed += more.failed;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// Reads along while `cargo test` runs, and knows at the end how many tests passed and failed.
///
/// libtest promises no format on stable except the lines that people read: `running N tests`, then one
/// `test result: …`. A run that was started and never gave its result died on the way (a signal, an abort, an exit in
/// the middle): that is one failure more, whatever it had printed before.
#[derive(Debug, Default)]
pub(crate) struct TestLog {
    counted: Tally,
    runs_started: u64,
    runs_finished: u64,
    crates_not_compiled: u64,
}

impl TestLog {
    /// Takes in one line of cargo's or libtest's output.
    pub(crate) fn read(&mut self, line: &str) {
        let line = without_colours(line);
        if is_run_start(&line) {
            self.runs_started += 1;
        } else if let Some(result) = parse_test_result(&line) {
            self.runs_finished += 1;
            self.counted += result;
        } else if line.starts_with("error: could not compile ") {
            self.crates_not_compiled += 1;
        }
    }

    /// The final count. `exited_ok` is cargo's own verdict: when it is bad, at least one failure is counted, and when
    /// not a single result was seen, something is wrong with the reading itself.
    pub(crate) fn finish(self, exited_ok: bool) -> Tally {
        let mut tally = self.counted;
        tally.failed += self.runs_started.saturating_sub(self.runs_finished) + self.crates_not_compiled;
        if tally.failed == 0 && (!exited_ok || self.runs_finished == 0) {
            tally.failed = 1;
        }
        tally
    }
}

/// `running 12 tests`, `running 1 test`.
fn is_run_start(line: &str) -> bool {
    let Some(rest) = line.strip_prefix("running ") else { return false };
    let Some((count, word)) = rest.split_once(' ') else { return false };
    count.parse::<u64>().is_ok() && matches!(word, "test" | "tests")
}

/// `test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.01s`.
fn parse_test_result(line: &str) -> Option<Tally> {
    let (verdict, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    if !matches!(verdict, "ok" | "FAILED") {
        return None;
    }
    let count_of = |what: &str| {
        counts.split("; ").find_map(|part| part.split_once(' ').filter(|(_, word)| *word == what)?.0.parse().ok())
    };
    let mut tally = Tally { passed: count_of("passed")?, failed: count_of("failed")? };
    if verdict == "FAILED" && tally.failed == 0 {
        tally.failed = 1; // `--deny-warnings` and the like: the verdict outweighs the numbers
    }
    Some(tally)
}

/// Drops terminal colour sequences (`ESC [ … m`).
fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        rest = rest.strip_prefix(|c: char| c.is_ascii_alphabetic()).unwrap_or(rest);
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(log: &str, exited_ok: bool) -> (u64, u64) {
        let mut reading = TestLog::default();
        log.lines().for_each(|line| reading.read(line));
        let Tally { passed, failed } = reading.finish(exited_ok);
        (passed, failed)
    }

    #[test]
    fn several_binaries_and_doc_tests_add_up() {
        let log = "
running 2 tests
test a ... ok
test b ... ok

test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

     Running tests/api/main.rs
running 1 test
test c ... FAILED
test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s
   Doc-tests counterfoil
running 7 tests
test result: ok. 7 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.33s; merged doctests compilation took 0.21s
";
        assert_eq!(count(log, false), (9, 1));
    }

    #[test]
    fn colours_do_not_hide_a_result() {
        let log = "running 3 tests\ntest result: \u{1b}[32mok\u{1b}(B\u{1b}[m. 3 passed; 0 failed;";
        // An exotic reset sequence makes the line unreadable: then the run counts as died, never as passed.
        assert_eq!(count(log, true), (0, 1));
        let log = "running 3 tests\ntest result: \u{1b}[1;32mok\u{1b}[0m. 3 passed; 0 failed; 0 ignored";
        assert_eq!(count(log, true), (3, 0));
    }

    #[test]
    fn a_run_that_dies_is_a_failure() {
        let log = "
running 2 tests
test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
running 5 tests
test a ... ok
error: test failed, to rerun pass `-p counterfoil-jwt --lib`

Caused by:
  process didn't exit successfully: `target/debug/deps/jwt-0` (signal: 6, SIGABRT: process abort signal)
";
        assert_eq!(count(log, false), (2, 1));
    }

    #[test]
    fn a_crate_that_does_not_compile_is_a_failure() {
        let log = "error[E0308]: mismatched types\nerror: could not compile `counterfoil-jwt` (lib test) due to 1 previous error";
        assert_eq!(count(log, false), (0, 1));
    }

    #[test]
    fn cargos_verdict_is_never_talked_over() {
        let all_well = "running 1 test\ntest result: ok. 1 passed; 0 failed; 0 ignored";
        assert_eq!(count(all_well, false), (1, 1));
        assert_eq!(count("", true), (0, 1), "no results at all");
    }

    #[test]
    fn talk_about_tests_is_not_a_result() {
        for line in [
            "running late",
            "running 3 tests now",
            "  test result: ok. 9 passed; 0 failed",
            "test result: maybe. 1 passed; 0 failed",
        ] {
            assert_eq!(count(line, true), (0, 1), "{line}");
        }
    }
}
