//! Weights: how often pages followed each other, by the pages' numbers: there may be millions of pairs.

use super::{ENTRY, EXIT, Edge, Node, Way};
use crate::store::StoreError;
use crate::store::plan::Limits;
use rustc_hash::{FxHashMap, FxHashSet};
use std::cmp::Reverse;
use std::sync::Arc;

/// Memory of a page without its name: its place in a list and in a map, which is never full, and two counters.
const PAGE_BYTES: usize = 80;
/// Memory of an edge: its place in a map, which is never full, then in a list.
const EDGE_BYTES: usize = 56;
/// The number of [`ENTRY`].
pub(super) const ENTRY_NUMBER: u32 = 0;
/// The number of [`EXIT`].
pub(super) const EXIT_NUMBER: u32 = 1;

/// Pages, numbered as they come.
#[derive(Debug)]
pub(super) struct Pages {
    names: Vec<Arc<str>>,
    numbers: foldhash::HashMap<Arc<str>, u32>,
    bytes: usize,
}

impl Default for Pages {
    fn default() -> Self {
        let mut pages = Self { names: Vec::new(), numbers: foldhash::HashMap::default(), bytes: 0 };
        pages.number(ENTRY);
        pages.number(EXIT);
        pages
    }
}

impl Pages {
    /// The number of a page, a new one if it is new.
    pub(super) fn number(&mut self, page: &str) -> u32 {
        if let Some(number) = self.numbers.get(page) {
            return *number;
        }
        let number = self.names.len() as u32; // pages are fewer than events, which are bounded far below a u32
        let name: Arc<str> = page.into();
        self.bytes += PAGE_BYTES + name.len();
        self.names.push(name.clone());
        self.numbers.insert(name, number);
        number
    }

    /// An error where they, and so many edges beside them, take more than a question may hold.
    pub(super) fn check(&self, edges: usize, limits: &Limits) -> Result<(), StoreError> {
        match self.bytes.saturating_add(edges.saturating_mul(EDGE_BYTES)) > limits.bytes_max {
            true => Err(StoreError::Limit { operation: "flows", limit: limits.bytes_max as u64, of: "bytes of edges" }),
            false => Ok(()),
        }
    }

    /// The number of a page that came.
    pub(super) fn find(&self, page: &str) -> Option<u32> {
        self.numbers.get(page).copied()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    fn name(&self, number: u32) -> String {
        self.names[number as usize].to_string()
    }

    /// The place of each in the order of their names.
    fn ranks(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.names.len() as u32).collect();
        order.sort_unstable_by_key(|number| &self.names[*number as usize]);
        let mut ranks = vec![0; order.len()];
        (0..).zip(order).for_each(|(rank, number)| ranks[number as usize] = rank);
        ranks
    }
}

/// How often one page followed another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weight {
    /// Which step from the page that was asked for, or to it.
    pub(super) step: usize,
    /// The page before.
    pub(super) from: u32,
    /// The page after.
    pub(super) to: u32,
    /// How often.
    pub(super) weight: u64,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Weights {
    /// What numbers stand for.
    pub(super) pages: Pages,
    /// In no order.
    pub(super) edges: Vec<Weight>,
}

impl Weights {
    /// How often any page followed another.
    pub(super) fn total(&self) -> u64 {
        self.edges.iter().map(|edge| edge.weight).sum()
    }

    /// The heaviest edges, ties by step and text, and what flows through their ends.
    pub(super) fn shown(mut self, way: &Way, limit: usize) -> (Vec<Edge>, Vec<Node>) {
        let is_whole = *way == Way::Whole;
        // The pages before and after an edge, by their steps from the page that was asked for.
        let ends = |edge: &Weight| match way {
            Way::Whole => [(0, edge.from), (0, edge.to)],
            Way::From(_) => [(edge.step - 1, edge.from), (edge.step, edge.to)],
            Way::To(_) => [(edge.step, edge.from), (edge.step - 1, edge.to)],
        };
        let mut flows: FxHashMap<(usize, u32), (u64, u64)> = FxHashMap::default();
        for edge in &self.edges {
            let [before, after] = ends(edge);
            flows.entry(before).or_default().1 += edge.weight;
            flows.entry(after).or_default().0 += edge.weight;
        }
        let ranks = self.pages.ranks();
        let rank = |number: u32| ranks[number as usize];
        let order = |edge: &Weight| (Reverse(edge.weight), edge.step, rank(edge.from), rank(edge.to));
        if limit < self.edges.len() {
            self.edges.select_nth_unstable_by_key(limit, order);
            self.edges.truncate(limit);
        }
        self.edges.sort_unstable_by_key(order);
        let shown: FxHashSet<(usize, u32)> = self.edges.iter().flat_map(ends).collect();
        let mut shown: Vec<_> = shown.into_iter().map(|node| (node, flows[&node])).collect();
        shown.sort_unstable_by_key(|((step, page), (into, out))| (Reverse(*into.max(out)), *step, rank(*page)));
        let step = |step: usize| (!is_whole).then_some(step);
        let nodes = shown.into_iter().map(|((at, page), (into, out))| Node {
            step: step(at),
            page: self.pages.name(page),
            weight: into.max(out),
        });
        let edges = self.edges.iter().map(|edge| Edge {
            step: step(edge.step),
            from: self.pages.name(edge.from),
            to: self.pages.name(edge.to),
            weight: edge.weight,
        });
        (edges.collect(), nodes.collect())
    }
}
