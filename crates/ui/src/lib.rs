//! What both windows share, and the lab's too: how everything looks, the states' shapes, the login,
//! the conversation, and the way a window keeps its place and ends.
//!
//! Deliberately absent: any decision. A view is a function of the last snapshot and of what is being
//! typed, and gives back what the person did; the protocol runs elsewhere, whether or not anything
//! is drawn.

pub mod button;
pub mod composer;
pub mod countdown;
pub mod doubt;
pub mod draft;
pub mod field;
pub mod header;
pub mod icon;
pub mod layout;
mod leaving;
pub mod login;
pub mod mark;
pub mod messages;
pub mod opened;
pub mod palette;
pub mod pane;
pub mod place;
pub mod room;
pub mod settings;
pub mod sight;
mod signals;
pub mod text;
pub mod theme;
pub mod window;

pub use draft::Draft;
pub use mark::{Chip, Mark};
pub use palette::Palette;
