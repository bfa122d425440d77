//! The room: a handle to the programs that a lab has started, and what is seen of them.
//!
//! A thread of its own starts, hears and ends them (the keeper), whatever the window in front
//! does; it lives until the last of them has ended. What happens is noted in the room's journal, and
//! kept as a run. Deliberately absent: windows, and what the programs say to each other.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use chrono::Local;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};
use twopc_ui::place::Place;

pub use crate::error::OpenError;
pub use crate::keeper::Pace;
use crate::keeper::{self, MOST_PARTICIPANTS, Press};
use crate::life::Life;
use crate::member::{Common, Member, Part, Tempo, members};
use crate::printer::Printer;
use crate::run::folder::{self, RunError};
use crate::run::journal::Journal;
use crate::run::moment::Written;
use crate::run::{Deed, LabKey};

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
    /// No windows: what a person would press is typed ([`Deed::Press`]).
    pub headless: bool,
    /// How long things take.
    pub tempo: Tempo,
    /// The key by which the relay knows its lab, so that others can watch and steer, too; a new one
    /// without it.
    pub key: Option<String>,
    /// What is kept of the run.
    pub record: Record,
}

/// What is kept of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// Nothing.
    Nothing,
    /// A new folder among others, with copies of the room's files before and after.
    Among(PathBuf),
    /// This folder, which holds the room's own files, too, and what it plays.
    In(PathBuf, Option<String>),
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
    /// The last record that stood in its stable log when it was started.
    pub began_with: Option<Written>,
}

/// A room that was opened. Dropping it closes it, and waits until everybody has ended: politely if
/// they do, four seconds later by force.
#[derive(Debug)]
pub struct Room {
    remote: Remote,
    view: watch::Receiver<Arc<RoomView>>,
    journal: Journal,
    keeps: Option<Keeps>,
    thread: Option<JoinHandle<()>>,
}

/// Where a run is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Keeps {
    dir: PathBuf,
    /// The data directory whose files are copied at the end, if they are not in the folder anyway.
    data: Option<PathBuf>,
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
    /// If the relay can't listen, or the run cannot be kept; then nothing is left running.
    pub fn open(plan: Plan, out: impl Write + Send + 'static, wake: impl Fn() + Send + Sync + 'static) -> Result<Self, OpenError> {
        refuse_port_in_use(&plan.listen)?;
        let members = members(plan.participants);
        let (keeps, file) = begin(&plan, &members)?.unzip();
        let Plan { program, listen, data_dir, logs, participants: _, headless, tempo, key, record: _ } = plan;
        let common = Common { relay: listen.clone(), listen, data_dir, logs, headless, tempo };
        let key = key.map_or_else(LabKey::new, |key| Ok(LabKey::of(key)))?;
        let wake: Arc<dyn Fn() + Send + Sync> = Arc::new(wake);
        let journal = Journal::begin(file, {
            let wake = wake.clone();
            move || wake()
        });
        let seen = members.iter().map(|member| Program { member: member.clone(), life: Life::Waiting, began_with: None });
        let (publish, view) = watch::channel(Arc::new(RoomView { relay: common.relay.clone(), programs: seen.collect() }));
        let (presses, pressed) = unbounded_channel();
        let (opened, relay) = oneshot::channel();
        let outside = keeper::Outside { printer: Printer::start(out), publish, wake, journal: journal.clone(), opened: Some(opened) };
        let start = keeper::Start { program, common, members, key };
        let thread = thread::Builder::new().name(String::from("room")).spawn(move || keeper::run(start, pressed, outside))?;
        // From here on dropping the room ends whatever was started.
        let room = Self { remote: Remote { presses }, view, journal, keeps, thread: Some(thread) };
        relay.blocking_recv().unwrap_or(Err(OpenError::Closed)).map(|()| room)
    }

    /// Lets everybody in who waits for the relay. The windows get these places, in the order of the
    /// list, for this one time; where there is none, a window stands where it was last.
    pub fn admit(&self, places: Vec<Place>, pace: Pace) {
        self.remote.press(Press::Admit(places, pace));
    }

    /// Does this, if it means something then.
    pub fn act(&self, deed: Deed) {
        self.remote.press(Press::Do(deed));
    }

    /// Everything that was seen and done.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Where the run is kept, if it is.
    #[must_use]
    pub fn run(&self) -> Option<&Path> {
        self.keeps.as_ref().map(|keeps| keeps.dir.as_path())
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
            if let Some(keeps) = &self.keeps {
                // Nobody is left to be told; a folder without its last part says so when it is read.
                let _ = keeps.finish(&self.journal);
            }
        }
    }
}

/// Begins to keep a run.
fn begin(plan: &Plan, members: &[Member]) -> Result<Option<(Keeps, File)>, RunError> {
    let names = |part: Part| members.iter().filter(move |member| member.part == part).map(|member| member.name.clone());
    let header = |scenario: Option<String>| {
        let coordinator = names(Part::Coordinator).next().unwrap_or_default();
        folder::Header::now(names(Part::Participant).collect(), coordinator, plan.headless, plan.tempo, scenario)
    };
    Ok(match &plan.record {
        Record::Nothing => None,
        Record::Among(runs) => {
            let dir = folder::fresh(runs, Local::now(), "")?;
            let file = folder::begin(&dir, &header(None))?;
            folder::copy_files(&plan.data_dir, &dir.join("before"))?;
            Some((Keeps { dir, data: Some(plan.data_dir.clone()) }, file))
        }
        Record::In(dir, scenario) => {
            let file = folder::begin(dir, &header(scenario.clone()))?;
            Some((Keeps { dir: dir.clone(), data: None }, file))
        }
    })
}

impl Keeps {
    /// The last part: the files as they are now, and what the relay relayed. `after` has its name once all is
    /// there: a part of the files would be judged as if it were all of them.
    fn finish(&self, journal: &Journal) -> Result<(), RunError> {
        let Some(data) = &self.data else { return Ok(()) };
        let (part, after) = (self.dir.join("after.part"), self.dir.join("after"));
        folder::copy_files(data, &part)?;
        journal.read(|events| folder::write_relayed(events, &self.dir.join("relay")))?;
        fs::rename(&part, &after).map_err(|error| RunError::Io { path: after, error })
    }
}

impl Remote {
    /// Does this, if it means something then.
    pub fn act(&self, deed: Deed) {
        self.press(Press::Do(deed));
    }

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
    /// What one more participant would be called, if there is space for one.
    #[must_use]
    pub fn next_name(&self) -> Option<String> {
        let names = members(MOST_PARTICIPANTS).into_iter().filter(|member| member.part == Part::Participant);
        names.map(|member| member.name).find(|name| self.programs.iter().all(|program| program.member.name != *name))
    }

    /// How many windows the room opens.
    #[must_use]
    pub fn windows(&self) -> usize {
        self.programs.iter().filter(|program| program.member.part.has_window()).count()
    }
}
