//! The coordinator's window with its node behind it.

use std::process::ExitCode;
use std::time::Instant;

use egui::Ui;
use twopc_proto::TxnId;
use twopc_proto::coordinator::Coordinator;
use twopc_runner::node::NodeConfig;
use twopc_runner::snapshot::{Action, CoordinatorPress, CoordinatorView, Snapshot};
use twopc_ui::Draft;
use twopc_ui::window::{self, Face};

use crate::view::{Typed, view};

/// Opens the window and runs until it is closed. `relay_given`: the address was asked for, so the last
/// one used does not take its place.
#[must_use]
pub fn run(config: NodeConfig, relay_given: bool) -> ExitCode {
    window::run::<CoordinatorFace>(config, relay_given)
}

struct CoordinatorFace;

impl Face for CoordinatorFace {
    type Role = Coordinator;
    type Typed = Typed;

    fn typed(draft: Draft, config: &NodeConfig) -> Typed {
        Typed { draft, timeout: config.vote_timeout.as_secs_f64().to_string() }
    }

    fn view(ui: &mut Ui, snapshot: &Snapshot<CoordinatorView>, typed: &mut Typed, now: Instant) -> Vec<Action<CoordinatorPress>> {
        view(ui, snapshot, typed, now)
    }

    /// Nobody waits for a coordinator's person: the votes come by themselves.
    fn waiting(_snapshot: &Snapshot<CoordinatorView>) -> Vec<(TxnId, String)> {
        Vec::new()
    }

    /// An open vote is aborted on the way out, and everybody is told.
    fn parting(_snapshot: &Snapshot<CoordinatorView>) -> Option<String> {
        None
    }
}
