//! All that is known of one entry or one message, as text.
//!
//! The frame stands as it was on the wire. The record stands in a file that a diagram knows nothing of:
//! [`Detail::record`] says which it is, and whoever has the files shows its line. Deliberately absent:
//! files, and anything drawn.

use std::fmt;

use twopc_proto::text::shown_lines;
use twopc_proto::trace::What;
use twopc_proto::{Role, UserName};

use super::chart::{Chart, Entry, EntryId, LaneId, MessageId, Number, SpanKind};
use super::scene::Pick;
use super::words;
use crate::run::{Event, Happening};

/// What is known of something that was picked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// What it is, in a few words.
    pub title: String,
    /// What is known of it: a name, and what it is.
    pub facts: Vec<(&'static str, String)>,
    /// The frame as it was on the wire, safe to show.
    pub frame: Option<String>,
    /// The record that it wrote, made durable or found.
    pub record: Option<RecordRef>,
}

/// A record in somebody's stable log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordRef {
    /// Whose log.
    pub user: UserName,
    /// Of which role.
    pub role: Role,
    /// The record's place in it.
    pub lsn: u64,
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        self.facts.iter().try_for_each(|(name, fact)| writeln!(f, "{name}: {fact}"))?;
        if let Some(frame) = &self.frame {
            writeln!(f, "On the wire:\n{frame}")?;
        }
        Ok(())
    }
}

/// What is known of what was picked. The events are those of which the chart was made.
#[must_use]
pub fn detail(chart: &Chart, events: &[Event], pick: Pick) -> Detail {
    match pick {
        Pick::Entry(entry) => of_entry(chart, events, entry),
        Pick::Message(message) => of_message(chart, events, message),
    }
}

/// One line for a screen reader: who, what, when.
#[must_use]
pub fn sentence(chart: &Chart, pick: Pick) -> String {
    match pick {
        Pick::Entry(id) => {
            let entry = chart.entry(id);
            let txn = entry.txn.map(|txn| format!(" ({})", chart.txn(txn))).unwrap_or_default();
            format!("{}: {}{txn}, at {}", chart.lane(entry.lane).name, entry.label, words::clock(entry.at_us))
        }
        Pick::Message(id) => {
            let message = chart.message(id);
            let (from, to) = (&chart.lane(message.from).name, &chart.lane(message.to).name);
            format!("{} from {from} to {to}: {}", message.label, message.course())
        }
    }
}

fn of_entry(chart: &Chart, events: &[Event], id: EntryId) -> Detail {
    let entry = chart.entry(id);
    let title = format!("{}: {}", chart.lane(entry.lane).name, entry.label);
    let mut facts = vec![("Seen", words::clock(entry.at_us))];
    if let Some(txn) = entry.txn {
        facts.push(("Transaction", chart.txn(txn).to_string()));
    }
    if let Some(number) = entry.number {
        let missing = untold(chart, id, number);
        if missing > 0 {
            facts.push(("Not told", format!("{missing} of its events before this one")));
        }
        facts.push(("Its own number", format!("{} in life {}", number.n, number.life)));
        facts.push(("Vector clock", clock(chart, id)));
    }
    if let Some(message) = entry.message {
        let known = chart.message(message);
        if known.arrivals().any(|arrival| arrival == id) {
            facts.push(("Caused by", cause(chart, message)));
        }
        facts.push(("Message", known.course()));
    }
    let event = events.get(entry.event);
    if let Some(Event { what: Happening::Told { trace, .. }, .. }) = event {
        facts.extend(of_what(&trace.what));
        facts.push(("By its own clock", words::precise(trace.at_us)));
    }
    if let Some(told) = told_late(chart, events, entry) {
        facts.push(("Told", told));
    }
    lengths(chart, id, &mut facts);
    Detail { title, facts, frame: entry.message.and_then(|message| frame(chart, events, message)), record: event.and_then(record) }
}

fn of_message(chart: &Chart, events: &[Event], id: MessageId) -> Detail {
    let message = chart.message(id);
    let name = |lane: LaneId| chart.lane(lane).name.as_str();
    let title = format!("{}: {} to {}", message.label, name(message.from), name(message.to));
    let mut facts = vec![("Message", message.course())];
    if let Some(txn) = message.txn {
        facts.push(("Transaction", chart.txn(txn).to_string()));
    }
    if let Some(seq) = message.seq {
        facts.push(("Number at the relay", seq.to_string()));
    }
    facts.push(("Sent", cause(chart, id)));
    if let Some(sent) = message.sent {
        facts.push(("Vector clock", clock(chart, sent)));
    }
    if let Some(kept) = message.kept {
        let until = kept.until.map_or(chart.last_us(), |until| chart.entry(until).at_us);
        facts.push(("Kept for", words::precise(until - chart.entry(kept.from).at_us)));
    }
    let sent = chart.entry(message.start).at_us;
    for arrival in message.arrivals() {
        let entry = chart.entry(arrival);
        let number = entry.number.map_or_else(String::new, |number| format!(" as its event {}", number.n));
        facts.push(("Received", format!("after {}{number}", words::precise(entry.at_us.saturating_sub(sent)))));
    }
    Detail { title, facts, frame: frame(chart, events, id), record: None }
}

/// When a process told of what happened while it had no link, if this did.
fn told_late(chart: &Chart, events: &[Event], entry: &Entry) -> Option<String> {
    /// What a trace may take on its way.
    const LATE_US: u64 = 50_000;
    let number = entry.number?;
    let told_us = events.get(entry.event)?.at_us;
    // What came quickest says best when the process's own clock began.
    let own = chart.lane(entry.lane).entries.iter().filter_map(|other| {
        let (other, of) = (chart.entry(*other), chart.entry(*other).number?);
        (of.life == number.life).then(|| events.get(other.event).map(|event| event.at_us.saturating_sub(of.own_us)))?
    });
    let happened_us = own.min()? + number.own_us;
    let late = told_us.checked_sub(happened_us).filter(|late| *late > LATE_US)?;
    let (told, late) = (words::clock(told_us), words::precise(late));
    Some(format!("at {told}, about {late} after it happened: it had no link"))
}

/// How many events the process has counted between this one and the one that it told before.
fn untold(chart: &Chart, id: EntryId, number: Number) -> u64 {
    let entries = &chart.lane(chart.entry(id).lane).entries;
    let before = entries[..entries.partition_point(|other| *other < id)].iter().rev();
    let told = before.filter_map(|other| chart.entry(*other).number).next().filter(|told| told.life == number.life);
    number.n - 1 - told.map_or(0, |told| told.n)
}

/// What sent a message, as far as that is known.
fn cause(chart: &Chart, id: MessageId) -> String {
    let message = chart.message(id);
    let name = &chart.lane(message.from).name;
    match message.sent.map(|sent| chart.entry(sent)) {
        Some(sent) => {
            let number = sent.number.map_or(0, |number| number.n);
            format!("{name}, event {number}: {}, at {}", sent.label, words::clock(sent.at_us))
        }
        None => format!("{name}, which told nothing of it"),
    }
}

fn clock(chart: &Chart, id: EntryId) -> String {
    let known = chart.clock(id).unwrap_or_default();
    let known: Vec<String> = known.iter().map(|(lane, ticks)| format!("{} {ticks}", chart.lane(*lane).name)).collect();
    known.join(", ")
}

/// How long the stretches last that begin or end here.
fn lengths(chart: &Chart, id: EntryId, facts: &mut Vec<(&'static str, String)>) {
    for span in chart.spans_between(id, id) {
        let span = &chart.spans()[span.index()];
        if span.from != id && span.to != Some(id) {
            continue;
        }
        let length = words::precise(chart.length_us(span, chart.last_us()));
        let still = if span.to.is_none() { " until the last event" } else { "" };
        let name = match span.kind {
            SpanKind::Forcing => "Way to the disk",
            SpanKind::InDoubt => "In doubt",
            SpanKind::Blocked => "Blocked",
            SpanKind::Down => "Down",
            SpanKind::Frozen => "Frozen",
            SpanKind::Offline => "Offline",
            SpanKind::Rules => "Rules held",
            SpanKind::Blind => "Nothing seen",
        };
        facts.push((name, format!("{length}{still}")));
    }
}

/// What a node says beyond the label.
fn of_what(what: &What) -> Vec<(&'static str, String)> {
    match what {
        What::Log { lsn, forced, .. } => {
            let waits = if *forced { "what follows waits for the disk" } else { "nothing waits for the disk" };
            vec![("Record", format!("{lsn}; {waits}"))]
        }
        What::Durable { lsn } => vec![("Record", format!("up to {lsn}"))],
        What::Receive { seq, .. } => vec![("Number at the relay", seq.to_string())],
        What::State { string: Some(string), .. } => vec![("String", format!("“{}”", words::foreign(string)))],
        What::Doubt { peers, .. } => peers
            .iter()
            .map(|peer| {
                let here = if peer.here { "" } else { " (offline)" };
                let answer = match (peer.asked, peer.answer) {
                    (_, Some(answer)) => answer.as_str(),
                    (true, None) => "no answer",
                    (false, None) => "not asked",
                };
                ("Can be asked", format!("{} {}{here}: {answer}", peer.role, peer.user))
            })
            .collect(),
        What::Start { .. }
        | What::Online { .. }
        | What::Offline
        | What::Press { .. }
        | What::Send { .. }
        | What::Applied { .. }
        | What::Timeout { .. }
        | What::State { string: None, .. }
        | What::Settled { .. }
        | What::Done { .. }
        | What::Notice { .. } => Vec::new(),
    }
}

fn record(event: &Event) -> Option<RecordRef> {
    let (user, role, lsn) = if let Happening::Found { user, role, lsn, .. } = &event.what {
        (user, role, *lsn)
    } else if let Happening::Told { user, role, trace } = &event.what
        && let What::Log { lsn, .. } | What::Durable { lsn } = trace.what
    {
        (user, role, lsn)
    } else {
        return None;
    };
    Some(RecordRef { user: user.clone(), role: *role, lsn })
}

fn frame(chart: &Chart, events: &[Event], id: MessageId) -> Option<String> {
    let Happening::Frame { frame } = &events.get(chart.message(id).frame?)?.what else { return None };
    Some(shown_lines(frame, []))
}
