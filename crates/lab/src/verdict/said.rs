//! What was said about one transaction: that nobody said two things, and that the senders' disks bear
//! it out.

use std::collections::BTreeSet;

use twopc_proto::{Decision, Message, MessageKind, PeerState, RecordKind, Role, UserName, audit};

use super::Invariant;
use super::Quote;
use super::case::Case;
use super::evidence::Heard;
use super::finding::Rows;

/// Every kind of record, to quote all that a log has.
pub(super) const ALL: &[RecordKind] = &RecordKind::ALL;

pub(super) fn judge(case: &Case<'_>, rows: &mut Rows) {
    constancy(case, rows);
    one_vote(case, rows);
    unanimity(case, rows);
    backing(case, rows);
}

fn said<'h>(heard: impl IntoIterator<Item = &'h &'h Heard>) -> Vec<(&'h UserName, &'h Message)> {
    heard.into_iter().map(|heard| (&heard.from, &heard.message)).collect()
}

/// Nobody says two decisions; and no two say different ones.
fn constancy(case: &Case<'_>, rows: &mut Rows) {
    let senders: BTreeSet<(&UserName, Role)> = case.heard.iter().map(|heard| (&heard.from, heard.role)).collect();
    let mut is_broken = false;
    for (user, role) in senders {
        let own: Vec<&Heard> = case.heard.iter().filter(|heard| heard.from == *user && heard.role == role).copied().collect();
        if let Err(violation) = audit::constancy(said(&own)) {
            is_broken = true;
            rows.broken(Invariant::Stability, &violation.evidence, firsts(&own, Message::decision));
        }
    }
    // Different senders: that is two outcomes of one transaction.
    if let (false, Err(violation)) = (is_broken, audit::constancy(said(&case.heard))) {
        rows.broken(Invariant::Agreement, &violation.evidence, firsts(&case.heard, Message::decision));
    }
}

/// Nobody says yes after a no.
fn one_vote(case: &Case<'_>, rows: &mut Rows) {
    let Err(violation) = audit::one_vote(said(&case.heard)) else { return };
    let voters = |kind| -> BTreeSet<&UserName> { case.heard.iter().filter(|heard| is(heard, kind)).map(|heard| &heard.from).collect() };
    let (yes, no) = (voters(MessageKind::VoteCommit), voters(MessageKind::VoteAbort));
    let is_vote = |heard: &Heard| is(heard, MessageKind::VoteCommit) || is(heard, MessageKind::VoteAbort);
    let twice = case.heard.iter().filter(|heard| is_vote(heard) && yes.contains(&heard.from) && no.contains(&heard.from));
    rows.broken(Invariant::Stability, &violation.evidence, twice.map(|heard| heard.quote()).collect());
}

/// Nothing commits against which somebody voted.
fn unanimity(case: &Case<'_>, rows: &mut Rows) {
    let Err(violation) = audit::unanimity(said(&case.heard)) else { return };
    let quotes = firsts(&case.heard, |message| {
        let is_no = message.kind() == MessageKind::VoteAbort;
        (is_no || message.decision() == Some(Decision::Commit)).then_some(is_no)
    });
    rows.broken(Invariant::Validity, &violation.evidence, quotes);
}

/// What was claimed stands on the sender's disk. Each claim once, however often it was repeated.
fn backing(case: &Case<'_>, rows: &mut Rows) {
    let mut judged = BTreeSet::new();
    for heard in &case.heard {
        let Some(sender) = case.of(&heard.from, heard.role) else { continue };
        // Another program's INIT claims nothing.
        if matches!(heard.message, Message::DecisionReply { state: PeerState::Init, .. }) || !judged.insert((&heard.from, &heard.message)) {
            continue;
        }
        let Err(violation) = audit::backing(&sender.holding(), &heard.message) else { continue };
        let (invariant, lacking) = match &heard.message {
            Message::VoteCommit { .. } | Message::DecisionReply { state: PeerState::Ready, .. } => (Invariant::Validity, RecordKind::Ready),
            Message::GlobalCommit { .. } | Message::DecisionReply { state: PeerState::Commit, .. } => {
                (Invariant::Stability, RecordKind::Commit)
            }
            Message::VoteAbort { .. } | Message::GlobalAbort { .. } | Message::DecisionReply { state: PeerState::Abort, .. } => {
                (Invariant::Stability, RecordKind::Abort)
            }
            Message::Ack { .. } => {
                let mut quotes = vec![heard.quote()];
                quotes.extend(sender.quotes(ALL));
                quotes.push(sender.log.paper.lacks(&format!("decision on {}", case.txn)));
                rows.broken(Invariant::Stability, &violation.evidence, quotes);
                continue;
            }
            Message::DecisionReply { state: PeerState::Init | PeerState::Wait, .. }
            | Message::VoteRequest { .. }
            | Message::DecisionRequest { .. } => (Invariant::Stability, RecordKind::Start),
        };
        let mut quotes = vec![heard.quote()];
        quotes.extend(sender.quotes_or_lack(ALL, lacking, case.txn));
        rows.broken(invariant, &violation.evidence, quotes);
    }
}

fn is(heard: &Heard, kind: MessageKind) -> bool {
    heard.message.kind() == kind
}

/// The first frame of each kind that `which` tells.
fn firsts<K: Ord>(heard: &[&Heard], which: impl Fn(&Message) -> Option<K>) -> Vec<Quote> {
    let mut seen = BTreeSet::new();
    heard.iter().filter(|heard| which(&heard.message).is_some_and(|kind| seen.insert(kind))).map(|heard| heard.quote()).collect()
}
