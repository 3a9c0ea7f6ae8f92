//! The search for an order: depth first over what may come next, with a memory of where it has been.
//!
//! What may come next is every operation that began before the first end of those still open. Two
//! ways that lead to the same set of operations and the same state are one (Lowe), so the second is
//! not gone. A set is kept as the first open operation and a window of bits after it, since no
//! operation behind the window can be in it; so memory does not grow with the length of a history.

use std::collections::{HashMap, HashSet};

use super::Effort;
use super::model::{Claim, Model};
use crate::operation::{Ask, Operation, Value};

/// The longest order is kept for histories up to this length.
const ORDER_KEPT_MAX: usize = 128;

/// An operation, as far as a search knows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) number: usize,
    pub(super) operation: &'a Operation,
    /// Whether its answer lies behind the end of the part of the history that is looked at.
    pub(super) is_cut: bool,
}

impl<'a> Part<'a> {
    pub(super) fn new(number: usize, operation: &'a Operation) -> Self {
        Self {
            number,
            operation,
            is_cut: false,
        }
    }

    pub(super) fn seen(&self) -> Option<&'a Value> {
        match self.is_cut {
            true => None,
            false => self.operation.seen().map(|seen| &seen.value),
        }
    }

    pub(super) fn claim(&self) -> Claim<'a> {
        Claim {
            ask: &self.operation.ask,
            seen: self.seen(),
        }
    }
}

/// What a search found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer<S> {
    Fits,
    Impossible(Longest<S>),
    GaveUp,
}

/// The longest order that fits, as places in the parts, with the state that it leaves and what could
/// have come next. Empty for a long history.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Longest<S> {
    pub(super) order: Vec<usize>,
    pub(super) state: S,
    pub(super) next: Vec<usize>,
}

/// Looks for an order of `parts`, which are sorted by their begin. Tells the steps that it took.
pub(super) fn search<M: Model>(
    model: &M,
    key: &str,
    parts: &[Part<'_>],
    effort: Effort,
) -> (Answer<M::State>, u64) {
    let state = model.initial(key);
    let mut search = Search {
        model,
        parts,
        effort,
        board: Board::new(parts),
        been: HashSet::new(),
        stack: Vec::new(),
        longest: Longest {
            order: Vec::new(),
            state: state.clone(),
            next: Vec::new(),
        },
        state,
        steps: 0,
    };
    search.note_longest();
    let answer = search.run();
    (answer, search.steps)
}

struct Search<'a, M: Model> {
    model: &'a M,
    parts: &'a [Part<'a>],
    effort: Effort,
    board: Board<'a>,
    been: HashSet<(Place, M::State)>,
    stack: Vec<Frame<M::State>>,
    state: M::State,
    longest: Longest<M::State>,
    steps: u64,
}

/// What was taken, and where to go on when it turns out to be wrong.
struct Frame<S> {
    taken: Candidate,
    cursor: Cursor,
    before: S,
}

impl<M: Model> Search<'_, M> {
    fn run(&mut self) -> Answer<M::State> {
        let mut cursor = self.board.start();
        while !self.board.is_done() {
            if self.steps >= self.effort.steps || self.been.len() >= self.effort.states {
                return Answer::GaveUp;
            }
            if let Some(candidate) = self.board.next(&mut cursor) {
                if self.takes(candidate, cursor) {
                    self.note_longest();
                    cursor = self.board.start();
                }
            } else if let Some(frame) = self.stack.pop() {
                self.board.put_back(frame.taken);
                self.state = frame.before;
                cursor = frame.cursor;
            } else {
                let state = self.state.clone();
                let none = Longest {
                    order: Vec::new(),
                    state,
                    next: Vec::new(),
                };
                return Answer::Impossible(std::mem::replace(&mut self.longest, none));
            }
        }
        Answer::Fits
    }

    /// Whether the candidate fits and leads to where the search has not been.
    fn takes(&mut self, candidate: Candidate, cursor: Cursor) -> bool {
        self.steps += 1;
        let claim = self.parts[self.board.place(candidate)].claim();
        let Some(after) = self.model.step(&self.state, claim) else {
            return false;
        };
        // What nobody waits for and changes nothing may as well come later.
        if matches!(candidate, Candidate::Open(_)) && after == self.state {
            return false;
        }
        self.board.take(candidate);
        if !self.board.is_done() && !self.been.insert((self.board.key(), after.clone())) {
            self.board.put_back(candidate);
            return false;
        }
        let before = std::mem::replace(&mut self.state, after);
        self.stack.push(Frame {
            taken: candidate,
            cursor,
            before,
        });
        true
    }

    fn note_longest(&mut self) {
        let longer = self.stack.len() > self.longest.order.len() || self.stack.is_empty();
        if self.parts.len() > ORDER_KEPT_MAX || !longer {
            return;
        }
        let mut cursor = self.board.start();
        let next = std::iter::from_fn(|| self.board.next(&mut cursor));
        let next = next.map(|candidate| self.board.place(candidate)).collect();
        let taken = self.stack.iter().map(|frame| frame.taken);
        self.longest = Longest {
            order: taken.map(|taken| self.board.place(taken)).collect(),
            state: self.state.clone(),
            next,
        };
    }
}

/// An operation that must be in the order, or one with an open outcome that may be; by its place in
/// its list, from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Candidate {
    Sure(usize),
    Open(usize),
}

/// Where a walk over the candidates stands.
#[derive(Debug, Clone, Copy)]
struct Cursor {
    last: Candidate,
    /// The first end among the operations that it has passed.
    first_end_us: u64,
}

/// The first operation that is not in the order, and bits for all that can be.
type Place = (usize, Box<[u64]>);

/// What is still to be put in order.
struct Board<'a> {
    parts: &'a [Part<'a>],
    sure: Row,
    open: Row,
    /// For each sure operation, how many of them began before it ended.
    reach: Vec<usize>,
    /// For each open operation, one before it that asks the same. It goes first, since it can stand
    /// wherever the later one can.
    twin: Vec<Option<usize>>,
}

impl<'a> Board<'a> {
    fn new(parts: &'a [Part<'a>]) -> Self {
        let is_sure = |place: &usize| parts[*place].seen().is_some();
        let (sure, open): (Vec<usize>, Vec<usize>) = (0..parts.len()).partition(is_sure);
        let began = |end_us: u64| sure.partition_point(|&p| parts[p].operation.begin_us <= end_us);
        let reach = sure
            .iter()
            .map(|&p| began(parts[p].operation.end_us))
            .collect();
        let mut last: HashMap<&Ask, usize> = HashMap::new();
        let asks = open.iter().map(|&place| &parts[place].operation.ask);
        let twin = (1..)
            .zip(asks)
            .map(|(at, ask)| last.insert(ask, at))
            .collect();
        Self {
            parts,
            sure: Row::new(sure),
            open: Row::new(open),
            reach,
            twin,
        }
    }

    fn is_done(&self) -> bool {
        self.sure.first() == 0
    }

    fn start(&self) -> Cursor {
        Cursor {
            last: Candidate::Sure(0),
            first_end_us: u64::MAX,
        }
    }

    /// The next operation that may come next; the sure ones first.
    fn next(&self, cursor: &mut Cursor) -> Option<Candidate> {
        if let Candidate::Sure(last) = cursor.last {
            let at = self.sure.next[last];
            if at > 0 {
                let operation = self.parts[self.sure.places[at - 1]].operation;
                if operation.begin_us <= cursor.first_end_us {
                    cursor.first_end_us = cursor.first_end_us.min(operation.end_us);
                    cursor.last = Candidate::Sure(at);
                    return Some(cursor.last);
                }
            }
            cursor.last = Candidate::Open(0);
        }
        let Candidate::Open(mut last) = cursor.last else {
            return None;
        };
        loop {
            last = self.open.next[last];
            if last == 0 {
                return None;
            }
            let begin_us = self.parts[self.open.places[last - 1]].operation.begin_us;
            if begin_us > cursor.first_end_us {
                return None;
            }
            if self.twin[last - 1].is_none_or(|twin| self.open.is_taken(twin)) {
                cursor.last = Candidate::Open(last);
                return Some(cursor.last);
            }
        }
    }

    fn place(&self, candidate: Candidate) -> usize {
        match candidate {
            Candidate::Sure(at) => self.sure.places[at - 1],
            Candidate::Open(at) => self.open.places[at - 1],
        }
    }

    fn take(&mut self, candidate: Candidate) {
        match candidate {
            Candidate::Sure(at) => self.sure.take(at),
            Candidate::Open(at) => self.open.take(at),
        }
    }

    fn put_back(&mut self, candidate: Candidate) {
        match candidate {
            Candidate::Sure(at) => self.sure.put_back(at),
            Candidate::Open(at) => self.open.put_back(at),
        }
    }

    /// Not to be asked when nothing is left.
    fn key(&self) -> Place {
        let first = self.sure.first();
        let window = &self.sure.taken[first / 64..=self.reach[first - 1] / 64];
        let bits = window.iter().chain(&self.open.taken).copied().collect();
        (first, bits)
    }
}

/// A list in which what is taken out can be put back at its place (Knuth's dancing links). Places
/// count from one; zero is both ends.
struct Row {
    places: Vec<usize>,
    next: Vec<usize>,
    before: Vec<usize>,
    taken: Vec<u64>,
}

impl Row {
    fn new(places: Vec<usize>) -> Self {
        let last = places.len();
        Self {
            next: (1..=last).chain([0]).collect(),
            before: [last].into_iter().chain(0..last).collect(),
            taken: vec![0; last / 64 + 1],
            places,
        }
    }

    fn first(&self) -> usize {
        self.next[0]
    }

    fn is_taken(&self, at: usize) -> bool {
        self.taken[at / 64] & (1 << (at % 64)) != 0
    }

    fn take(&mut self, at: usize) {
        let (before, next) = (self.before[at], self.next[at]);
        self.next[before] = next;
        self.before[next] = before;
        self.taken[at / 64] |= 1 << (at % 64);
    }

    /// Only what was taken last.
    fn put_back(&mut self, at: usize) {
        let (before, next) = (self.before[at], self.next[at]);
        self.next[before] = at;
        self.before[next] = at;
        self.taken[at / 64] &= !(1 << (at % 64));
    }
}
