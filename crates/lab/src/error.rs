//! Why a room could not be opened, in the words of this program's flags.

use std::io;

use crate::life::End;
use crate::run::folder::RunError;

/// What the system says of a failure, in its words and without its number.
pub(crate) fn in_words(error: &io::Error) -> String {
    let said = error.to_string();
    said.split_once(" (os error ").map_or_else(|| said.clone(), |(words, _)| words.to_owned())
}

/// Why a room could not be opened. Nothing of it is left running.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Somebody else has the port.
    #[error("{0} is in use, perhaps by another room: close that one, or give this one a free port with --server 127.0.0.1:0.")]
    PortInUse(String),
    /// The relay could not begin, and said why.
    #[error("{0}")]
    Refused(String),
    /// The relay ended without a word that is any use.
    #[error("The relay did not start. {}", .0.sentence())]
    RelayEnded(End),
    /// The relay does not get to the point of listening.
    #[error("The relay did not listen in time: the machine may be very busy; start the room again.")]
    RelayLate,
    /// The system gives no thread, or no event loop.
    #[error("The system does not let the room run ({0}): close other programs and start it again.")]
    System(#[from] io::Error),
    /// The run cannot be kept.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Somebody closed it while it was being opened.
    #[error("The room was closed before it was open.")]
    Closed,
}
