//! A report for people: one screen of text.

use std::fmt::Write as _;

use crate::arrivals::Process;
use crate::keys::Popularity;
use crate::report::{Report, Times};

impl Report {
    /// The report as lines of text; the last one is the verdict.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "{}\n", self.headline())?;
        let early = if self.ended_early {
            ", ended early"
        } else {
            ""
        };
        let mut row = |name: &str, count: u64, note: String| {
            writeln!(
                out,
                "{}",
                format!("{name:<16}{:>12}  {note}", grouped(count)).trim_end()
            )
        };
        row(
            "scheduled",
            self.scheduled,
            format!("{}/s wanted", grouped(self.rate.wanted.round() as u64)),
        )?;
        row("sent", self.sent, String::new())?;
        let achieved = grouped(self.rate.achieved.round() as u64);
        row(
            "answered",
            self.answered,
            format!("{achieved}/s achieved in {:.1} s{early}", self.elapsed_s),
        )?;
        for (class, count) in self.classes() {
            row(&format!("  {class}"), count, String::new())?;
        }
        row("errors", self.errors.total, String::new())?;
        for (kind, failure) in self.errors.kinds() {
            if failure.count > 0 {
                let why = failure.example.clone().unwrap_or_default();
                row(&format!("  {kind}"), failure.count, why)?;
            }
        }
        if self.errors.unfinished > 0 {
            row(
                "  unfinished",
                self.errors.unfinished,
                "in flight at the end".to_owned(),
            )?;
        }
        if self.not_sent.queue_full > 0 {
            row(
                "queue full",
                self.not_sent.queue_full,
                "never sent".to_owned(),
            )?;
        }
        if self.not_sent.at_the_end > 0 {
            row(
                "left waiting",
                self.not_sent.at_the_end,
                "never sent".to_owned(),
            )?;
        }
        row("bytes received", self.bytes_received, "content".to_owned())?;
        row("bytes sent", self.bytes_sent, "content".to_owned())?;
        row("connections", self.connections_opened, "opened".to_owned())?;
        self.write_times(out)?;
        writeln!(out, "\n{}", self.verdict.text)
    }

    fn headline(&self) -> String {
        let setting = &self.setting;
        let others = match setting.targets {
            0 | 1 => String::new(),
            count => {
                let popularity = match setting.popularity {
                    Popularity::Uniform => "uniform".to_owned(),
                    Popularity::Zipf { exponent } => format!("Zipf {exponent}"),
                };
                format!(" and {} more, {popularity}", grouped(count as u64 - 1))
            }
        };
        let arrivals = match setting.arrivals {
            Process::Constant => "constant",
            Process::Poisson => "Poisson",
        };
        let protocol = match setting.streams {
            0 | 1 => "HTTP/1.1".to_owned(),
            streams => format!("HTTP/2 with {streams} streams"),
        };
        format!(
            "{} {}{others}\n{} connections, {protocol}, {arrivals} arrivals, seed {}",
            setting.method, setting.url, setting.connections, setting.seed
        )
    }

    /// The classes of statuses that occurred.
    fn classes(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let statuses = self.statuses;
        [
            ("1xx", statuses.informational),
            ("2xx", statuses.success),
            ("3xx", statuses.redirection),
            ("4xx", statuses.client_error),
            ("5xx", statuses.server_error),
        ]
        .into_iter()
        .filter(|(_, count)| *count > 0)
    }

    fn write_times(&self, out: &mut String) -> std::fmt::Result {
        let titles = ["p50", "p90", "p99", "p99.9", "max", "mean"];
        write!(out, "\n{:<16}", "milliseconds")?;
        for title in titles {
            write!(out, "{title:>12}")?;
        }
        writeln!(out)?;
        let rows = [
            ("latency", &self.latency),
            ("service time", &self.service_time),
            ("wait", &self.wait),
            ("generator's lag", &self.generator.lag),
        ];
        for (name, times) in rows {
            write!(out, "{name:<16}")?;
            for value in columns(times) {
                write!(out, "{value:>12.3}")?;
            }
            writeln!(out)?;
        }
        writeln!(
            out,
            "\ngenerator's CPU {:>10.0} %  of one core, and {:.0} % of the time waiting for one",
            self.generator.cpu * 100.0,
            self.generator.starved * 100.0
        )
    }
}

fn columns(times: &Times) -> [f64; 6] {
    [
        times.p50_ms,
        times.p90_ms,
        times.p99_ms,
        times.p99_9_ms,
        times.max_ms,
        times.mean_ms,
    ]
}

/// `12,345,678`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn long_numbers_are_grouped() {
        let said = [0, 999, 1_000, 20_000, 1_234_567].map(grouped);
        assert_eq!(said, ["0", "999", "1,000", "20,000", "1,234,567"]);
    }
}
