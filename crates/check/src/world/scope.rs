//! How large a world is explored, and what may happen in it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::mutants::Mutant;

/// How large a world is explored, and what may happen in it.
///
/// Its text, `participants=2 crashes=1 hints`, begins a trace and names it on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::struct_excessive_bools)] // each can be chosen by itself
pub struct Scope {
    /// How many participants: 1 to 8.
    pub participants: usize,
    /// How many transactions the coordinator may start, over all its lives.
    pub requests: u8,
    /// How many crashes there may be in all.
    pub crashes: u8,
    /// Whether answers that settle nothing (WAIT, READY) arrive. They change only what a participant
    /// says of being blocked; a world in which all of them are lost is far smaller.
    pub hints: bool,
    /// Whether whoever is in doubt waits for its coordinator, and asks nobody as long as that one is there.
    pub patient: bool,
    /// Whether a disk answers before anything else reaches its node. What is on its way to the disk
    /// is then a moment in which the node may crash, but none in which it hears something.
    pub prompt_disks: bool,
    /// Whether what can be said again at any time counts as said; see the module's page.
    pub eager: bool,
    /// Whether worlds that differ only in who is who count as one; only where it is `eager`.
    pub symmetry: bool,
    /// Whether somebody with no right to it says what only others may say.
    pub stranger: bool,
    /// Whether a node that has decided may be told the opposite in its coordinator's name.
    pub contradiction: bool,
    /// Whether a crash may take away what was synced: a drive that does not honour a flush. The
    /// promises do not hold on such a drive, and a search that did not find that out would be worth
    /// nothing.
    pub lying_disks: bool,
    /// What is asked of the worlds in which nothing is left to happen, if anything is.
    pub end: Option<End>,
    /// How every machine is broken, if it is.
    pub mutant: Option<Mutant>,
}

/// What must be the case once nothing is left to happen: everything said was heard, whoever crashed is
/// back, and each timer that was set has fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// Everybody has decided, and END is written.
    Decided,
    /// Everybody presses Commit in time, so everybody has committed.
    Committed,
    /// The coordinator, once crashed, stays away. Whoever can reach somebody who may decide has decided;
    /// if nobody may, everybody says to be blocked.
    Orphaned,
}

impl Scope {
    /// Honest disks that take their time, every moment of a crash; no answers that settle nothing.
    #[must_use]
    pub const fn new(participants: usize, requests: u8, crashes: u8) -> Self {
        Self {
            participants,
            requests,
            crashes,
            hints: false,
            patient: false,
            prompt_disks: false,
            eager: false,
            symmetry: false,
            stranger: false,
            contradiction: false,
            lying_disks: false,
            end: None,
            mutant: None,
        }
    }

    /// With every answer delivered.
    #[must_use]
    pub const fn with_hints(self) -> Self {
        Self { hints: true, ..self }
    }

    /// Whoever is in doubt waits.
    #[must_use]
    pub const fn patiently(self) -> Self {
        Self { patient: true, ..self }
    }

    /// What can be said again counts as said.
    #[must_use]
    pub const fn eagerly(self) -> Self {
        Self { eager: true, ..self }
    }

    /// The same, and disks answer at once.
    #[must_use]
    pub const fn promptly(self) -> Self {
        Self { eager: true, prompt_disks: true, ..self }
    }

    /// The same, and who is who makes no difference.
    #[must_use]
    pub const fn up_to_names(self) -> Self {
        Self { eager: true, symmetry: true, ..self }
    }

    /// Until nothing is left to happen.
    #[must_use]
    pub const fn to_the_end(self, end: End) -> Self {
        Self { eager: true, hints: true, end: Some(end), ..self }
    }

    /// With machines that are broken, or not.
    #[must_use]
    pub const fn broken(self, mutant: Option<Mutant>) -> Self {
        Self { mutant, ..self }
    }

    fn switches(&self) -> [(&'static str, bool); 8] {
        [
            ("hints", self.hints),
            ("patient", self.patient),
            ("prompt-disks", self.prompt_disks),
            ("eager", self.eager),
            ("symmetry", self.symmetry),
            ("stranger", self.stranger),
            ("contradiction", self.contradiction),
            ("lying-disks", self.lying_disks),
        ]
    }

    fn switch(&mut self, word: &str) -> Option<&mut bool> {
        Some(match word {
            "hints" => &mut self.hints,
            "patient" => &mut self.patient,
            "prompt-disks" => &mut self.prompt_disks,
            "eager" => &mut self.eager,
            "symmetry" => &mut self.symmetry,
            "stranger" => &mut self.stranger,
            "contradiction" => &mut self.contradiction,
            "lying-disks" => &mut self.lying_disks,
            _ => return None,
        })
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "participants={} requests={} crashes={}", self.participants, self.requests, self.crashes)?;
        for (word, _) in self.switches().into_iter().filter(|(_, on)| *on) {
            write!(f, " {word}")?;
        }
        if let Some(end) = self.end {
            write!(f, " end={end}")?;
        }
        if let Some(mutant) = self.mutant {
            write!(f, " mutant={mutant}")?;
        }
        Ok(())
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut scope = Self::new(2, 1, 1);
        let mut said = BTreeSet::new();
        for word in text.split_whitespace() {
            let name = word.split_once('=').map_or(word, |(name, _)| name);
            if !said.insert(name) {
                return Err(format!("{name} is said twice"));
            }
            let number = |value: &str| value.parse::<u8>().map_err(|error| format!("{word}: {error}"));
            match word.split_once('=') {
                Some(("participants", value)) => scope.participants = number(value)?.into(),
                Some(("requests", value)) => scope.requests = number(value)?,
                Some(("crashes", value)) => scope.crashes = number(value)?,
                Some(("end", value)) => scope.end = Some(value.parse()?),
                Some(("mutant", value)) => scope.mutant = Some(value.parse()?),
                Some(_) => return Err(format!("{word:?} is no part of a scope")),
                None => *scope.switch(word).ok_or_else(|| format!("{word:?} is no part of a scope"))? = true,
            }
        }
        if !(1..=8).contains(&scope.participants) {
            return Err("a world has 1 to 8 participants".into());
        }
        if scope.end.is_some() && !scope.eager {
            return Err("an end needs eager: else something can always be said again".into());
        }
        if scope.symmetry && !scope.eager {
            return Err("symmetry needs eager: else a crash may come between two messages of one group, in the order of the names".into());
        }
        Ok(scope)
    }
}

impl End {
    const ALL: [Self; 3] = [Self::Decided, Self::Committed, Self::Orphaned];

    fn as_str(self) -> &'static str {
        match self {
            Self::Decided => "decided",
            Self::Committed => "committed",
            Self::Orphaned => "orphaned",
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for End {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|end| end.as_str() == text).ok_or_else(|| format!("{text:?} is no end: decided, committed or orphaned"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a test fails by panicking

    use super::*;

    #[test]
    fn a_scope_reads_back_as_it_was_written() {
        for scope in [
            Scope::new(1, 2, 3),
            Scope::new(2, 1, 1).with_hints().promptly().up_to_names().broken(Some(Mutant::M4)),
            Scope { stranger: true, contradiction: true, lying_disks: true, ..Scope::new(8, 1, 0).to_the_end(End::Orphaned) },
        ] {
            assert_eq!(scope.to_string().parse::<Scope>().unwrap(), scope);
        }
        for wrong in [
            "participants=2 participants=3",
            "eager eager",
            "participants=0",
            "participants=9",
            "colour=red",
            "fast",
            "symmetry",
            "end=decided",
            "end=never",
            "mutant=M0",
            "crashes=many",
        ] {
            assert!(wrong.parse::<Scope>().is_err(), "{wrong}");
        }
    }
}
