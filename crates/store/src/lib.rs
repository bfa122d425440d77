//! What a node keeps on its disk: the stable log that recovery reads, the text file that a person
//! opens, the key of its name, and the lock that keeps a second process away.
//!
//! ```no_run
//! use twopc_store::{Job, Lock, Opened, Place, RealDisk, Store};
//! use twopc_proto::{ParticipantRecord, Role, UserName};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let place = Place { dir: "data".into(), user: UserName::parse("alice")?, role: Role::Participant };
//! let _lock = Lock::take(&place)?;
//! let random = [7; 32]; // 32 bytes that nobody can guess
//! let (mut store, Opened { records, incarnation, reports, lines }) = Store::<_, ParticipantRecord>::open(RealDisk, &place, random)?;
//! // … recover the machine from `records`, then bring the disk up to date with what it asks:
//! let outcomes = store.perform(vec![])?;
//! # Ok(())
//! # }
//! ```
//!
//! - [`Store`] opens the files and does [`Job`]s, as many at once as wait.
//! - [`Disk`] is all that it asks of the system, so that a simulated disk can stand in.
//! - [`Place`] names the files, [`Lock`] keeps them to one process, [`Key`] is what a login shows.
//! - [`StoreError`] ends the node; a [`Report`] does not.
//!
//! The form of the log's lines is [`twopc_proto::log`]'s.
//!
//! A large log is compacted when its store is opened. Deliberately absent: compaction while a program
//! runs, since a record's place means something within one life.
//!
//! Assumed: a disk may lose what was not synced, fill up and fail, but honours a sync.

mod commits;
mod disk;
mod error;
mod job;
mod key;
mod lock;
mod log;
mod open;
mod place;
mod report;
mod store;
mod text;

pub use disk::{Disk, Look, RealDisk};
pub use error::StoreError;
pub use job::{Job, Outcome};
pub use key::Key;
pub use lock::Lock;
pub use open::Opened;
pub use place::Place;
pub use report::Report;
pub use store::Store;
