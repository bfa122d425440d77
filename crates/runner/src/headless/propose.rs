//! `--propose`: a coordinator that nobody sits in front of asks for one vote, or for many.
//!
//! It presses what a person would and believes only what is printed: a request counts as open with
//! the first state of its transaction, as decided and as acknowledged with those events. Deliberately absent: sockets, threads and clocks; time comes in from outside.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use twopc_proto::coordinator::Coordinator;
use twopc_proto::{CommittedString, Decision, Role, State, TxnId};

use super::{Finish, Script, Summary};
use crate::event::Event;
use crate::snapshot::{Action, CoordinatorPress, CoordinatorView, Link, Snapshot};

/// How long a decided transaction is waited for when somebody does not acknowledge it.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// How long after a refused request the next one is tried, unless the room says otherwise sooner.
const AGAIN: Duration = Duration::from_millis(100);

/// The exit status of a proposal that was aborted.
const ABORTED: u8 = 3;

/// What stands in a string for a transaction's number.
const NUMBER: &str = "{n}";

/// Many transactions instead of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Many {
    /// How many in all.
    pub count: u64,
    /// How many are open at a time.
    pub concurrency: u64,
}

/// The script of `--propose`.
#[derive(Clone, Debug)]
pub struct Proposing {
    string: String,
    many: Option<Many>,
    expect: usize,
    wait: Duration,
    vote_timeout: Duration,

    /// The numbers that were not pressed yet or whose request was refused, lowest first.
    next: u64,
    refused: BTreeSet<u64>,
    /// Requests that were pressed and have not been heard of, in the order of the presses.
    pressed: VecDeque<(u64, Instant)>,
    open: BTreeMap<TxnId, Open>,
    /// How far the line `string: …` is, which comes before the vote on one string.
    line: Line,

    /// When this began to wait for the room; `None` while requests go through.
    waiting_since: Option<Instant>,
    not_before: Option<Instant>,
    last_refusal: Option<String>,

    first_request: Option<Instant>,
    last_end: Option<Instant>,
    committed: u64,
    aborted: u64,
    latencies: Vec<Duration>,
    failure: Option<String>,
    over: bool,
}

/// The line that proposes the string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// It is to be said; again if the link went before it came back.
    Unsaid,
    /// It was said and has not come back from the relay.
    Said,
    /// The room has it, or there is none.
    Heard,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    requested: Instant,
    decided: Option<(Decision, Instant)>,
}

impl Proposing {
    /// A vote on `string`, or many votes on what it becomes with each number in the place of `{n}`,
    /// once `expect` participants are there; that is waited for `wait` at most.
    ///
    /// # Errors
    /// A sentence, when the string cannot be voted on.
    pub fn new(string: &str, many: Option<Many>, expect: usize, wait: Duration, vote_timeout: Duration) -> Result<Self, String> {
        let string = string.trim();
        let longest = many.map_or_else(|| String::from(string), |many| string.replace(NUMBER, &many.count.to_string()));
        CommittedString::parse(&longest).map_err(|error| error.to_string())?;
        Ok(Self {
            string: String::from(string),
            many,
            expect,
            wait,
            vote_timeout,
            next: 1,
            refused: BTreeSet::new(),
            pressed: VecDeque::new(),
            open: BTreeMap::new(),
            line: if many.is_some() { Line::Heard } else { Line::Unsaid },
            waiting_since: None,
            not_before: None,
            last_refusal: None,
            first_request: None,
            last_end: None,
            committed: 0,
            aborted: 0,
            latencies: Vec::new(),
            failure: None,
            over: false,
        })
    }

    fn count(&self) -> u64 {
        self.many.map_or(1, |many| many.count)
    }

    /// The next number to press, if one more may be open.
    fn next_number(&self) -> Option<u64> {
        let concurrency = self.many.map_or(1, |many| many.concurrency);
        if (self.open.len() + self.pressed.len()) as u64 >= concurrency {
            return None;
        }
        self.refused.first().copied().or_else(|| (self.next <= self.count()).then_some(self.next))
    }

    fn press(&mut self, number: u64, now: Instant) -> CoordinatorPress {
        if !self.refused.remove(&number) {
            self.next += 1;
        }
        self.pressed.push_back((number, now));
        self.first_request.get_or_insert(now);
        let vote_timeout = self.vote_timeout;
        if self.many.is_none() {
            return CoordinatorPress::Request { vote_timeout };
        }
        let string = self.string.replace(NUMBER, &number.to_string());
        let string = CommittedString::parse(&string).expect("the longest of these strings was checked at the start");
        CoordinatorPress::Open { string, vote_timeout }
    }

    /// A transaction said its state: is it the answer to a press?
    fn on_state(&mut self, txn: &TxnId, state: &str) {
        // What was recovered says these states before this program is in the room and can press.
        let is_undecided = [State::Init.as_str(), State::Wait.as_str()].contains(&state);
        if !is_undecided || self.open.contains_key(txn) {
            return;
        }
        if let Some((_, requested)) = self.pressed.pop_front() {
            self.open.insert(txn.clone(), Open { requested, decided: None });
            self.waiting_since = None;
            self.last_refusal = None;
        }
    }

    /// The transaction is over; with its latency if everybody has acknowledged.
    fn settle(&mut self, txn: &TxnId, latency: Option<Duration>, now: Instant) {
        let Some(open) = self.open.remove(txn) else { return };
        self.last_end = Some(now);
        self.latencies.extend(latency);
        match open.decided {
            Some((Decision::Commit, _)) => self.committed += 1,
            Some((Decision::Abort, _)) => self.aborted += 1,
            None => {}
        }
    }

    fn settle_the_unacknowledged(&mut self, now: Instant) {
        let is_late = |open: &Open| open.decided.is_some_and(|(_, at)| now >= at + UNACKNOWLEDGED);
        let late: Vec<TxnId> = self.open.iter().filter(|(_, open)| is_late(open)).map(|(txn, _)| txn.clone()).collect();
        for txn in late {
            self.settle(&txn, None, now);
        }
    }

    /// Nobody can be asked now. Gives up when that has lasted too long.
    fn wait_for_the_room(&mut self, node: &Snapshot<CoordinatorView>, now: Instant) {
        let since = *self.waiting_since.get_or_insert(now);
        if now < since + self.wait {
            return;
        }
        let seconds = self.wait.as_secs_f64();
        let here = participants(node);
        self.failure = Some(if node.link != Link::Connected {
            format!("The relay at {} could not be reached within {seconds} s: start it, or give its address with --server.", node.relay)
        } else if here < self.expect {
            format!("{here} of {} participants came within {seconds} s: start the others, or wait longer with --wait.", self.expect)
        } else {
            let why = self.last_refusal.as_deref().unwrap_or("The line with the string did not come back from the relay.");
            format!("The vote could not be requested within {seconds} s. {why}")
        });
    }

    fn is_done(&self) -> bool {
        self.open.is_empty() && self.pressed.is_empty() && self.refused.is_empty() && self.next > self.count()
    }
}

impl Script<Coordinator> for Proposing {
    fn on_event(&mut self, event: &Event, now: Instant) {
        match event {
            Event::State { txn, state } => self.on_state(txn, state),
            Event::Decision { txn, decision, .. } => {
                if let Some(open) = self.open.get_mut(txn) {
                    open.decided = Some((*decision, now));
                }
            }
            Event::Done { txn } => {
                let latency = self.open.get(txn).map(|open| now - open.requested);
                self.settle(txn, latency, now);
            }
            Event::RequestRefused { message } => {
                if let Some((number, _)) = self.pressed.pop_front() {
                    self.refused.insert(number);
                    self.waiting_since.get_or_insert(now);
                    self.not_before = Some(now + AGAIN);
                    self.last_refusal = Some(message.clone());
                }
            }
            Event::Proposal { string } if string.as_str() == self.string => self.line = Line::Heard,
            Event::Disconnected | Event::Login { .. } if self.line == Line::Said => self.line = Line::Unsaid,
            Event::Disconnected
            | Event::Login { .. }
            | Event::Chat { .. }
            | Event::Proposal { .. }
            | Event::VoteRequest { .. }
            | Event::Blocked { .. }
            | Event::Applied { .. }
            | Event::Notice { .. }
            | Event::Joined { .. }
            | Event::Left { .. }
            | Event::Alarm { .. }
            | Event::Error { .. } => {}
        }
    }

    fn next(&mut self, node: &Snapshot<CoordinatorView>, now: Instant) -> Vec<Action<CoordinatorPress>> {
        let mut actions = Vec::new();
        if self.over {
            return actions;
        }
        self.settle_the_unacknowledged(now);
        self.not_before = self.not_before.filter(|time| now < *time);
        while let Some(number) = self.next_number() {
            let can_ask = node.link == Link::Connected && participants(node) >= self.expect && self.not_before.is_none();
            if can_ask && self.line == Line::Unsaid {
                self.line = Line::Said;
                actions.push(Action::Say(format!("string: {}", self.string)));
            }
            // Whoever is refused again and again gives up in time, too.
            let is_refused = self.last_refusal.is_some() && self.waiting_since.is_some_and(|since| now >= since + self.wait);
            if !can_ask || self.line != Line::Heard || is_refused {
                self.wait_for_the_room(node, now);
                break;
            }
            actions.push(Action::Press(self.press(number, now)));
        }
        if self.is_done() || self.failure.is_some() {
            self.over = true;
            actions.push(Action::Quit);
        }
        actions
    }

    fn wakes_at(&self) -> Option<Instant> {
        if self.over {
            return None;
        }
        let unacknowledged = self.open.values().filter_map(|open| open.decided).map(|(_, at)| at + UNACKNOWLEDGED).min();
        [unacknowledged, self.not_before, self.waiting_since.map(|since| since + self.wait)].into_iter().flatten().min()
    }

    fn finish(mut self) -> Finish {
        // What was decided on the way out counts: a coordinator that quits in WAIT decides ABORT.
        for open in self.open.values() {
            match open.decided {
                Some((Decision::Commit, _)) => self.committed += 1,
                Some((Decision::Abort, _)) => self.aborted += 1,
                None => {}
            }
        }
        let status = match &self.failure {
            Some(sentence) => Err(sentence.clone()),
            None if self.committed == self.count() => Ok(0),
            None if self.aborted > 0 => Ok(ABORTED),
            None => Err(String::from("Stopped before the vote was decided: run it again.")),
        };
        Finish { summary: self.many.map(|_| self.summary()), status }
    }
}

impl Proposing {
    fn summary(mut self) -> Summary {
        self.latencies.sort_unstable();
        let seconds = match (self.first_request, self.last_end) {
            (Some(first), Some(last)) => rounded((last - first).as_secs_f64(), 1e6),
            (_, _) => 0.0,
        };
        let decided = self.committed + self.aborted;
        Summary {
            committed: self.committed,
            aborted: self.aborted,
            seconds,
            txn_per_s: if seconds > 0.0 { rounded(decided as f64 / seconds, 1e3) } else { 0.0 },
            p50_us: percentile(&self.latencies, 50),
            p99_us: percentile(&self.latencies, 99),
        }
    }
}

/// What `percent` of 100 of these do not exceed, in microseconds; 0 of nothing.
fn percentile(sorted: &[Duration], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).map_or(0, |latency| u64::try_from(latency.as_micros()).unwrap_or(u64::MAX))
}

/// To so many parts of one.
fn rounded(number: f64, parts: f64) -> f64 {
    (number * parts).round() / parts
}

/// How many participants are in the room.
fn participants(node: &Snapshot<CoordinatorView>) -> usize {
    node.room.iter().filter(|person| person.role == Role::Participant).count()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use twopc_proto::UserName;

    use super::*;
    use crate::snapshot::Person;

    const TIMEOUT: Duration = Duration::from_secs(20);
    const WAIT: Duration = Duration::from_secs(60);

    /// What the coordinator shows with this many participants in the room.
    fn room(link: Link, participants: usize) -> Snapshot<CoordinatorView> {
        let person = |n: usize| Person { user: UserName::parse(&format!("p{n}")).unwrap(), role: Role::Participant };
        Snapshot {
            user: None,
            relay: String::from("127.0.0.1:1337"),
            link,
            refusal: None,
            room: (0..participants).map(person).collect(),
            messages: Arc::default(),
            warnings: Vec::new(),
            stopped: None,
            data_dir: PathBuf::new(),
            role: CoordinatorView {
                proposal: None,
                can_request: Ok(()),
                vote_timeout: TIMEOUT,
                ballots: Vec::new(),
                recovered: Vec::new(),
            },
        }
    }

    fn here(participants: usize) -> Snapshot<CoordinatorView> {
        room(Link::Connected, participants)
    }

    fn one(expect: usize) -> Proposing {
        Proposing::new("Hello", None, expect, WAIT, TIMEOUT).unwrap()
    }

    fn many(count: u64, concurrency: u64) -> Proposing {
        Proposing::new("line {n}", Some(Many { count, concurrency }), 1, WAIT, TIMEOUT).unwrap()
    }

    fn string(text: &str) -> CommittedString {
        CommittedString::parse(text).unwrap()
    }

    fn open(number: u64) -> Action<CoordinatorPress> {
        Action::Press(CoordinatorPress::Open { string: string(&format!("line {number}")), vote_timeout: TIMEOUT })
    }

    fn request() -> Action<CoordinatorPress> {
        Action::Press(CoordinatorPress::Request { vote_timeout: TIMEOUT })
    }

    fn txn(n: u64) -> TxnId {
        TxnId::parse(&format!("chair.1.{n}")).unwrap()
    }

    fn proposal() -> Event {
        Event::Proposal { string: string("Hello") }
    }

    fn state(n: u64, state: &'static str) -> Event {
        Event::State { txn: txn(n), state }
    }

    fn decision(n: u64, decision: Decision) -> Event {
        Event::Decision { txn: txn(n), decision, string: None }
    }

    fn done(n: u64) -> Event {
        Event::Done { txn: txn(n) }
    }

    fn refused() -> Event {
        Event::RequestRefused { message: String::from("Waiting for 1 more participant.") }
    }

    fn see(script: &mut Proposing, events: &[Event], now: Instant) {
        events.iter().for_each(|event| script.on_event(event, now));
    }

    #[test]
    fn one_string_is_said_then_voted_on_then_done() {
        let (mut script, now) = (one(2), Instant::now());
        assert_eq!(script.next(&room(Link::Connecting, 0), now), []);
        assert_eq!(script.next(&here(1), now), []);
        assert_eq!(script.next(&here(2), now), [Action::Say(String::from("string: Hello"))]);
        assert_eq!(script.next(&here(2), now), []);
        see(&mut script, &[proposal()], now);
        assert_eq!(script.next(&here(2), now), [request()]);
        see(&mut script, &[state(1, "INIT"), state(1, "WAIT"), decision(1, Decision::Commit), state(1, "COMMIT")], now);
        assert_eq!(script.next(&here(2), now), []);
        see(&mut script, &[done(1)], now);
        assert_eq!(script.next(&here(2), now), [Action::Quit]);
        assert_eq!(script.finish(), Finish { summary: None, status: Ok(0) });
    }

    #[test]
    fn what_is_not_acknowledged_is_left_ten_seconds_after_the_decision() {
        let (mut script, now) = (one(1), Instant::now());
        script.next(&here(1), now);
        see(&mut script, &[proposal()], now);
        script.next(&here(1), now);
        see(&mut script, &[state(1, "WAIT"), decision(1, Decision::Abort)], now);
        assert_eq!(script.wakes_at(), Some(now + UNACKNOWLEDGED));
        assert_eq!(script.next(&here(0), now + UNACKNOWLEDGED - Duration::from_millis(1)), []);
        assert_eq!(script.next(&here(0), now + UNACKNOWLEDGED), [Action::Quit]);
        assert_eq!(script.finish().status, Ok(ABORTED));
    }

    #[test]
    fn whoever_waits_in_vain_says_for_what() {
        for (node, words) in [
            (room(Link::Connecting, 0), "The relay at 127.0.0.1:1337 could not be reached within 60 s"),
            (here(1), "1 of 2 participants came within 60 s"),
        ] {
            let (mut script, now) = (one(2), Instant::now());
            assert_eq!(script.next(&node, now), []);
            assert_eq!(script.wakes_at(), Some(now + WAIT));
            assert_eq!(script.next(&node, now + WAIT), [Action::Quit]);
            let sentence = script.finish().status.unwrap_err();
            assert!(sentence.starts_with(words), "{sentence}");
        }
    }

    #[test]
    fn a_line_that_went_down_with_the_link_is_said_again() {
        let (mut script, now) = (one(1), Instant::now());
        assert_eq!(script.next(&here(1), now).len(), 1);
        see(&mut script, &[Event::Disconnected], now);
        assert_eq!(script.next(&here(1), now), [Action::Say(String::from("string: Hello"))]);
    }

    #[test]
    fn a_refused_request_is_pressed_again_a_little_later() {
        let (mut script, now) = (many(1, 1), Instant::now());
        assert_eq!(script.next(&here(1), now), [open(1)]);
        see(&mut script, &[refused()], now);
        assert_eq!(script.next(&here(1), now), []);
        assert_eq!(script.wakes_at(), Some(now + AGAIN));
        assert_eq!(script.next(&here(1), now + AGAIN), [open(1)]);
        see(&mut script, &[refused()], now + WAIT);
        assert_eq!(script.next(&here(1), now + WAIT), [Action::Quit]);
        assert!(script.finish().status.unwrap_err().ends_with("Waiting for 1 more participant."));
    }

    #[test]
    fn many_are_open_at_a_time_and_no_more() {
        let (mut script, now) = (many(4, 2), Instant::now());
        let later = |millis| now + Duration::from_millis(millis);
        assert_eq!(script.next(&here(1), now), [open(1), open(2)]);
        see(&mut script, &[state(1, "INIT"), state(1, "WAIT"), state(2, "INIT")], now);
        assert_eq!(script.next(&here(1), now), []);
        see(&mut script, &[decision(2, Decision::Commit), done(2)], later(10));
        assert_eq!(script.next(&here(1), later(10)), [open(3)]);
        see(&mut script, &[state(3, "INIT"), decision(1, Decision::Commit), done(1), decision(3, Decision::Commit), done(3)], later(30));
        assert_eq!(script.next(&here(1), later(30)), [open(4)]);
        see(&mut script, &[state(4, "INIT"), decision(4, Decision::Abort), done(4)], later(2_000));
        assert_eq!(script.next(&here(1), later(2_000)), [Action::Quit]);

        let Finish { summary, status } = script.finish();
        assert_eq!(status, Ok(ABORTED));
        let expected = Summary { committed: 3, aborted: 1, seconds: 2.0, txn_per_s: 2.0, p50_us: 20_000, p99_us: 1_970_000 };
        assert_eq!(summary, Some(expected));
    }

    #[test]
    fn what_was_recovered_is_not_taken_for_an_answer() {
        let (mut script, now) = (many(1, 1), Instant::now());
        see(&mut script, &[state(7, "WAIT")], now);
        script.next(&here(1), now);
        see(&mut script, &[decision(7, Decision::Abort), state(7, "ABORT"), done(7)], now);
        assert_eq!(script.next(&here(1), now), []);
        see(&mut script, &[state(8, "INIT"), decision(8, Decision::Commit), done(8)], now);
        assert_eq!(script.next(&here(1), now), [Action::Quit]);
        assert_eq!(script.finish().status, Ok(0));
    }

    #[test]
    fn one_that_is_stopped_before_the_decision_does_not_claim_a_commit() {
        let (mut script, now) = (many(1, 1), Instant::now());
        script.next(&here(1), now);
        see(&mut script, &[state(1, "INIT")], now);
        assert!(script.clone().finish().status.is_err());
        see(&mut script, &[decision(1, Decision::Abort)], now);
        assert_eq!(script.finish().status, Ok(ABORTED));
    }

    #[test]
    fn a_string_that_cannot_be_voted_on_is_refused_at_once() {
        let long = "x".repeat(4_090);
        for (text, many) in [(" ", None), ("a\nb", None), (&format!("{long}{{n}}"), Some(Many { count: 1_000_000, concurrency: 1 }))] {
            assert!(Proposing::new(text, many, 1, WAIT, TIMEOUT).is_err());
        }
        let number_is_text = Proposing::new("{n}", None, 1, WAIT, TIMEOUT).unwrap();
        assert_eq!(number_is_text.string, "{n}");
    }
}
