//! Ports at which windows are inspected: above those that the relays of tests take, below those that
//! systems give to outgoing connections.

use std::net::TcpListener;
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

const FIRST: u16 = 29_000;
const COUNT: u16 = 3_000;

/// The first of so many ports in a row that nobody listens on, and that nobody else is given here.
pub(crate) fn free_ports(count: u16) -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test programs that run at once begin at different places.
    let begin = u16::try_from(process::id() % 60).unwrap_or(0) * 50;
    loop {
        let first = FIRST + (begin + NEXT.fetch_add(count, Ordering::Relaxed)) % COUNT;
        if (first..first + count).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()) {
            return first;
        }
    }
}
