//! What happened over many runs, counted by name: the `sometimes` of the simulation.

use std::borrow::Cow;
use std::collections::BTreeMap;

use twopc_proto::{Boundary, When};

use super::disk::{Call, Edit};
use super::faults::{Damage, Fault, Point};
use super::plan::role;

/// How often each thing happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage(BTreeMap<Cow<'static, str>, u64>);

impl Coverage {
    /// It happened.
    pub(super) fn note(&mut self, what: impl Into<Cow<'static, str>>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    /// How often it happened.
    #[must_use]
    pub fn count(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }

    /// Adds what happened in another run.
    pub fn add(&mut self, other: Self) {
        for (what, count) in other.0 {
            *self.0.entry(what).or_default() += count;
        }
    }

    /// Everything, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(what, count)| (what.as_ref(), *count))
    }

    /// What never happened though it should have, in enough runs.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        expected().into_iter().filter(|what| self.count(what) == 0).collect()
    }
}

/// The name under which a crash point is counted.
pub(super) fn crash_point(is_coordinator: bool, when: When, boundary: Boundary) -> String {
    format!("{} {when}:{boundary}", if is_coordinator { "coordinator" } else { "participant" })
}

/// What enough runs must have seen.
fn expected() -> Vec<String> {
    let mut expected: Vec<String> = OUTCOMES.iter().map(|what| (*what).to_owned()).collect();
    for is_coordinator in [true, false] {
        for boundary in Boundary::of(role(is_coordinator)) {
            expected.extend(When::ALL.map(|when| crash_point(is_coordinator, when, *boundary)));
        }
    }
    expected.extend(Call::ALL.iter().map(|call| format!("trouble at {call:?}")));
    expected
}

/// Outcomes, faults and troubles, by name.
const OUTCOMES: &[&str] = &[
    "commit",
    "abort",
    "END",
    "blocked",
    "presumed abort",
    "restart with READY",
    "restart in WAIT",
    "second crash in recovery",
    "decided without the coordinator",
    "torn tail",
    "compacted log",
    "line completed",
    "text file rebuilt",
    "text file found edited",
    "no space, said",
    "alarm",
    "stranger ignored",
    "name taken over",
    "name refused without its key",
    "damaged log refused",
    "lost log refused",
    "damaged key refused",
    "vote and timeout in one moment",
    "disk hangs while frames come",
    "not here",
    "asked by a person",
    "quit",
];

/// Every kind of fault, for a test that each was drawn.
#[must_use]
pub fn fault_names() -> Vec<&'static str> {
    use std::time::Duration;
    let (node, down, again, lasts) = (0, Duration::ZERO, None, Duration::ZERO);
    let crash = |point, power| Fault::Crash { node, point, power, down, again };
    let effect = Point::Effect(When::Before, Boundary::Apply);
    let mut names: Vec<&str> = [
        crash(Point::Now, false),
        crash(Point::Now, true),
        crash(effect, true),
        crash(Point::Call(0, When::Before), true),
        Fault::Freeze { node, lasts },
        Fault::Cut { node, up: true, down: true, lasts },
        Fault::Cut { node, up: true, down: false, lasts },
        Fault::Reset { node },
        Fault::Weather { lost: 0, repeated: 0, late: 0, lasts },
        Fault::Relay { down },
        Fault::Ghosts { count: 1 },
        Fault::Stranger { count: 1 },
        Fault::Contradiction { node },
        Fault::Quit { node, down },
        Fault::Edit { node, edit: Edit::Delete },
    ]
    .iter()
    .map(Fault::name)
    .collect();
    names.extend([Damage::FlipLog(0), Damage::CutLog(0), Damage::LoseLog, Damage::FlipKey(0), Damage::LoseFolder].map(Damage::name));
    names
}
