//! The export for ShiViz, read as strictly as that tool reads it.

use std::collections::{BTreeMap, BTreeSet};

use twopc_lab::diagram::Chart;
use twopc_lab::diagram::shiviz::shiviz;

use crate::play::{everybody, long_run};

/// An event as the export says it.
struct Line {
    host: String,
    clock: BTreeMap<String, u32>,
    event: String,
}

/// Reads a log by the default expression: the event's line, then a host without blanks, one blank, and a
/// JSON object.
fn read(log: &str) -> Result<Vec<Line>, String> {
    let lines: Vec<&str> = log.lines().collect();
    if !lines.len().is_multiple_of(2) {
        return Err(format!("{} lines", lines.len()));
    }
    let pairs = lines.chunks(2);
    pairs
        .map(|pair| {
            let (host, clock) = pair[1].split_once(' ').ok_or_else(|| format!("no clock: {}", pair[1]))?;
            let clock: BTreeMap<String, u32> = serde_json::from_str(clock).map_err(|error| format!("{clock}: {error}"))?;
            if host.is_empty() || pair[0].is_empty() {
                return Err(format!("empty: {pair:?}"));
            }
            Ok(Line { host: host.to_owned(), clock, event: pair[0].to_owned() })
        })
        .collect()
}

/// What the tool insists on: each host's own clock starts at 1 and rises by 1; every entry names a host
/// that is there and no more events than it has; a clock never falls; what is known of another host was
/// known there.
fn check(lines: &[Line]) -> Result<(), String> {
    let mut by_host: BTreeMap<&str, Vec<&Line>> = BTreeMap::new();
    for line in lines {
        let events = by_host.entry(&line.host).or_default();
        let own = line.clock.get(&line.host).copied().unwrap_or(0);
        if own as usize != events.len() + 1 {
            return Err(format!("{} goes from {} to {own}", line.host, events.len()));
        }
        events.push(line);
    }
    for line in lines {
        for (host, count) in &line.clock {
            let theirs = by_host.get(host.as_str()).ok_or_else(|| format!("{host} is not there"))?;
            if *count == 0 || *count as usize > theirs.len() {
                return Err(format!("{} knows {count} events of {host}, which has {}", line.host, theirs.len()));
            }
            let known = &theirs[*count as usize - 1].clock;
            if known.iter().any(|(other, ticks)| line.clock.get(other).is_none_or(|mine| mine < ticks)) {
                return Err(format!("{} knows event {count} of {host} and not what that knew", line.host));
            }
        }
    }
    Ok(())
}

#[test]
fn a_long_run_with_deaths_and_copies_is_in_order() {
    let names = ["alice", "bob", "carol", "mary_ann-2"];
    let events = long_run(&names, 3_000);
    let log = shiviz(&events);
    let lines = read(&log).unwrap();
    check(&lines).unwrap();
    let hosts: BTreeSet<String> = lines.iter().map(|line| line.host.clone()).collect();
    assert_eq!(hosts, everybody(&names));
    let told = Chart::of(&events).entries().iter().filter(|entry| entry.number.is_some()).count();
    assert_eq!(lines.len(), told, "every event that a process numbered");
    let starts = lines.iter().filter(|line| line.event.starts_with("starts")).count();
    assert!(starts > names.len() + 3, "restarts are part of it: {starts}");
    assert!(lines.iter().any(|line| line.clock.len() == hosts.len()), "everybody hears of everybody");
}

#[test]
fn the_checker_finds_what_the_tool_would_refuse() {
    let good = "a\nx {\"x\":1}\nb\ny {\"x\":1, \"y\":1}\n";
    check(&read(good).unwrap()).unwrap();
    for (bad, why) in [
        ("a\nx {\"x\":2}\n", "does not start at 1"),
        ("a\nx {\"x\":1}\nb\nx {\"x\":3}\n", "rises by two"),
        ("a\nx {\"x\":1, \"y\":1}\n", "names a host that is not there"),
        ("a\nx {\"x\":1, \"y\":2}\nb\ny {\"y\":1}\n", "knows more than there is"),
        ("a\nx {\"x\":1}\nb\ny {\"x\":1, \"y\":1}\nc\nz {\"y\":1, \"z\":1}\n", "knows an event and not its cause"),
    ] {
        assert!(check(&read(bad).unwrap()).is_err(), "{why}");
    }
    for bad in ["a\n", "a\nx\n", "a\nx {x:1}\n", "\nx {\"x\":1}\n"] {
        assert!(read(bad).is_err(), "{bad:?}");
    }
}
