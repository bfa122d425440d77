//! What a process takes of the computer, as the system tells it.
//!
//! Deliberately absent: systems without `/proc`; there a trial says that it could not measure.

use std::fs;
use std::time::Duration;

/// The memory that a process holds now, in bytes.
pub(super) fn resident(process: u32) -> Option<u64> {
    status(process, "VmRSS:")
}

/// The most that it has held at any time, in bytes.
pub(super) fn peak(process: u32) -> Option<u64> {
    status(process, "VmHWM:")
}

fn status(process: u32, line: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let kib = status.lines().find_map(|text| text.strip_prefix(line))?.trim().strip_suffix(" kB")?;
    Some(kib.trim().parse::<u64>().ok()? * 1024)
}

/// The time that a process has spent on processors.
pub(super) fn busy(process: u32) -> Option<Duration> {
    /// Ticks of `/proc` in a second, on every Linux that there is.
    const TICKS: u64 = 100;
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The program's name stands in parentheses and may hold anything.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(Duration::from_millis((ticks()? + ticks()?) * 1000 / TICKS))
}
