//! Student's t and exact intervals of a share, from the regularised incomplete beta function.
//!
//! Sources: the continued fraction is DLMF 8.17.22 (<https://dlmf.nist.gov/8.17>), evaluated by the
//! modified Lentz method (Thompson and Barnett, J. Comput. Phys. 64, 1986); the logarithm of gamma
//! is Lanczos' sum with g = 7 and nine terms (SIAM J. Numer. Anal. B 1, 1964; coefficients by
//! Godfrey); the tails of t are Abramowitz and Stegun 26.7.1 with 26.5.27.

const LANCZOS: [f64; 9] = [
    0.999_999_999_999_809_9,
    676.520_368_121_885_1,
    -1_259.139_216_722_402_8,
    771.323_428_777_653_1,
    -176.615_029_162_140_6,
    12.507_343_278_686_905,
    -0.138_571_095_265_720_12,
    9.984_369_578_019_572e-6,
    1.505_632_735_149_311_6e-7,
];

/// Steps of the continued fraction at most; it needs about the square root of the larger argument.
const STEPS_MAX: u32 = 1_000;

/// Halvings when a quantile is sought: more than a double has bits.
const HALVINGS: u32 = 80;

/// The logarithm of gamma, for arguments of at least one half.
fn ln_gamma(x: f64) -> f64 {
    let x = x - 1.0;
    let sum = LANCZOS[1..]
        .iter()
        .zip(1_u32..)
        .fold(LANCZOS[0], |sum, (coefficient, index)| {
            sum + coefficient / (x + f64::from(index))
        });
    let base = x + 7.5;
    0.5 * std::f64::consts::TAU.ln() + (x + 0.5) * base.ln() - base + sum.ln()
}

/// The regularised incomplete beta function; `a` and `b` are at least one half, `x` is from 0 to 1.
pub(crate) fn beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p()).exp();
    // The fraction converges quickly below the mean only; above it the mirror image is used.
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(a, b, x) / a
    } else {
        1.0 - front * fraction(b, a, 1.0 - x) / b
    }
}

fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let tiny = 1e-300;
    let keep = |value: f64| if value.abs() < tiny { tiny } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / keep(1.0 - (a + b) * x / (a + 1.0));
    let mut result = d;
    for step in 1..=STEPS_MAX {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / keep(1.0 + even * d);
        c = keep(1.0 + even / c);
        result *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / keep(1.0 + odd * d);
        c = keep(1.0 + odd / c);
        result *= d * c;
        if (d * c - 1.0).abs() < 1e-15 {
            break;
        }
    }
    result
}

/// How often |t| is at least this large by chance, with so many degrees of freedom.
pub(crate) fn t_two_sided(t: f64, degrees: f64) -> f64 {
    if t.is_infinite() {
        return 0.0;
    }
    beta(degrees / 2.0, 0.5, degrees / (degrees + t * t))
}

/// The t that |t| stays below with this probability.
pub(crate) fn t_within(probability: f64, degrees: f64) -> f64 {
    let outside = 1.0 - probability;
    let mut high = 2.0;
    while t_two_sided(high, degrees) > outside && high < 1e12 {
        high *= 2.0;
    }
    halve(0.0, high, |t| t_two_sided(t, degrees) > outside)
}

/// The exact 95 % interval of a share (Clopper and Pearson, Biometrika 26, 1934).
pub(crate) fn share_interval(hits: u64, of: u64) -> (f64, f64) {
    let (k, n) = (hits as f64, of as f64);
    let low = if hits == 0 {
        0.0
    } else {
        halve(0.0, 1.0, |x| beta(k, n - k + 1.0, x) < 0.025)
    };
    let high = if hits >= of {
        1.0
    } else {
        halve(0.0, 1.0, |x| beta(k + 1.0, n - k, x) < 0.975)
    };
    (low, high)
}

/// Where `below` turns from true to false.
fn halve(mut low: f64, mut high: f64, below: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if below(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::{share_interval, t_two_sided, t_within};

    /// Abramowitz and Stegun, table 26.10, and NIST/SEMATECH e-Handbook 1.3.6.7.2.
    #[test]
    fn quantiles_are_those_of_the_tables() {
        let table = [
            (0.95, 1.0, 12.706),
            (0.95, 2.0, 4.303),
            (0.95, 3.0, 3.182),
            (0.95, 4.0, 2.776),
            (0.95, 9.0, 2.262),
            (0.95, 30.0, 2.042),
            (0.95, 120.0, 1.980),
            (0.99, 2.0, 9.925),
            (0.99, 5.0, 4.032),
            (0.99, 10.0, 3.169),
            (0.999, 4.0, 8.610),
            (0.90, 7.0, 1.895),
        ];
        for (within, degrees, want) in table {
            let got = t_within(within, degrees);
            assert!(
                (got - want).abs() < 6e-4,
                "{within} {degrees}: {got}, not {want}"
            );
        }
        assert!((t_within(0.95, 1e6) - 1.959_966).abs() < 1e-4);
    }

    #[test]
    fn tails_undo_quantiles_and_have_closed_forms() {
        // With one degree of freedom t is Cauchy's: half of it lies beyond 1.
        assert!((t_two_sided(1.0, 1.0) - 0.5).abs() < 1e-12);
        // With two degrees: 1 - t / sqrt(2 + t^2).
        let t = 3.0_f64;
        let want = 1.0 - t / (2.0 + t * t).sqrt();
        assert!((t_two_sided(t, 2.0) - want).abs() < 1e-12);
        assert!((t_two_sided(t_within(0.95, 6.5), 6.5) - 0.05).abs() < 1e-9);
        assert!((t_two_sided(0.0, 3.0) - 1.0).abs() < 1e-12);
    }

    /// Published examples: 0 of 10, 5 of 10 and 10 of 100.
    #[test]
    fn shares_have_the_exact_interval() {
        for (hits, of, low, high) in [
            (0, 10, 0.0, 0.3085),
            (5, 10, 0.1871, 0.8129),
            (10, 100, 0.0490, 0.1762),
            (10, 10, 0.6915, 1.0),
        ] {
            let got = share_interval(hits, of);
            assert!(
                (got.0 - low).abs() < 1e-4 && (got.1 - high).abs() < 1e-4,
                "{got:?}"
            );
        }
    }
}
