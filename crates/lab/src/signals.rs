//! Ctrl-c and SIGTERM: the room is closed, whatever the window in front does.
//!
//! Deliberately absent: SIGHUP. A terminal that is closed ends the lab outright, and with it its
//! programs, unless somebody started it under `nohup`, who wants neither.

use std::io;
use std::thread;
use std::time::Duration;

use twopc_runner::signals::Signals;

use crate::room::Remote;

/// How long the window may take to close once the room is empty. One that is not drawn at the
/// moment, as when it is minimised, is not told to.
const WINDOW_CLOSES: Duration = Duration::from_secs(1);

/// Watches the signals from now on, on a thread of its own: the first closes the room and calls
/// `leave`, which closes the window; a second one ends every program at once.
///
/// # Errors
/// What the system says if it gives no thread or no signals.
pub(crate) fn watch(room: Remote, leave: impl Fn() + Send + 'static) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut signals = {
        let _entered = runtime.enter();
        Signals::watch()?
    };
    let wait = async move {
        signals.next().await;
        room.close();
        leave();
        tokio::select! {
            biased;
            () = room.closed() => {}
            () = signals.next() => room.kill(),
        }
        room.closed().await;
        tokio::time::sleep(WINDOW_CLOSES).await;
        std::process::exit(0);
    };
    thread::Builder::new().name(String::from("signals")).spawn(move || runtime.block_on(wait))?;
    Ok(())
}
