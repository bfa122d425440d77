//! A simulated drive for the real store: every call takes its time, can fail in every way, and a power
//! cut leaves what it likes of what was not synced.
//!
//! The store does a whole batch in one go of the simulator, so the drive keeps what it held before
//! each call: a node that dies while a batch is under way finds the drive as it was at that moment.
//! Deliberately absent: the lock, which the system holds for a process and not a file.

mod edit;
mod files;
#[cfg(test)]
mod tests;

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use edit::Edit;
use files::Files;
use twopc_store::{Disk, Look};

use twopc_proto::When;

use crate::chance::Chance;

/// What the store asks of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // each is the call of `twopc_store::Disk` of that name
pub enum Call {
    CreateDir,
    Create,
    Open,
    Read,
    Append,
    Truncate,
    Sync,
    SyncDir,
    Rename,
    Look,
}

impl Call {
    /// Every one.
    pub const ALL: [Self; 10] = [
        Self::CreateDir,
        Self::Create,
        Self::Open,
        Self::Read,
        Self::Append,
        Self::Truncate,
        Self::Sync,
        Self::SyncDir,
        Self::Rename,
        Self::Look,
    ];
}

/// What a call does instead of what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// Fails for want of space.
    NoSpace,
    /// Fails because this user has had its share.
    Quota,
    /// Fails as a drive does that is broken. A sync that fails so has lost what it was to make certain.
    Broken,
    /// Fails because the folder may only be read.
    ReadOnly,
    /// Fails because the process has too many files open.
    TooManyOpen,
    /// A write takes a part of the bytes, and fails for want of space with the rest.
    ShortNoSpace,
    /// A write takes a part of the bytes, and fails as a broken drive does with the rest.
    ShortBroken,
    /// Goes well, and takes this long.
    Hangs(Duration),
    /// Goes well, after a person has changed the text file.
    Edited(Edit),
}

impl Trouble {
    /// Its name, for a story and for what is counted.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NoSpace => "no space",
            Self::Quota => "quota exceeded",
            Self::Broken => "input/output error",
            Self::ReadOnly => "read-only",
            Self::TooManyOpen => "too many open files",
            Self::ShortNoSpace => "short write, then no space",
            Self::ShortBroken => "short write, then an error",
            Self::Hangs(_) => "hangs",
            Self::Edited(_) => "a person edits the text file meanwhile",
        }
    }

    fn error(self) -> io::Error {
        match self {
            Self::NoSpace | Self::ShortNoSpace => ErrorKind::StorageFull.into(),
            Self::Quota => ErrorKind::QuotaExceeded.into(),
            Self::ReadOnly => ErrorKind::ReadOnlyFilesystem.into(),
            Self::TooManyOpen => io::Error::from_raw_os_error(24),
            Self::Broken | Self::ShortBroken | Self::Hangs(_) | Self::Edited(_) => ErrorKind::Other.into(),
        }
    }
}

/// Trouble that waits for its call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Armed {
    /// Which calls count; all of them if `None`.
    pub(crate) call: Option<Call>,
    /// How many of those go well before.
    pub(crate) skip: u64,
    pub(crate) trouble: Trouble,
    /// Every later one has it too.
    pub(crate) for_good: bool,
}

/// What has happened to a drive since somebody asked.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Calls that had trouble.
    pub(crate) troubles: Vec<(Call, Trouble)>,
    /// What a person did to the text file in between: it held this, then that (`None`: it was gone).
    pub(crate) edits: Vec<(Edit, Vec<u8>, Option<Vec<u8>>)>,
}

#[derive(Debug)]
struct Drive {
    files: Files,
    /// What it held before each call of what is under way, and when that call began.
    past: Vec<(u64, Files)>,
    /// How long what is under way takes, in microseconds.
    spent: u64,
    /// How long a sync takes on this drive, at least and at most, in microseconds.
    pace: (u64, u64),
    armed: Vec<Armed>,
    dies: Option<(u64, When)>,
    is_dead: bool,
    text: Option<PathBuf>,
    calls: Vec<Call>,
    seen: Seen,
    chance: Chance,
}

/// The drive of one node; a clone is the same one.
#[derive(Clone, Debug)]
pub(crate) struct SimDisk(Arc<Mutex<Drive>>);

impl SimDisk {
    /// An empty one. `text` is the file that people edit.
    pub(crate) fn new(chance: Chance, pace: (u64, u64), text: Option<PathBuf>) -> Self {
        Self(Arc::new(Mutex::new(Drive {
            files: Files::default(),
            past: Vec::new(),
            spent: 0,
            pace,
            armed: Vec::new(),
            dies: None,
            is_dead: false,
            text,
            calls: Vec::new(),
            seen: Seen::default(),
            chance,
        })))
    }

    fn drive(&self) -> MutexGuard<'_, Drive> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From here on what is asked counts as one thing under way.
    pub(crate) fn begin(&self) {
        let mut drive = self.drive();
        drive.past.clear();
        drive.spent = 0;
    }

    /// How long what was asked since [`Self::begin`] takes.
    pub(crate) fn spent(&self) -> Duration {
        Duration::from_micros(self.drive().spent)
    }

    /// What was under way is cut off so long after it began.
    pub(crate) fn interrupt(&self, after: Duration) {
        let mut drive = self.drive();
        let after = after.as_micros() as u64;
        // The call that was under way has been done by the drive, or not.
        let undone = drive.past.iter().position(|(began, _)| *began >= after).unwrap_or(drive.past.len());
        let undone = if undone > 0 && drive.chance.percent(50) { undone - 1 } else { undone };
        if let Some((_, files)) = drive.past.get(undone) {
            drive.files = files.clone();
        }
        drive.past.clear();
    }

    /// Has calls from now on go wrong.
    pub(crate) fn arm(&self, armed: Armed) {
        self.drive().armed.push(armed);
    }

    /// The program dies so many calls from now.
    pub(crate) fn die_at(&self, calls: u64, when: When) {
        self.drive().dies = Some((calls, when));
    }

    /// Whether the program has died in a call.
    pub(crate) fn is_dead(&self) -> bool {
        self.drive().is_dead
    }

    /// Everything goes well from now on.
    pub(crate) fn heal(&self) {
        let mut drive = self.drive();
        drive.armed.clear();
        drive.dies = None;
    }

    /// What has happened since this was asked last.
    pub(crate) fn take_seen(&self) -> Seen {
        std::mem::take(&mut self.drive().seen)
    }

    /// Every call so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.drive().calls.clone()
    }

    /// The program's life is over; with it the power, or not. Says whether anything was at risk.
    pub(crate) fn end_life(&self, power: bool) -> bool {
        let mut drive = self.drive();
        let Drive { files, chance, is_dead, dies, past, .. } = &mut *drive;
        *is_dead = false;
        *dies = None;
        past.clear();
        let at_risk = files.has_unsynced();
        if power {
            files.cut_power(chance);
        }
        at_risk
    }

    /// A file as a person sees it.
    pub(crate) fn see(&self, path: &Path) -> Option<Vec<u8>> {
        let drive = self.drive();
        let inode = drive.files.find(path).ok()?;
        Some(drive.files.inodes[inode].live.as_ref().clone())
    }

    /// Puts this into a file, on the drive for certain.
    pub(crate) fn save(&self, path: &Path, content: Vec<u8>) {
        self.drive().files.save(path, content);
    }

    /// Deletes a file.
    pub(crate) fn delete(&self, path: &Path) {
        self.drive().files.delete(path);
    }

    /// A person edits the text file. Says what it held and holds.
    pub(crate) fn edit(&self, edit: Edit) {
        self.drive().edit(edit);
    }
}

impl Drive {
    /// Counts a call, lets time pass, and says what goes wrong with it.
    fn ask(&mut self, call: Call) -> io::Result<Option<Trouble>> {
        if self.is_dead {
            return Err(io::Error::other("the program is dead"));
        }
        self.calls.push(call);
        self.past.push((self.spent, self.files.clone()));
        self.spent += match call {
            Call::Sync | Call::SyncDir => self.chance.between(self.pace.0, self.pace.1),
            Call::CreateDir | Call::Create | Call::Open | Call::Read | Call::Append | Call::Truncate | Call::Rename | Call::Look => {
                self.chance.between(1, 20)
            }
        };
        if self.dies == Some((0, When::Before)) {
            self.is_dead = true;
            return Err(io::Error::other("the program died"));
        }
        let trouble = self.trouble(call);
        if let Some(trouble) = trouble {
            self.seen.troubles.push((call, trouble));
        }
        match trouble {
            None => Ok(None),
            Some(Trouble::Hangs(wait)) => {
                self.spent += wait.as_micros() as u64;
                Ok(None)
            }
            Some(Trouble::Edited(edit)) => {
                self.edit(edit);
                Ok(None)
            }
            Some(Trouble::ShortNoSpace | Trouble::ShortBroken) if call == Call::Append => Ok(trouble),
            Some(trouble) => Err(trouble.error()),
        }
    }

    /// The trouble that this call has.
    fn trouble(&mut self, call: Call) -> Option<Trouble> {
        let mut met = None;
        self.armed.retain_mut(|armed| {
            if armed.call.is_some_and(|only| only != call) {
                return true;
            }
            if armed.skip > 0 {
                armed.skip -= 1;
                return true;
            }
            if met.is_some() {
                return true;
            }
            met = Some(armed.trouble);
            armed.for_good
        });
        met
    }

    /// The call is done; the program may die right after it.
    fn done<T>(&mut self, value: T) -> io::Result<T> {
        match &mut self.dies {
            Some((0, _)) => {
                self.is_dead = true;
                return Err(io::Error::other("the program died"));
            }
            Some((calls, _)) => *calls -= 1,
            None => {}
        }
        Ok(value)
    }

    fn edit(&mut self, edit: Edit) {
        let Some(path) = self.text.clone() else { return };
        let Ok(inode) = self.files.find(&path) else { return };
        let before = self.files.inodes[inode].live.as_ref().clone();
        let after = edit.of(&before);
        match (&after, edit.renames()) {
            (None, _) => self.files.delete(&path),
            (Some(content), true) => self.files.put(&path, content.clone()),
            (Some(content), false) => self.files.save(&path, content.clone()),
        }
        self.seen.edits.push((edit, before, after));
    }
}

/// An open file.
#[derive(Debug)]
pub(crate) struct SimFile(usize);

impl Disk for SimDisk {
    type File = SimFile;

    fn create_dir(&mut self, dir: &Path) -> io::Result<()> {
        let mut drive = self.drive();
        drive.ask(Call::CreateDir)?;
        drive.files.create_dir(dir);
        drive.done(())
    }

    fn create(&mut self, path: &Path, _private: bool) -> io::Result<SimFile> {
        let mut drive = self.drive();
        drive.ask(Call::Create)?;
        let inode = drive.files.create(path);
        drive.done(SimFile(inode))
    }

    fn open(&mut self, path: &Path) -> io::Result<SimFile> {
        let mut drive = self.drive();
        drive.ask(Call::Open)?;
        let inode = drive.files.find(path)?;
        drive.done(SimFile(inode))
    }

    fn read(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        let mut drive = self.drive();
        drive.ask(Call::Read)?;
        let inode = drive.files.find(path)?;
        let bytes = drive.files.read(inode);
        drive.done(bytes)
    }

    fn append(&mut self, file: &mut SimFile, bytes: &[u8]) -> io::Result<usize> {
        let mut drive = self.drive();
        let short = drive.ask(Call::Append)?;
        let taken = if short.is_some() { drive.chance.index(bytes.len()) } else { bytes.len() };
        drive.files.append(file.0, &bytes[..taken]);
        if let Some(trouble) = short {
            // The rest is refused at the next write, or with this one where nothing was taken.
            if taken == 0 {
                return Err(trouble.error());
            }
            let trouble = if trouble == Trouble::ShortNoSpace { Trouble::NoSpace } else { Trouble::Broken };
            drive.armed.insert(0, Armed { call: Some(Call::Append), skip: 0, trouble, for_good: false });
        }
        drive.done(taken)
    }

    fn truncate(&mut self, file: &mut SimFile, len: u64) -> io::Result<()> {
        let mut drive = self.drive();
        drive.ask(Call::Truncate)?;
        drive.files.truncate(file.0, len);
        drive.done(())
    }

    fn sync(&mut self, file: &mut SimFile) -> io::Result<()> {
        let mut drive = self.drive();
        if let Err(error) = drive.ask(Call::Sync) {
            if !drive.is_dead {
                drive.files.sync_failed(file.0);
            }
            return Err(error);
        }
        drive.files.sync(file.0);
        drive.done(())
    }

    fn sync_dir(&mut self, _dir: &Path) -> io::Result<()> {
        let mut drive = self.drive();
        drive.ask(Call::SyncDir)?;
        drive.files.sync_dir();
        drive.done(())
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let mut drive = self.drive();
        drive.ask(Call::Rename)?;
        drive.files.rename(from, to)?;
        drive.done(())
    }

    fn look(&mut self, path: &Path) -> io::Result<Option<Look>> {
        let mut drive = self.drive();
        drive.ask(Call::Look)?;
        let look = match drive.files.names.get(path) {
            Some(&inode) => {
                let found = &drive.files.inodes[inode];
                Some(Look { file: (0, inode as u64), len: found.live.len() as u64, changed: (found.changed, 0) })
            }
            None => drive.files.is_dir(path).then_some(Look { file: (1, 0), len: 0, changed: (0, 0) }),
        };
        drive.done(look)
    }
}
