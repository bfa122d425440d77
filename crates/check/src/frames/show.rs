//! Bytes that failed, made smaller and shown so that they can be copied into a test.

use std::fmt::Write as _;

/// Bytes as the inside of a byte string, at most so many of them.
#[must_use]
pub fn escaped(bytes: &[u8], most: usize) -> String {
    let mut shown = bytes[..bytes.len().min(most)].escape_ascii().to_string();
    if bytes.len() > most {
        let _ = write!(shown, "… ({} bytes)", bytes.len());
    }
    shown
}

/// The smallest part of some bytes, made as plain as possible, that still fails.
///
/// Pieces are left out, halves first, then smaller ones; then bytes become `x`. `fails` is asked a
/// few thousand times at most.
#[must_use]
pub fn shrunk(bytes: &[u8], mut fails: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
    let mut smallest = bytes.to_vec();
    let mut tries = 0;
    let mut length = smallest.len() / 2;
    while length > 0 && tries < 4_000 {
        let mut at = 0;
        while at < smallest.len() && tries < 4_000 {
            tries += 1;
            let end = (at + length).min(smallest.len());
            let shorter = [&smallest[..at], &smallest[end..]].concat();
            if fails(&shorter) {
                smallest = shorter;
            } else {
                at += length;
            }
        }
        length /= 2;
    }
    for at in 0..smallest.len().min(1_000) {
        let plainer = [&smallest[..at], b"x", &smallest[at + 1..]].concat();
        if smallest[at].is_ascii_graphic() && smallest[at] != b'x' && fails(&plainer) {
            smallest = plainer;
        }
    }
    smallest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_matter_is_left_out() {
        let long = [&[b'a'; 500][..], b"needle", &[b'b'; 700]].concat();
        let small = shrunk(&long, |bytes| bytes.windows(2).any(|pair| pair == b"ne"));
        assert_eq!(small, b"ne");
        assert_eq!(escaped(b"a\r\n\xff", 3), "a\\r\\n… (4 bytes)");
    }
}
