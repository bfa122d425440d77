//! Everything at once: each check at the size that its promise is stated for, as the rows of the table
//! in `TRUST.md`.
//!
//! Deliberately absent: the checks themselves, and any judgement but theirs. A row is below its bar if
//! its check says so.

mod command;
mod row;
mod rows;
mod trials;

pub use command::{Args, command};
pub use row::{Count, Row, Table};

use std::path::Path;

/// How much is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// What fills the table.
    All,
    /// The largest counts, as long as they take.
    Release,
}

/// The checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Check {
    /// The complete searches, with refinement.
    Search,
    /// The simulated runs.
    Sim,
    /// Every call of every disk, failing; every log, damaged.
    Disk,
    /// The mutants.
    Mutants,
    /// The frames, bodies, logs and texts.
    Frames,
    /// The real processes, killed and frozen.
    Kill,
    /// The relay among enemies.
    Hostile,
}

impl Check {
    /// Every one, in the order in which they are run.
    pub const ALL: [Self; 7] = [Self::Search, Self::Sim, Self::Disk, Self::Mutants, Self::Frames, Self::Kill, Self::Hostile];

    /// Whether it needs real processes, which must be built.
    #[must_use]
    pub fn needs_processes(self) -> bool {
        match self {
            Self::Kill | Self::Hostile => true,
            Self::Search | Self::Sim | Self::Disk | Self::Mutants | Self::Frames => false,
        }
    }

    /// Runs it and gives its rows. `progress` takes a line now and then; `trials` is the program for
    /// what needs processes.
    pub fn run(self, size: Size, trials: Option<&Path>, progress: &(dyn Fn(&str) + Sync)) -> Vec<Row> {
        match self {
            Self::Search => rows::searches(size, progress),
            Self::Sim => vec![rows::simulation(size, progress)],
            Self::Disk => vec![rows::disk(progress)],
            Self::Mutants => vec![rows::mutants(progress)],
            Self::Frames => vec![rows::frames(size, progress)],
            Self::Kill => vec![rows::kill(size, trials)],
            Self::Hostile => vec![rows::hostile(trials)],
        }
    }
}
