//! Frames and messages that were not obeyed: each is counted, and a person is told of the first of
//! its kind and then of every tenth, hundredth and so on, so that a flood of nonsense floods nobody.
//!
//! Deliberately absent: obeying. Nothing in here steers anything.

use std::collections::BTreeMap;

use twopc_proto::machine::Ignored;
use twopc_proto::message::BadBody;
use twopc_proto::text::Shown;
use twopc_proto::{MessageKind, Role, TxnId, UserName};

/// The most kinds that are told apart; what is new beyond them is counted together.
const MOST_KINDS: usize = 1_000;

/// The most characters of a reason that stand in a sentence.
const QUOTED: usize = 200;

/// What kind of oddity it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// A body that does not parse, from this user.
    BadBody(UserName),
    /// A message that the machine did not obey, from this user.
    Ignored(UserName, Ignored),
    /// A frame that no relay should send.
    BadFrame,
    /// A frame of ours that the relay refused, by its code.
    Refused(String),
    /// More kinds than are told apart.
    Further,
}

/// Counts of what was odd.
#[derive(Debug, Default)]
pub(crate) struct Oddities {
    counts: BTreeMap<Kind, u64>,
}

impl Oddities {
    /// A body that does not parse. A sentence, if it is time for one.
    pub(crate) fn on_bad_body(&mut self, from: &UserName, bad: &BadBody) -> Option<String> {
        let count = self.count(Kind::BadBody(from.clone()))?;
        let why = Shown::new(&bad.why).at_most(QUOTED);
        Some(format!("{from} sent a {} whose body does not parse ({why}); it was ignored{}.", bad.kind, so_far(count)))
    }

    /// A message that the machine did not obey. Nothing is said of what is merely late, which
    /// happens whenever frames are lost or repeated.
    pub(crate) fn on_ignored(&mut self, me: Role, from: &UserName, kind: MessageKind, txn: &TxnId, why: Ignored) -> Option<String> {
        let count = self.count(Kind::Ignored(from.clone(), why))?;
        let because = match why {
            Ignored::Stale | Ignored::Unknown => return None,
            Ignored::NotItsCoordinator => format!("only {}, logged in as coordinator, may say that", txn.coordinator()),
            Ignored::NotAParticipant => format!("{from} has no part in that vote"),
            Ignored::NotConcerned => "this node has no part in that vote".into(),
            Ignored::Differs => "it repeats a request in other words, and the first one counts".into(),
            Ignored::NotForThisRole => format!("that is nothing for a {me}"),
        };
        Some(format!("{from} sent a {kind} of {txn}, but {because}; it was ignored{}.", so_far(count)))
    }

    /// A frame that no relay should send.
    pub(crate) fn on_bad_frame(&mut self, why: &str) -> Option<String> {
        let count = self.count(Kind::BadFrame)?;
        Some(format!("Odd: {}; it was ignored{}.", Shown::new(why).at_most(QUOTED), so_far(count)))
    }

    /// Whether it is time to say that the relay refused a frame of ours with this code.
    pub(crate) fn on_refused(&mut self, code: &str) -> bool {
        self.count(Kind::Refused(code.chars().take(32).collect())).is_some()
    }

    /// Counts one, and says how many there are if that is a power of ten.
    fn count(&mut self, kind: Kind) -> Option<u64> {
        let known = self.counts.contains_key(&kind) || self.counts.len() < MOST_KINDS;
        let count = self.counts.entry(if known { kind } else { Kind::Further }).or_default();
        *count = count.saturating_add(1);
        count.checked_ilog10().is_some_and(|digits| 10_u64.pow(digits) == *count).then_some(*count)
    }
}

fn so_far(count: u64) -> String {
    if count == 1 { String::new() } else { format!(", as {} of that kind before it", count - 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> UserName {
        UserName::parse(text).unwrap()
    }

    fn bad(why: &str) -> BadBody {
        BadBody { kind: MessageKind::Ack, why: why.into() }
    }

    #[test]
    fn a_flood_is_said_at_its_first_tenth_and_hundredth() {
        let mut oddities = Oddities::default();
        let said: Vec<String> = (0..500).filter_map(|_| oddities.on_bad_body(&name("bob"), &bad("no JSON"))).collect();
        assert_eq!(
            said,
            [
                "bob sent a ACK whose body does not parse (no JSON); it was ignored.",
                "bob sent a ACK whose body does not parse (no JSON); it was ignored, as 9 of that kind before it.",
                "bob sent a ACK whose body does not parse (no JSON); it was ignored, as 99 of that kind before it.",
            ]
        );
        assert!(oddities.on_bad_body(&name("carol"), &bad("no JSON")).is_some(), "another sender is said at once");
    }

    #[test]
    fn what_a_peer_wrote_is_shown_safely_and_short() {
        let said = Oddities::default().on_bad_body(&name("bob"), &bad(&"\u{1b}".repeat(5_000))).unwrap();
        assert!(!said.contains('\u{1b}') && said.chars().count() < 300, "{said}");
    }

    #[test]
    fn what_is_late_is_counted_and_not_said() {
        let mut oddities = Oddities::default();
        let txn = TxnId::parse("chair.1.1").unwrap();
        for why in [Ignored::Stale, Ignored::Unknown] {
            assert_eq!(oddities.on_ignored(Role::Participant, &name("bob"), MessageKind::DecisionReply, &txn, why), None);
        }
        assert_eq!(
            oddities.on_ignored(Role::Participant, &name("bob"), MessageKind::GlobalCommit, &txn, Ignored::NotItsCoordinator).unwrap(),
            "bob sent a GLOBAL_COMMIT of chair.1.1, but only chair, logged in as coordinator, may say that; it was ignored."
        );
    }

    #[test]
    fn kinds_beyond_the_bound_are_counted_together() {
        let mut oddities = Oddities::default();
        for n in 0..MOST_KINDS * 3 {
            oddities.on_bad_body(&name(&format!("user{n}")), &bad("x"));
        }
        assert_eq!(oddities.counts.len(), MOST_KINDS + 1);
    }
}
