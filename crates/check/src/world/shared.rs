//! A part of a world that many worlds share, with its hash computed once.
//!
//! A step changes one node and adds to what was said; everything else stays, and neither copying nor
//! hashing it again is worth anything.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::fmt;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// An immutable value behind a pointer, hashed when it was made.
#[derive(Clone)]
pub struct Shared<T>(Arc<(u64, T)>);

impl<T: Hash> Shared<T> {
    /// Hashes and shares a value.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self(Arc::new((digest(&value), value)))
    }

    /// The value's hash.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.0.0
    }
}

/// A value's hash, the same in every run.
pub(crate) fn digest<T: Hash + ?Sized>(value: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl<T> Deref for Shared<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0.1
    }
}

/// Two values with the same digest count as one, as two states do for the search.
impl<T> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0.0 == other.0.0
    }
}

impl<T> Eq for Shared<T> {}

impl<T> Hash for Shared<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.0.hash(state);
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.1.fmt(f)
    }
}

/// What a value remembers of where it came from: no part of what it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Beside<T>(pub(crate) T);

impl<T> PartialEq for Beside<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl<T> Eq for Beside<T> {}
impl<T> Hash for Beside<T> {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// What was worked out, by the digests of what it was worked out from.
pub(crate) type Memo<V> = HashMap<(u64, u64), V, BuildHasherDefault<Fold>>;

/// Hashes what are hashes already.
#[derive(Clone, Debug, Default)]
pub struct Fold(u64);

impl Fold {
    /// Takes one more digest in; the order matters.
    pub(crate) fn add(&mut self, digest: u64) {
        self.0 = (self.0.rotate_left(26) ^ digest).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

impl Hasher for Fold {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.add(u64::from(*byte));
        }
    }
    fn write_u64(&mut self, digest: u64) {
        self.add(digest);
    }
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}
