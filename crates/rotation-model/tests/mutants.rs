//! Broken rules that the model and the simulation must find: a check that passes everything checks nothing.

use counterfoil_domain::{
    rotation::{Decision, Rotation, RotationRules, Serial, Verdict, decide},
    time::UnixMillis,
};
use counterfoil_rotation_model::{
    Rule,
    model::{Broken, Clock, Limits, Scenario, search},
    schemes::Ours,
    simulation::{Climate, Habit, Plan, simulate},
};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mutant {
    /// Every retry of the head makes another child.
    NoReissue,
    /// A late retry gets the same child as a quick one.
    EqualSibling,
    /// The child moves the session on however young it is.
    NoSame,
    /// Only the newest child moves the session on.
    NewestChildOnly,
    /// The head before is refused at once.
    NoStraggler,
    /// The head before is accepted for ever.
    StragglerForEver,
    /// A failover is not heeded.
    NoLossWindow,
    /// A sibling's serial is the clock and nothing else.
    NoMintFence,
    /// A reissue does not count as handing out.
    ReissueDoesNotExtend,
    /// A spent token gets a token all the same.
    TheftHandsOut,
    /// The rule before the model had seen it: a lost serial moves the session on at once.
    FirstWritten,
}

impl Rule for Mutant {
    fn decide(&self, row: &Rotation, presented: Serial, now: UnixMillis, rules: &RotationRules) -> Decision {
        let right = decide(row, presented, now, rules);
        let hand_out = |verdict, row: Rotation| Decision { verdict, write: Some(row), reply: Some(row.child) };
        let theft = Decision { verdict: Verdict::Theft, write: None, reply: None };
        match (self, right.verdict) {
            (Self::NoReissue, Verdict::Reissue) => {
                let child = mint(row, presented, now);
                hand_out(Verdict::Sibling, Rotation { child, given: now, ..*row })
            }
            (Self::EqualSibling, Verdict::Sibling) => hand_out(Verdict::Reissue, Rotation { given: now, ..*row }),
            (Self::NoSame, Verdict::Same) => advance(Verdict::Advance, row, presented, now),
            (Self::NewestChildOnly, Verdict::Advance) if presented != row.child => theft,
            (Self::NoStraggler, Verdict::Straggler) => theft,
            (Self::StragglerForEver, Verdict::Theft) if presented == row.prev => {
                hand_out(Verdict::Straggler, Rotation { given: now, ..*row })
            }
            (Self::NoLossWindow, _) => decide(row, presented, now, &RotationRules { loss_window: None, ..*rules }),
            (Self::NoMintFence, Verdict::Sibling) => {
                hand_out(Verdict::Sibling, Rotation { child: Serial::from_raw(now.as_millis()), given: now, ..*row })
            }
            (Self::ReissueDoesNotExtend, Verdict::Reissue) => hand_out(Verdict::Reissue, *row),
            (Self::TheftHandsOut, Verdict::Theft) => Decision { reply: Some(row.child), ..right },
            (Self::FirstWritten, _) => first_written(row, presented, now, rules),
            _ => right,
        }
    }
}

fn mint(row: &Rotation, presented: Serial, now: UnixMillis) -> Serial {
    let above = [row.child, row.head_at, presented].map(|serial| serial.as_raw() + 1);
    Serial::from_raw(above.into_iter().fold(now.as_millis(), i64::max))
}

fn advance(verdict: Verdict, row: &Rotation, presented: Serial, now: UnixMillis) -> Decision {
    let child = mint(row, presented, now);
    let row = Rotation { prev: row.head, head: presented, head_at: child, child, given: now };
    Decision { verdict, write: Some(row), reply: Some(child) }
}

fn first_written(row: &Rotation, presented: Serial, now: UnixMillis, rules: &RotationRules) -> Decision {
    let within = |then: UnixMillis| now.since(then) <= rules.retry_window;
    let lost = |serial: Serial| rules.loss_window.is_some_and(|window| window.contains(serial));
    let normal = decide(row, presented, now, &RotationRules { loss_window: None, ..*rules });
    let overtaken = lost(row.head) && row.prev < presented && within(row.head_at.minted_at());
    match normal.verdict {
        Verdict::Theft if overtaken && presented < row.head => Decision {
            verdict: Verdict::Straggler,
            write: Some(Rotation { given: now, ..*row }),
            reply: Some(row.child),
        },
        Verdict::Theft if row.head < presented && lost(presented) => advance(Verdict::Amnesty, row, presented, now),
        _ => normal,
    }
}

#[test]
fn the_model_kills_every_mutant() {
    let honest = Scenario::honest();
    let thief = Scenario { thief: true, ..honest.clone() };
    let failover = Scenario { failover: true, requests: 2, ..honest.clone() };
    let clock_back = Scenario { clock: Clock::GoesBack, ..honest.clone() };
    for (mutant, scenario, expected) in [
        (Mutant::NoReissue, &honest, Broken::HandedOutTooSoon),
        (Mutant::EqualSibling, &thief, Broken::ThiefNotFound),
        (Mutant::NoSame, &honest, Broken::RotatedTooSoon),
        (Mutant::NewestChildOnly, &failover, Broken::HonestSignOut),
        (Mutant::NoStraggler, &honest, Broken::HonestSignOut),
        (Mutant::StragglerForEver, &thief, Broken::ThiefNotFound),
        (Mutant::NoLossWindow, &failover, Broken::HonestSignOut),
        (Mutant::NoMintFence, &clock_back, Broken::SerialDidNotRise),
        (Mutant::ReissueDoesNotExtend, &honest, Broken::HandedOutTooSoon),
        (Mutant::TheftHandsOut, &thief, Broken::TheftNotFinal),
        (Mutant::FirstWritten, &failover, Broken::HonestSignOut),
    ] {
        let found = search(scenario, &mutant, Limits { depth: 60, states: 400_000 }, |_, _| {});
        let broken = found.broken.map(|broken| broken.property);
        assert_eq!(broken, Some(expected), "{mutant:?}: {} states, depth {}", found.states, found.depth);
    }
}

#[test]
fn the_simulation_kills_mutants_too() {
    let sign_outs =
        |mutant| simulate::<Ours<Mutant>>(&mutant, &Plan::honest(Climate::WORST), 1, 0..20_000).honest_sign_outs;
    for mutant in [Mutant::NoReissue, Mutant::NewestChildOnly, Mutant::NoStraggler, Mutant::NoLossWindow] {
        assert!(sign_outs(mutant) > 0, "{mutant:?}");
    }
    let plan = Plan { thief: Some(Habit::Lockstep), ..Plan::honest(Climate::ACTIVE_CLIENT) };
    let figures = simulate::<Ours<Mutant>>(&Mutant::EqualSibling, &plan, 1, 0..1_000);
    assert!(figures.caught_percent() < 99.0, "{} % caught", figures.caught_percent());
}
