//! What a power loss leaves of a tree: all that was synced, and of the rest what the dice say.
//! - By the dice one of four: nothing of it, all of it (a kill, no more), its beginning (the last write torn at any byte),
//!   or each by itself: names kept or not, blocks new or old.
//! - A move survives with what brought its file to where it was moved from: no journal of names forgets half a move.

use super::dice::Dice;
use super::tree::{BLOCK, Bytes, Change, Edit, Inode, Kind, Names, Node, ROOT, Tree};
use std::collections::{BTreeMap, BTreeSet};

/// How much survives of what was not synced.
#[derive(Debug, Clone, Copy)]
enum Survival {
    Nothing,
    Everything,
    Beginning,
    EachByItself,
}

impl Survival {
    fn roll(dice: &mut Dice) -> Self {
        match dice.below(4) {
            0 => Self::Nothing,
            1 => Self::Everything,
            2 => Self::Beginning,
            _ => Self::EachByItself,
        }
    }
}

/// The tree after the power was lost, and what became of the unsynced, in words.
pub fn lose(tree: Tree, dice: &mut Dice) -> (Tree, String) {
    let (names, bytes) = (Survival::roll(dice), Survival::roll(dice));
    let Tree { mut nodes, changes, room, .. } = tree;
    let told = format!("{} unsynced names: {names:?} survives; unsynced bytes: {bytes:?}", changes.len());
    for change in surviving(changes, names, dice) {
        change.apply(&mut nodes);
    }
    let reached = reachable(&nodes);
    let mut left = BTreeMap::new();
    for (inode, node) in nodes.into_iter().filter(|(inode, _)| reached.contains_key(inode)) {
        let kind = match node.kind {
            Kind::Folder { synced, .. } => Kind::Folder { written: synced.clone(), synced },
            Kind::File(file) => {
                let kept = contents(file, bytes, dice);
                Kind::File(Bytes { written: kept.clone(), synced: kept, unsynced: Vec::new() })
            }
        };
        let mut kept = Node::new(kind, node.mode, node.area);
        kept.names = reached[&inode];
        left.insert(inode, kept);
    }
    (Tree::of(left, room), told)
}

fn surviving(changes: Vec<Change>, survival: Survival, dice: &mut Dice) -> Vec<Change> {
    let count = changes.len();
    let mut kept: Vec<bool> = match survival {
        Survival::Nothing => vec![false; count],
        Survival::Everything => vec![true; count],
        Survival::Beginning => {
            let end = dice.below(count + 1);
            (0..count).map(|at| at < end).collect()
        }
        Survival::EachByItself => (0..count).map(|_| dice.one_in(2)).collect(),
    };
    for at in (0..count).rev() {
        if let (Change::Moved { inode, .. }, true) = (&changes[at], kept[at]) {
            for before in 0..at {
                kept[before] |= matches!(
                    &changes[before],
                    Change::Named { inode: other, .. } | Change::Moved { inode: other, .. } if other == inode
                );
            }
        }
    }
    changes.into_iter().zip(kept).filter_map(|(change, kept)| kept.then_some(change)).collect()
}

/// How many names everything has that is reached by synced names.
fn reachable(nodes: &BTreeMap<Inode, Node>) -> BTreeMap<Inode, u32> {
    let mut reached = BTreeMap::from([(ROOT, 1)]);
    let mut todo = vec![ROOT];
    let mut seen = BTreeSet::new();
    while let Some(folder) = todo.pop() {
        let Kind::Folder { synced, .. } = &nodes[&folder].kind else { continue };
        assert!(seen.insert(folder), "folder {folder} is in two places");
        let synced: &Names = synced;
        for inode in synced.values() {
            *reached.entry(*inode).or_insert(0) += 1;
            if matches!(nodes[inode].kind, Kind::Folder { .. }) {
                todo.push(*inode);
            }
        }
    }
    reached
}

fn contents(file: Bytes, survival: Survival, dice: &mut Dice) -> Vec<u8> {
    let Bytes { mut synced, unsynced, .. } = file;
    let whole = match survival {
        Survival::Nothing => 0,
        Survival::Everything => unsynced.len(),
        Survival::Beginning => dice.below(unsynced.len() + 1),
        Survival::EachByItself => return mixed(synced, &unsynced, dice),
    };
    unsynced[..whole].iter().for_each(|edit| edit.apply(&mut synced));
    if let (Survival::Beginning, Some(Edit::Write { at, bytes })) = (survival, unsynced.get(whole)) {
        let torn = bytes[..dice.below(bytes.len() + 1)].to_vec();
        Edit::Write { at: *at, bytes: torn }.apply(&mut synced);
    }
    synced
}

/// Each block as it was synced, or as it was written; the length either way.
fn mixed(synced: Vec<u8>, unsynced: &[Edit], dice: &mut Dice) -> Vec<u8> {
    let mut written = synced.clone();
    unsynced.iter().for_each(|edit| edit.apply(&mut written));
    let bytes = if dice.one_in(2) { synced.len() } else { written.len() };
    let mut mixed = vec![0; bytes];
    for from in (0..bytes).step_by(BLOCK as usize) {
        let source = if dice.one_in(2) { &synced } else { &written };
        let to = (from + BLOCK as usize).min(bytes);
        let end = to.min(source.len());
        if from < end {
            mixed[from..end].copy_from_slice(&source[from..end]);
        }
    }
    mixed
}
