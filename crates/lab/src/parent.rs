//! The child's side of being started by a lab: a program does not outlive the lab that started it.
//!
//! The lab ends its programs politely whenever it can. When it is killed outright it can't, and then
//! the system kills them for it: no program is ever left behind that holds the port and the names.
//! What that interrupts is settled when they next run, as after any crash. Deliberately absent: the
//! same where there is no Linux; there a lab that was killed leaves its programs to the person.

/// Ties this process to the lab that started it, if one did.
///
/// `false`: that lab is gone already, and this program has nothing to do.
#[cfg(target_os = "linux")]
pub(crate) fn follow() -> bool {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};
    use twopc_ui::opened::STARTED_BY;

    let lab: Option<i32> = std::env::var(STARTED_BY).ok().and_then(|pid| pid.parse().ok());
    let Some(lab) = lab else { return true };
    // Without this the program still runs; it only would have to be ended by hand.
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    // The lab may have gone between this program's start and here: then no signal comes.
    getppid().is_some_and(|parent| parent.as_raw_nonzero().get() == lab)
}

/// Does nothing here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn follow() -> bool {
    true
}
