//! The store's disk, broken on purpose: the production store over it then behaves as one that lacks a
//! rule.

use std::io;
use std::path::Path;

use twopc_proto::LogRecord;
use twopc_store::{Disk, Look, Place};

use super::Mutant;

/// A disk on which the store breaks a rule.
#[derive(Clone, Debug)]
pub struct Broken<D> {
    disk: D,
    mutant: Option<Mutant>,
}

impl<D> Broken<D> {
    /// That disk; the real behaviour without a mutant.
    pub fn new(disk: D, mutant: Option<Mutant>) -> Self {
        Self { disk, mutant }
    }
}

/// What a broken program does right after its store was opened.
///
/// # Errors
/// The disk's.
pub fn after_open<D: Disk, R: LogRecord>(_mutant: Option<Mutant>, _disk: &mut D, _place: &Place, _records: &[R]) -> io::Result<()> {
    Ok(())
}

impl<D: Disk> Disk for Broken<D> {
    type File = D::File;

    fn create_dir(&mut self, dir: &Path) -> io::Result<()> {
        self.disk.create_dir(dir)
    }

    fn create(&mut self, path: &Path, private: bool) -> io::Result<D::File> {
        self.disk.create(path, private)
    }

    fn open(&mut self, path: &Path) -> io::Result<D::File> {
        self.disk.open(path)
    }

    fn read(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        self.disk.read(path)
    }

    fn append(&mut self, file: &mut D::File, bytes: &[u8]) -> io::Result<usize> {
        self.disk.append(file, bytes)
    }

    fn truncate(&mut self, file: &mut D::File, len: u64) -> io::Result<()> {
        self.disk.truncate(file, len)
    }

    fn sync(&mut self, file: &mut D::File) -> io::Result<()> {
        self.disk.sync(file)
    }

    fn sync_dir(&mut self, dir: &Path) -> io::Result<()> {
        if self.mutant == Some(Mutant::M23) {
            return Ok(());
        }
        self.disk.sync_dir(dir)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn look(&mut self, path: &Path) -> io::Result<Option<Look>> {
        self.disk.look(path)
    }
}
