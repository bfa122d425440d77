//! What ends a program from outside is `Quit`, as it is without a window.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use egui::Context;
use twopc_runner::signals::on_first;

/// Whether a signal has come that asks the program to end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Watches from now on; a signal wakes the window.
    pub(crate) fn watch(ctx: Context) -> Self {
        let stop = Self::default();
        let told = stop.clone();
        let watched = on_first(move || {
            told.0.store(true, Ordering::Release);
            ctx.request_repaint();
        });
        // Without signals this program is ended as any other is, and recovery is made for that.
        drop(watched);
        stop
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
