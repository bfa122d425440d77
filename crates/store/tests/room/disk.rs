//! A disk in memory that counts what is asked of it, fails on demand, and loses in a power cut what
//! was not synced.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use twopc_store::{Disk, Look};

/// The system's number for a disk that fails.
pub const EIO: i32 = 5;
/// The system's number for too many open files.
pub const EMFILE: i32 = 24;

/// What a call does instead of what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Fails so and changes nothing.
    Error(ErrorKind),
    /// The same, by the system's number.
    Os(i32),
    /// A write takes half of the bytes and fails so with the rest; another call fails so.
    Short(ErrorKind),
    /// The program dies before the call does anything.
    DiesBefore,
    /// The program dies when the call has done what it does.
    DiesAfter,
}

impl Fault {
    fn kind(self) -> ErrorKind {
        match self {
            Self::Error(kind) | Self::Short(kind) => kind,
            Self::Os(number) => io::Error::from_raw_os_error(number).kind(),
            Self::DiesBefore | Self::DiesAfter => ErrorKind::Other,
        }
    }
}

/// What a power cut leaves of bytes that were not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Nothing is lost: the program was killed and the system went on, with the sync still to come.
    Kill,
    /// All of them are lost, and the names too.
    Lost,
    /// They had reached the disk by chance, and the names too.
    Kept,
    /// They had, and the names had not.
    NamesLost,
    /// So many of them had.
    Torn(usize),
    /// Their length had, they had not: they read as NUL.
    Zeroed,
    /// Every other block of this size had.
    Holes(usize),
}

#[derive(Clone, Debug, Default)]
struct Inode {
    live: Vec<u8>,
    synced: Vec<u8>,
    changed: i64,
    /// A sync failed: the system calls the bytes clean and the disk does not have them.
    is_forgotten: bool,
}

/// What was asked, and of which file (its last name).
pub type Asked = (&'static str, String);

#[derive(Clone, Debug, Default)]
struct World {
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    synced_names: BTreeMap<PathBuf, usize>,
    dirs: Vec<PathBuf>,
    asked: Vec<Asked>,
    /// At which call (from 0), what, and whether at every later one too.
    plan: Option<(usize, Fault, bool)>,
    /// Before which call a person puts this in the place of a file, or deletes it.
    meddling: Option<(usize, PathBuf, Option<Vec<u8>>)>,
    /// Reads of files whose names end so give something else than they hold.
    forged: Option<&'static str>,
    is_dead: bool,
    clock: i64,
}

/// The disk; a clone is the same one.
#[derive(Clone, Debug, Default)]
pub struct MemDisk(Arc<Mutex<World>>);

impl MemDisk {
    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Another disk that is as this one is now.
    pub fn copy(&self) -> Self {
        Self(Arc::new(Mutex::new(self.world().clone())))
    }

    /// Has the `at`th call from now on (the first is 0) go wrong, and those after it if `for_good`.
    pub fn plan(&self, at: usize, fault: Fault, for_good: bool) {
        let mut world = self.world();
        let now = world.asked.len();
        world.plan = Some((now + at, fault, for_good));
    }

    /// Before the `at`th call from now on a person puts a file with this content in the place of the
    /// one of this name, by renaming, or deletes it.
    pub fn meddle(&self, at: usize, path: PathBuf, content: Option<Vec<u8>>) {
        let mut world = self.world();
        let now = world.asked.len();
        world.meddling = Some((now + at, path, content));
    }

    /// Whether a person has done that.
    pub fn has_meddled(&self) -> bool {
        self.world().meddling.is_none()
    }

    /// From now on files whose names end so do not read as they were written.
    pub fn forge_reads_of(&self, suffix: &'static str) {
        self.world().forged = Some(suffix);
    }

    /// Lets everything go well again.
    pub fn heal(&self) {
        self.world().plan = None;
    }

    /// Whether the program has died.
    pub fn is_dead(&self) -> bool {
        self.world().is_dead
    }

    /// All that was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.world().asked.clone()
    }

    /// How often this was asked of files whose names end so.
    pub fn count(&self, what: &str, suffix: &str) -> usize {
        self.world().asked.iter().filter(|(asked, name)| *asked == what && name.ends_with(suffix)).count()
    }

    /// Ends the program's life, and cuts the power or not.
    pub fn cut(&self, cut: Cut) {
        let mut world = self.world();
        world.is_dead = false;
        world.plan = None;
        if matches!(cut, Cut::Lost | Cut::NamesLost) {
            world.names = world.synced_names.clone();
        } else if cut != Cut::Kill {
            world.synced_names = world.names.clone();
        }
        for inode in &mut world.inodes {
            if cut != Cut::Kill {
                inode.live = after_cut(inode, cut);
                inode.synced = inode.live.clone();
            }
        }
    }

    /// A file as a person sees it.
    pub fn see(&self, path: &Path) -> Option<Vec<u8>> {
        let world = self.world();
        world.names.get(path).map(|&inode| world.inodes[inode].live.clone())
    }

    /// A person saves a file, in place.
    pub fn save(&self, path: &Path, content: &[u8]) {
        let mut world = self.world();
        let Some(&inode) = world.names.get(path) else { return drop(world) };
        let changed = world.tick();
        world.inodes[inode] = Inode { live: content.to_vec(), synced: content.to_vec(), changed, is_forgotten: false };
    }

    /// A person puts a file in the place of one or of none, by renaming.
    pub fn put(&self, path: &Path, content: &[u8]) {
        let mut world = self.world();
        let changed = world.tick();
        world.inodes.push(Inode { live: content.to_vec(), synced: content.to_vec(), changed, is_forgotten: false });
        let inode = world.inodes.len() - 1;
        world.names.insert(path.to_path_buf(), inode);
        world.synced_names.insert(path.to_path_buf(), inode);
    }

    /// The same, but a power cut before the directory is synced brings the old file back.
    pub fn put_for_now(&self, path: &Path, content: &[u8]) {
        let old = self.world().synced_names.get(path).copied();
        self.put(path, content);
        if let Some(inode) = old {
            self.world().synced_names.insert(path.to_path_buf(), inode);
        }
    }

    /// A person deletes a file.
    pub fn delete(&self, path: &Path) {
        let mut world = self.world();
        world.names.remove(path);
        world.synced_names.remove(path);
    }

    /// Whether a power cut now would lose nothing of this file.
    pub fn is_safe(&self, path: &Path) -> bool {
        let world = self.world();
        let (live, synced) = (world.names.get(path), world.synced_names.get(path));
        live == synced && live.is_some_and(|&inode| world.inodes[inode].live == world.inodes[inode].synced)
    }

    fn meddle_if_due(&self) {
        let mut world = self.world();
        let now = world.asked.len();
        let Some((_, path, content)) = world.meddling.take_if(|(at, _, _)| *at <= now) else { return };
        drop(world);
        match content {
            Some(content) => self.put(&path, &content),
            None => self.delete(&path),
        }
    }

    /// How many bytes of the file that is worst off a power cut could take away.
    pub fn at_risk(&self) -> usize {
        self.world().inodes.iter().map(|inode| inode.live.len().saturating_sub(inode.synced.len())).max().unwrap_or(0)
    }

    /// Counts a call, and says what goes wrong with it.
    fn ask(&self, what: &'static str, path: &Path) -> io::Result<(MutexGuard<'_, World>, Option<Fault>)> {
        self.meddle_if_due();
        let mut world = self.world();
        let now = world.asked.len();
        if world.is_dead {
            return Err(io::Error::other("the program is dead"));
        }
        let name = path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
        world.asked.push((what, name));
        let fault = world.plan.filter(|(at, _, for_good)| now == *at || (*for_good && now > *at)).map(|(_, fault, _)| fault);
        match fault {
            Some(fault @ (Fault::Error(_) | Fault::Os(_))) => {
                if what == "sync"
                    && let Some(&inode) = world.names.get(path)
                {
                    world.inodes[inode].is_forgotten = true;
                }
                Err(if let Fault::Os(number) = fault { io::Error::from_raw_os_error(number) } else { fault.kind().into() })
            }
            Some(Fault::Short(kind)) if what != "append" => Err(kind.into()),
            Some(Fault::DiesBefore) => {
                world.is_dead = true;
                Err(io::Error::other("the program died"))
            }
            Some(Fault::DiesAfter) => {
                world.is_dead = true;
                Ok((world, fault))
            }
            Some(Fault::Short(_)) | None => Ok((world, fault)),
        }
    }
}

impl World {
    fn tick(&mut self) -> i64 {
        self.clock += 1;
        self.clock
    }

    fn find(&self, path: &Path) -> io::Result<usize> {
        self.names.get(path).copied().ok_or(ErrorKind::NotFound.into())
    }
}

/// What is left of a file's bytes.
fn after_cut(inode: &Inode, cut: Cut) -> Vec<u8> {
    let appended = inode.live.strip_prefix(&inode.synced[..]);
    match (cut, appended) {
        (Cut::Kill | Cut::Kept | Cut::NamesLost, _) => inode.live.clone(),
        // What was cut back without a sync may be there again.
        (Cut::Lost | Cut::Torn(_) | Cut::Zeroed | Cut::Holes(_), None) | (Cut::Lost, Some(_)) => inode.synced.clone(),
        (Cut::Torn(n), Some(tail)) => [&inode.synced[..], &tail[..n.min(tail.len())]].concat(),
        (Cut::Zeroed, Some(tail)) => [&inode.synced[..], &vec![0; tail.len()]].concat(),
        (Cut::Holes(size), Some(_)) => {
            let mut bytes = inode.live.clone();
            for (i, byte) in bytes.iter_mut().enumerate().skip(inode.synced.len()) {
                if (i / size).is_multiple_of(2) {
                    *byte = 0;
                }
            }
            bytes
        }
    }
}

/// An open file: its name when it was opened, for the record of what was asked, and which it is.
#[derive(Debug)]
pub struct MemFile(PathBuf, usize);

fn died<T>(value: T, fault: Option<Fault>) -> io::Result<T> {
    if fault == Some(Fault::DiesAfter) { Err(io::Error::other("the program died")) } else { Ok(value) }
}

impl Disk for MemDisk {
    type File = MemFile;

    fn create_dir(&mut self, dir: &Path) -> io::Result<()> {
        let (mut world, fault) = self.ask("create_dir", dir)?;
        world.dirs.push(dir.to_path_buf());
        died((), fault)
    }

    fn create(&mut self, path: &Path, _private: bool) -> io::Result<MemFile> {
        let (mut world, fault) = self.ask("create", path)?;
        let changed = world.tick();
        world.inodes.push(Inode { changed, ..Inode::default() });
        let inode = world.inodes.len() - 1;
        world.names.insert(path.to_path_buf(), inode);
        died(MemFile(path.to_path_buf(), inode), fault)
    }

    fn open(&mut self, path: &Path) -> io::Result<MemFile> {
        let (world, fault) = self.ask("open", path)?;
        let inode = world.find(path)?;
        died(MemFile(path.to_path_buf(), inode), fault)
    }

    fn read(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        let (mut world, fault) = self.ask("read", path)?;
        let inode = world.find(path)?;
        let inode = &mut world.inodes[inode];
        if std::mem::take(&mut inode.is_forgotten) {
            inode.live = inode.synced.clone();
        }
        let mut read = inode.live.clone();
        if let (true, Some(byte)) = (world.forged.is_some_and(|suffix| path.to_string_lossy().ends_with(suffix)), read.last_mut()) {
            *byte ^= 1;
        }
        died(read, fault)
    }

    fn append(&mut self, file: &mut MemFile, bytes: &[u8]) -> io::Result<usize> {
        let (mut world, fault) = self.ask("append", &file.0)?;
        let half = matches!(fault, Some(Fault::Short(_)));
        let taken = if half { bytes.len() / 2 } else { bytes.len() };
        let changed = world.tick();
        let inode = &mut world.inodes[file.1];
        inode.live.extend_from_slice(&bytes[..taken]);
        inode.changed = changed;
        if half && taken == 0 {
            return Err(ErrorKind::StorageFull.into());
        }
        // The rest of a short write is refused at the next call.
        if let Some(Fault::Short(kind)) = fault {
            let next = world.asked.len();
            let for_good = world.plan.is_some_and(|(_, _, for_good)| for_good);
            world.plan = Some((next, Fault::Error(kind), for_good));
        }
        died(taken, fault)
    }

    fn truncate(&mut self, file: &mut MemFile, len: u64) -> io::Result<()> {
        let (mut world, fault) = self.ask("truncate", &file.0)?;
        let changed = world.tick();
        let inode = &mut world.inodes[file.1];
        inode.live.resize(len as usize, 0);
        inode.changed = changed;
        died((), fault)
    }

    fn sync(&mut self, file: &mut MemFile) -> io::Result<()> {
        let (mut world, fault) = self.ask("sync", &file.0)?;
        let inode = &mut world.inodes[file.1];
        if !inode.is_forgotten {
            inode.synced = inode.live.clone();
        }
        died((), fault)
    }

    fn sync_dir(&mut self, dir: &Path) -> io::Result<()> {
        let (mut world, fault) = self.ask("sync_dir", dir)?;
        let World { names, synced_names, .. } = &mut *world;
        synced_names.retain(|path, _| path.parent() != Some(dir));
        synced_names.extend(names.iter().filter(|(path, _)| path.parent() == Some(dir)).map(|(path, inode)| (path.clone(), *inode)));
        died((), fault)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let (mut world, fault) = self.ask("rename", to)?;
        let inode = world.find(from)?;
        world.names.remove(from);
        world.names.insert(to.to_path_buf(), inode);
        died((), fault)
    }

    fn rename_new(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let (mut world, fault) = self.ask("rename", to)?;
        let inode = world.find(from)?;
        if world.names.contains_key(to) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        world.names.remove(from);
        world.names.insert(to.to_path_buf(), inode);
        died((), fault)
    }

    fn look(&mut self, path: &Path) -> io::Result<Option<Look>> {
        let (world, fault) = self.ask("look", path)?;
        let is_dir = path == Path::new("/") || world.dirs.iter().any(|dir| dir == path);
        let look = match world.names.get(path) {
            Some(&inode) => {
                let Inode { live, changed, .. } = &world.inodes[inode];
                Some(Look { file: (0, inode as u64), len: live.len() as u64, changed: (*changed, 0) })
            }
            None => is_dir.then_some(Look { file: (1, 0), len: 0, changed: (0, 0) }),
        };
        died(look, fault)
    }
}
