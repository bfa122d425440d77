//! What ends a program from outside: SIGINT and SIGTERM, or ctrl-c where there are no signals.

use std::io;
use std::thread;

/// The signals that ask a program to end.
#[cfg(unix)]
#[derive(Debug)]
pub struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Takes the signals from now on; they end nothing by themselves any more. Within a Tokio runtime.
    ///
    /// # Errors
    /// What the system says if it gives none.
    pub fn watch() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Ctrl-c.
#[cfg(not(unix))]
#[derive(Debug)]
pub struct Signals {}

#[cfg(not(unix))]
impl Signals {
    /// Nothing has to be taken.
    ///
    /// # Errors
    /// None.
    pub fn watch() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Calls `then` once such a signal comes, from a thread of its own.
///
/// # Errors
/// What the system says if it gives no thread or no signals.
pub fn on_first(then: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut signals = {
        let _entered = runtime.enter();
        Signals::watch()?
    };
    let wait = async move {
        signals.next().await;
        then();
    };
    thread::Builder::new().name(String::from("signals")).spawn(move || runtime.block_on(wait)).map(drop)
}
