//! Jobs that mostly wait, side by side: what takes longest begins first.

use std::collections::VecDeque;
use std::sync::Mutex;

use super::budget::SLOTS;
use super::job::{Ended, Job, Shop};
use crate::suite::run::lock;

/// Runs every job, and gives back how they ended.
pub(super) fn run(shop: &Shop, mut jobs: Vec<Job>) -> Vec<Ended> {
    jobs.sort_by(|a, b| b.about_s.total_cmp(&a.about_s));
    let queue = Mutex::new(VecDeque::from(jobs));
    let ended = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        let work = || {
            loop {
                let Some(job) = lock(&queue).pop_front() else {
                    return;
                };
                let how = shop.run(job);
                lock(&ended).push(how);
            }
        };
        for _ in 0..SLOTS {
            scope.spawn(work);
        }
    });
    ended.into_inner().unwrap_or_default()
}
