//! The decision for a presented serial.

use super::row::{LossWindow, Rotation, Serial};
use crate::time::UnixMillis;
use std::time::Duration;

/// What the rules depend on besides the row.
#[derive(Clone, Copy, Debug)]
pub struct RotationRules {
    /// G: how long a retry is answered with the identical successor. 15 s by default: a server drops a refresh that it
    /// has not executed 5 s after accepting it, and clients give up after at most 10 s, so every retry of an honest
    /// client falls inside.
    pub retry_window: Duration,
    /// Set while writes may have been lost by a failover.
    pub loss_window: Option<LossWindow>,
}

impl Default for RotationRules {
    fn default() -> Self {
        Self { retry_window: Duration::from_secs(15), loss_window: None }
    }
}

/// How a presented serial relates to the row.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Verdict {
    /// The head again, soon after its successor was handed out: a lost reply or a racing tab. The same successor.
    Reissue,
    /// The head again, late: a distinct successor. If the earlier one is in other hands, one of the two will trip.
    Sibling,
    /// The successor itself, right after it was minted: handed out again, so there is at most one rotation per window.
    Same,
    /// The successor: the session moves on.
    Advance,
    /// The head before this one, still inside the window: a slow request overtaken by a faster one.
    Straggler,
    /// A serial that fits only because writes were lost in a failover.
    Amnesty,
    /// A spent token came back. Either its holder or the other side is a thief: the session ends.
    Theft,
}

/// What [`decide`] found: the verdict, the row to write, and the serial to hand out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Decision {
    /// How the presented serial relates to the row.
    pub verdict: Verdict,
    /// The row to write; `None` when nothing changes.
    pub write: Option<Rotation>,
    /// The serial of the refresh token to hand out; `None` for theft.
    pub reply: Option<Serial>,
}

/// Decides what a presented serial of a *living* session means; the first rule that fits wins.
///
/// The token's tag is already checked, so `presented` was minted by us. Whether the session is alive at all (revoked,
/// past its limits, account disabled or its generation raised) is decided before, in [`crate::session`].
///
/// Rules, with G the retry window:
///
/// | # | condition | verdict |
/// |---|---|---|
/// | 2 | presented = head, now − given ≤ G | [`Verdict::Reissue`] |
/// | 3 | presented = head, now − given > G | [`Verdict::Sibling`] |
/// | 4 | presented = child, now − child ≤ G | [`Verdict::Same`] |
/// | 5 | presented > prev, presented or head in the loss window, now − given ≤ G | [`Verdict::Straggler`] |
/// | 6 | presented ≥ `head_at` | [`Verdict::Advance`] |
/// | 7 | presented = prev, now − `head_at` ≤ G | [`Verdict::Straggler`] |
/// | 8 | head < presented < `head_at`, presented in the loss window | [`Verdict::Amnesty`] |
/// | 9 | anything else | [`Verdict::Theft`] |
///
/// While now is inside the loss window, every instant counts as at most G ago: the new primary's clock may be ahead of
/// the old one's, or the clock may just have been set.
///
/// ```
/// use counterfoil_domain::{rotation::{Rotation, RotationRules, Verdict, decide}, time::UnixMillis};
///
/// let rules = RotationRules::default();
/// let opened = Rotation::open(UnixMillis::from_seconds(1_000));
/// let first = opened.child;
///
/// // A minute later the client presents its token: the session moves on.
/// let moved = decide(&opened, first, UnixMillis::from_seconds(1_060), &rules);
/// assert_eq!(moved.verdict, Verdict::Advance);
/// let row = moved.write.unwrap();
///
/// // The reply was lost, so the client asks again: it gets the very same successor.
/// let again = decide(&row, first, UnixMillis::from_seconds(1_063), &rules);
/// assert_eq!((again.verdict, again.reply), (Verdict::Reissue, moved.reply));
/// ```
pub fn decide(row: &Rotation, presented: Serial, now: UnixMillis, rules: &RotationRules) -> Decision {
    // A clock that went back makes `since` zero, that is "just now": the lenient side, and serials still rise.
    let unsettled = rules.loss_window.is_some_and(|window| window.is_open(now));
    let within = |then: UnixMillis| unsettled || now.since(then) <= rules.retry_window;
    let lost = |serial: Serial| rules.loss_window.is_some_and(|window| window.contains(serial));

    if presented == row.head {
        if within(row.given) {
            return hand_out(Verdict::Reissue, Rotation { given: now, ..*row });
        }
        let child = row.mint(now, presented);
        return hand_out(Verdict::Sibling, Rotation { child, given: now, ..*row });
    }
    if presented == row.child && within(row.child.minted_at()) {
        return Decision { verdict: Verdict::Same, write: None, reply: Some(row.child) };
    }
    // After a failover an honest client may hold several serials that no row knows. They meet in one child, without a
    // rotation, until nobody can still be waiting for another: rotating at once would part them again.
    if within(row.given) && row.prev < presented && (lost(presented) || lost(row.head)) {
        return hand_out(Verdict::Straggler, Rotation { given: now, ..*row });
    }
    // Not `== child`: an older sibling advances too (its holder never saw the newer one), and so does a serial above
    // `child`, which only we can have minted, in a write that a failover lost.
    if presented >= row.head_at {
        return advance(Verdict::Advance, row, presented, now);
    }
    if presented == row.prev && within(row.head_at.minted_at()) {
        return hand_out(Verdict::Straggler, Rotation { given: now, ..*row });
    }
    if row.head < presented && lost(presented) {
        return advance(Verdict::Amnesty, row, presented, now);
    }
    Decision { verdict: Verdict::Theft, write: None, reply: None }
}

fn hand_out(verdict: Verdict, row: Rotation) -> Decision {
    Decision { verdict, write: Some(row), reply: Some(row.child) }
}

fn advance(verdict: Verdict, row: &Rotation, presented: Serial, now: UnixMillis) -> Decision {
    let child = row.mint(now, presented);
    hand_out(verdict, Rotation { prev: row.head, head: presented, head_at: child, child, given: now })
}

#[cfg(test)]
mod tests {
    use super::*;

    const G: i64 = 15_000;

    fn at(millis: i64) -> UnixMillis {
        UnixMillis::from_millis(millis)
    }

    fn serial(raw: i64) -> Serial {
        Serial::from_raw(raw)
    }

    /// A row in the middle of its life: head 100 000 presented at 200 000, its child handed out again at 205 000.
    fn row() -> Rotation {
        Rotation {
            head: serial(100_000),
            head_at: serial(200_000),
            child: serial(200_000),
            given: at(205_000),
            prev: serial(50_000),
        }
    }

    fn verdict(presented: i64, now: i64) -> Verdict {
        decide(&row(), serial(presented), at(now), &RotationRules::default()).verdict
    }

    #[test]
    fn every_rule_at_both_sides_of_its_boundary() {
        for (presented, now, expected) in [
            (100_000, 205_000 + G, Verdict::Reissue),
            (100_000, 205_000 + G + 1, Verdict::Sibling),
            (200_000, 200_000 + G, Verdict::Same),
            (200_000, 200_000 + G + 1, Verdict::Advance),
            (200_001, 200_000, Verdict::Advance), // newer than the row: a lost write
            (50_000, 200_000 + G, Verdict::Straggler),
            (50_000, 200_000 + G + 1, Verdict::Theft),
            (60_000, 200_000, Verdict::Theft),
            (49_999, 200_000, Verdict::Theft),
            (199_999, 200_000, Verdict::Theft),
            (-1, 200_000, Verdict::Theft),
            (i64::MIN, 200_000, Verdict::Theft),
        ] {
            assert_eq!(verdict(presented, now), expected, "presented {presented} at {now}");
        }
    }

    #[test]
    fn rows_are_written_as_the_table_says() {
        let rules = RotationRules::default();
        let reissue = decide(&row(), serial(100_000), at(206_000), &rules);
        assert_eq!(reissue.write, Some(Rotation { given: at(206_000), ..row() }));
        assert_eq!(reissue.reply, Some(serial(200_000)));

        let sibling = decide(&row(), serial(100_000), at(300_000), &rules);
        assert_eq!(sibling.write, Some(Rotation { child: serial(300_000), given: at(300_000), ..row() }));

        let same = decide(&row(), serial(200_000), at(201_000), &rules);
        assert_eq!((same.write, same.reply), (None, Some(serial(200_000))));

        let moved = Rotation {
            prev: serial(100_000),
            head: serial(200_000),
            head_at: serial(300_000),
            child: serial(300_000),
            given: at(300_000),
        };
        assert_eq!(decide(&row(), serial(200_000), at(300_000), &rules).write, Some(moved));
        assert_eq!(
            decide(&row(), serial(50_000), at(201_000), &rules).write,
            Some(Rotation { given: at(201_000), ..row() })
        );
        assert_eq!(
            decide(&row(), serial(7), at(201_000), &rules),
            Decision { verdict: Verdict::Theft, write: None, reply: None }
        );
    }

    #[test]
    fn a_sibling_that_loses_is_a_tripwire() {
        let rules = RotationRules::default();
        let late = decide(&row(), serial(100_000), at(300_000), &rules).write.unwrap();
        let winner = decide(&late, serial(200_000), at(310_000), &rules);
        assert_eq!(winner.verdict, Verdict::Advance);
        let loser = decide(&winner.write.unwrap(), late.child, at(320_000), &rules);
        assert_eq!(loser.verdict, Verdict::Theft);
    }

    #[test]
    fn lost_writes_are_forgiven_inside_the_loss_window_only() {
        let window = LossWindow { from: at(90_000), until: at(200_000) };
        let rules = RotationRules { loss_window: Some(window), ..RotationRules::default() };
        let verdict = |presented, now| decide(&row(), serial(presented), at(now), &rules).verdict;
        assert_eq!(verdict(150_000, 400_000), Verdict::Amnesty);
        assert_eq!(verdict(60_000, 210_000), Verdict::Straggler);
        assert_eq!(verdict(60_000, 205_000 + G + 1), Verdict::Theft);
        assert_eq!(verdict(40_000, 210_000), Verdict::Theft);
        assert_eq!(verdict(150_000, 210_000), Verdict::Straggler, "no rotation while one was just handed out");

        let elsewhere = LossWindow { from: at(0), until: at(40_000) };
        let rules = RotationRules { loss_window: Some(elsewhere), ..RotationRules::default() };
        assert_eq!(decide(&row(), serial(150_000), at(400_000), &rules).verdict, Verdict::Theft);
    }

    #[test]
    fn serials_rise_when_the_clock_goes_back() {
        let rules = RotationRules::default();
        let before = decide(&row(), serial(200_000), at(300_000), &rules).write.unwrap();
        let back = decide(&before, serial(400_000), at(1), &rules).write.unwrap();
        assert!(back.child > serial(400_000) && back.head_at == back.child);
    }
}
