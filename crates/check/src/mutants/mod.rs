//! Machines and disks that are broken on purpose.
//!
//! A check that cannot fail is worth nothing. Each mutant here is the production machine, or the
//! production store's disk, with one rule of the protocol broken by what stands between it and its
//! driver: it hears something else, or does something else with what it is asked to do. So what ships
//! holds no switch for any of it, and whatever drives a machine for a check (the search, the
//! simulation) drives the mutant through the same two calls, [`recover`] and [`step`].

mod command;
mod coordinator;
mod disk;
mod hunt;
mod list;
mod participant;

pub use command::{Args, command};
pub use disk::{Broken, after_open};
pub use hunt::{BySearch, Effort, Hunted, Table, hunt};
pub use list::Mutant;
use twopc_proto::{Effect, Identity, Input, Machine, Settings};

/// A role that can be broken.
pub trait Twist: Machine {
    /// [`Machine::recover`], broken in this way.
    fn twisted_recovery(
        mutant: Mutant,
        me: &Identity,
        settings: &Settings,
        incarnation: u64,
        log: &[Self::Record],
    ) -> (Self, Vec<Effect<Self>>);

    /// [`Machine::step`], broken in this way.
    fn twisted_step(&mut self, mutant: Mutant, input: Input<Self>) -> Vec<Effect<Self>>;
}

/// [`Machine::recover`], of the real machine or of a mutant.
pub fn recover<M: Twist>(
    mutant: Option<Mutant>,
    me: &Identity,
    settings: &Settings,
    incarnation: u64,
    log: &[M::Record],
) -> (M, Vec<Effect<M>>) {
    match mutant {
        None => M::recover(me, settings, incarnation, log),
        Some(mutant) => M::twisted_recovery(mutant, me, settings, incarnation, log),
    }
}

/// [`Machine::step`], of the real machine or of a mutant.
pub fn step<M: Twist>(mutant: Option<Mutant>, machine: &mut M, input: Input<M>) -> Vec<Effect<M>> {
    match mutant {
        None => machine.step(input),
        Some(mutant) => machine.twisted_step(mutant, input),
    }
}
