//! Drives the machines through every schedule.
//!
//! [`world`] puts the *production* machines of `twopc-proto` into a world where messages are lost,
//! repeated and reordered, disks keep only what was synced, timers fire whenever they like and nodes
//! crash at any boundary. [`search`] explores it completely and asks the properties of
//! `twopc_proto::audit` in every state. [`mutants`] are machines broken on purpose, each of which a
//! check must catch. Deliberately absent: a second model of the protocol, and Tokio.

pub mod frames;
pub mod mutants;
pub mod refinement;
pub mod search;
pub mod sim;
pub mod steps;
pub mod world;
