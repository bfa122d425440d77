//! Whether a scenario came out as its file says: its faults happened, its outcome is the one that was
//! promised, and nothing that must hold was violated.
//!
//! Deliberately absent: the playing. What is judged is the list of events and the files.

use std::fmt;

use twopc_proto::bench::{Fate, Rule, Then};

use super::play::Played;
use super::step::Step;
use super::text::{Outcome, Scenario};
use crate::run::moment::{Stand, protocol_of};
use crate::run::{Event, Stage};
use crate::verdict::{self, Outcome as Verdict};

/// What is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What became of the last transaction, if it is one of the three.
    pub outcome: Option<Outcome>,
    /// How each participant stood at the end.
    pub stands: Vec<(String, String)>,
    /// What the files prove, if they can be judged.
    pub verdict: Option<Verdict>,
    /// Everything that is not as the file says, each in a sentence.
    pub failures: Vec<String>,
}

impl Report {
    /// Of a scenario that was played.
    #[must_use]
    pub fn of(scenario: &Scenario, played: &Played) -> Self {
        let stands = stands(played);
        let outcome = outcome(played);
        let mut failures = Vec::new();
        if let Some((line, why)) = &played.stuck {
            failures.push(format!("line {line}: {why}"));
        }
        failures.extend(missing_faults(scenario, played));
        if outcome != Some(scenario.outcome) {
            let came = outcome.map_or_else(|| String::from("neither of the three"), |outcome| outcome.to_string());
            failures.push(format!("the outcome is {came}, and should be {}", scenario.outcome));
        }
        let judged = verdict::gather(std::slice::from_ref(&played.dir)).map(|evidence| verdict::judge(&evidence));
        match (&judged, scenario.outcome) {
            (Err(error), _) => failures.push(error.to_string()),
            (Ok(judged), _) if judged.outcome == Verdict::Violated => {
                let findings = judged.rows.iter().flat_map(|row| &row.findings).map(|finding| finding.says.clone());
                failures.extend(findings.map(|finding| format!("VIOLATED: {finding}")));
            }
            (Ok(judged), Outcome::Commit) if judged.committed == 0 => failures.push(String::from("no log has committed it")),
            (Ok(judged), Outcome::Abort) if judged.committed > 0 => failures.push(String::from("a log has committed it")),
            (Ok(judged), Outcome::Blocked) if judged.outcome != Verdict::InDoubt => {
                failures.push(String::from("no log leaves it in doubt"));
            }
            (Ok(_), Outcome::Commit | Outcome::Abort | Outcome::Blocked) => {}
        }
        Self { outcome, stands, verdict: judged.ok().map(|judged| judged.outcome), failures }
    }

    /// Whether everything is as the file says.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// The book's word for each participant, or `blocked`. Whoever does not run is what its log says, and waits for
/// nobody.
fn stands(played: &Played) -> Vec<(String, String)> {
    let runs = |who: &String| !played.end.of(who).is_gone();
    let stand = |who: &String| match played.end.last_stand_of(who) {
        None => String::from("not asked"),
        Some(stand) if runs(who) && Stand::is_blocked(stand) => String::from("blocked"),
        Some(stand) => stand.state.clone(),
    };
    played.participants.iter().map(|who| (who.clone(), stand(who))).collect()
}

fn outcome(played: &Played) -> Option<Outcome> {
    let stands = stands(played);
    let every = |word: &str| !stands.is_empty() && stands.iter().all(|(_, stand)| stand == word);
    let some = |word: &str| stands.iter().any(|(_, stand)| stand == word);
    if every("COMMIT") {
        Some(Outcome::Commit)
    } else if some("blocked") && !some("COMMIT") && !some("ABORT") {
        Some(Outcome::Blocked)
    } else if some("ABORT") && !some("COMMIT") && !some("READY") && !some("blocked") {
        Some(Outcome::Abort)
    } else {
        None
    }
}

/// The faults that the file asks for and that did not happen.
fn missing_faults(scenario: &Scenario, played: &Played) -> Vec<String> {
    let mut missing = Vec::new();
    for (who, point) in &scenario.crashes {
        if !died_at(&played.events, who, point) {
            missing.push(format!("{who} did not die {point}"));
        }
    }
    for (began, line) in &played.began {
        let Some((_, step)) = scenario.steps.iter().find(|(number, _)| number == line) else { continue };
        let after = played.events.get(*began..).unwrap_or_default();
        match step {
            Step::Rules(rules) if !rules.iter().any(|rule| has_met(rule, after)) => {
                missing.push(format!("line {line}: no message met that rule"));
            }
            Step::Start(who, Some(point)) if !died_at(after, who, point) => {
                missing.push(format!("line {line}: {who} did not die {point}"));
            }
            Step::Kill(who) if !was_killed(after, who) => missing.push(format!("line {line}: {who} was not killed")),
            Step::Freeze(who) if !was_frozen(after, who) => missing.push(format!("line {line}: {who} was not frozen")),
            Step::Rules(_)
            | Step::Start(..)
            | Step::Kill(_)
            | Step::Freeze(_)
            | Step::Press(..)
            | Step::Stop(_)
            | Step::Thaw(_)
            | Step::Heal
            | Step::Handle(..)
            | Step::Release
            | Step::Until(_)
            | Step::Wait(_) => {}
        }
    }
    missing
}

fn stages<'a>(events: &'a [Event], who: &'a str) -> impl Iterator<Item = &'a Stage> {
    events.iter().filter_map(|event| event.what.stage()).filter(move |(program, _)| *program == who).map(|(_, stage)| stage)
}

fn died_at(events: &[Event], who: &str, point: &str) -> bool {
    stages(events, who).any(|stage| matches!(stage, Stage::Ended { killed: true, how } if how.contains(point)))
}

fn was_killed(events: &[Event], who: &str) -> bool {
    stages(events, who).any(|stage| matches!(stage, Stage::Ended { killed: true, .. }))
}

fn was_frozen(events: &[Event], who: &str) -> bool {
    stages(events, who).any(|stage| *stage == Stage::Frozen)
}

/// Whether a rule has done to a message what it says.
fn has_met(rule: &Rule, events: &[Event]) -> bool {
    let mut matching = Vec::new();
    events.iter().any(|event| {
        let protocol = event.what.frame().and_then(protocol_of);
        matching.extend(protocol.filter(|it| rule.is_about(&it.word, &it.from, &it.to)).map(|it| it.seq));
        match (event.what.fate(), rule.then) {
            (Some(Fate::Held { seq, ms: None }), Then::Hold)
            | (Some(Fate::Held { seq, ms: Some(_) }), Then::Delay { .. })
            | (Some(Fate::Dropped { seq, .. }), Then::Drop) => matching.contains(seq),
            (_, Then::Pass | Then::Hold | Then::Delay { .. } | Then::Drop) => false,
        }
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stands: Vec<String> = self.stands.iter().map(|(who, stand)| format!("{who} {stand}")).collect();
        write!(f, "{}", stands.join(", "))?;
        self.verdict.iter().try_for_each(|verdict| write!(f, "; {}", verdict.as_str()))
    }
}
