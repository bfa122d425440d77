//! The lock: one process runs one name in one folder.
//!
//! The system holds it for the process and lets go of it when that ends, however it ends, so a file
//! that is left over means nothing and is left where it is.

use std::fs::{File, OpenOptions, TryLockError};

use crate::disk::{RealDisk, create_dirs};
use crate::error::{Doing, StoreError};
use crate::place::Place;

/// Held for as long as this name runs here; let go of when dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Drop for Lock {
    /// Lets go at once, also where a process that is being started has not closed its copy yet.
    fn drop(&mut self) {
        // The system lets go of it anyway when the file is closed.
        let _ = self.file.unlock();
    }
}

impl Lock {
    /// Takes the lock of this name, in whichever role, creating the folder and the file if need be.
    ///
    /// # Errors
    /// [`StoreError::InUse`] if another process (or another `Lock`) holds it; otherwise what the
    /// system said.
    pub fn take(place: &Place) -> Result<Self, StoreError> {
        create_dirs(&mut RealDisk, &place.dir).doing("create", &place.dir)?;
        let path = place.lock();
        let file = OpenOptions::new().read(true).append(true).create(true).open(&path).doing("create", &path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse { user: place.user.clone(), lock: path }),
            Err(TryLockError::Error(error)) => Err(error).doing("lock", &path),
        }
    }
}
