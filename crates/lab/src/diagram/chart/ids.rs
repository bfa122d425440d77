//! The numbers by which a chart's parts name each other.
//!
//! Each is a place in one of the chart's lists and means something within that chart only.

macro_rules! places {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub(in crate::diagram) u32);

        impl $name {
            /// The place in the list, from 0.
            #[must_use]
            pub fn index(self) -> usize {
                self.0 as usize
            }

            /// The place with this number in the list.
            ///
            /// A run has far fewer than 2^32 events; beyond that its parts could not be told apart.
            pub(in crate::diagram) fn at(index: usize) -> Self {
                Self(u32::try_from(index).unwrap_or(u32::MAX))
            }
        }
    )*};
}

places! {
    /// One process's column.
    LaneId;
    /// One thing that happened on a lane. Rises in the order of the run's events.
    EntryId;
    /// One message.
    MessageId;
    /// A stretch of time on a lane.
    SpanId;
    /// One transaction.
    TxnRef;
}
