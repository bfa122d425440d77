//! Work that is done beside the traffic: a queue and a thread that empties it.
//!
//! Nobody ever waits for it. When it falls so far behind that its queue is full, what comes is
//! dropped, and the work is told how much.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

/// The bytes that may wait for one thread before nothing more is taken.
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
        // The queue takes something for each, too.
        let size = size + size_of::<Option<(usize, T)>>();
        if self.load.waiting.load(Ordering::Relaxed) > MOST_WAITING {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What a thread got at once, and how many it was told were lost.
    type Got = (Vec<u32>, u64);

    /// A thread that works on the first thing until it is let go, and tells what it got.
    fn held_up() -> (Beside<u32>, mpsc::Sender<()>, mpsc::Receiver<Got>) {
        let ((go, gone), (tell, told)) = (mpsc::channel(), mpsc::channel());
        let beside = Beside::start("test", move |things: &mut Vec<u32>, lost| {
            let _ = gone.recv();
            tell.send((things.clone(), lost)).unwrap();
        });
        (beside.unwrap(), go, told)
    }

    #[test]
    fn what_gathers_is_done_together_and_in_order_before_the_end() {
        let (beside, go, told) = held_up();
        (0..100).for_each(|thing| beside.put(1, thing));
        drop(go);
        beside.finish(Duration::from_secs(30));
        let done: Vec<u32> = told.try_iter().flat_map(|(things, _)| things).collect();
        assert!(done.into_iter().eq(0..100));
    }

    #[test]
    fn nobody_waits_for_a_thread_that_is_held_up_and_what_is_lost_is_counted() {
        let (beside, go, told) = held_up();
        beside.put(MOST_WAITING, 1);
        beside.put(1, 2);
        beside.put(1, 3);
        go.send(()).unwrap();
        let (first, already_lost) = told.recv().unwrap();
        assert_eq!(first, [1]);
        go.send(()).unwrap();
        drop(go);
        beside.finish(Duration::from_secs(30));
        let lost: u64 = told.try_iter().map(|(things, lost)| if things.is_empty() { lost } else { 0 }).sum();
        assert_eq!(already_lost + lost, 2, "both that came while it was full");
    }
}
