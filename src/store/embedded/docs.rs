//! Docs: documents of one segment, and which of them pass a test.
//! - What passes is known without looking at each where that can be: all, or none.

use super::bits::Bits;

/// Documents looked at in one go.
pub const BLOCK: u32 = 1024;

/// Documents of one segment, ascending.
#[derive(Debug, Clone, PartialEq)]
pub enum Docs {
    /// The first so many: all there are.
    All(u32),
    /// These.
    Some(Vec<u32>),
}

impl Docs {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Self::All(all) => *all as usize,
            Self::Some(docs) => docs.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, each by its number in the segment.
    pub fn iter(&self) -> Box<dyn Iterator<Item = u32> + '_> {
        match self {
            Self::All(all) => Box::new(0..*all),
            Self::Some(docs) => Box::new(docs.iter().copied()),
        }
    }

    /// The document at a place in the list.
    pub fn at(&self, place: usize) -> u32 {
        match self {
            Self::All(_) => place as u32, // a place is below the number of documents, which is a u32
            Self::Some(docs) => docs[place],
        }
    }

    /// Those at the places whose bits are set.
    pub fn pick(self, places: &Bits) -> Self {
        match self {
            Self::All(all) if places.count() == all as usize => Self::All(all),
            Self::All(_) => Self::Some(places.docs()),
            Self::Some(docs) => Self::Some(places.ones().map(|place| docs[place]).collect()),
        }
    }

    /// Calls `each` with the place of the first and the documents of each block.
    pub fn blocks(&self, mut each: impl FnMut(usize, &[u32])) {
        match self {
            Self::Some(docs) => {
                for (at, block) in docs.chunks(BLOCK as usize).enumerate() {
                    each(at * BLOCK as usize, block);
                }
            }
            Self::All(all) => {
                let mut block = Vec::with_capacity(BLOCK as usize);
                for from in (0..*all).step_by(BLOCK as usize) {
                    block.clear();
                    block.extend(from..(*all).min(from + BLOCK));
                    each(from as usize, &block);
                }
            }
        }
    }
}

/// Which of a list of documents pass.
#[derive(Debug, Clone, PartialEq)]
pub enum Passing {
    /// All.
    All,
    /// None.
    None,
    /// By place.
    Some(Bits),
}

impl Passing {
    /// Those of `docs` that are among `matching`, some of them.
    pub fn among(docs: &Docs, matching: &Docs) -> Self {
        if matching.len() == docs.len() {
            return Self::All;
        }
        let mut passing = Bits::none(docs.len());
        places(docs, matching, |place| passing.set(place, true));
        Self::Some(passing)
    }

    /// Calls `each` with the places, of so many, that pass, ascending.
    pub fn each(&self, many: usize, each: impl FnMut(usize)) {
        match self {
            Self::All => (0..many).for_each(each),
            Self::None => {}
            Self::Some(passing) => passing.ones().for_each(each),
        }
    }

    /// Whether the document at a place passes.
    pub fn sees(&self, place: usize) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Some(passing) => passing.has(place),
        }
    }

    /// How many of so many documents pass.
    pub fn count(&self, docs: usize) -> usize {
        match self {
            Self::All => docs,
            Self::None => 0,
            Self::Some(passing) => passing.count(),
        }
    }

    /// Those that pass one or the other.
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, _) | (_, Self::All) => Self::All,
            (Self::None, one) | (one, Self::None) => one,
            (Self::Some(mut passing), Self::Some(more)) => {
                passing.join(&more);
                Self::Some(passing)
            }
        }
    }

    /// Those that pass both.
    pub fn and(self, other: &Self) -> Self {
        match (self, other) {
            (Self::None, _) | (_, Self::None) => Self::None,
            (Self::All, one) => one.clone(),
            (one, Self::All) => one,
            (Self::Some(mut passing), Self::Some(more)) => {
                passing.meet(more);
                Self::Some(passing)
            }
        }
    }

    /// Those that do not pass.
    pub fn not(self) -> Self {
        match self {
            Self::All => Self::None,
            Self::None => Self::All,
            Self::Some(mut passing) => {
                passing.flip();
                Self::Some(passing)
            }
        }
    }

    /// Those of `docs` that pass.
    pub fn keep(self, docs: Docs) -> Docs {
        match self {
            Self::All => docs,
            Self::None => Docs::Some(Vec::new()),
            Self::Some(passing) => docs.pick(&passing),
        }
    }
}

/// Those of `docs` that are among `found`, which ascend.
pub fn intersect(docs: Docs, found: Vec<u32>) -> Docs {
    match docs {
        Docs::All(_) => Docs::Some(found),
        Docs::Some(mut docs) => {
            docs.retain(|doc| found.binary_search(doc).is_ok());
            Docs::Some(docs)
        }
    }
}

/// Calls `each` with the places of `docs` that are among `matching`, ascending.
pub fn places(docs: &Docs, matching: &Docs, mut each: impl FnMut(usize)) {
    match (docs, matching) {
        (_, Docs::All(_)) => (0..docs.len()).for_each(each),
        (Docs::All(_), Docs::Some(matching)) => matching.iter().for_each(|doc| each(*doc as usize)),
        (Docs::Some(docs), Docs::Some(matching)) => {
            let mut place = 0;
            for doc in matching {
                while docs[place] != *doc {
                    place += 1;
                }
                each(place);
            }
        }
    }
}
