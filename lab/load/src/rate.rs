//! How many requests a second are wanted, over time: piecewise constant, and changeable.
//!
//! Arrivals are placed by how many were expected before them, so a change of the rate moves those
//! that are still to come and none is lost or doubled.

use std::time::Duration;

/// The highest rate that may be asked for, in requests per second.
pub const RATE_MAX: f64 = 10_000_000.0;

/// Requests per second over time, from the start on.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Sorted by `from`; never empty; the first is from zero.
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Piece {
    /// Seconds since the start.
    from: f64,
    /// Requests per second.
    rate: f64,
    /// How many are expected before `from`.
    before: f64,
}

/// Another rate for a while.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spike {
    /// Requests per second while it lasts.
    pub rate: f64,
    /// When it begins, after the start.
    pub at: Duration,
    /// How long it lasts.
    pub lasts: Duration,
}

impl Profile {
    /// Always `rate` requests per second; zero is a pause.
    #[must_use]
    pub fn constant(rate: f64) -> Self {
        Self::of(vec![(0.0, rate)])
    }

    /// One rate after the other, `each` long; the last one stays.
    #[must_use]
    pub fn steps(rates: &[f64], each: Duration) -> Self {
        let starts = (0..u32::MAX).map(|step| each.as_secs_f64() * f64::from(step));
        let pieces: Vec<_> = starts.zip(rates.iter().copied()).collect();
        match pieces.is_empty() {
            true => Self::constant(0.0),
            false => Self::of(pieces),
        }
    }

    /// This profile, but with another rate during `spike`.
    #[must_use]
    pub fn with_spike(self, spike: Spike) -> Self {
        let (start, end) = (
            spike.at.as_secs_f64(),
            (spike.at + spike.lasts).as_secs_f64(),
        );
        let after = self.rate_at(end);
        let mut pieces: Vec<(f64, f64)> = self
            .pieces
            .iter()
            .map(|piece| (piece.from, piece.rate))
            .filter(|(from, _)| *from < start || *from > end)
            .collect();
        let at = pieces.partition_point(|(from, _)| *from < start);
        pieces.splice(at..at, [(start, spike.rate), (end, after)]);
        Self::of(pieces)
    }

    /// From `at` seconds on it is `rate` requests per second; what was planned for later is gone.
    pub fn change(&mut self, at: f64, rate: f64) {
        let before = self.expected(at);
        let last = self.pieces[self.piece_at(at)];
        let at = at.max(0.0);
        // What lies before the current piece has no arrivals to come: the list stays short.
        self.pieces = vec![
            last,
            Piece {
                from: at,
                rate,
                before,
            },
        ];
    }

    /// The rate at `at` seconds.
    #[must_use]
    pub fn rate_at(&self, at: f64) -> f64 {
        self.pieces[self.piece_at(at)].rate
    }

    /// How many requests are expected before `at` seconds.
    #[must_use]
    pub fn expected(&self, at: f64) -> f64 {
        let piece = self.pieces[self.piece_at(at)];
        piece.before + (at - piece.from).max(0.0) * piece.rate
    }

    /// The second in which `count` requests have been expected; `None` if that never happens.
    #[must_use]
    pub fn moment_of(&self, count: f64) -> Option<f64> {
        let next = self.pieces.partition_point(|piece| piece.before <= count);
        let piece = self.pieces[next.saturating_sub(1)];
        (piece.rate > 0.0).then(|| piece.from + (count - piece.before) / piece.rate)
    }

    /// The highest rate of all.
    #[must_use]
    pub fn peak(&self) -> f64 {
        self.pieces
            .iter()
            .map(|piece| piece.rate)
            .fold(0.0, f64::max)
    }

    /// Whether every rate is a number from zero to [`RATE_MAX`], and one is above zero.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let sound = |piece: &Piece| (0.0..=RATE_MAX).contains(&piece.rate);
        self.pieces.iter().all(sound) && self.peak() > 0.0
    }

    fn piece_at(&self, at: f64) -> usize {
        self.pieces
            .partition_point(|piece| piece.from <= at)
            .saturating_sub(1)
    }

    fn of(rates: Vec<(f64, f64)>) -> Self {
        let mut pieces: Vec<Piece> = Vec::with_capacity(rates.len());
        for (from, rate) in rates {
            let before = pieces
                .last()
                .map_or(0.0, |last| last.before + (from - last.from) * last.rate);
            pieces.push(Piece { from, rate, before });
        }
        Self { pieces }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_thousandth_request_of_a_constant_rate_is_due_on_its_moment() {
        let profile = Profile::constant(100.0);
        assert_eq!(profile.moment_of(0.0), Some(0.0));
        assert_eq!(profile.moment_of(1_000.0), Some(10.0));
        assert!((profile.expected(2.5) - 250.0).abs() < 1e-9);
    }

    #[test]
    fn steps_follow_each_other_and_the_last_one_stays() {
        let profile = Profile::steps(&[10.0, 20.0, 0.0, 5.0], SECOND);
        assert_eq!(profile.moment_of(10.0), Some(1.0));
        assert_eq!(profile.moment_of(20.0), Some(1.5));
        assert_eq!(
            profile.moment_of(30.0),
            Some(3.0),
            "a pause has no arrivals"
        );
        assert_eq!(profile.moment_of(40.0), Some(5.0));
        assert_eq!(profile.rate_at(100.0), 5.0);
        assert_eq!(profile.peak(), 20.0);
    }

    #[test]
    fn a_spike_ends_and_the_rate_before_it_comes_back() {
        let spike = Spike {
            rate: 100.0,
            at: SECOND,
            lasts: SECOND,
        };
        let profile = Profile::constant(10.0).with_spike(spike);
        assert_eq!(profile.rate_at(0.5), 10.0);
        assert_eq!(profile.rate_at(1.5), 100.0);
        assert_eq!(profile.rate_at(2.0), 10.0);
        assert_eq!(profile.expected(3.0), 10.0 + 100.0 + 10.0);
        let over_a_step = Profile::steps(&[10.0, 20.0], 2 * SECOND).with_spike(Spike {
            rate: 100.0,
            at: SECOND,
            lasts: 2 * SECOND,
        });
        assert_eq!(
            over_a_step.rate_at(3.0),
            20.0,
            "the step under the spike has come"
        );
        assert_eq!(over_a_step.expected(4.0), 10.0 + 200.0 + 20.0);
    }

    #[test]
    fn a_change_moves_what_is_to_come_and_loses_nothing() {
        let mut profile = Profile::constant(10.0);
        profile.change(2.0, 100.0);
        assert_eq!(profile.moment_of(20.0), Some(2.0));
        assert_eq!(profile.moment_of(120.0), Some(3.0));
        profile.change(3.0, 0.0);
        assert_eq!(profile.moment_of(121.0), None);
        profile.change(10.0, 1.0);
        assert_eq!(profile.moment_of(121.0), Some(11.0));
    }

    #[test]
    fn only_rates_that_can_be_are_sound() {
        assert!(Profile::steps(&[0.0, 1.0], SECOND).is_sound());
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY, RATE_MAX * 2.0] {
            assert!(!Profile::constant(rate).is_sound(), "{rate}");
        }
    }
}
