//! What a search found.

use std::fmt;
use std::time::Duration;

use crate::world::Scope;

/// What a search found.
#[derive(Clone, Debug)]
pub struct Findings {
    /// What was explored.
    pub scope: Scope,
    /// How many different states there are.
    pub states: usize,
    /// How many steps lead from one of them to one of them.
    pub steps: usize,
    /// How far the farthest is from the start.
    pub depth: usize,
    /// Whether every state was seen.
    pub complete: bool,
    /// How long it took.
    pub took: Duration,
    /// What does not hold, and what never happened.
    pub failures: Vec<Failure>,
}

/// Why a search is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A property does not hold.
    Violated {
        /// Its name.
        property: &'static str,
        /// How it comes to that, told so that it can be run again.
        story: String,
    },
    /// The search should have come by this and has not.
    NeverHappened(String),
    /// The time was over before every state was seen.
    OutOfTime,
    /// This many states were seen before: the machines or the world do something else now.
    AnotherCount(usize),
}

impl Findings {
    /// Whether all was seen and all of it is well.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.failures.is_empty()
    }

    /// The first property that does not hold, and its story.
    #[must_use]
    pub fn violation(&self) -> Option<(&'static str, &str)> {
        self.failures.iter().find_map(|failure| match failure {
            Failure::Violated { property, story } => Some((*property, story.as_str())),
            Failure::NeverHappened(_) | Failure::OutOfTime | Failure::AnotherCount(_) => None,
        })
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scope, states, steps, depth, .. } = self;
        let complete = if self.complete { "complete" } else { "INCOMPLETE" };
        writeln!(f, "{scope}: {states} states, {steps} steps, depth {depth}, {complete}, {:.1} s", self.took.as_secs_f64())?;
        for failure in &self.failures {
            writeln!(f, "{failure}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violated { story, .. } => f.write_str(story),
            Self::NeverHappened(what) => write!(f, "never happened: {what}"),
            Self::OutOfTime => f.write_str("the time was over before every state was seen"),
            Self::AnotherCount(was) => write!(f, "{was} states were seen before: the machines or the world do something else now"),
        }
    }
}
