//! Which of many stretches touch a window, without looking at all of them.
//!
//! A tree over the stretches in the order of their beginnings; each inner node has the latest end below
//! it. A stretch may be added at the end, and its own end may move. Deliberately absent: removal.

/// Still lasting.
pub(super) const OPEN: u32 = u32::MAX;

/// Stretches from one place in a list to another, both included.
#[derive(Clone, Debug, Default)]
pub(super) struct Intervals {
    starts: Vec<u32>,
    /// A complete binary tree in an array: the root at 1, the leaves from `leaves` on; 0 where there is none.
    ends: Vec<u32>,
    leaves: usize,
}

impl Intervals {
    /// Adds a stretch that begins no earlier than those before.
    pub(super) fn push(&mut self, start: u32, end: u32) {
        if self.starts.len() == self.leaves {
            self.grow();
        }
        self.starts.push(start);
        self.set_end(self.starts.len() - 1, end);
    }

    /// Moves an end.
    pub(super) fn set_end(&mut self, index: usize, end: u32) {
        let mut node = self.leaves + index;
        self.ends[node] = end;
        while node > 1 {
            node /= 2;
            self.ends[node] = self.ends[2 * node].max(self.ends[2 * node + 1]);
        }
    }

    /// The end of one.
    pub(super) fn end(&self, index: usize) -> u32 {
        self.ends[self.leaves + index]
    }

    /// The indices of all that touch `first..=last`, in order: what is looked at grows with what is
    /// found, and with the logarithm of all.
    pub(super) fn touching(&self, first: u32, last: u32) -> Vec<usize> {
        let mut found = Vec::new();
        let count = self.starts.partition_point(|start| *start <= last);
        if count > 0 {
            self.descend(1, 0, self.leaves, count, first, &mut found);
        }
        found
    }

    fn descend(&self, node: usize, from: usize, width: usize, count: usize, first: u32, found: &mut Vec<usize>) {
        if from >= count || self.ends[node] < first {
            return;
        }
        if width == 1 {
            found.push(from);
            return;
        }
        let half = width / 2;
        self.descend(2 * node, from, half, count, first, found);
        self.descend(2 * node + 1, from + half, half, count, first, found);
    }

    /// Twice the leaves; amortised, a push costs no more than a constant for it.
    fn grow(&mut self) {
        let leaves = (2 * self.leaves).max(16);
        let mut ends = vec![0; 2 * leaves];
        ends[leaves..leaves + self.starts.len()].copy_from_slice(&self.ends[self.leaves..self.leaves + self.starts.len()]);
        for node in (1..leaves).rev() {
            ends[node] = ends[2 * node].max(ends[2 * node + 1]);
        }
        (self.ends, self.leaves) = (ends, leaves);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_finds_what_a_look_at_each_finds() {
        let mut tree = Intervals::default();
        let mut plain: Vec<(u32, u32)> = Vec::new();
        let mut chance = 1_u32;
        for index in 0..500_u32 {
            chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let end = if chance.is_multiple_of(40) { OPEN } else { index + (chance >> 16) % 30 };
            tree.push(index, end);
            plain.push((index, end));
            let moved = (chance >> 8) as usize % plain.len();
            let end = plain[moved].0 + chance % 50;
            tree.set_end(moved, end);
            plain[moved].1 = end;
            let (first, last) = (chance % (index + 1), chance % (index + 1) + 5);
            let expected: Vec<usize> = (0..plain.len()).filter(|i| plain[*i].0 <= last && plain[*i].1 >= first).collect();
            assert_eq!(tree.touching(first, last), expected, "{first} to {last} of {}", plain.len());
        }
    }
}
