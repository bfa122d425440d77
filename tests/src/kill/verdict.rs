//! Whether what a room left on the disk is as it must be.
//!
//! The properties are [`twopc_proto::audit`]'s. They are asked of every log and text file once all
//! programs have ended, and of every message in the relay's record: nobody ever says commit and abort
//! of one transaction, or yes after no; nothing commits against a no; and whatever somebody said stands
//! in its log. Deliberately absent: the machine, and what the programs printed.

use std::path::Path;
use std::process::ExitStatus;

use twopc_proto::frame::{Decoder, FromRelay, Protocol, Side};
use twopc_proto::record::LogRecord;
use twopc_proto::{Boundary, CoordinatorRecord, Message, ParticipantRecord, RecordKind, UserName, When, audit};
use twopc_runner::crash::CrashPoint;

use super::plan::{Actor, RoomPlan};
use crate::files::{self, Coordinator, Participant, StableLog};

/// The exit status of a proposal of which something was aborted.
const ABORTED: i32 = 3;

/// What a good room came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Transactions that the coordinator's log says are committed.
    pub committed: u64,
    /// And aborted.
    pub aborted: u64,
    /// Protocol frames in the relay's record.
    pub frames: u64,
}

/// Judges a room in which every program has ended; `proposal` is how the last coordinator ended,
/// which proposed by itself.
///
/// # Errors
/// The first thing that is not as it must be.
pub fn of_room(plan: &RoomPlan, folder: &Path, proposal: ExitStatus) -> Result<Settled, String> {
    let chair = Coordinator { user: user(Actor::Chair)?, log: StableLog::load(&log_of(folder, Actor::Chair))? };
    let voters: Vec<Participant> = (0..plan.voters).map(|index| voter(folder, Actor::Voter(index))).collect::<Result<_, String>>()?;
    files::verdict(&chair, &voters)?;
    status_fits(plan, &chair, proposal)?;
    let said = said(&folder.join("relay").join("room.http"))?;
    let in_order = || said.iter().map(|(from, message)| (from, message));
    audit::constancy(in_order()).map_err(|violation| violation.to_string())?;
    audit::one_vote(in_order()).map_err(|violation| violation.to_string())?;
    audit::unanimity(in_order()).map_err(|violation| violation.to_string())?;
    for (from, message) in &said {
        let sender = voters.iter().find(|voter| voter.user == *from).map_or_else(|| chair.holding(), Participant::holding);
        audit::backing(&sender, message).map_err(|violation| violation.to_string())?;
    }
    let decided = |kind| chair.log.kinds().into_iter().filter(|this| *this == kind).count() as u64;
    Ok(Settled { committed: decided(RecordKind::Commit), aborted: decided(RecordKind::Abort), frames: said.len() as u64 })
}

/// The exit status says what the log says: 0 if all was committed, 3 if something was aborted.
fn status_fits(plan: &RoomPlan, chair: &Coordinator, proposal: ExitStatus) -> Result<(), String> {
    let of_this_life = |record: &&CoordinatorRecord| record.txn().numbers().is_some_and(|(life, _)| life == chair.log.incarnation);
    let count = |kind| chair.log.records.iter().filter(of_this_life).filter(|record| record.kind() == kind).count() as u64;
    let (committed, aborted) = (count(RecordKind::Commit), count(RecordKind::Abort));
    let expected = if committed == plan.closing.count { 0 } else { ABORTED };
    if committed + aborted == plan.closing.count && proposal.code() == Some(expected) {
        return Ok(());
    }
    let asked = plan.closing.count;
    Err(format!("the coordinator proposed {asked} strings and ended with {proposal}; its log has {committed} committed, {aborted} aborted"))
}

/// Looks at the log of somebody who has just died at a point: undamaged, and with the record of the
/// point as its last one, if it died after that.
pub(super) fn stopped_at(folder: &Path, actor: Actor, point: CrashPoint) -> Result<(), String> {
    let log = log_of(folder, actor);
    let last = match actor {
        Actor::Chair => StableLog::<CoordinatorRecord>::load(&log)?.kinds().last().copied(),
        Actor::Voter(_) => StableLog::<ParticipantRecord>::load(&log)?.kinds().last().copied(),
        Actor::Relay => return Ok(()),
    };
    match (point.when, point.boundary) {
        (When::After, Boundary::Log(kind)) if last != Some(kind) => {
            Err(format!("{actor} died at {point}, and the last record of its log is {last:?}"))
        }
        (When::After | When::Before, Boundary::Log(_) | Boundary::Send(_) | Boundary::Apply) => Ok(()),
    }
}

fn voter(folder: &Path, actor: Actor) -> Result<Participant, String> {
    let lines = files::load_lines(&folder.join(actor.name()).join(format!("{actor}.txt")))?;
    Ok(Participant { user: user(actor)?, log: StableLog::load(&log_of(folder, actor))?, lines })
}

fn log_of(folder: &Path, actor: Actor) -> std::path::PathBuf {
    let role = if actor == Actor::Chair { "coordinator" } else { "participant" };
    folder.join(actor.name()).join(format!("{actor}.{role}.dtlog"))
}

fn user(actor: Actor) -> Result<UserName, String> {
    UserName::parse(actor.name()).map_err(|error| error.to_string())
}

/// Every protocol message in a relay's record, with its sender.
fn said(record: &Path) -> Result<Vec<(UserName, Message)>, String> {
    let in_record = |what: &dyn std::fmt::Display| format!("{}: {what}", record.display());
    let bytes = std::fs::read(record).map_err(|error| in_record(&error))?;
    let (mut decoder, mut said) = (Decoder::new(Side::Client), Vec::new());
    for piece in bytes.chunks(64 * 1024) {
        decoder.feed(piece);
        while let Some(frame) = decoder.next_frame().map_err(|refusal| in_record(&format_args!("{refusal:?}")))? {
            let Ok(FromRelay::Protocol(protocol)) = FromRelay::read(&frame) else { continue };
            said.push((protocol.from.clone(), message(&protocol).map_err(|error| in_record(&error))?));
        }
    }
    match decoder.phase() {
        twopc_proto::frame::Phase::Idle => Ok(said),
        phase => Err(in_record(&format_args!("the last frame is not whole ({phase:?})"))),
    }
}

fn message(protocol: &Protocol) -> Result<Message, String> {
    match protocol.message() {
        Some(Ok(message)) => Ok(message),
        Some(Err(bad)) => Err(bad.to_string()),
        None => Err(format!("{} is no message", protocol.word)),
    }
}
