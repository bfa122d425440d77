//! The disk, as the store needs it: one small trait, so that a simulated disk can stand in for it,
//! and the real one.
//!
//! Deliberately absent: retrying. A call does one thing once and says what came of it; what a
//! failure means is the store's business.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The disk of one node.
///
/// What is written is certain to outlast a power cut only after a sync: of the file for its bytes
/// and length, of its directory for its name.
pub trait Disk: Send + 'static {
    /// A file that is open for reading and appending.
    type File: Send;

    /// Creates one directory; its parent exists.
    ///
    /// # Errors
    /// The system's. A directory that exists already is none.
    fn create_dir(&mut self, dir: &Path) -> io::Result<()>;

    /// Creates an empty file and opens it; one of that name is emptied. `private`: only its owner
    /// may read it.
    ///
    /// # Errors
    /// The system's.
    fn create(&mut self, path: &Path, private: bool) -> io::Result<Self::File>;

    /// Opens a file that exists.
    ///
    /// # Errors
    /// The system's; [`ErrorKind::NotFound`] if there is none.
    fn open(&mut self, path: &Path) -> io::Result<Self::File>;

    /// All that the file of this name holds, as it stands on the disk and not as some earlier
    /// process believed to have written it, where the system lets one ask.
    ///
    /// # Errors
    /// The system's; [`ErrorKind::NotFound`] if there is no such file. A read that fails is never
    /// an empty file.
    fn read(&mut self, path: &Path) -> io::Result<Vec<u8>>;

    /// Appends, in one write, and says how many of the bytes were taken.
    ///
    /// # Errors
    /// The system's; [`ErrorKind::StorageFull`] and [`ErrorKind::QuotaExceeded`] for want of space.
    fn append(&mut self, file: &mut Self::File, bytes: &[u8]) -> io::Result<usize>;

    /// Cuts a file back to this length.
    ///
    /// # Errors
    /// The system's.
    fn truncate(&mut self, file: &mut Self::File, len: u64) -> io::Result<()>;

    /// Returns once the disk has the file's bytes and length. After an error nobody knows what it
    /// has: it must not be tried again and believed.
    ///
    /// # Errors
    /// The system's.
    fn sync(&mut self, file: &mut Self::File) -> io::Result<()>;

    /// Returns once the disk has the directory's names.
    ///
    /// # Errors
    /// The system's.
    fn sync_dir(&mut self, dir: &Path) -> io::Result<()>;

    /// Gives a file another name, in place of the file that had it.
    ///
    /// # Errors
    /// The system's.
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file another name that no file has.
    ///
    /// # Errors
    /// The system's; [`ErrorKind::AlreadyExists`] if a file has it, which then keeps it. Where the
    /// system cannot do both as one, somebody who makes a file between the look and the renaming
    /// loses it.
    fn rename_new(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        match self.look(to)? {
            Some(_) => Err(ErrorKind::AlreadyExists.into()),
            None => self.rename(from, to),
        }
    }

    /// What can be told from outside of the file or directory of this name; `None` if there is none.
    ///
    /// # Errors
    /// The system's, other than that there is none.
    fn look(&mut self, path: &Path) -> io::Result<Option<Look>>;
}

/// What can be told of a file from outside. Two equal looks at one name mean that its content did
/// not change in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Which file it is, whatever its name: it differs for a file that was put in its place.
    pub file: (u64, u64),
    /// How many bytes it has.
    pub len: u64,
    /// When it changed last, in seconds and nanoseconds. Compared with an earlier look at the same
    /// file and with nothing else.
    pub changed: (i64, i64),
}

/// The disk of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    type File = File;

    fn create_dir(&mut self, dir: &Path) -> io::Result<()> {
        match fs::create_dir(dir) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
            other => other,
        }
    }

    fn create(&mut self, path: &Path, private: bool) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        if private {
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        }
        #[cfg(not(unix))]
        let _ = private; // a user's own folders are private there
        let file = options.open(path)?;
        file.set_len(0)?;
        Ok(file)
    }

    fn open(&mut self, path: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).append(true).open(path)
    }

    fn read(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        #[cfg(target_os = "linux")]
        forget_cached(path)?;
        fs::read(path)
    }

    fn append(&mut self, file: &mut File, bytes: &[u8]) -> io::Result<usize> {
        file.write(bytes)
    }

    fn truncate(&mut self, file: &mut File, len: u64) -> io::Result<()> {
        file.set_len(len)
    }

    fn sync(&mut self, file: &mut File) -> io::Result<()> {
        file.sync_data()
    }

    fn sync_dir(&mut self, dir: &Path) -> io::Result<()> {
        #[cfg(unix)]
        File::open(dir)?.sync_all()?;
        #[cfg(not(unix))]
        let _ = dir; // names are synced with the file there
        Ok(())
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    #[cfg(target_os = "linux")]
    fn rename_new(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // A file system that cannot; one more look, then, and no file may come in between.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) if self.look(to)?.is_none() => self.rename(from, to),
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => Err(ErrorKind::AlreadyExists.into()),
            // Neither a file nor room for one: whoever looked for it would look for ever.
            Err(rustix::io::Errno::EXIST) if self.look(to)?.is_none() && fs::symlink_metadata(to).is_ok() => {
                Err(io::Error::other("it is a link to a file that is not there; mend the link, or take it away"))
            }
            other => Ok(other?),
        }
    }

    fn look(&mut self, path: &Path) -> io::Result<Option<Look>> {
        match fs::metadata(path) {
            Ok(metadata) => Ok(Some(look_of(&metadata))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Lets the system forget what it keeps of a file in memory and has no need to write any more, so
/// that what is read next comes from the disk. After a sync that failed, Linux keeps pages that
/// never reached the disk and calls them clean: a later process would read them and believe them.
#[cfg(target_os = "linux")]
fn forget_cached(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
    Ok(())
}

#[cfg(unix)]
fn look_of(metadata: &fs::Metadata) -> Look {
    use std::os::unix::fs::MetadataExt;
    Look { file: (metadata.dev(), metadata.ino()), len: metadata.len(), changed: (metadata.ctime(), metadata.ctime_nsec()) }
}

/// Without a file's number, the time of its creation tells it from one put in its place.
#[cfg(not(unix))]
fn look_of(metadata: &fs::Metadata) -> Look {
    let since_epoch = |time: io::Result<std::time::SystemTime>| {
        time.ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok()).unwrap_or_default()
    };
    let (created, modified) = (since_epoch(metadata.created()), since_epoch(metadata.modified()));
    Look {
        file: (created.as_secs(), u64::from(created.subsec_nanos())),
        len: metadata.len(),
        changed: (i64::try_from(modified.as_secs()).unwrap_or(i64::MAX), i64::from(modified.subsec_nanos())),
    }
}

/// The directory that a path's last name stands in; `.` for a name alone.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

/// The path with something added to its last name.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// Whether a write failed for want of space, which a person can make.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

/// Creates a directory and those above it, each of which the disk has when this returns.
pub(crate) fn create_dirs<D: Disk>(disk: &mut D, dir: &Path) -> io::Result<()> {
    if disk.look(dir)?.is_some() {
        return Ok(());
    }
    create_dirs(disk, parent(dir))?;
    disk.create_dir(dir)?;
    disk.sync_dir(parent(dir))
}

/// An append that was not completed.
pub(crate) struct Short {
    /// How many bytes were taken before.
    pub(crate) taken: u64,
    /// Why no more were.
    pub(crate) error: io::Error,
}

impl From<Short> for io::Error {
    fn from(short: Short) -> Self {
        short.error
    }
}

/// Appends all of the bytes: in one write, unless the disk takes fewer.
pub(crate) fn append_all<D: Disk>(disk: &mut D, file: &mut D::File, bytes: &[u8]) -> Result<(), Short> {
    let mut taken = 0;
    while taken < bytes.len() {
        match disk.append(file, &bytes[taken..]) {
            Ok(0) => return Err(Short { taken: taken as u64, error: ErrorKind::WriteZero.into() }),
            Ok(n) => taken += n,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Short { taken: taken as u64, error }),
        }
    }
    Ok(())
}

/// Puts a file with this content in the place of `path`: it is written beside, synced, renamed, and
/// its directory synced, so that after a crash the old or the new one stands there, whole.
pub(crate) fn replace<D: Disk>(disk: &mut D, path: &Path, private: bool, content: &[u8]) -> io::Result<()> {
    let beside = beside(disk, path, private, content)?;
    disk.rename(&beside, path)?;
    disk.sync_dir(parent(path))
}

/// The same where there is no file; `false` if there is one by now, which stays.
pub(crate) fn create_new<D: Disk>(disk: &mut D, path: &Path, content: &[u8]) -> io::Result<bool> {
    let beside = beside(disk, path, false, content)?;
    match disk.rename_new(&beside, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        other => other.and_then(|()| disk.sync_dir(parent(path))).map(|()| true),
    }
}

/// Writes and syncs a file beside this one, whose name it is to get.
fn beside<D: Disk>(disk: &mut D, path: &Path, private: bool, content: &[u8]) -> io::Result<PathBuf> {
    let beside = with_suffix(path, ".new");
    let mut file = disk.create(&beside, private)?;
    append_all(disk, &mut file, content)?;
    disk.sync(&mut file)?;
    Ok(beside)
}
