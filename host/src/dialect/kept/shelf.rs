//! Where states lie: what is too old goes, and the oldest when there is too much. Looking at one makes it young again, since a
//! conversation sends all it has said with each of its calls.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Key, State};

/// What a state costs beside its texts, about.
const OVERHEAD: usize = 256;

/// States by their keys.
#[derive(Debug)]
pub(super) struct Shelf {
    time: Duration,
    room: usize,
    states: HashMap<Key, Placed>,
    /// In the order in which they go, with the time at which they were put there: of several for one key the last counts.
    order: VecDeque<(Key, Instant)>,
    bytes: usize,
}

#[derive(Debug)]
struct Placed {
    state: Arc<State>,
    since: Instant,
    bytes: usize,
}

impl Shelf {
    /// An empty one: states stay for `time`, and take at most `room` bytes together.
    pub(super) fn new(time: Duration, room: usize) -> Self {
        Self {
            time,
            room,
            states: HashMap::new(),
            order: VecDeque::new(),
            bytes: 0,
        }
    }

    /// Sets the bounds anew.
    pub(super) fn bound(&mut self, time: Duration, room: usize, now: Instant) {
        (self.time, self.room) = (time, room);
        self.tidy(now);
    }

    /// True if nothing is there.
    pub(super) fn is_empty(&self) -> bool {
        self.states.is_empty()
    }

    /// Puts a state there.
    pub(super) fn put(&mut self, key: Key, state: State, now: Instant) {
        let bytes = state.bytes() + OVERHEAD;
        if bytes > self.room {
            return;
        }
        let placed = Placed {
            state: Arc::new(state),
            since: now,
            bytes,
        };
        if let Some(before) = self.states.insert(key, placed) {
            self.bytes -= before.bytes;
        }
        self.bytes += bytes;
        self.order.push_back((key, now));
        self.tidy(now);
    }

    /// The state of this key.
    pub(super) fn get(&mut self, key: &Key, now: Instant) -> Option<Arc<State>> {
        self.tidy(now);
        let placed = self.states.get_mut(key)?;
        // Not each time: the order would grow with every look.
        if now.duration_since(placed.since) > self.time / 4 {
            placed.since = now;
            self.order.push_back((*key, now));
        }
        Some(placed.state.clone())
    }

    /// Lets go what is too old, and the oldest of what is too much.
    fn tidy(&mut self, now: Instant) {
        while let Some((key, since)) = self.order.front() {
            if now.duration_since(*since) < self.time && self.bytes <= self.room {
                return;
            }
            if self.states.get(key).is_some_and(|placed| placed.since == *since)
                && let Some(gone) = self.states.remove(key)
            {
                self.bytes -= gone.bytes;
            }
            self.order.pop_front();
        }
    }
}

impl State {
    fn bytes(&self) -> usize {
        let own = |fields: &super::Own| fields.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
        let calls = self.calls.iter().map(|(id, fields)| id.len() + own(fields));
        own(&self.message) + calls.sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{OVERHEAD, Shelf, State};

    const MINUTE: Duration = Duration::from_mins(1);

    fn state(bytes: usize) -> State {
        State {
            message: vec![("".into(), "x".repeat(bytes).into())],
            calls: Vec::new(),
        }
    }

    #[test]
    fn what_is_too_old_is_gone_unless_it_was_looked_at() {
        let (mut shelf, start) = (Shelf::new(MINUTE, 1 << 20), Instant::now());
        shelf.put([1; 32], state(1), start);
        shelf.put([2; 32], state(1), start);
        assert!(shelf.get(&[1; 32], start + MINUTE / 2).is_some());
        assert!(shelf.get(&[2; 32], start + MINUTE).is_none());
        assert!(shelf.get(&[1; 32], start + MINUTE).is_some());
        assert!(shelf.get(&[1; 32], start + 3 * MINUTE).is_none());
        assert_eq!((shelf.bytes, shelf.is_empty(), shelf.order.len()), (0, true, 0));
    }

    #[test]
    fn the_oldest_makes_room_and_what_would_take_all_of_it_is_not_taken() {
        let (mut shelf, now) = (Shelf::new(MINUTE, 3 * (OVERHEAD + 10)), Instant::now());
        for key in 0..4 {
            shelf.put([key; 32], state(10), now);
        }
        assert!(shelf.get(&[0; 32], now).is_none());
        assert!((1..4).all(|key| shelf.get(&[key; 32], now).is_some()));
        shelf.put([9; 32], state(1 << 20), now);
        assert!(shelf.get(&[9; 32], now).is_none() && shelf.get(&[3; 32], now).is_some());
    }

    #[test]
    fn one_that_is_put_there_again_is_counted_once() {
        let (mut shelf, now) = (Shelf::new(MINUTE, 1 << 20), Instant::now());
        shelf.put([1; 32], state(10), now);
        shelf.put([1; 32], state(20), now + MINUTE / 2);
        assert_eq!(shelf.bytes, OVERHEAD + 20);
        assert!(shelf.get(&[1; 32], now + MINUTE).is_some());
    }
}
