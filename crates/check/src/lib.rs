//! Drives the machines and the store through every schedule, and everything else that can go wrong.
//!
//! [`world`] puts the *production* machines of `twopc-proto` into a world where messages are lost,
//! repeated and reordered, disks keep only what was synced, timers fire whenever they like and nodes
//! crash at any boundary. [`search`] explores it completely, asks the properties of
//! `twopc_proto::audit` in every state and those of [`steps`] of every step, and holds each transition
//! against Lamport and Gray's TwoPhase ([`refinement`]). [`sim`] runs whole rooms, with the real codec
//! and the real store, from a seed. [`frames`] judges what travels and what is stored against rules
//! written a second time. [`mutants`] are machines and disks broken on purpose, each of which one of
//! these must catch. [`trust`] runs it all and fills the table of `TRUST.md`.
//!
//! Deliberately absent: a second model of the protocol, and Tokio.

mod chance;
pub mod frames;
pub mod mutants;
mod progress;
pub mod refinement;
pub mod search;
pub mod sim;
pub mod steps;
pub mod trust;
pub mod world;
