//! Work that is done beside the traffic: a queue and a thread that empties it.
//!
//! Nobody ever waits for it. When it falls so far behind that its queue is full, what comes is
//! dropped, and the work is told how much.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

/// The bytes that may wait for one thread.
const MOST_WAITING: usize = 64 * 1024 * 1024;

/// The most things that are worked on as one.
const BATCH: usize = 1024;

/// A queue with a thread behind it.
#[derive(Debug)]
pub(crate) struct Beside<T> {
    queue: mpsc::Sender<Option<(usize, T)>>,
    load: Arc<Load>,
    done: Mutex<mpsc::Receiver<()>>,
}

#[derive(Debug, Default)]
struct Load {
    waiting: AtomicUsize,
    lost: AtomicU64,
}

impl<T: Send + 'static> Beside<T> {
    /// Starts the thread. `work` gets what has gathered, in order, and how many things were lost
    /// before it.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub(crate) fn start(name: &str, mut work: impl FnMut(&mut Vec<T>, u64) + Send + 'static) -> std::io::Result<Self> {
        let (queue, waiting) = mpsc::channel::<Option<(usize, T)>>();
        let (finished, done) = mpsc::channel();
        let load = Arc::new(Load::default());
        let its_load = Arc::clone(&load);
        thread::Builder::new().name(name.into()).spawn(move || {
            let mut batch = Vec::new();
            let mut open = true;
            while open {
                let first = waiting.recv().ok().flatten();
                let rest = std::iter::from_fn(|| waiting.try_recv().ok()).take(BATCH);
                let mut bytes = 0;
                for entry in std::iter::once(first).chain(rest) {
                    let Some((size, thing)) = entry else {
                        open = false;
                        break;
                    };
                    bytes += size;
                    batch.push(thing);
                }
                work(&mut batch, its_load.lost.swap(0, Ordering::Relaxed));
                batch.clear();
                its_load.waiting.fetch_sub(bytes, Ordering::Relaxed);
            }
            // Nobody may be waiting any more.
            let _ = finished.send(());
        })?;
        Ok(Self { queue, load, done: Mutex::new(done) })
    }

    /// Hands over one thing of about so many bytes.
    pub(crate) fn put(&self, size: usize, thing: T) {
        if self.load.waiting.load(Ordering::Relaxed) + size > MOST_WAITING {
            self.load.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.load.waiting.fetch_add(size, Ordering::Relaxed);
        // The thread ends only after `finish`; what comes later is meant for nobody.
        let _ = self.queue.send(Some((size, thing)));
    }

    /// Lets the thread end when it has done everything, and waits for that, but not for ever.
    pub(crate) fn finish(&self, patience: Duration) {
        let _ = self.queue.send(None);
        // Past its patience the process ends without it.
        let _ = self.done.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(patience);
    }
}
