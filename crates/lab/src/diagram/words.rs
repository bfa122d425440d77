//! The words on the diagram: short, in the protocol's terms, and safe to show whatever a peer said.

use std::borrow::Cow;

use twopc_proto::bench::{Rule, Then};
use twopc_proto::text::Shown;
use twopc_proto::trace::What;
use twopc_proto::{TxnId, UserName};

use super::chart::{BookState, Kind};

/// The most characters of somebody else's words in one label.
const MOST: usize = 48;

/// Somebody else's words in a label.
pub(super) fn foreign(text: &str) -> String {
    Shown::new(text).at_most(MOST).to_string()
}

/// What an event is that a node told, its transaction, and its label. [`What::Durable`] does not say
/// what became durable; whoever knows that says it with [`durable`].
pub(super) fn told(what: &What) -> (Kind, Option<&TxnId>, Cow<'static, str>) {
    match what {
        What::Start { records: 0 } => (Kind::Start, None, "starts, log empty".into()),
        What::Start { records: 1 } => (Kind::Start, None, "starts, 1 record read".into()),
        What::Start { records } => (Kind::Start, None, format!("starts, {records} records read").into()),
        What::Online { room: _ } => (Kind::Online, None, "online".into()),
        What::Offline => (Kind::Offline, None, "offline".into()),
        What::Press { button, txn } => (Kind::Press, txn.as_ref(), format!("presses {}", foreign(button)).into()),
        What::Send { to, kind, txn } => (Kind::Send, Some(txn), format!("sends {kind} to {to}").into()),
        What::Receive { from, kind, txn, state: None, .. } => (Kind::Receive, Some(txn), format!("receives {kind} from {from}").into()),
        What::Receive { from, kind, txn, state: Some(state), .. } => {
            (Kind::Receive, Some(txn), format!("receives {kind} {} from {from}", state.as_str()).into())
        }
        What::Log { record, txn, forced, .. } => (Kind::Written { forced: *forced }, Some(txn), format!("log {record}").into()),
        What::Durable { lsn } => (Kind::Durable, None, format!("on disk up to {lsn}").into()),
        What::Applied { txn } => (Kind::Applied, Some(txn), "string in the file".into()),
        What::Timeout { timer, txn } => (Kind::Timeout, txn.as_ref(), format!("timeout: {}", foreign(timer)).into()),
        What::State { txn, state, string: _ } => (Kind::State(BookState::read(state)), Some(txn), foreign(state).into()),
        What::Doubt { txn, blocked: true, .. } => (Kind::Doubt { asked: true, blocked: true }, Some(txn), "blocked".into()),
        What::Doubt { txn, asked_us: Some(_), .. } => (Kind::Doubt { asked: true, blocked: false }, Some(txn), "in doubt, asking".into()),
        What::Doubt { txn, .. } => (Kind::Doubt { asked: false, blocked: false }, Some(txn), "in doubt".into()),
        What::Settled { txn, decision } => (Kind::Settled(*decision), Some(txn), format!("settled: {decision}").into()),
        What::Done { txn } => (Kind::Done, Some(txn), "all acknowledged".into()),
        What::Notice { message } => (Kind::Notice, None, foreign(message).into()),
    }
}

/// What became durable, by the records' words.
pub(super) fn durable(records: &[&str]) -> Option<String> {
    (!records.is_empty()).then(|| format!("{} on disk", records.join(", ")))
}

/// What the rules at the relay do.
pub(super) fn rules(rules: &[Rule]) -> String {
    if rules.is_empty() {
        return "no rules".to_owned();
    }
    let mut told: Vec<String> = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        let back = rules.iter().position(|other| is_cut(rule) && is_cut(other) && (&rule.from, &rule.to) == (&other.to, &other.from));
        match back {
            Some(first) if first < index => {}
            Some(_) => told.push(format!("cut {} – {}", who(rule.from.as_ref()), who(rule.to.as_ref()))),
            None => told.push(self::rule(rule)),
        }
    }
    told.join("; ")
}

/// A link that is cut one way: everything from one to another is lost.
fn is_cut(rule: &Rule) -> bool {
    rule.path.is_none() && rule.then == Then::Drop && rule.from.is_some() && rule.to.is_some() && rule.from != rule.to
}

fn rule(rule: &Rule) -> String {
    if is_cut(rule) {
        return format!("cut {} → {}", who(rule.from.as_ref()), who(rule.to.as_ref()));
    }
    let verb = match rule.then {
        Then::Pass => "pass".to_owned(),
        Then::Hold => "hold".to_owned(),
        Then::Drop => "drop".to_owned(),
        Then::Delay { ms } => format!("delay {ms} ms"),
    };
    let what = rule.path.as_deref().map_or_else(|| "all".to_owned(), |path| foreign(path.strip_prefix("/2pc/").unwrap_or(path)));
    let way = match (&rule.from, &rule.to) {
        (None, None) => String::new(),
        (from, to) => format!(" {} → {}", who(from.as_ref()), who(to.as_ref())),
    };
    format!("{verb} {what}{way}")
}

fn who(user: Option<&UserName>) -> &str {
    user.map_or("any", UserName::as_str)
}

/// A length of time.
pub(super) fn seconds(us: u64) -> String {
    let tenths = us / 100_000;
    match tenths {
        0..600 => format!("{}.{} s", tenths / 10, tenths % 10),
        _ => format!("{} min {:02} s", tenths / 600, tenths / 10 % 60),
    }
}

/// A time since the run began, to the millisecond.
pub(crate) fn clock(us: u64) -> String {
    let ms = us / 1_000;
    match ms {
        0..60_000 => format!("{}.{:03} s", ms / 1_000, ms % 1_000),
        _ => format!("{}:{:02}.{:03}", ms / 60_000, ms / 1_000 % 60, ms % 1_000),
    }
}

/// The same to a tenth of it, where much happens within one.
pub(super) fn fine_clock(us: u64) -> String {
    let clock = clock(us);
    let (whole, unit) = clock.split_once(' ').map_or((clock.as_str(), ""), |(whole, _)| (whole, " s"));
    format!("{whole}{}{unit}", us % 1_000 / 100)
}

/// A length of time where parts of a second matter.
pub(super) fn precise(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..10_000 => format!("{}.{} ms", us / 1_000, us / 100 % 10),
        10_000..1_000_000 => format!("{} ms", us / 1_000),
        _ => seconds(us),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drop_rule(from: &str, to: &str) -> Rule {
        Rule { path: None, from: UserName::parse(from).ok(), to: UserName::parse(to).ok(), then: Then::Drop }
    }

    #[test]
    fn two_drop_rules_are_one_cut() {
        assert_eq!(rules(&[drop_rule("alice", "chair"), drop_rule("chair", "alice")]), "cut alice – chair");
        assert_eq!(rules(&[drop_rule("alice", "chair")]), "cut alice → chair");
        let hold = Rule { path: Some("/2pc/VOTE_COMMIT".into()), from: None, to: UserName::parse("chair").ok(), then: Then::Hold };
        assert_eq!(rules(&[drop_rule("alice", "chair"), hold]), "cut alice → chair; hold VOTE_COMMIT any → chair");
        assert_eq!(rules(&[]), "no rules");
    }

    #[test]
    fn times_are_told_as_one_says_them() {
        assert_eq!((clock(12_340_999).as_str(), clock(125_000_000).as_str()), ("12.340 s", "2:05.000"));
        assert_eq!((fine_clock(12_340_999).as_str(), fine_clock(125_000_040).as_str()), ("12.3409 s", "2:05.0000"));
        assert_eq!(seconds(12_340_000), "12.3 s");
        assert_eq!(seconds(125_000_000), "2 min 05 s");
        assert_eq!((precise(40).as_str(), precise(1_540).as_str(), precise(2_000_000).as_str()), ("40 µs", "1.5 ms", "2.0 s"));
    }

    #[test]
    fn what_a_peer_says_steers_no_label() {
        let (_, _, label) = told(&What::Notice { message: "a\u{202e}b\nc".into() });
        assert_eq!(label, "a<U+202E>b<U+000A>c");
    }
}
