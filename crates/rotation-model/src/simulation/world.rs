//! One trace from sign-in to its end: takes the next event, lets the parties act, adds what follows.

use super::{
    client::Client,
    events::{Agenda, Event},
    figures::{Outcome, Theft},
    network::{self, Sent},
    random::Random,
    server::Server,
    thief::{Habit, Thief},
    weather::{Climate, DAY, Millis, SECOND, Weather},
};
use crate::{
    model::client_timeout_max,
    schemes::{Answer, RotationScheme, Token},
};
use counterfoil_domain::rotation::RotationRules;
use std::time::Duration;

/// When traces begin: some day in 2027. Only differences matter.
const START: Millis = 1_800_000_000_000;
/// Events after which a trace is cut off; none of the climates comes near it.
const EVENTS_MAX: usize = 20_000;
/// Tokens that are remembered to count living branches.
const TIPS_MAX: usize = 8;

/// What a trace is made of.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How bad it is.
    pub climate: Climate,
    /// The thief, if there is one.
    pub thief: Option<Habit>,
    /// Whether living branches are counted, which takes time.
    pub count_branches: bool,
    /// How long a tab waits for its reply.
    pub client_timeout: Duration,
}

impl Plan {
    /// Honest clients that wait as long as they may.
    pub fn honest(climate: Climate) -> Self {
        let client_timeout = client_timeout_max(RotationRules::default().retry_window);
        Self { climate, thief: None, count_branches: false, client_timeout }
    }
}

pub(super) struct World<S> {
    weather: Weather,
    random: Random,
    agenda: Agenda,
    server: Server<S>,
    client: Client,
    thief: Option<Thief>,
    client_timeout: Millis,
    /// Refreshes that the client may still send in all; longer where a thief is waited for.
    refreshes_max: u32,
    count_branches: bool,
    /// Tokens handed out and not yet presented, oldest first.
    tips: Vec<Token>,
    outcome: Outcome,
    /// What happened, where somebody wants to read it.
    log: Option<Vec<String>>,
}

impl<S: RotationScheme> World<S> {
    pub(super) fn new(setup: &S::Setup, plan: &Plan, mut random: Random, with_log: bool) -> Self {
        let weather = Weather::draw(plan.climate, &mut random);
        let (server, token) = Server::open(setup, START, random.between(0, SECOND - 1));
        let mut world = Self {
            server,
            client: Client::new(token, START + weather.access_lifetime, weather.tabs),
            thief: plan.thief.map(|habit| Thief::new(habit, &mut random)),
            client_timeout: Millis::try_from(plan.client_timeout.as_millis()).unwrap_or(Millis::MAX),
            refreshes_max: weather.refreshes_max * if plan.thief.is_some() { 4 } else { 1 },
            count_branches: plan.count_branches,
            tips: vec![token],
            outcome: Outcome::default(),
            log: with_log.then(Vec::new),
            agenda: Agenda::default(),
            weather,
            random,
        };
        world.note(START, || format!("{weather:?}"));
        for tab in 0..weather.tabs {
            world.look_later(tab, START);
        }
        world
    }

    pub(super) fn run(mut self) -> (Outcome, Vec<String>) {
        for _ in 0..EVENTS_MAX {
            let Some((at, event)) = self.agenda.next() else { break };
            let goes_on = self.happen(at, event);
            if !goes_on || self.client.sent > self.refreshes_max {
                break;
            }
        }
        self.outcome.client_grants = self.client.grants;
        if let Some(thief) = self.thief.filter(|thief| thief.first_use.is_some()) {
            let theft = self.outcome.theft.get_or_insert(Theft { grants: 0, caught_after: None });
            theft.grants = thief.grants;
        }
        (self.outcome, self.log.unwrap_or_default())
    }

    /// Whether the session goes on.
    fn happen(&mut self, at: Millis, event: Event) -> bool {
        match event {
            Event::Look { tab } => self.look(tab, at),
            Event::Execute { tab, refresh, token, accepted_at } => {
                return self.execute(tab, refresh, token, accepted_at, at);
            }
            Event::Receive { tab, refresh, token } => self.receive(tab, refresh, token, at),
            Event::Interrupt { back_at } => {
                self.note(at, || format!("client interrupted for {} s", (back_at - at) / SECOND));
                self.client.interrupt();
                for tab in 0..self.weather.tabs {
                    let awake = back_at + self.random.between(0, 2 * SECOND);
                    self.agenda.add(awake, Event::Look { tab });
                }
            }
            Event::Strike(fault) => {
                self.note(at, || format!("{fault:?}"));
                self.server.strike(fault, at);
            }
            Event::Steal => return self.steal(at),
        }
        true
    }

    fn look(&mut self, tab: usize, at: Millis) {
        if self.client.tabs.get(tab).is_none_or(|tab| tab.waiting_for.is_some()) {
            return;
        }
        if !self.weather.hasty && self.client.is_fresh(at, self.weather.access_lifetime) {
            self.look_later(tab, at);
            return;
        }
        let token = self.client.stored;
        let refresh = self.client.send(tab);
        self.note(at, || format!("tab {tab} sends {} as refresh {refresh}", name(token)));
        match network::request(&self.weather, at, self.client_timeout, &mut self.random) {
            Sent::Executed { accepted_at, at } => {
                self.agenda.add(at, Event::Execute { tab, refresh, token, accepted_at });
            }
            Sent::Lost => self.note(at, || format!("refresh {refresh} is lost")),
        }
        // Giving up is an answer that says nothing; now and then the connection breaks before that.
        let breaks = self.random.percent(self.weather.request_loss / 4);
        let wait = if breaks { self.random.between(1, self.client_timeout) } else { self.client_timeout };
        self.agenda.add(at + wait, Event::Receive { tab, refresh, token: None });
        self.disturb(at);
    }

    /// Faults and interruptions come soon after a refresh was sent: at any other time they would meet nothing.
    fn disturb(&mut self, at: Millis) {
        for fault in self.weather.faults.into_iter().flatten() {
            if fault.after_refresh == i64::from(self.client.sent) {
                self.agenda.add(at + fault.delay, Event::Strike(fault.kind));
            }
        }
        if self.random.percent(self.weather.interrupted) {
            let dies_at = at + self.random.between(0, self.client_timeout);
            let away = if self.random.percent(50) {
                self.random.between(0, 30 * SECOND)
            } else {
                self.random.between(0, 5 * DAY)
            };
            self.agenda.add(dies_at, Event::Interrupt { back_at: dies_at + away });
        }
    }

    fn execute(&mut self, tab: usize, refresh: u32, token: Token, accepted_at: Millis, at: Millis) -> bool {
        let answer = self.server.execute(token, accepted_at, at);
        self.note(at, || format!("refresh {refresh} of {} executed: {}", name(token), describe(answer)));
        if answer == Some(Answer::Ended) {
            self.ended(at);
            return false;
        }
        let token_back = answer.map(|answer| self.handed_out(token, answer, at));
        if let Some(arrives_at) = network::reply(&self.weather, at, self.client_timeout, &mut self.random) {
            self.agenda.add(arrives_at, Event::Receive { tab, refresh, token: token_back.flatten() });
        }
        true
    }

    fn receive(&mut self, tab: usize, refresh: u32, token: Option<Token>, at: Millis) {
        if !self.client.waits_for(tab, refresh) {
            return;
        }
        let lifetime = self.weather.access_lifetime;
        let Some(token) = token else {
            let wait = self.client.fail(tab, &mut self.random);
            self.note(at, || format!("tab {tab} gives up on refresh {refresh}, waits {wait} ms"));
            self.agenda.add(at + wait, Event::Look { tab });
            return;
        };
        self.client.receive(tab, token, at + lifetime);
        let stored = self.client.stored;
        self.note(at, || format!("tab {tab} receives {}, stored is {}", name(token), name(stored)));
        self.look_later(tab, at);
        if let Some(thief) = &mut self.thief
            && let Some(acts_at) = thief.watch(self.client.grants, stored, at, lifetime, &mut self.random)
        {
            self.agenda.add(acts_at, Event::Steal);
        }
    }

    fn steal(&mut self, at: Millis) -> bool {
        let Some(token) = self.thief.and_then(|thief| thief.token) else { return true };
        let answer = self.server.execute(token, at, at);
        self.note(at, || format!("THIEF presents {}: {}", name(token), describe(answer)));
        let Some(thief) = &mut self.thief else { return true };
        thief.first_use.get_or_insert(at);
        match answer {
            None => self.agenda.add(at + SECOND, Event::Steal),
            Some(Answer::Ended) => {
                self.ended(at);
                return false;
            }
            Some(Answer::Granted(new)) => {
                if let Some(acts_at) = thief.receive(new, at, self.weather.access_lifetime) {
                    self.agenda.add(acts_at, Event::Steal);
                }
                self.handed_out(token, Answer::Granted(new), at);
            }
        }
        true
    }

    fn ended(&mut self, at: Millis) {
        match self.thief.and_then(|thief| thief.first_use) {
            Some(first_use) => self.outcome.theft = Some(Theft { grants: 0, caught_after: Some(at - first_use) }),
            None => self.outcome.honest_sign_out = true,
        }
    }

    /// Keeps account of the tokens that nobody has presented yet.
    fn handed_out(&mut self, presented: Token, answer: Answer, at: Millis) -> Option<Token> {
        let Answer::Granted(token) = answer else { return None };
        if self.count_branches {
            self.tips.retain(|tip| *tip != presented && *tip != token);
            self.tips.push(token);
            if self.tips.len() > TIPS_MAX {
                self.tips.remove(0);
            }
            let living = self.server.living_branches(&self.tips, at);
            self.outcome.branches_max = self.outcome.branches_max.max(living);
        }
        Some(token)
    }

    fn look_later(&mut self, tab: usize, at: Millis) {
        let look_at = if self.weather.hasty {
            at + self.random.between(1, 12 * SECOND)
        } else {
            self.client.next_look(at, self.weather.access_lifetime, &mut self.random)
        };
        self.agenda.add(look_at, Event::Look { tab });
    }

    fn note(&mut self, at: Millis, text: impl FnOnce() -> String) {
        if let Some(log) = &mut self.log {
            let since_start = at - START;
            log.push(format!("{:>8}.{:03} s  {}", since_start / SECOND, since_start % SECOND, text()));
        }
    }
}

/// Tokens are read most easily as seconds since the start.
fn name(token: Token) -> String {
    let since_start = token - START;
    format!("T{}.{:03}", since_start / SECOND, since_start % SECOND)
}

fn describe(answer: Option<Answer>) -> String {
    match answer {
        None => "no answer".to_owned(),
        Some(Answer::Ended) => "THE SESSION ENDS".to_owned(),
        Some(Answer::Granted(token)) => format!("granted {}", name(token)),
    }
}
