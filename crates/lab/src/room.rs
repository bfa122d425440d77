//! The room: a handle to the programs that a lab has started, and what is seen of them.
//!
//! A thread of its own starts, hears and ends them (the keeper), whatever the window in front
//! does; it lives until the last of them has ended. Deliberately absent: windows, and the protocol.

use std::io::{ErrorKind, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};
use twopc_ui::place::Place;

pub use crate::error::OpenError;
pub use crate::keeper::Pace;
use crate::keeper::{self, Press};
use crate::life::Life;
use crate::member::{Common, Member, members};
use crate::printer::Printer;

/// What a room is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The program to start; its subcommands are the parts.
    pub program: PathBuf,
    /// Where the relay is to listen. With port 0 the system chooses a free one.
    pub listen: String,
    /// Where the stable logs and the text files are.
    pub data_dir: PathBuf,
    /// Where the relay writes.
    pub logs: PathBuf,
    /// How many participants there are.
    pub participants: usize,
    /// No windows: for tests.
    pub headless: bool,
}

/// What is seen of a room, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomView {
    /// Where the relay is found.
    pub relay: String,
    /// Everybody, in the order of the list.
    pub programs: Vec<Program>,
}

/// One program as it is seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Who it is.
    pub member: Member,
    /// Where it stands.
    pub life: Life,
}

/// A room that was opened. Dropping it closes it, and waits until everybody has ended: politely if
/// they do, four seconds later by force.
#[derive(Debug)]
pub struct Room {
    remote: Remote,
    view: watch::Receiver<Arc<RoomView>>,
    thread: Option<JoinHandle<()>>,
}

/// Closes a room from elsewhere; cheap to clone.
#[derive(Clone, Debug)]
pub struct Remote {
    presses: UnboundedSender<Press>,
}

impl Room {
    /// Starts the relay and waits until it listens; the others come in with [`Self::admit`]. What they
    /// print goes to `out`, behind their names; `wake` is called after every change, on the room's own
    /// thread.
    ///
    /// # Errors
    /// If the relay can't listen; then nothing is left running.
    pub fn open(plan: Plan, out: impl Write + Send + 'static, wake: impl Fn() + Send + 'static) -> Result<Self, OpenError> {
        let Plan { program, listen, data_dir, logs, participants, headless } = plan;
        refuse_port_in_use(&listen)?;
        let common = Common { relay: listen.clone(), listen, data_dir, logs, headless };
        let members = members(participants);
        let seen = members.iter().map(|member| Program { member: member.clone(), life: Life::Waiting });
        let (publish, view) = watch::channel(Arc::new(RoomView { relay: common.relay.clone(), programs: seen.collect() }));
        let (presses, pressed) = unbounded_channel();
        let (opened, relay) = oneshot::channel();
        let outside = keeper::Outside { printer: Printer::start(out), publish, wake: Box::new(wake), opened: Some(opened) };
        let thread =
            thread::Builder::new().name(String::from("room")).spawn(move || keeper::run(program, common, members, pressed, outside))?;
        // From here on dropping the room ends whatever was started.
        let room = Self { remote: Remote { presses }, view, thread: Some(thread) };
        relay.blocking_recv().unwrap_or(Err(OpenError::Closed)).map(|()| room)
    }

    /// Lets everybody in who waits for the relay. The windows get these places, in the order of the
    /// list, for this one time; where there is none, a window stands where it was last.
    pub fn admit(&self, places: Vec<Place>, pace: Pace) {
        self.remote.press(Press::Admit(places, pace));
    }

    /// Starts the program with this index again, if it has ended.
    pub fn start(&self, index: usize) {
        self.remote.press(Press::Start(index));
    }

    /// Asks the program with this index to end, if it runs.
    pub fn stop(&self, index: usize) {
        self.remote.press(Press::Stop(index));
    }

    /// What is seen now.
    #[must_use]
    pub fn view(&self) -> Arc<RoomView> {
        self.view.borrow().clone()
    }

    /// A way to close the room from another thread.
    #[must_use]
    pub fn remote(&self) -> Remote {
        self.remote.clone()
    }
}

/// The usual reason why a room can't be opened. Whatever else keeps the relay from listening, it says
/// itself.
fn refuse_port_in_use(listen: &str) -> Result<(), OpenError> {
    match TcpListener::bind(listen) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => Err(OpenError::PortInUse(String::from(listen))),
        Ok(_) | Err(_) => Ok(()),
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.remote.close();
        if let Some(thread) = self.thread.take() {
            // The keeper's panic was printed by its own thread, and its children died with it.
            let _ = thread.join();
        }
    }
}

impl Remote {
    /// Asks everybody to end: first those who talk, then the relay that carries it.
    pub fn close(&self) {
        self.press(Press::Close);
    }

    /// Ends everybody at once.
    pub fn kill(&self) {
        self.press(Press::Kill);
    }

    /// Waits until everybody has ended.
    pub async fn closed(&self) {
        self.presses.closed().await;
    }

    /// A room that is closed hears nothing any more, and there is nothing to press.
    fn press(&self, press: Press) {
        let _ = self.presses.send(press);
    }
}

impl RoomView {
    /// How many windows the room opens.
    #[must_use]
    pub fn windows(&self) -> usize {
        self.programs.iter().filter(|program| program.member.part.has_window()).count()
    }
}
