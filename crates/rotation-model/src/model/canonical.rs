//! The canonical form: states that cannot be told apart by anything that may still happen become one.
//!
//! The rule looks at serials and instants in two ways only: it compares them with one another, and it asks whether they
//! are at most one retry window ago. So two changes lose nothing: an offset older than the window is replaced by its
//! rank among such offsets, and so is one far in the future (which only a clock that went back makes).

use super::state::{HOURS, Offset, Request, State, TABS_MAX, Tab};

/// Where the ranks of the far future begin.
const FAR: Offset = HOURS;
/// Room between two ranks of the far future: serials minted there must fall between them, not upon them.
const FAR_STEP: Offset = 1_000;
/// Most offsets that a state holds: two rows, three bounds, and what tabs, requests and thief hold.
const OFFSETS_MAX: usize = 32;

impl State {
    /// The canonical form, for a retry window of this many milliseconds.
    #[must_use]
    pub fn canonical(mut self, retry_window: Offset) -> Self {
        let old = |offset: Offset| offset < -retry_window;
        let far = |offset: Offset| offset > 10 * retry_window;
        // These two are only ever compared with the clock, so their rank says nothing.
        for instant in [&mut self.row.given, &mut self.handed_at] {
            if old(*instant) {
                *instant = Offset::MIN;
            }
        }
        let mut offsets = Sorted::default();
        self.each_offset(|offset| offsets.add(*offset));
        self.each_offset(|offset| {
            if *offset == Offset::MIN {
                *offset = -retry_window - 1;
            } else if old(*offset) {
                let newer = offsets.count(|other| *offset < other && old(other));
                *offset = -retry_window - 2 - newer;
            } else if far(*offset) {
                *offset = FAR + FAR_STEP * offsets.count(|other| far(other) && other < *offset);
            }
        });
        self.sort_what_has_no_order();
        self
    }

    /// Requests have no order, and tabs are alike: which of them is "first" is no difference.
    fn sort_what_has_no_order(&mut self) {
        let mut order = [0_u8, 1, 2];
        let request_of = |tab: u8| self.requests.iter().flatten().find(|request| request.tab == Some(tab)).copied();
        let key = |tab: &u8| (self.tabs.get(usize::from(*tab)).copied(), request_of(*tab).map(Request::without_tab));
        order.sort_by_key(key);
        let mut tabs = [Tab::Idle; TABS_MAX];
        for (place, tab) in tabs.iter_mut().zip(order) {
            *place = self.tabs.get(usize::from(tab)).copied().unwrap_or(Tab::Idle);
        }
        self.tabs = tabs;
        for request in self.requests.iter_mut().flatten() {
            request.tab =
                request.tab.and_then(|tab| order.iter().zip(0..).find(|(old, _)| **old == tab).map(|(_, new)| new));
        }
        // `None` sorts first; which end the free places are at makes no difference.
        self.requests.sort_unstable();
    }
}

impl Request {
    const fn without_tab(self) -> (Offset, u8) {
        (self.presented, self.age)
    }
}

/// The different offsets of a state.
struct Sorted {
    offsets: [Offset; OFFSETS_MAX],
    len: usize,
}

impl Default for Sorted {
    fn default() -> Self {
        Self { offsets: [0; OFFSETS_MAX], len: 0 }
    }
}

impl Sorted {
    fn known(&self) -> &[Offset] {
        self.offsets.get(..self.len).unwrap_or(&self.offsets)
    }

    fn add(&mut self, offset: Offset) {
        if !self.known().contains(&offset)
            && let Some(place) = self.offsets.get_mut(self.len)
        {
            *place = offset;
            self.len += 1;
        }
    }

    fn count(&self, fits: impl Fn(Offset) -> bool) -> Offset {
        let count = self.known().iter().filter(|offset| fits(**offset)).count();
        Offset::try_from(count).unwrap_or(Offset::MAX)
    }
}
