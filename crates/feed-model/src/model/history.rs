//! Every history that a feed can have in a scenario: a tree of places, each with the head that production code seals.
//!
//! A state then names a place with two bytes instead of carrying entries and hashes, and any branch a restored backup may
//! grow is there before the search begins.

use super::ledgers::draft;
use counterfoil_domain::revocation::{Chain, Epoch, FeedEntry, FeedHead, FeedPosition};
use std::collections::HashMap;

/// An entry of the feed, by what it says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Letter {
    /// Somebody else's sign-out, whose time is over before the others'.
    Other,
    /// Somebody else's sign-out that is kept to the end.
    Another,
    /// The sign-out that is watched.
    SignOut,
    /// Everything minted until then is refused: the first entry after an old backup.
    Cutoff,
}

impl Letter {
    /// Every one there is.
    pub const ALL: [Self; 4] = [Self::Other, Self::Another, Self::SignOut, Self::Cutoff];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of entries.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Letters(pub(super) u8);

impl Letters {
    /// How many sets there are.
    pub(super) const SETS: u8 = 16;

    pub(super) const fn with(self, letter: Letter) -> Self {
        Self(self.0 | letter.bit())
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it is one of them.
    pub const fn contains(self, letter: Letter) -> bool {
        self.0 & letter.bit() != 0
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Letter> {
        Letter::ALL.into_iter().filter(move |letter| self.contains(*letter))
    }
}

/// A place in one of the histories.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Place(u16);

#[derive(Debug)]
struct Node {
    head: FeedHead,
    before: Option<Place>,
    /// The entry that led here; none where an epoch begins.
    entry: Option<(Letter, FeedEntry)>,
    letters: Letters,
    written: [Option<Place>; Letter::ALL.len()],
    begun: Option<Place>,
}

/// Every history.
#[derive(Debug)]
pub(super) struct Histories {
    nodes: Vec<Node>,
    places: HashMap<FeedHead, Place>,
}

impl Histories {
    /// The empty feed of the first epoch.
    pub(super) const START: Place = Place(0);

    /// Everything that can be written with these entries, each once in a history, in two epochs. Cutoffs belong to the
    /// second.
    pub(super) fn of(letters: Letters) -> Self {
        let head = FeedHead { position: FeedPosition { epoch: Epoch(1), seq: 0 }, chain: Chain::default() };
        let mut histories = Self { nodes: Vec::new(), places: HashMap::new() };
        histories.add(head, None, None, Letters::default());
        histories.grow(Self::START, letters);
        histories
    }

    fn add(
        &mut self,
        head: FeedHead,
        before: Option<Place>,
        entry: Option<(Letter, FeedEntry)>,
        letters: Letters,
    ) -> Place {
        let place = Place(u16::try_from(self.nodes.len()).unwrap_or(u16::MAX));
        self.nodes.push(Node { head, before, entry, letters, written: [None; 4], begun: None });
        self.places.insert(head, place);
        place
    }

    fn grow(&mut self, from: Place, all: Letters) {
        let Some((head, written)) = self.node(from).map(|node| (node.head, node.letters)) else { return };
        let in_first_epoch = head.position.epoch == Epoch(1);
        for letter in all.iter().filter(|letter| !written.contains(*letter)) {
            if letter == Letter::Cutoff && in_first_epoch {
                continue;
            }
            let entry = FeedEntry::seal(&head, draft(letter));
            let place = self.add(entry.head, Some(from), Some((letter, entry)), written.with(letter));
            if let Some(slot) =
                self.nodes.get_mut(usize::from(from.0)).and_then(|node| node.written.get_mut(letter as usize))
            {
                *slot = Some(place);
            }
            self.grow(place, all);
        }
        if in_first_epoch {
            let position = FeedPosition { epoch: Epoch(2), ..head.position };
            let place = self.add(FeedHead { position, ..head }, Some(from), None, written);
            if let Some(node) = self.nodes.get_mut(usize::from(from.0)) {
                node.begun = Some(place);
            }
            self.grow(place, all);
        }
    }

    fn node(&self, place: Place) -> Option<&Node> {
        self.nodes.get(usize::from(place.0))
    }

    /// The head that stands for a place.
    pub(super) fn head(&self, place: Place) -> FeedHead {
        self.node(place).map_or_else(FeedHead::default, |node| node.head)
    }

    /// The place that a head stands for.
    pub(super) fn place(&self, head: &FeedHead) -> Option<Place> {
        self.places.get(head).copied()
    }

    pub(super) fn seq(&self, place: Place) -> i64 {
        self.head(place).position.seq
    }

    pub(super) fn epoch(&self, place: Place) -> Epoch {
        self.head(place).position.epoch
    }

    /// The place after one more entry.
    pub(super) fn write(&self, place: Place, letter: Letter) -> Option<Place> {
        self.node(place).and_then(|node| *node.written.get(letter as usize)?)
    }

    /// The place where the next epoch begins.
    pub(super) fn begin_epoch(&self, place: Place) -> Option<Place> {
        self.node(place).and_then(|node| node.begun)
    }

    /// What was written up to a place.
    pub(super) fn letters(&self, place: Place) -> Letters {
        self.node(place).map_or_else(Letters::default, |node| node.letters)
    }

    /// The place itself and every place before it, newest first.
    pub(super) fn back_from(&self, place: Place) -> impl Iterator<Item = Place> {
        std::iter::successors(Some(place), |place| self.node(*place)?.before)
    }

    /// Whether the history of `later` goes through `earlier`.
    pub(super) fn leads_to(&self, earlier: Place, later: Place) -> bool {
        self.back_from(later).any(|place| place == earlier)
    }

    /// The entries up to a place, oldest first, without those that were forgotten.
    pub(super) fn entries(&self, place: Place, forgotten: Letters) -> Vec<FeedEntry> {
        let nodes = self.back_from(place).filter_map(|place| self.node(place));
        let entries = nodes.filter_map(|node| node.entry.as_ref());
        let mut entries: Vec<FeedEntry> =
            entries.filter(|(letter, _)| !forgotten.contains(*letter)).map(|(_, entry)| entry.clone()).collect();
        entries.reverse();
        entries
    }

    /// What an entry says.
    pub(super) fn letter(&self, entry: &FeedEntry) -> Option<Letter> {
        let node = self.node(self.place(&entry.head)?)?;
        node.entry.as_ref().map(|(letter, _)| *letter)
    }
}
