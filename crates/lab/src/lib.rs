//! The front door: opens a whole room, relay, participants and coordinator, with one command.
//!
//! - [`program`]: the flags, and the dispatch to the program that the lab is asked to be.
//! - [`room`]: the room's programs as processes of their own, started, heard and ended.
//! - [`member`] and [`life`]: who is in the room, and where each stands.
//! - [`scenario`]: goals, questions and steps that are played on real processes, and judged.
//! - [`replay`]: a recorded run done again on live processes.
//! - [`run`]: what is seen of the room and what is done to it, as one list of events.
//! - [`diagram`]: that list as a space-time diagram.
//! - [`tile`]: where the windows stand on the screen.
//! - [`verdict`]: what a run's files prove, an invariant a row.
//! - [`view`]: the lab's window, as a function of what is seen of the room.
//!
//! Every process that is ended here is one that was started here. Deliberately absent: the protocol
//! itself. The lab starts those who speak it, hears what they say, and judges what came of it.

mod child;
pub mod diagram;
mod error;
mod found;
mod inspection;
mod keeper;
pub mod life;
pub mod member;
mod observer;
mod parent;
mod printer;
pub mod program;
pub mod replay;
pub mod room;
pub mod run;
pub mod scenario;
mod signals;
mod stage;
pub mod tile;
pub mod verdict;
pub mod view;
pub mod watched;
mod window;
