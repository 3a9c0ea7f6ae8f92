//! Feeds: a client goes on where it was, or is told that it cannot.

use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http_body_util::BodyExt as _;
use web::{Body, Feed, FeedError, LastEventId, Leave, Leaving, Polled};

const LONG: Duration = Duration::from_secs(50);

fn filled(numbers: std::ops::RangeInclusive<u64>, keep: usize) -> Feed<String> {
    let feed = Feed::new(numbers.start() - 1, keep);
    for number in numbers {
        feed.push(number, format!("item {number}")).unwrap();
    }
    feed
}

struct Stream(Body);

impl Stream {
    fn of(feed: &Feed<String>, after: Option<u64>, leaving: &Leaving) -> Self {
        Self(feed.sse(LastEventId(after), leaving).into_body())
    }

    /// The next piece but for heartbeats; nothing at the end.
    async fn next(&mut self) -> Option<String> {
        loop {
            let piece: Bytes = self.0.frame().await?.unwrap().into_data().unwrap();
            if piece != ": beat\n\n" {
                return Some(String::from_utf8(piece.to_vec()).unwrap());
            }
        }
    }
}

#[tokio::test]
async fn a_stream_goes_on_after_the_last_number_and_then_with_what_is_new() {
    let feed = filled(1..=3, 10);
    let never = Leaving::default();
    let mut stream = Stream::of(&feed, Some(1), &never);
    let said = stream.next().await.unwrap();
    assert_eq!(
        said,
        "id: 2\ndata: \"item 2\"\n\nid: 3\ndata: \"item 3\"\n\n"
    );
    feed.push(7, "two\nlines".to_owned()).unwrap();
    let said = stream.next().await.unwrap();
    assert_eq!(said, "id: 7\ndata: \"two\\nlines\"\n\n");

    let mut fresh = Stream::of(&feed, None, &never);
    assert_eq!(
        fresh.next().await.unwrap(),
        "id: 7\n\n",
        "so that it can resume"
    );
    assert!(
        fresh.next().now_or_never().is_none(),
        "it wants what is new"
    );
}

#[tokio::test]
async fn who_was_away_for_too_long_is_told_of_the_gap_and_goes_on_from_the_end() {
    let feed = filled(1..=30, 10);
    let never = Leaving::default();
    let mut stream = Stream::of(&feed, Some(19), &never);
    assert_eq!(
        stream.next().await.unwrap(),
        "id: 30\nevent: gap\ndata: 30\n\n"
    );
    feed.push(31, "x".to_owned()).unwrap();
    assert!(stream.next().await.unwrap().starts_with("id: 31\n"));
    let mut stream = Stream::of(&feed, Some(21), &never);
    assert!(
        stream.next().await.unwrap().starts_with("id: 22\n"),
        "the oldest that is kept"
    );

    let restarted: Feed<String> = Feed::new(30, 10);
    let mut stream = Stream::of(&restarted, Some(29), &never);
    assert_eq!(
        stream.next().await.unwrap(),
        "id: 30\nevent: gap\ndata: 30\n\n"
    );
    let polled = restarted.poll(29, LONG, &never).await;
    assert_eq!((polled.gap, polled.after), (true, 30));
}

#[tokio::test]
async fn a_client_that_reads_too_slowly_finds_a_gap_and_costs_no_queue() {
    let feed = filled(1..=5, 5);
    let mut stream = Stream::of(&feed, Some(4), &Leaving::default());
    for number in 6..=1_000 {
        feed.push(number, "x".repeat(1_000)).unwrap();
    }
    assert_eq!(
        stream.next().await.unwrap(),
        "id: 1000\nevent: gap\ndata: 1000\n\n"
    );
}

#[tokio::test]
async fn a_replica_that_lags_behind_makes_a_client_wait_and_repeats_nothing() {
    let feed = filled(1..=3, 10);
    let mut stream = Stream::of(&feed, Some(4), &Leaving::default());
    feed.push(4, "had".to_owned()).unwrap();
    assert!(stream.next().now_or_never().is_none());
    feed.push(5, "new".to_owned()).unwrap();
    assert!(stream.next().await.unwrap().starts_with("id: 5\n"));
}

#[tokio::test]
async fn a_stream_that_is_told_to_leave_ends_and_nothing_is_lost_elsewhere() {
    let leave = Leave::default();
    let (here, there) = (filled(1..=3, 10), filled(1..=4, 10));
    let mut stream = Stream::of(&here, Some(2), &leave.leaving());
    assert!(stream.next().await.unwrap().starts_with("id: 3\n"));
    leave.tell();
    here.push(4, "not sent".to_owned()).unwrap();
    assert!(stream.next().await.unwrap().starts_with("retry: "));
    assert_eq!(stream.next().await, None);
    let mut again = Stream::of(&there, Some(3), &Leaving::default());
    assert!(again.next().await.unwrap().starts_with("id: 4\n"));
}

#[tokio::test]
async fn a_poll_answers_what_is_there_waits_for_what_comes_and_gives_up_in_time() {
    let feed = filled(1..=3, 10);
    let leave = Leave::default();
    let leaving = leave.leaving();
    let polled = feed.poll(1, LONG, &leaving).await;
    assert_eq!(
        polled.items,
        [(2, "item 2".to_owned()), (3, "item 3".to_owned())]
    );
    assert_eq!((polled.after, polled.gap), (3, false));

    let (polled, ()) = tokio::join!(feed.poll(3, LONG, &leaving), async {
        feed.push(4, "new".to_owned()).unwrap();
    });
    assert_eq!(
        (polled.items, polled.after),
        (vec![(4, "new".to_owned())], 4)
    );

    let nothing = |after| Polled {
        items: Vec::<(u64, String)>::new(),
        after,
        gap: false,
    };
    let short = Duration::from_millis(1);
    assert_eq!(
        feed.poll(4, short, &leaving).await,
        nothing(4),
        "time is up"
    );
    let (polled, ()) = tokio::join!(feed.poll(9, LONG, &leaving), async { leave.tell() });
    assert_eq!(polled, nothing(9), "told to leave");
}

#[test]
fn numbers_must_grow() {
    let feed = filled(1..=3, 10);
    let refused = feed.push(3, "again".to_owned()).expect_err("it was there");
    assert!(
        matches!(refused, FeedError::Order { seq: 3, last: 3 }),
        "{refused}"
    );
    assert_eq!(feed.last(), 3);
}
