//! What a simulated drive holds: files and names as the running system sees them, and as much of both
//! as a power cut leaves.
//!
//! Cheap to copy, since the drive keeps a copy for each call that is under way. Deliberately absent:
//! failing, which is the drive's.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::chance::Chance;

/// The size of what a drive writes at once. Small, so that short files have several.
const BLOCKS: [usize; 4] = [4, 16, 64, 512];

/// One file, whatever its names.
#[derive(Clone, Debug, Default)]
pub(super) struct Inode {
    /// As a program sees it.
    pub(super) live: Arc<Vec<u8>>,
    /// As the drive has it for certain.
    pub(super) kept: Arc<Vec<u8>>,
    pub(super) changed: i64,
    /// Bytes whose sync has failed: the system calls them clean, and the drive does not have them.
    forgotten: Option<Range<usize>>,
}

/// A change of names that a sync of the directory makes certain.
#[derive(Clone, Debug)]
enum Naming {
    Create(PathBuf, usize),
    Rename(PathBuf, PathBuf),
}

/// Everything on one drive.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    pub(super) inodes: Vec<Inode>,
    pub(super) names: Arc<BTreeMap<PathBuf, usize>>,
    /// The names that a power cut leaves for certain.
    named: Arc<BTreeMap<PathBuf, usize>>,
    /// Those that came since, in order.
    namings: Arc<Vec<Naming>>,
    dirs: Arc<BTreeSet<PathBuf>>,
    ticks: i64,
}

impl Files {
    fn tick(&mut self) -> i64 {
        self.ticks += 1;
        self.ticks
    }

    pub(super) fn find(&self, path: &Path) -> io::Result<usize> {
        self.names.get(path).copied().ok_or(ErrorKind::NotFound.into())
    }

    pub(super) fn is_dir(&self, path: &Path) -> bool {
        path == Path::new("/") || self.dirs.contains(path)
    }

    pub(super) fn create_dir(&mut self, path: &Path) {
        Arc::make_mut(&mut self.dirs).insert(path.to_path_buf());
    }

    pub(super) fn create(&mut self, path: &Path) -> usize {
        if let Some(&inode) = self.names.get(path) {
            self.truncate(inode, 0);
            return inode;
        }
        let changed = self.tick();
        self.inodes.push(Inode { changed, ..Inode::default() });
        let inode = self.inodes.len() - 1;
        Arc::make_mut(&mut self.names).insert(path.to_path_buf(), inode);
        Arc::make_mut(&mut self.namings).push(Naming::Create(path.to_path_buf(), inode));
        inode
    }

    /// What a program reads: the system lets go first of what it calls clean, so bytes that the drive
    /// never got read as NUL.
    pub(super) fn read(&mut self, inode: usize) -> Vec<u8> {
        let inode = &mut self.inodes[inode];
        if let Some(range) = inode.forgotten.take() {
            let range = clamp(&range, inode.live.len());
            Arc::make_mut(&mut inode.live)[range].fill(0);
        }
        inode.live.as_ref().clone()
    }

    pub(super) fn append(&mut self, inode: usize, bytes: &[u8]) {
        let changed = self.tick();
        let inode = &mut self.inodes[inode];
        Arc::make_mut(&mut inode.live).extend_from_slice(bytes);
        inode.changed = changed;
    }

    pub(super) fn truncate(&mut self, inode: usize, len: u64) {
        let changed = self.tick();
        let inode = &mut self.inodes[inode];
        Arc::make_mut(&mut inode.live).resize(len as usize, 0);
        inode.changed = changed;
        // What is cut off is no longer believed to be anywhere.
        inode.forgotten = inode.forgotten.take().map(|range| clamp(&range, len as usize)).filter(|range| !range.is_empty());
    }

    /// The drive has the file, but for what an earlier sync has lost.
    pub(super) fn sync(&mut self, inode: usize) {
        let inode = &mut self.inodes[inode];
        inode.kept = inode.live.clone();
        if let Some(range) = &inode.forgotten {
            let range = clamp(range, inode.kept.len());
            let hole_at_the_end = range.end == inode.kept.len();
            let kept = Arc::make_mut(&mut inode.kept);
            if hole_at_the_end {
                kept.truncate(range.start);
            } else {
                kept[range].fill(0);
            }
        }
    }

    /// A sync fails: what was not on the drive is not there, and the system calls it clean.
    pub(super) fn sync_failed(&mut self, inode: usize) {
        let inode = &mut self.inodes[inode];
        let same = inode.live.iter().zip(inode.kept.iter()).take_while(|(live, kept)| live == kept).count();
        if same < inode.live.len() {
            let start = inode.forgotten.as_ref().map_or(same, |range| range.start.min(same));
            inode.forgotten = Some(start..inode.live.len());
        }
    }

    pub(super) fn sync_dir(&mut self) {
        self.named = self.names.clone();
        self.namings = Arc::default();
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let inode = self.find(from)?;
        let names = Arc::make_mut(&mut self.names);
        names.remove(from);
        names.insert(to.to_path_buf(), inode);
        Arc::make_mut(&mut self.namings).push(Naming::Rename(from.to_path_buf(), to.to_path_buf()));
        Ok(())
    }

    /// A person saves a file in place; the editor syncs it.
    pub(super) fn save(&mut self, path: &Path, content: Vec<u8>) {
        let Ok(inode) = self.find(path) else { return };
        let changed = self.tick();
        let content = Arc::new(content);
        self.inodes[inode] = Inode { live: content.clone(), kept: content, changed, forgotten: None };
    }

    /// A person puts a file in the place of one or of none, by renaming, and syncs it.
    pub(super) fn put(&mut self, path: &Path, content: Vec<u8>) {
        let changed = self.tick();
        let content = Arc::new(content);
        self.inodes.push(Inode { live: content.clone(), kept: content, changed, forgotten: None });
        let inode = self.inodes.len() - 1;
        Arc::make_mut(&mut self.names).insert(path.to_path_buf(), inode);
        Arc::make_mut(&mut self.named).insert(path.to_path_buf(), inode);
    }

    /// A person deletes a file.
    pub(super) fn delete(&mut self, path: &Path) {
        Arc::make_mut(&mut self.names).remove(path);
        Arc::make_mut(&mut self.named).remove(path);
        Arc::make_mut(&mut self.namings).retain(|naming| match naming {
            Naming::Create(name, _) => name != path,
            Naming::Rename(from, to) => from != path && to != path,
        });
    }

    /// Whether a power cut now could take something away.
    pub(super) fn has_unsynced(&self) -> bool {
        !self.namings.is_empty() || self.inodes.iter().any(|inode| inode.live != inode.kept)
    }

    /// The power is cut: of what was not synced, chance says what is left.
    pub(super) fn cut_power(&mut self, chance: &mut Chance) {
        let survive = chance.index(self.namings.len() + 1);
        let mut names = self.named.as_ref().clone();
        for naming in &self.namings[..survive] {
            match naming {
                Naming::Create(path, inode) => {
                    names.insert(path.clone(), *inode);
                }
                Naming::Rename(from, to) => {
                    if let Some(inode) = names.remove(from) {
                        names.insert(to.clone(), inode);
                    }
                }
            }
        }
        self.named = Arc::new(names);
        self.names = self.named.clone();
        self.namings = Arc::default();
        for inode in &mut self.inodes {
            if inode.live != inode.kept || inode.forgotten.is_some() {
                inode.kept = Arc::new(survivors(&inode.live, &inode.kept, inode.forgotten.take(), chance));
                inode.live = inode.kept.clone();
            }
        }
    }
}

fn clamp(range: &Range<usize>, length: usize) -> Range<usize> {
    range.start.min(length)..range.end.min(length)
}

/// What is left of a file's bytes: all that was synced, and of the rest nothing, all, a part that is
/// torn at any byte, zeroes, or some of its blocks.
fn survivors(live: &[u8], kept: &[u8], forgotten: Option<Range<usize>>, chance: &mut Chance) -> Vec<u8> {
    let Some(tail) = live.strip_prefix(kept) else {
        // It was cut back without a sync: that may have reached the drive, or not.
        return if chance.percent(50) { kept.to_vec() } else { live[..common(live, kept)].to_vec() };
    };
    let mut bytes = live.to_vec();
    if let Some(range) = forgotten {
        bytes[clamp(&range, live.len())].fill(0);
    }
    let torn = kept.len() + chance.index(tail.len() + 1);
    match chance.below(5) {
        0 => bytes.truncate(kept.len()),
        1 => {}
        2 => bytes.truncate(torn),
        3 => bytes[torn..].fill(0),
        _ => {
            let size = *chance.pick(&BLOCKS);
            for block in kept.len() / size..=bytes.len() / size {
                let range = clamp(&((block * size).max(kept.len())..(block + 1) * size), bytes.len());
                if chance.percent(50) && range.start < range.end {
                    bytes[range].fill(0);
                }
            }
            let length = kept.len() + chance.index(tail.len() + 1);
            if chance.percent(30) {
                bytes.truncate(length);
            }
        }
    }
    bytes
}

fn common(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}
