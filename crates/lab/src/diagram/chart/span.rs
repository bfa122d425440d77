//! A stretch of time on a lane.

use super::{EntryId, LaneId, TxnRef};

/// A stretch of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// What it is.
    pub kind: SpanKind,
    /// Where.
    pub lane: LaneId,
    /// What of.
    pub txn: Option<TxnRef>,
    /// Its beginning.
    pub from: EntryId,
    /// Its end; it lasts still without one.
    pub to: Option<EntryId>,
    /// A few words where the kind's do not do, safe to show.
    pub label: Option<String>,
}

/// What a stretch of time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanKind {
    /// A record is on its way to the disk.
    Forcing,
    /// A participant has promised and does not know the decision.
    InDoubt,
    /// In doubt, and nobody who can be reached may decide.
    Blocked,
    /// No process runs.
    Down,
    /// The process is stopped, and not dead.
    Frozen,
    /// The link to the relay is gone.
    Offline,
    /// Rules hold at the relay.
    Rules,
    /// The lab sees no traffic.
    Blind,
}

impl SpanKind {
    /// The words that its length follows; without them it is drawn and not named.
    #[must_use]
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::InDoubt => Some("in doubt"),
            Self::Blocked => Some("blocked"),
            Self::Down => Some("down"),
            Self::Frozen => Some("frozen"),
            Self::Offline => Some("offline"),
            Self::Forcing | Self::Rules | Self::Blind => None,
        }
    }
}
