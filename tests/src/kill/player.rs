//! One program of a room over all its lives, as far as it has told.
//!
//! Deliberately absent: how it tells; see `hearing`.

use std::collections::BTreeSet;
use std::process::ExitStatus;

use twopc_runner::crash::CrashPoint;

use super::child::Child;
use super::plan::Actor;

/// A program with its lives.
pub(super) struct Player {
    pub(super) actor: Actor,
    pub(super) child: Option<Child>,
    pub(super) lives: u64,
    /// Where this life is to end by itself.
    pub(super) armed: Option<CrashPoint>,
    /// The relay has let it in, or the relay itself listens.
    pub(super) is_in: bool,
    /// Who has joined since then, as this one has heard.
    pub(super) met: BTreeSet<String>,
    /// What it has begun and not finished.
    pub(super) open: BTreeSet<String>,
    /// Transactions for which it has said READY and nothing later.
    pub(super) ready: BTreeSet<String>,
    /// Those of them about which it has said that nobody who can be reached may decide.
    pub(super) blocked: BTreeSet<String>,
    /// Coordinator: votes that are not decided.
    pub(super) waiting: BTreeSet<String>,
    pub(super) counts: Counts,
    /// How it ended, if it is not running.
    pub(super) ended: Option<ExitStatus>,
}

/// What somebody has said so far, over all its lives.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    /// Participant: a vote was asked for.
    pub(super) asked: u64,
    /// Coordinator: a vote began, was refused, was decided.
    pub(super) begun: u64,
    pub(super) refused: u64,
}

impl Player {
    pub(super) fn new(actor: Actor) -> Self {
        Self {
            actor,
            child: None,
            lives: 0,
            armed: None,
            is_in: false,
            met: BTreeSet::new(),
            open: BTreeSet::new(),
            ready: BTreeSet::new(),
            blocked: BTreeSet::new(),
            waiting: BTreeSet::new(),
            counts: Counts::default(),
            ended: None,
        }
    }
}

/// Where somebody stands in the list of a room's players.
pub(super) fn place_of(actor: Actor) -> usize {
    match actor {
        Actor::Relay => 0,
        Actor::Chair => 1,
        Actor::Voter(index) => 2 + index,
    }
}
