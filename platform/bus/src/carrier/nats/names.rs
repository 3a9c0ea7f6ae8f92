//! Names within NATS, which allows fewer characters than we do.

/// The names of one lane.
#[derive(Debug, Clone)]
pub(super) struct Names {
    /// The stream.
    pub(super) stream: String,
    /// What the stream's subjects begin with.
    subject: String,
    /// Where the consumer says what it has committed.
    pub(super) confirm: String,
}

impl Names {
    pub(super) fn new(prefix: &str, producer: &str, consumer: &str) -> Self {
        let (prefix, producer, consumer) = (plain(prefix), plain(producer), plain(consumer));
        Self {
            stream: format!("{prefix}_{producer}_to_{consumer}"),
            subject: format!("{prefix}.events.{producer}.{consumer}"),
            confirm: format!("{prefix}.confirmed.{producer}.{consumer}"),
        }
    }

    /// Every subject of the stream.
    pub(super) fn subjects(&self) -> String {
        format!("{}.>", self.subject)
    }

    /// The subject of events of `topic`.
    pub(super) fn subject(&self, topic: &str) -> String {
        format!("{}.{}", self.subject, plain(topic))
    }
}

fn plain(text: &str) -> String {
    let keep = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' {
            c
        } else {
            '-'
        }
    };
    text.chars().map(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_character_that_nats_gives_a_meaning() {
        let names = Names::new("tradewind", "links", "stats.clicks per>day*");
        assert_eq!(names.stream, "tradewind_links_to_stats-clicks-per-day-");
        assert_eq!(
            names.subject("a.b"),
            "tradewind.events.links.stats-clicks-per-day-.a-b"
        );
    }
}
