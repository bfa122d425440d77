//! The two roles as a node runs them: what their people press, and what their windows show.
//!
//! Deliberately absent: deciding anything. Boards remember what the machines have no use for.

mod coordinator;
mod doubts;
mod participant;

pub use coordinator::CoordinatorBoard;
pub use participant::ParticipantBoard;
