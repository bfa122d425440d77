//! What never steers.

use core::hash::{Hash, Hasher};

/// Something that a machine carries along for people, or to know how long to wait, and that never
/// changes what it does.
///
/// It counts neither for equality nor for hashing: a search that lets timers fire at any moment would
/// otherwise see every state once for each number of tries and each reason for an abort.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Aside<T>(pub(crate) T);

impl<T> PartialEq for Aside<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl<T> Eq for Aside<T> {}
impl<T> Hash for Aside<T> {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}
