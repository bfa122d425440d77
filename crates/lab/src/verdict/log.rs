//! One node's stable log, read.

use std::collections::BTreeSet;

use twopc_proto::log::{Damage, ReadLog, Torn, read_header, read_log};
use twopc_proto::{CoordinatorRecord, LogRecord, ParticipantRecord, Role, TxnId, UserName};

use super::VerifyError;
use super::paper::Paper;
use super::shelf::Shelf;

/// A node's stable log.
#[derive(Clone, Debug)]
pub(super) struct NodeLog {
    /// The file, so that its lines can be quoted.
    pub(super) paper: Paper,
    pub(super) user: UserName,
    /// The last life that it tells of.
    pub(super) incarnation: u64,
    pub(super) records: Records,
    /// What is left of an interrupted write, or of one that is going on.
    pub(super) torn: Option<Torn>,
}

/// The records of either role.
#[derive(Clone, Debug)]
pub(super) enum Records {
    Participant(Shelf<ParticipantRecord>),
    Coordinator(Shelf<CoordinatorRecord>),
}

impl NodeLog {
    /// Judges a log's bytes as a recovery would.
    pub(super) fn read(file: &str, bytes: Vec<u8>) -> Result<Self, VerifyError> {
        let damaged = |damage| VerifyError::Damaged { file: file.into(), damage };
        let header = read_header(&bytes).map_err(damaged)?;
        let (records, incarnation, torn) = match header.role {
            Role::Participant => {
                let (shelf, incarnation, torn) = shelved(&bytes).map_err(damaged)?;
                (Records::Participant(shelf), incarnation, torn)
            }
            Role::Coordinator => {
                let (shelf, incarnation, torn) = shelved(&bytes).map_err(damaged)?;
                (Records::Coordinator(shelf), incarnation, torn)
            }
            Role::Observer | Role::Guest => return Err(VerifyError::OtherLog { file: file.into(), user: header.user, role: header.role }),
        };
        Ok(Self { paper: Paper::new(file, bytes), user: header.user, incarnation, records, torn })
    }

    pub(super) fn role(&self) -> Role {
        match self.records {
            Records::Participant(_) => Role::Participant,
            Records::Coordinator(_) => Role::Coordinator,
        }
    }

    /// The transactions that must be looked at so that all are judged.
    pub(super) fn marks(&self, marks: &mut BTreeSet<TxnId>) {
        match &self.records {
            Records::Participant(shelf) => shelf.marks(marks),
            Records::Coordinator(shelf) => shelf.marks(marks),
        }
    }

    /// The transactions of records that stand behind this many lines.
    pub(super) fn written_after(&self, lines: u64) -> Vec<TxnId> {
        match &self.records {
            Records::Participant(shelf) => written_after(shelf, lines),
            Records::Coordinator(shelf) => written_after(shelf, lines),
        }
    }
}

fn shelved<R: LogRecord>(bytes: &[u8]) -> Result<(Shelf<R>, u64, Option<Torn>), Damage> {
    let ReadLog { records, incarnation, torn, .. } = read_log(bytes)?;
    Ok((Shelf::new(records), incarnation, torn))
}

fn written_after<R: LogRecord>(shelf: &Shelf<R>, lines: u64) -> Vec<TxnId> {
    shelf.logged().iter().filter(|logged| logged.line > lines).map(|logged| logged.record.txn().clone()).collect()
}
