//! Simulated runs: the production machines, codec, log and text file on a simulated disk, network and
//! clock, with everything going wrong that can, from one seed.
//!
//! [`Plan`] is what is settled before a run, [`run()`] runs it. Nodes (`node`) talk bytes to a relay
//! (`relay`) over a `network`; each has a drive of its own (`disk`); `people` press; the `judge` is asked
//! after everything that happens. When faults end, everybody must come to rest, what was decided must
//! have arrived, and one more vote must commit: the ends of runs are where progress is judged.
//! [`sail`] runs many seeds, [`shrink()`] makes a failing plan small, [`hunt`] looks for the seed that
//! catches a mutant, [`disk_loops`] leave nothing of the disk to chance.
//!
//! Deliberately absent: threads, sockets, files and any clock but the simulated one, so that a seed tells
//! the same story for ever. No wall clock is simulated either, since nothing in a node reads one: timers
//! are waits, and throwing a date cannot reach them. The lock of a name is the system's, and a machine
//! here starts a name once.

mod clock;
mod command;
mod coverage;
mod disk;
mod disk_command;
pub mod disk_loops;
mod faults;
mod fleet;
mod judge;
mod network;
mod node;
mod people;
mod plan;
mod relay;
mod run;
mod shrink;
mod story;

pub use clock::Time;
pub use command::{Args, command};
pub use coverage::{Coverage, fault_names};
pub use disk::{Call, Edit, Trouble};
pub use disk_command::{DiskArgs, disk};
pub use faults::{Damage, Fault, Planned, Point};
pub use fleet::{Findings, hunt, sail};
pub use plan::{Habits, Narrowing, Plan, Request, Restart, Votes};
pub use run::{Report, run};
pub use shrink::shrink;
