//! The shape and the colour of each kind of entry.

use twopc_proto::Decision;

use crate::diagram::chart::{BookState, Kind};
use crate::diagram::scene::{Glyph, Ink};

/// What stands on the lane for it.
pub(super) fn of(kind: Kind) -> (Glyph, Ink) {
    match kind {
        Kind::Send | Kind::Receive | Kind::Relayed | Kind::Superseded => (Glyph::Dot, Ink::Text),
        Kind::Start | Kind::Started | Kind::Online | Kind::Joined | Kind::Watching => (Glyph::Bar, Ink::Lane),
        Kind::Offline | Kind::Left | Kind::Blind => (Glyph::Bar, Ink::Amber),
        Kind::Press | Kind::Proposal => (Glyph::Play, Ink::Accent),
        Kind::Delivered | Kind::Thawed => (Glyph::Play, Ink::Muted),
        Kind::Written { .. } => (Glyph::Square, Ink::Text),
        Kind::Durable => (Glyph::Block, Ink::Text),
        Kind::Found => (Glyph::Found, Ink::Text),
        Kind::Applied => (Glyph::Diamond, Ink::Green),
        Kind::Timeout => (Glyph::Clock, Ink::Text),
        Kind::State(state) => of_state(state),
        Kind::Doubt { .. } => (Glyph::Doubt, Ink::Amber),
        Kind::Settled(Decision::Commit) => (Glyph::Disc, Ink::Green),
        Kind::Settled(Decision::Abort) => (Glyph::Cross, Ink::Vermilion),
        Kind::Done => (Glyph::Block, Ink::Green),
        Kind::Notice => (Glyph::Warning, Ink::Error),
        Kind::Ended { killed: true } => (Glyph::Death, Ink::Error),
        Kind::Ended { killed: false } => (Glyph::Bar, Ink::Error),
        Kind::Frozen | Kind::Held => (Glyph::Pause, Ink::Amber),
        Kind::Duplicated => (Glyph::Twice, Ink::Muted),
        Kind::Dropped => (Glyph::Cross, Ink::Error),
        Kind::Rules => (Glyph::Rules, Ink::Text),
    }
}

fn of_state(state: BookState) -> (Glyph, Ink) {
    match state {
        BookState::Init | BookState::Other => (Glyph::Ring, Ink::Grey),
        BookState::Wait => (Glyph::Quarter, Ink::Blue),
        BookState::Ready => (Glyph::Half, Ink::Amber),
        BookState::Commit => (Glyph::Disc, Ink::Green),
        BookState::Abort => (Glyph::Cross, Ink::Vermilion),
    }
}
