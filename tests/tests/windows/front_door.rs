//! One command, and there is a room.

use rustix::process::{Pid, test_kill_process};

use crate::display::Display;
use crate::ports::free_ports;
use crate::room::Hall;
use crate::window::Window;

/// The lab's window, then those of the room: each is inspected at the port after the one before.
const ROOM: [&str; 4] = ["alice", "bob", "carol", "chair"];

/// On a display of its own: keys go to whatever is in front there, and windows of other tests would
/// come and go.
pub(crate) fn one_command_opens_a_room_and_closing_it_ends_it(_: &Display) {
    let display = Display::start();
    // Somebody else's room, with a window on the same screen.
    let mut hall = Hall::open(&display);
    let stranger = hall.participant("dave");

    let port = free_ports(5);
    let mut command = hall.command("lab", &["--server", "127.0.0.1:0"]);
    command.arg("--data-dir").arg(hall.room.data("lab"));
    let mut lab = Window::open("lab", &mut command, port, &display);
    for (name, port) in ROOM.into_iter().zip(port + 1..) {
        let window = Window::of(name, port);
        window.shows("Relay: connected");
        window.shows_part(&format!("as {name}"));
    }
    lab.shows_all_in("Programs", &["running"; 5]);
    let programs: Vec<Pid> = lab.labels_in("Programs").iter().filter_map(|label| Pid::from_raw(label.parse().ok()?)).collect();
    assert_eq!(programs.len(), 5, "the relay, three participants and the coordinator");
    assert!(programs.iter().copied().all(exists));

    display.close("twopc lab");
    lab.ends_well();
    let left: Vec<Pid> = programs.into_iter().filter(|program| exists(*program)).collect();
    assert!(left.is_empty(), "the lab waits for everybody, but {left:?} are left");
    stranger.shows("Relay: connected");
    stranger.quits();
    hall.room.relay().line("Client (dave) is offline");
}

/// Whether there is such a process, be it only as a corpse that nobody has waited for.
fn exists(pid: Pid) -> bool {
    test_kill_process(pid).is_ok()
}
