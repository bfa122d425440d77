//! One command, and there is a room.

use std::os::fd::OwnedFd;

use crate::ports::free_ports;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::display::Display;
use crate::room::Hall;
use crate::window::Window;

/// The lab's window, then those of the room: each is inspected at the port after the one before.
const ROOM: [&str; 4] = ["alice", "bob", "carol", "chair"];

pub(crate) fn one_command_opens_a_room_and_closing_it_ends_it(display: &Display) {
    // Somebody else's room, with a window on the same screen.
    let mut hall = Hall::open(display);
    let stranger = hall.participant("dave");

    let port = free_ports(5);
    let mut command = hall.command("lab", &["--server", "127.0.0.1:0"]);
    command.arg("--data-dir").arg(hall.room.data("lab"));
    let mut lab = Window::open("lab", &mut command, port, display);
    for (name, port) in ROOM.into_iter().zip(port + 1..) {
        let window = Window::of(name, port);
        window.shows("Relay: connected");
        window.shows_part(&format!("as {name}"));
    }
    lab.shows_all_in("Programs", &["running"; 5]);
    let programs: Vec<OwnedFd> = lab.labels_in("Programs").iter().filter_map(|label| label.parse().ok()).map(watch).collect();
    assert_eq!(programs.len(), 5, "the relay, three participants and the coordinator");

    display.close("twopc lab");
    lab.ends_well();
    for program in &programs {
        assert!(has_ended(program), "the lab waits for everybody");
    }
    stranger.shows("Relay: connected");
    stranger.quits();
    hall.room.relay().line("Client (dave) is offline");
}

/// A hold on a process, whatever becomes of its id.
fn watch(pid: i32) -> OwnedFd {
    pidfd_open(Pid::from_raw(pid).expect("a process has an id"), PidfdFlags::empty()).expect("the process runs")
}

fn has_ended(process: &OwnedFd) -> bool {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&now)).expect("a process can be watched") > 0
}
