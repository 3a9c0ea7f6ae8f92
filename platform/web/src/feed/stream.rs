//! One client that follows a feed by server-sent events. It keeps its place and no queue: who is slow
//! costs nothing, and finds a gap once the ring has gone on without him.

use std::convert::Infallible;
use std::fmt::Write as _;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, stream};
use http_body::Frame;
use http_body_util::StreamBody;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::Interval;

use super::Feed;
use crate::sse::{BEAT, GOODBYE, beat, event_stream};
use crate::{Body, Leaving, Response};

/// So much is sent in one piece, and then it is looked whether to leave.
const PIECE_BYTES: usize = 64 * 1024;

struct Follower<T> {
    feed: Feed<T>,
    /// The last number that was sent; nothing before the first piece.
    place: Option<u64>,
    news: watch::Receiver<u64>,
    beat: Interval,
    leaving: Leaving,
}

pub(super) fn response<T>(feed: Feed<T>, after: Option<u64>, leaving: &Leaving) -> Response
where
    T: Clone + Serialize + Send + Sync + 'static,
{
    let follower = Follower {
        place: after,
        news: feed.0.last.subscribe(),
        beat: beat(feed.0.heartbeat),
        leaving: leaving.clone(),
        feed,
    };
    let pieces = stream::unfold(Some(follower), |follower| async {
        let mut follower = follower?;
        match follower.next().await {
            Some(piece) => Some((piece, Some(follower))),
            None => Some((Bytes::from_static(GOODBYE), None)),
        }
    });
    let frames = pieces.map(|piece| Ok::<_, Infallible>(Frame::data(piece)));
    event_stream(Body::stream(StreamBody::new(frames)))
}

/// An item as an event. Its text is JSON, which has no line ends of its own.
pub(super) fn event(seq: u64, json: &str) -> Bytes {
    format!("id: {seq}\ndata: {json}\n\n").into()
}

impl<T: Clone + Serialize + Send + Sync + 'static> Follower<T> {
    /// The next piece; nothing when it is time to leave.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.leaving.is_told() {
                return None;
            }
            if let Some(piece) = self.piece() {
                return Some(piece);
            }
            tokio::select! {
                biased;
                () = self.leaving.told() => return None,
                changed = self.news.changed() => changed.ok()?,
                _ = self.beat.tick() => return Some(Bytes::from_static(BEAT)),
            }
        }
    }

    /// What is there for this client.
    fn piece(&mut self) -> Option<Bytes> {
        let ring = self.feed.0.ring.lock();
        let last = *self.feed.0.last.borrow();
        let Some(place) = self.place else {
            self.place = Some(last);
            // Known to the client, although no event came with it: so it can resume from here.
            return Some(format!("id: {last}\n\n").into());
        };
        if place < ring.floor {
            self.place = Some(last);
            let mut text = String::new();
            // Writing to memory cannot fail.
            let _ = write!(text, "id: {last}\nevent: gap\ndata: {last}\n\n");
            return Some(text.into());
        }
        let mut new = ring.after(place);
        let first = new.next()?;
        let mut place = first.seq;
        // One item alone is sent as it lies in the ring.
        let mut piece = first.event.clone();
        if let Some(second) = new.next() {
            let mut joined = BytesMut::from(&piece[..]);
            for item in std::iter::once(second).chain(new) {
                if joined.len() >= PIECE_BYTES {
                    break;
                }
                joined.extend_from_slice(&item.event);
                place = item.seq;
            }
            piece = joined.freeze();
        }
        self.place = Some(place);
        Some(piece)
    }
}
