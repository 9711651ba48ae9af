//! Hashes: a file of ascending 64-bit numbers, little endian, searched where it lies.
//! - Two of a sealed day: its visitors (the place is the ordinal in columns) and the ids that senders gave.
//! - Absent: a checksum of its own; the day's manifest has it.

use std::io::Write;
use tantivy::directory::OwnedBytes;

/// Bytes of one number.
const WIDTH: usize = 8;

/// Ascending numbers on disk.
pub struct Hashes(OwnedBytes);

impl Hashes {
    /// Reads them in place; what is left of an incomplete last number is not looked at.
    pub fn new(bytes: OwnedBytes) -> Self {
        Self(bytes)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len() / WIDTH
    }

    /// The number at `place`; 0 past the end.
    pub fn get(&self, place: usize) -> u64 {
        let bytes = place.checked_mul(WIDTH).and_then(|from| self.0.as_slice().get(from..from + WIDTH));
        bytes.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes)
    }

    /// Where `hash` stands.
    pub fn find(&self, hash: u64) -> Option<usize> {
        let (mut from, mut to) = (0, self.len());
        while from < to {
            let middle = from + (to - from) / 2;
            match self.get(middle).cmp(&hash) {
                std::cmp::Ordering::Less => from = middle + 1,
                std::cmp::Ordering::Greater => to = middle,
                std::cmp::Ordering::Equal => return Some(middle),
            }
        }
        None
    }
}

/// Writes ascending numbers.
pub fn write(out: &mut impl Write, hashes: &[u64]) -> std::io::Result<()> {
    hashes.iter().try_for_each(|hash| out.write_all(&hash.to_le_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_found_at_its_place_and_no_other() {
        let numbers = [0, 1, 7, 1 << 40, u64::MAX];
        let mut bytes = Vec::new();
        write(&mut bytes, &numbers).expect("memory");
        let hashes = Hashes::new(OwnedBytes::new(bytes));
        for (place, number) in numbers.iter().enumerate() {
            assert_eq!((hashes.find(*number), hashes.get(place)), (Some(place), *number));
        }
        assert_eq!([2, 8, u64::MAX - 1].map(|number| hashes.find(number)), [None; 3]);
        assert_eq!((hashes.len(), hashes.get(5)), (5, 0));
    }
}
