//! A run: everything that a lab has seen of a room, in the order in which it saw it.
//!
//! - [`event`]: what can be seen.
//! - [`deed`]: what whoever sits in front of the lab has done.
//! - [`moment`]: how everything stands after some of it.
//! - [`journal`]: the list while it grows; [`folder`]: as it is kept.
//!
//! One list of events is all there is: the window, the diagram, the verdict and the scenarios are each a
//! function of it, live and of a run that was recorded. Deliberately absent: processes and sockets.

pub mod deed;
pub mod event;
pub mod folder;
pub mod journal;
mod key;
pub mod moment;

pub use deed::Deed;
pub use event::{Event, Happening, Stage};
pub use key::LabKey;
pub use moment::Moment;
