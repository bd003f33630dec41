//! Taking turns: what waits is served round and round between those who wait, not in the order of arrival.
//!
//! In one queue for all, whoever sends the most is served the most, and whoever fills it keeps everybody else out. Here
//! each party has a queue of its own, and parties may be made of parties in turn. Two rules:
//!
//! - The next turn is the party's that has waited for one the longest; newcomers line up behind those who are there.
//! - When somebody has to go, it is the newest of the party that holds the most, never somebody of a party that holds
//!   less.
//!
//! So a party that asks once waits for at most one turn of each other party, whatever those hold.

use std::collections::VecDeque;

/// What waits for its turn, `T` each.
pub(super) struct Turns<T> {
    waiting: usize,
    /// In the order of their turns. None is empty.
    parties: VecDeque<(u64, Self)>,
    /// What waits here itself, where a path ends.
    items: VecDeque<T>,
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Self { waiting: 0, parties: VecDeque::new(), items: VecDeque::new() }
    }
}

impl<T> Turns<T> {
    /// How many wait.
    pub(super) const fn len(&self) -> usize {
        self.waiting
    }

    /// Lines up `item` for the party at `path`, the widest party first. All paths are equally long.
    pub(super) fn line_up(&mut self, path: &[u64], item: T) {
        self.waiting += 1;
        let Some((party, rest)) = path.split_first() else {
            self.items.push_back(item);
            return;
        };
        if let Some((_, turns)) = self.parties.iter_mut().find(|(known, _)| known == party) {
            turns.line_up(rest, item);
            return;
        }
        let mut turns = Self::default();
        turns.line_up(rest, item);
        self.parties.push_back((*party, turns));
    }

    /// Takes what comes next; its party goes to the end of the line.
    pub(super) fn take_next(&mut self) -> Option<T> {
        let item = match self.parties.pop_front() {
            Some((party, mut turns)) => {
                let item = turns.take_next();
                if turns.waiting > 0 {
                    self.parties.push_back((party, turns));
                }
                item
            }
            None => self.items.pop_front(),
        }?;
        self.waiting -= 1;
        Some(item)
    }

    /// Takes out whoever has to go: the newest of the party that holds the most. Of parties that hold as much, it is
    /// the one whose turn is the furthest away.
    pub(super) fn take_out_of_the_largest(&mut self) -> Option<T> {
        let largest = self.parties.iter().enumerate().max_by_key(|(_, (_, turns))| turns.waiting);
        let item = match largest.map(|(place, _)| place) {
            Some(place) => {
                let (_, turns) = self.parties.get_mut(place)?;
                let item = turns.take_out_of_the_largest();
                if turns.waiting == 0 {
                    self.parties.remove(place);
                }
                item
            }
            None => self.items.pop_back(),
        }?;
        self.waiting -= 1;
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines these up, each named `<party><number>`.
    fn lined_up(items: &[&'static str]) -> Turns<&'static str> {
        let mut turns = Turns::default();
        for item in items {
            turns.line_up(&[u64::from(item.as_bytes()[0])], *item);
        }
        turns
    }

    fn served(mut turns: Turns<&'static str>) -> Vec<&'static str> {
        std::iter::from_fn(|| turns.take_next()).collect()
    }

    #[test]
    fn who_asks_once_waits_for_one_turn_of_each_other() {
        let turns = lined_up(&["a1", "a2", "a3", "a4", "b1", "b2", "c1"]);
        assert_eq!(turns.len(), 7);
        assert_eq!(served(turns), ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]);
    }

    #[test]
    fn coming_back_at_once_gains_nothing() {
        let mut turns = lined_up(&["a1", "b1", "c1"]);
        assert_eq!(turns.take_next(), Some("a1"));
        turns.line_up(&[u64::from(b'a')], "a2");
        assert_eq!(served(turns), ["b1", "c1", "a2"]);
    }

    #[test]
    fn the_newest_of_the_largest_party_has_to_go() {
        let mut turns = lined_up(&["a1", "a2", "a3", "b1", "b2", "c1"]);
        let gone: Vec<_> = std::iter::from_fn(|| turns.take_out_of_the_largest()).collect();
        // Down to one each it is the one that would be served last.
        assert_eq!(gone, ["a3", "b2", "a2", "c1", "b1", "a1"]);
        assert_eq!(turns.len(), 0);
    }

    #[test]
    fn a_party_of_parties_has_one_turn_which_they_share() {
        let mut turns = Turns::default();
        for (path, item) in [([1, 1], "a"), ([1, 1], "A"), ([1, 2], "b"), ([1, 3], "c"), ([2, 9], "z"), ([2, 9], "Z")] {
            turns.line_up(&path, item);
        }
        let order: Vec<_> = std::iter::from_fn(|| turns.take_next()).collect();
        assert_eq!(order, ["a", "z", "b", "Z", "c", "A"]);
    }

    #[test]
    fn within_the_largest_party_the_largest_has_to_go_first() {
        let mut turns = Turns::default();
        for (path, item) in [([1, 1], "a"), ([1, 2], "b"), ([1, 2], "B"), ([2, 9], "z"), ([2, 9], "Z")] {
            turns.line_up(&path, item);
        }
        assert_eq!(turns.take_out_of_the_largest(), Some("B"));
    }
}
