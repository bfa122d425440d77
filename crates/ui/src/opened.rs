//! What a window says to the lab that started it: that it is on the screen.
//!
//! A lab opens windows that stand behind each other one by one, since the one that comes last is in
//! front. Deliberately absent: anything else that a lab may want to know; it reads what programs
//! print and how they end.

use std::io::Write;

use egui::Context;

/// The variable by which a lab tells a program that it started it: the lab's process id.
pub const STARTED_BY: &str = "TWOPC_STARTED_BY";

/// The line on standard output that says that the window is on the screen.
pub const WINDOW_IS_OPEN: &str = "The window is open.";

/// Whether it has been said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Opened {
    /// Nothing has been drawn yet.
    #[default]
    No,
    /// Something has been drawn, and is shown before anything is drawn again.
    Drawn,
    /// It is on the screen.
    Yes,
}

impl Opened {
    /// The window is being drawn. Prints the line the second time, if a lab started this program.
    pub fn on_draw(&mut self, ctx: &Context) {
        match self {
            Self::No => {
                *self = Self::Drawn;
                ctx.request_repaint();
            }
            Self::Drawn => {
                *self = Self::Yes;
                if std::env::var_os(STARTED_BY).is_some() {
                    // A lab that is gone wants to know nothing.
                    let _ = writeln!(std::io::stdout(), "{WINDOW_IS_OPEN}");
                }
            }
            Self::Yes => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_open_once_it_is_drawn_again() {
        let (ctx, mut opened) = (Context::default(), Opened::default());
        for then in [Opened::Drawn, Opened::Yes, Opened::Yes] {
            opened.on_draw(&ctx);
            assert_eq!(opened, then);
        }
    }
}
