//! Bits: one for each of a list of places, in words: sixty-four are joined, counted, or passed over at once.

const WORD: usize = u64::BITS as usize;

/// So many bits; those past the last place are never set.
#[derive(Debug, Clone, PartialEq)]
pub struct Bits {
    words: Vec<u64>,
    len: usize,
}

impl Bits {
    /// None set.
    pub fn none(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(WORD)], len }
    }

    /// Sets a place's bit, if `when`.
    pub fn set(&mut self, place: usize, when: bool) {
        self.words[place / WORD] |= u64::from(when) << (place % WORD);
    }

    /// Whether a place's bit is set.
    pub fn has(&self, place: usize) -> bool {
        self.words[place / WORD] >> (place % WORD) & 1 == 1
    }

    /// How many are set.
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The places of those set, ascending.
    pub fn ones(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let next = left.trailing_zeros();
                left &= left.wrapping_sub(1);
                (next < u64::BITS).then_some(at * WORD + next as usize)
            })
        })
    }

    /// The places of those set, as documents.
    pub fn docs(&self) -> Vec<u32> {
        let mut docs = Vec::with_capacity(self.count());
        for (at, word) in self.words.iter().enumerate() {
            let (mut left, from) = (*word, (at * WORD) as u32); // places are below a segment's size, a u32
            while left != 0 {
                docs.push(from + left.trailing_zeros());
                left &= left - 1;
            }
        }
        docs
    }

    /// All of them, the first lowest.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// Sets what is set in the other.
    pub fn join(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
    }

    /// Clears what is not set in the other.
    pub fn meet(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= other);
    }

    /// Sets what is not set, and clears what is.
    pub fn flip(&mut self) {
        self.words.iter_mut().for_each(|word| *word = !*word);
        if let (Some(last), used @ 1..) = (self.words.last_mut(), self.len % WORD) {
            *last &= (1 << used) - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_do_what_flags_do() {
        for len in [0, 1, 63, 64, 65, 200] {
            let (third, even) = (|place: usize| place.is_multiple_of(3), |place: usize| place.is_multiple_of(2));
            let of = |is: &dyn Fn(usize) -> bool| {
                let mut bits = Bits::none(len);
                (0..len).for_each(|place| bits.set(place, is(place)));
                bits
            };
            let places = |is: &dyn Fn(usize) -> bool| (0..len).filter(|place| is(*place)).collect::<Vec<_>>();
            let (mut joined, mut met, mut flipped) = (of(&third), of(&third), of(&third));
            joined.join(&of(&even));
            met.meet(&of(&even));
            flipped.flip();
            for (bits, is) in [
                (&joined, &(|place| third(place) || even(place)) as &dyn Fn(usize) -> bool),
                (&met, &|place| third(place) && even(place)),
                (&flipped, &|place| !third(place)),
            ] {
                assert_eq!(bits.ones().collect::<Vec<_>>(), places(is), "{len}");
                assert_eq!(bits.docs(), places(is).iter().map(|place| *place as u32).collect::<Vec<_>>(), "{len}");
                assert_eq!(bits.count(), places(is).len());
                assert!((0..len).all(|place| bits.has(place) == is(place)));
            }
        }
    }
}
