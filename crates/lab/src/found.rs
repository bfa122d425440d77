//! What stands in the stable log of a program that died before it could tell of it.
//!
//! A program tells of a record when it hands it to its log, and again when the disk has it; SIGKILL leaves
//! no time for words. So when one was killed, its log is read, as it stands, and what nobody has heard of, or
//! not heard that it is there, is noted. Deliberately absent: repair. What a torn line means is the program's business at its next start.

use std::path::Path;

use twopc_proto::log::read_log;
use twopc_proto::text::Shown;
use twopc_proto::trace::What;
use twopc_proto::{CoordinatorRecord, LogRecord, ParticipantRecord, RecordKind, Role, TxnId, UserName};

use crate::member::{Member, Part};
use crate::run::journal::Journal;
use crate::run::{Event, Happening, Stage};

/// The records in a program's stable log, as far as it can be read now; none without one.
pub(crate) fn records_of(member: &Member, data: &Path) -> Vec<(RecordKind, TxnId)> {
    let Some(role) = role_of(member.part) else { return Vec::new() };
    let Ok(bytes) = std::fs::read(data.join(format!("{}.{role}.dtlog", member.name))) else { return Vec::new() };
    match role {
        Role::Coordinator => kinds::<CoordinatorRecord>(&bytes),
        Role::Participant | Role::Observer | Role::Guest => kinds::<ParticipantRecord>(&bytes),
    }
}

/// A record's line as it stands in a log, with its number; `None` where there is none.
pub(crate) fn line_of(log: &Path, role: Role, lsn: u64) -> Option<(u64, String)> {
    let bytes = std::fs::read(log).ok()?;
    let place = usize::try_from(lsn.checked_sub(1)?).ok()?;
    let number = match role {
        Role::Coordinator => read_log::<CoordinatorRecord>(&bytes).ok()?.records.get(place)?.line,
        Role::Participant | Role::Observer | Role::Guest => read_log::<ParticipantRecord>(&bytes).ok()?.records.get(place)?.line,
    };
    let line = String::from_utf8_lossy(&bytes).lines().nth(usize::try_from(number.checked_sub(1)?).ok()?)?.to_owned();
    Some((number, Shown::new(&line).to_string()))
}

/// Notes what stands in the log and was not told. `at_start` records stood there when the program was started.
pub(crate) fn note_untold(member: &Member, data: &Path, at_start: u64, journal: &Journal) {
    let (Some(role), Ok(user)) = (role_of(member.part), UserName::parse(&member.name)) else { return };
    let known = journal.read(|events| known(events, &member.name, at_start));
    for (lsn, (record, txn)) in (1..).zip(records_of(member, data)).filter(|(lsn, _)| *lsn > known) {
        journal.note(Happening::Found { user: user.clone(), role, lsn, record, txn });
    }
}

/// The last record of which the program's last life has said that its log has it, or that it began with.
fn known(events: &[Event], program: &str, at_start: u64) -> u64 {
    let is_start = |event: &&Event| matches!(event.what.stage(), Some((whose, Stage::Started { .. })) if whose == program);
    let begin = events.iter().rposition(|event| is_start(&event)).unwrap_or(0);
    let told = events[begin..].iter().filter_map(|event| event.what.told()).filter(|(user, _)| user.as_str() == program);
    let (mut known, mut waits) = (at_start, Vec::new());
    for what in told.map(|(_, trace)| &trace.what) {
        match what {
            // Not what stood there: it may have compacted its log.
            What::Start { records } => known = *records,
            What::Log { lsn, forced, .. } => {
                // What the disk had no space for was cut back, and its place is another's now.
                waits.retain(|before| before < lsn);
                if *forced {
                    waits.push(*lsn);
                } else {
                    known = *lsn;
                }
            }
            What::Durable { lsn } => {
                waits.retain(|waits| waits > lsn);
                known = known.max(*lsn);
            }
            _ => {}
        }
    }
    waits.first().map_or(known, |first| known.min(first - 1))
}

fn role_of(part: Part) -> Option<Role> {
    match part {
        Part::Relay => None,
        Part::Participant => Some(Role::Participant),
        Part::Coordinator => Some(Role::Coordinator),
    }
}

fn kinds<R: LogRecord>(bytes: &[u8]) -> Vec<(RecordKind, TxnId)> {
    read_log::<R>(bytes)
        .map(|log| log.records.iter().map(|logged| (logged.record.kind(), logged.record.txn().clone())).collect())
        .unwrap_or_default()
}
