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
pub struct Shared<T>(Arc<(u64, T)>);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

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

/// What was worked out, by the digests of what it was worked out from. What is asked for again is mostly
/// asked for soon, so what was not in a long time is forgotten: a search of millions of states must not
/// keep all it ever worked out.
pub(crate) struct Memo<V> {
    /// How much is remembered at least, once there was so much.
    capacity: usize,
    recent: Generation<V>,
    older: Generation<V>,
}

type Generation<V> = HashMap<(u64, u64), V, BuildHasherDefault<Fold>>;

impl<V: Clone> Memo<V> {
    /// What was worked out from these.
    pub(crate) fn get(&mut self, key: (u64, u64)) -> Option<V> {
        if let Some(known) = self.recent.get(&key) {
            return Some(known.clone());
        }
        let known = self.older.remove(&key)?;
        self.insert(key, known.clone());
        Some(known)
    }

    /// Remembers what was worked out from these.
    pub(crate) fn insert(&mut self, key: (u64, u64), value: V) {
        if self.recent.len() >= self.capacity {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(key, value);
    }
}

impl<V> Memo<V> {
    /// One that remembers so much.
    pub(crate) fn of(capacity: usize) -> Self {
        Self { capacity, recent: HashMap::default(), older: HashMap::default() }
    }
}

impl<V> Default for Memo<V> {
    fn default() -> Self {
        Self::of(1 << 20)
    }
}

/// Values of which each is kept once: what is come by on many ways is mostly the same.
pub(crate) struct Pool<T>(Memo<Shared<T>>);

impl<T: Hash> Pool<T> {
    /// The value, as it was kept before if it was.
    pub(crate) fn one(&mut self, value: T) -> Shared<T> {
        self.of(digest(&value), || value)
    }

    /// The value of this digest, made unless it was kept.
    pub(crate) fn of(&mut self, digest: u64, make: impl FnOnce() -> T) -> Shared<T> {
        self.0.get((digest, 0)).unwrap_or_else(|| {
            let value = make();
            debug_assert_eq!(self::digest(&value), digest, "the value of another digest was made");
            let shared = Shared(Arc::new((digest, value)));
            self.0.insert((digest, 0), shared.clone());
            shared
        })
    }
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self(Memo::default())
    }
}

/// Hashes what are hashes already.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fold(u64);

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
