//! `names.json`: the claimed names, over restarts.
//!
//! The file is the truth and memory a copy of it: it is read again whenever it has changed, and
//! changed only under a lock, by writing a new one beside it and renaming that. So a name can be
//! freed while a relay runs on the folder, and stays free.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use twopc_proto::{UserName, json};

use super::Standing;
use super::key::KeyHash;

/// The names and the hashes of their keys.
const FILE: &str = "names.json";
/// What is being written and will be renamed.
const NEW: &str = "names.json.new";
/// Held by whoever changes the file; it stays.
const LOCK: &str = "names.lock";

/// Why the names cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NamesError {
    /// The disk, or who may write to it.
    #[error("the claimed names cannot be read or written: {0}; make sure that the folder can be written to")]
    Unusable(#[from] io::Error),
    /// Somebody else's bytes.
    #[error("{} is damaged; move it away and start again, all names are free then ({why})", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

/// The file as it was read last.
#[derive(Debug)]
pub(crate) struct NamesFile {
    logs: PathBuf,
    most: usize,
    claimed: BTreeMap<UserName, KeyHash>,
    /// What tells one state of the file from another; `None` where there is no file.
    version: Option<Version>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version {
    modified: SystemTime,
    length: u64,
    /// A renamed file is another file, even within one tick of the clock.
    inode: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    names: BTreeMap<UserName, KeyHash>,
}

impl NamesFile {
    /// # Errors
    /// When the file is there and cannot be read or is damaged.
    pub(crate) fn open(logs: &Path, most: usize) -> Result<Self, NamesError> {
        let mut file = Self { logs: logs.into(), most, claimed: BTreeMap::new(), version: None };
        file.refresh()?;
        Ok(file)
    }

    /// Reads the file again if it has changed. After an error memory is as it was.
    pub(crate) fn refresh(&mut self) -> Result<(), NamesError> {
        let path = self.logs.join(FILE);
        let version = version(&path)?;
        if version != self.version {
            self.claimed = match version {
                Some(_) => read(&path)?,
                None => BTreeMap::new(),
            };
            self.version = version;
        }
        Ok(())
    }

    /// How a name stands, as far as the file was read.
    pub(crate) fn standing(&self, name: &UserName, key: Option<&str>) -> Standing {
        match (self.claimed.get(name), key) {
            (None, _) => Standing::Free,
            (Some(hash), Some(key)) if hash.is_of(key) => Standing::Yours,
            (Some(_), _) => Standing::Taken,
        }
    }

    /// Claims those of the names that are free, the first comers first, as long as there are any
    /// left. When this returns, the disk has them.
    pub(crate) fn claim(&mut self, claims: &[(UserName, String)]) -> Result<(), NamesError> {
        let _lock = lock(&self.logs)?;
        self.refresh()?;
        let mut claimed = self.claimed.clone();
        for (name, key) in claims {
            if claimed.len() < self.most && !claimed.contains_key(name) {
                claimed.insert(name.clone(), KeyHash::of(key)?);
            }
        }
        if claimed.len() > self.claimed.len() {
            write(&self.logs, &claimed)?;
            self.version = version(&self.logs.join(FILE))?;
            self.claimed = claimed;
        }
        Ok(())
    }
}

/// Frees a name, also while a relay runs on the folder. `false` when nobody had claimed it.
///
/// # Errors
/// When the file cannot be read or written.
pub fn forget(logs: &Path, name: &UserName) -> Result<bool, NamesError> {
    if !logs.join(FILE).exists() {
        return Ok(false);
    }
    let _lock = lock(logs)?;
    let mut claimed = read(&logs.join(FILE))?;
    let was_claimed = claimed.remove(name).is_some();
    if was_claimed {
        write(logs, &claimed)?;
    }
    Ok(was_claimed)
}

fn lock(logs: &Path) -> io::Result<File> {
    let file = OpenOptions::new().create(true).write(true).truncate(false).open(logs.join(LOCK))?;
    file.lock()?;
    Ok(file)
}

fn version(path: &Path) -> io::Result<Option<Version>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(Version { modified: metadata.modified()?, length: metadata.len(), inode: inode(&metadata) })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn inode(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &fs::Metadata) -> u64 {
    0
}

fn read(path: &Path) -> Result<BTreeMap<UserName, KeyHash>, NamesError> {
    let damaged = |why: String| NamesError::Damaged { path: path.into(), why };
    let claims: Claims = json::parse(&fs::read(path)?).map_err(|error| damaged(error.to_string()))?;
    match claims.names.iter().find(|(_, hash)| !hash.is_sound()) {
        Some((name, _)) => Err(damaged(format!("the hash of {name} is no SHA-256"))),
        None => Ok(claims.names),
    }
}

/// Replaces the file: old or new, and never half of it, is what a crash leaves.
fn write(logs: &Path, claimed: &BTreeMap<UserName, KeyHash>) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(&Claims { names: claimed.clone() })?;
    text.push(b'\n');
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(logs.join(NEW))?;
    file.write_all(&text)?;
    file.sync_all()?;
    fs::rename(logs.join(NEW), logs.join(FILE))?;
    sync_folder(logs)
}

/// Makes the renaming itself outlast a crash.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef";
    const OTHER: &str = "fedcba9876543210";

    fn name(text: &str) -> UserName {
        UserName::parse(text).unwrap()
    }

    fn claim(file: &mut NamesFile, text: &str, key: &str) -> Standing {
        file.claim(&[(name(text), key.into())]).unwrap();
        file.standing(&name(text), Some(key))
    }

    #[test]
    fn a_claimed_name_is_kept_over_a_restart_and_its_key_nowhere() {
        let logs = tempfile::tempdir().unwrap();
        let mut file = NamesFile::open(logs.path(), 10).unwrap();
        assert_eq!(file.standing(&name("alice"), Some(KEY)), Standing::Free);
        assert_eq!(claim(&mut file, "alice", KEY), Standing::Yours);
        assert_eq!(claim(&mut file, "alice", OTHER), Standing::Taken);
        let again = NamesFile::open(logs.path(), 10).unwrap();
        assert_eq!(again.standing(&name("ALICE"), Some(KEY)), Standing::Yours);
        assert_eq!(again.standing(&name("alice"), None), Standing::Taken);
        assert!(!fs::read_to_string(logs.path().join(FILE)).unwrap().contains(KEY));
    }

    #[test]
    fn no_more_names_are_kept_than_may_be() {
        let logs = tempfile::tempdir().unwrap();
        let mut file = NamesFile::open(logs.path(), 2).unwrap();
        let claims = ["alice", "bob", "alice", "carol"].map(|text| (name(text), KEY.to_owned()));
        file.claim(&claims).unwrap();
        let standing = |text| file.standing(&name(text), Some(KEY));
        assert_eq!([standing("alice"), standing("bob"), standing("carol")], [Standing::Yours, Standing::Yours, Standing::Free]);
    }

    #[test]
    fn a_name_freed_meanwhile_is_free_and_not_written_back() {
        let logs = tempfile::tempdir().unwrap();
        let mut running = NamesFile::open(logs.path(), 10).unwrap();
        claim(&mut running, "alice", KEY);
        assert!(forget(logs.path(), &name("alice")).unwrap());
        assert!(!forget(logs.path(), &name("alice")).unwrap());
        assert_eq!(claim(&mut running, "bob", KEY), Standing::Yours);
        assert_eq!(running.standing(&name("alice"), Some(OTHER)), Standing::Free);
        assert_eq!(claim(&mut running, "alice", OTHER), Standing::Yours);
    }

    #[test]
    fn a_damaged_file_is_said_and_left_alone() {
        let logs = tempfile::tempdir().unwrap();
        for text in ["", "{", "{\"names\":{\"alice\":{\"salt\":\"\",\"sha256\":\"\"}}}", "{\"names\":{\"no name\":{}}}"] {
            fs::write(logs.path().join(FILE), text).unwrap();
            let error = NamesFile::open(logs.path(), 10).unwrap_err();
            assert!(matches!(error, NamesError::Damaged { .. }), "{error}");
            assert_eq!(fs::read_to_string(logs.path().join(FILE)).unwrap(), text);
        }
    }

    #[test]
    fn a_file_cut_anywhere_gives_no_name_away() {
        let logs = tempfile::tempdir().unwrap();
        let mut running = NamesFile::open(logs.path(), 10).unwrap();
        claim(&mut running, "alice", KEY);
        let whole = fs::read(logs.path().join(FILE)).unwrap();
        // All but the end of its last line.
        for length in 0..whole.len() - 1 {
            fs::write(logs.path().join(FILE), &whole[..length]).unwrap();
            assert!(matches!(NamesFile::open(logs.path(), 10), Err(NamesError::Damaged { .. })), "{length}");
            assert!(running.refresh().is_err() && running.claim(&[(name("bob"), KEY.into())]).is_err(), "{length}");
            assert_eq!(running.standing(&name("alice"), Some(OTHER)), Standing::Taken, "{length}");
            assert_eq!(running.standing(&name("alice"), Some(KEY)), Standing::Yours, "{length}");
        }
        assert_eq!(running.standing(&name("bob"), Some(KEY)), Standing::Free, "nothing was claimed that the disk does not have");
        fs::write(logs.path().join(FILE), &whole).unwrap();
        assert_eq!(claim(&mut running, "bob", KEY), Standing::Yours);
    }

    #[test]
    fn ten_thousand_names_are_kept_and_not_one_more() {
        let logs = tempfile::tempdir().unwrap();
        let most = crate::config::Limits::default().names;
        let claims: Vec<(UserName, String)> = (0..=most).map(|number| (name(&format!("user{number}")), format!("{KEY}{number}"))).collect();
        NamesFile::open(logs.path(), most).unwrap().claim(&claims).unwrap();
        let again = NamesFile::open(logs.path(), most).unwrap();
        for (name, key) in &claims[..most] {
            assert_eq!(again.standing(name, Some(key)), Standing::Yours);
        }
        assert_eq!(again.standing(&claims[most].0, Some(KEY)), Standing::Free);
    }
}
