//! Logs: whatever a disk made of one, reading it never accepts a line that was not written so.

use std::time::Duration;

use twopc_proto::log::{self, Header, Line, ReadLog, Stamp, Sum, Tip};
use twopc_proto::{CommittedString, CoordinatorRecord, Decision, LogRecord, ParticipantRecord, Reason, Role, TxnId, UserName};

use super::hold;
use super::json::{self, Json};
use crate::chance::Chance;
use crate::frames::show::escaped;

/// Judges bytes as a participant's log and as a coordinator's. They are in order if one of them is
/// read to its end.
///
/// # Errors
/// What reading makes of them, and should not.
pub fn judge(bytes: &[u8]) -> Result<bool, String> {
    let participant = judge_as::<ParticipantRecord>(bytes)?;
    let coordinator = judge_as::<CoordinatorRecord>(bytes)?;
    Ok(participant || coordinator)
}

fn judge_as<R: LogRecord>(bytes: &[u8]) -> Result<bool, String> {
    let header = log::read_header(bytes);
    let read = match log::read_log::<R>(bytes) {
        Ok(read) => read,
        Err(damage) => {
            hold(damage.line >= 1, || format!("Damage before the first line: {damage}"))?;
            return Ok(false);
        }
    };
    hold(header.as_ref() == Ok(&read.header), || "A log is read whose header is not.".into())?;
    let length = usize::try_from(read.len).map_err(|_| "A log is longer than memory.".to_owned())?;
    let torn = read.torn.map_or(0, |torn| torn.bytes);
    hold(read.len + torn == bytes.len() as u64, || format!("Of {} bytes {} and {torn} are accounted for.", bytes.len(), read.len))?;
    let whole = bytes.get(..length).ok_or("A log has more lines than bytes.")?;
    judge_lines(whole, &read)?;
    // Without what is torn it is the same log.
    let cut = log::read_log::<R>(whole);
    let same = cut.is_ok_and(|cut| cut == ReadLog { torn: None, ..read.clone() });
    hold(same, || "Without its torn tail it reads otherwise.".into())?;
    judge_compacted(&read)?;
    Ok(read.torn.is_none())
}

/// A log that is compacted is whole, and comes to nothing less when it is compacted again.
fn judge_compacted<R: LogRecord>(read: &ReadLog<R>) -> Result<(), String> {
    let compacted = log::compact(read);
    let again = log::read_log::<R>(&compacted).map_err(|damage| format!("Compacted, it is damaged: {damage}."))?;
    hold(again.torn.is_none() && again.len == compacted.len() as u64, || "Compacted, it has a torn tail.".into())?;
    judge_lines(&compacted, &again)?;
    let (header, life) = ((&again.header, again.incarnation), (&read.header, read.incarnation));
    hold(header == life, || format!("Compacted, it is the log of {header:?}, not of {life:?}."))?;
    hold(log::compact(&again) == compacted, || format!("Compacted twice, it differs: {}", escaped(&compacted, 2_000)))
}

/// Each line of a log that was accepted: its number, its checksum, the one before, and that this
/// program would have written those very bytes.
fn judge_lines<R: LogRecord>(whole: &[u8], read: &ReadLog<R>) -> Result<(), String> {
    let mut records = read.records.iter();
    let (mut sum, mut count) = ("00000000".to_owned(), 0);
    let mut lines: Vec<&[u8]> = whole.split(|byte| *byte == b'\n').collect();
    hold(lines.pop() == Some(b""), || "The last line that was accepted has no end.".into())?;
    for line in lines {
        count += 1;
        let what = || format!("line {count}: {}", escaped(line, 300));
        let content = line.len().checked_sub(18).ok_or_else(|| format!("too short, {}", what()))?;
        let expected = format!(",\"sum\":\"{:08x}\"}}", crc(&line[..content]));
        hold(&line[content..] == expected.as_bytes(), || format!("A line was accepted whose checksum is wrong, {}", what()))?;
        let beginning = format!("{{\"n\":{count},\"synced\":");
        hold(line.starts_with(beginning.as_bytes()), || format!("A line was accepted that is not in its place, {}", what()))?;
        let value = json::read(line).map_err(|_| format!("A line was accepted that is not JSON, {}", what()))?;
        let follows = value.member("prev").and_then(Json::text) == Some(sum.as_str());
        hold(follows, || format!("A line was accepted that does not follow, {}", what()))?;
        let said = said(&value, read, &mut records).ok_or_else(|| format!("A line was accepted that says nothing, {}", what()))?;
        let synced = value.member("synced").and_then(Json::whole).ok_or("A line was accepted that does not say what was synced.")?;
        let mut tip = Tip { lines: count - 1, sum: Sum::parse(sum.as_bytes()).unwrap_or_default(), synced };
        let mut written = Vec::new();
        log::encode(&mut tip, &said, &mut written);
        let differs = || format!("A line was accepted that would be written {}, {}", escaped(&written, 300), what());
        hold(written.strip_suffix(b"\n") == Some(line), differs)?;
        sum = expected[8..16].to_owned();
    }
    hold(records.next().is_none(), || "More records were read than there are lines.".into())?;
    let end = (read.tip.lines, read.tip.sum.to_string());
    hold(end == (count, sum.clone()), || format!("The log ends at {count} {sum} and was read to {end:?}."))
}

/// What a line says, the record as it was read.
fn said<R: LogRecord>(value: &Json, read: &ReadLog<R>, records: &mut std::slice::Iter<'_, log::Logged<R>>) -> Option<Line<R>> {
    let stamp = || Some(Stamp { at: value.member("at")?.whole()?, before: Sum::parse(value.member("before")?.text()?.as_bytes())? });
    Some(match value.member("type")?.text()? {
        "LOG" => Line::Header(read.header.clone()),
        "LIFE" => Line::Life(value.member("incarnation")?.whole()?),
        "MOVED" => Line::Moved { line: value.member("line")?.whole()?, stamp: stamp()? },
        _ => {
            let logged = records.next()?;
            let stamp = if logged.record.committed().is_some() { Some(stamp()?) } else { None };
            Line::Record { record: logged.record.clone(), stamp }
        }
    })
}

/// CRC-32 as in zip, a bit at a time.
fn crc(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

/// A real log, then what a disk, a person or another program may do to it.
pub fn make(chance: &mut Chance) -> Vec<u8> {
    let mut bytes = if chance.once_in(2) { participant(chance) } else { coordinator(chance) };
    if chance.once_in(4) {
        let participant = log::read_log::<ParticipantRecord>(&bytes).map(|read| log::compact(&read));
        bytes = participant.or_else(|_| log::read_log::<CoordinatorRecord>(&bytes).map(|read| log::compact(&read))).unwrap_or(bytes);
    }
    match chance.index(4) {
        0 => {}
        1 => break_it(chance, &mut bytes),
        2 => rewrite_line(chance, &mut bytes),
        _ => {
            for _ in 0..1 + chance.index(3) {
                break_it(chance, &mut bytes);
            }
        }
    }
    bytes
}

fn participant(chance: &mut Chance) -> Vec<u8> {
    let mut lines = vec![Line::Header(Header { user: user("alice"), role: Role::Participant }), Line::Life(1)];
    let (mut life, mut at) = (1, 0);
    for number in 0..chance.index(6) as u64 {
        let (txn, string) = (txn(number), string(chance));
        let record = |record| Line::Record { record, stamp: None };
        if chance.once_in(5) {
            life += 1;
            lines.push(Line::Life(life));
        }
        if chance.once_in(3) {
            lines.push(record(ParticipantRecord::Abort { txn, reason: Some(Reason::Asked).filter(|_| chance.once_in(2)) }));
            continue;
        }
        let (participants, timeout) = ([user("alice"), user("bob")].into(), Duration::from_millis(20_000));
        lines.push(record(ParticipantRecord::Ready { txn: txn.clone(), string: string.clone(), participants, timeout }));
        let stamp = Stamp { at, before: Sum::of(string.as_str().as_bytes()) };
        at += string.as_str().len() as u64 + 1;
        lines.push(Line::Record { record: ParticipantRecord::Commit { txn: txn.clone(), string }, stamp: Some(stamp) });
        if chance.once_in(4) {
            lines.push(Line::Moved { line: lines.len() as u64, stamp });
        }
        lines.push(record(ParticipantRecord::Applied { txn }));
    }
    written(chance, &lines)
}

fn coordinator(chance: &mut Chance) -> Vec<u8> {
    let mut lines = vec![Line::Header(Header { user: user("chair"), role: Role::Coordinator }), Line::Life(1)];
    let mut add = |record| lines.push(Line::Record { record, stamp: None });
    for number in 0..chance.index(6) as u64 {
        let (participants, timeout) = ([user("alice"), user("bob")].into(), Duration::from_millis(1_500));
        add(CoordinatorRecord::Start { txn: txn(number), string: string(chance), participants, timeout });
        let decision = if chance.once_in(2) { Decision::Commit } else { Decision::Abort };
        add(match decision {
            Decision::Commit => CoordinatorRecord::Commit { txn: txn(number) },
            Decision::Abort => {
                let by = Some(user("bob")).filter(|_| chance.once_in(2));
                CoordinatorRecord::Abort { txn: txn(number), reason: Some(Reason::Timeout), by }
            }
        });
        add(CoordinatorRecord::End { txn: txn(number) });
    }
    written(chance, &lines)
}

fn user(name: &str) -> UserName {
    UserName::parse(name).expect("a name")
}

fn txn(number: u64) -> TxnId {
    TxnId::numbered(&user("chair"), 1, number + 1)
}

fn string(chance: &mut Chance) -> CommittedString {
    CommittedString::parse(chance.one_of(&["Hello", "தமிழ் \"x\"", "a\tb\\", "{\"n\":1,\"sum\":\"00000000\"}"])).expect("a string")
}

fn written<R: LogRecord>(chance: &mut Chance, lines: &[Line<R>]) -> Vec<u8> {
    let (mut tip, mut out) = (Tip::default(), Vec::new());
    for line in lines {
        // Some lines are written together and synced later.
        if chance.once_in(2) {
            tip.synced = tip.lines;
        }
        log::encode(&mut tip, line, &mut out);
    }
    out
}

/// What a disk does: cuts, flips, empties, repeats, forgets.
fn break_it(chance: &mut Chance, bytes: &mut Vec<u8>) {
    let at = chance.index(bytes.len() + 1);
    let end = (at + chance.index(200)).min(bytes.len());
    match chance.index(6) {
        0 => bytes.truncate(at),
        1 if at < bytes.len() => bytes[at] ^= 1 << chance.index(8),
        2 => bytes[at..end].fill(0),
        3 => drop(bytes.drain(at..end)),
        4 => {
            bytes.truncate(at);
            bytes.resize(at + chance.index(200), 0);
        }
        _ => {
            let again = bytes[at..end].to_vec();
            bytes.splice(at..at, again);
        }
    }
}

/// What another program could do, with a right checksum: the last line says something else.
fn rewrite_line(chance: &mut Chance, bytes: &mut Vec<u8>) {
    const CHANGES: [(&str, &str); 16] = [
        (",\"type\"", ", \"type\""),
        (",\"type\"", ",\"odd\":1,\"type\""),
        ("\"n\":", "\"n\":0"),
        ("\"txn\":\"chair", "\"txn\":\"Chair"),
        ("\"reason\":\"asked\"", "\"reason\":null"),
        ("\"reason\":\"asked\"", "\"reason\":{\"asked\":null}"),
        ("\"alice\",\"bob\"", "\"bob\",\"alice\""),
        ("\"alice\",\"bob\"", "\"alice\",\"alice\""),
        ("\"synced\":", "\"synced\":9"),
        ("\"incarnation\":", "\"incarnation\":0.1e"),
        ("APPLIED", "ABORT"),
        ("\"type\":\"END\"", "\"type\":\"END\",\"at\":1,\"before\":\"00000000\""),
        ("\"line\":", "\"line\":1"),
        ("Hello", "H\\u0065llo"),
        ("{", "{\"txn\":\"chair.9.9\","),
        ("\"at\":", "\"at\":-"),
    ];
    let Some(end) = bytes.len().checked_sub(1) else { return };
    let start = bytes[..end].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let Some(content) = end.checked_sub(18).filter(|content| *content > start) else { return };
    let (from, to) = CHANGES[chance.index(CHANGES.len())];
    let text = String::from_utf8_lossy(&bytes[start..content]).replacen(from, to, 1);
    bytes.truncate(start);
    bytes.extend_from_slice(text.as_bytes());
    log::seal(bytes, start);
    bytes.push(b'\n');
}
