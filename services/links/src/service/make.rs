//! Making links inside a transaction: codes until they are free, rows, and events.

use std::collections::BTreeMap;

use contracts::links::{LinkSnapshot, LinksError};
use kernel::{Ctx, Timestamp};
use storage::Tx;
use telemetry::Counter;

use super::IdScheme;
use super::routes::Touched;
use crate::domain::code;
use crate::domain::link::Link;
use crate::domain::route::Route;
use crate::store::outbox::{self, LinkEvent};
use crate::store::write::{self, NewLink};
use crate::store::{Fail, domains};

/// How often a code is made anew when it is taken. With the usual length a second time is rare.
const ATTEMPTS_MAX: u32 = 16;

/// A link that can be made: checked, its password hashed.
#[derive(Debug, Clone)]
pub(crate) struct Ready {
    /// Its content; the code is empty if one is to be made.
    pub(crate) body: LinkSnapshot,
    /// The hash of its password.
    pub(crate) password: Option<String>,
}

/// How links are made.
#[derive(Clone)]
pub(crate) struct Maker {
    pub(crate) ctx: Ctx,
    pub(crate) scheme: IdScheme,
    /// How many characters a code has.
    pub(crate) length: usize,
    /// Counts codes that were made and were taken.
    pub(crate) taken: Counter,
    /// Who makes them.
    pub(crate) by: String,
}

impl Maker {
    /// Makes links; each succeeds or fails by itself.
    pub(crate) async fn make(
        &self,
        tx: &mut Tx<'_>,
        ready: &[Ready],
        touched: &mut Vec<Touched>,
    ) -> Result<Vec<Result<Link, LinksError>>, Fail> {
        let at = tx.now();
        let mut made = without_domain(tx, ready).await?;
        for attempt in 0..ATTEMPTS_MAX {
            let open: Vec<usize> = (0..ready.len()).filter(|i| made[*i].is_none()).collect();
            if open.is_empty() {
                break;
            }
            let new = self.candidates(tx, ready, &open, (attempt, at)).await?;
            let nums = write::insert(tx, &new).await?;
            for ((slot, candidate), num) in open.into_iter().zip(new).zip(nums) {
                made[slot] = match num {
                    Some(num) => Some(Ok(candidate.into_link(num))),
                    None => self
                        .refusal(tx, &ready[slot], &candidate.body)
                        .await?
                        .map(Err),
                };
            }
        }
        let made: Vec<Result<Link, LinksError>> = made
            .into_iter()
            .map(|one| one.unwrap_or_else(|| Err(exhausted())))
            .collect();
        for link in made.iter().flatten() {
            announce(tx, outbox::CREATED, link, None, touched).await?;
        }
        Ok(made)
    }

    async fn candidates(
        &self,
        tx: &mut Tx<'_>,
        ready: &[Ready],
        open: &[usize],
        (attempt, at): (u32, Timestamp),
    ) -> Result<Vec<NewLink>, Fail> {
        let mut new = Vec::with_capacity(open.len());
        for slot in open {
            let Ready { mut body, password } = ready[*slot].clone();
            if body.code.is_empty() {
                body.code = self.code(tx, &body, attempt).await?;
            }
            new.push(NewLink {
                id: self.ctx.new_id(),
                body,
                password,
                by: self.by.clone(),
                at,
            });
        }
        Ok(new)
    }

    async fn code(
        &self,
        tx: &mut Tx<'_>,
        body: &LinkSnapshot,
        attempt: u32,
    ) -> Result<String, Fail> {
        let domain = body.domain.as_deref().unwrap_or_default();
        Ok(match self.scheme {
            IdScheme::Random => code::random(&*self.ctx.random, self.length),
            IdScheme::Hash => code::hashed(&format!("{domain} {}", body.url), attempt, self.length),
            IdScheme::Counter => loop {
                let code = code::counted(write::take_numbers(tx, domain, 1).await?);
                if !code::is_reserved(&code) {
                    break code;
                }
            },
        })
    }

    /// Why a link could not be made; nothing if another code may help.
    async fn refusal(
        &self,
        tx: &mut Tx<'_>,
        ready: &Ready,
        candidate: &LinkSnapshot,
    ) -> Result<Option<LinksError>, Fail> {
        let why = write::why_taken(tx, candidate).await?;
        let again = ready.body.code.is_empty() && matches!(why, LinksError::CodeTaken { .. });
        if again {
            self.taken.inc();
        }
        Ok((!again).then_some(why))
    }
}

/// Refuses each link whose domain was removed since it was checked; the others hold theirs.
async fn without_domain(
    tx: &mut Tx<'_>,
    ready: &[Ready],
) -> Result<Vec<Option<Result<Link, LinksError>>>, Fail> {
    let mut there: BTreeMap<&str, bool> = BTreeMap::new();
    for host in ready.iter().filter_map(|r| r.body.domain.as_deref()) {
        if !there.contains_key(host) {
            there.insert(host, domains::hold(tx, host).await?);
        }
    }
    let refused = ready.iter().map(|one| {
        let host = one.body.domain.as_deref()?;
        (there.get(host) == Some(&false)).then(|| Err(domain_gone(host)))
    });
    Ok(refused.collect())
}

/// The domain was there when the request was checked.
pub(crate) fn domain_gone(host: &str) -> LinksError {
    LinksError::invalid(
        "domain",
        format!("'{host}' is no custom domain any more: it was removed just now"),
    )
}

fn exhausted() -> LinksError {
    LinksError::Conflict {
        detail: "no free code was found; use longer codes ('code_length') or choose one".to_owned(),
    }
}

/// Publishes what happened to a link, and notes it for the caches of this process.
pub(crate) async fn announce(
    tx: &mut Tx<'_>,
    kind: &str,
    link: &Link,
    before: Option<&LinkSnapshot>,
    touched: &mut Vec<Touched>,
) -> Result<(), Fail> {
    let domain = |body: &LinkSnapshot| body.domain.clone().unwrap_or_default();
    let moved = before.filter(|b| b.code != link.body.code || b.domain != link.body.domain);
    let event = LinkEvent {
        id: link.id,
        num: link.num,
        version: link.version,
        domain: domain(&link.body),
        code: link.body.code.clone(),
        url: link.body.url.clone(),
        before: moved.map(|b| (domain(b), b.code.clone())),
    };
    outbox::publish(tx, kind, &event).await?;
    let now = (kind != outbox::DELETED).then(|| route_of(link));
    touched.push(Touched { event, now });
    Ok(())
}

/// What the redirect needs to know of a link.
pub(crate) fn route_of(link: &Link) -> Route {
    let password_version = link.password.is_some().then_some(link.password_version);
    Route::of(
        link.num,
        link.id,
        link.version,
        link.body.clone(),
        password_version,
    )
}
