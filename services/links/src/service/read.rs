//! Reading links: one, many, their history, what would happen to a visitor, the domains.

use contracts::links::{
    DeleteDomain, Deleted, Domain, DomainList, ExplainLink, Explained, GetHistory, GetLink,
    History, LinkSort, LinkVersion, LinkView, LinksError, ListLinks, Moment, Outcome, PutDomain,
    ResolveLink, ResolvedLink, TagList,
};
use kernel::{Page, PageLimit, Seek, Timestamp};
use storage::Tx;

use super::Service;
use super::call::{Call, Done};
use super::make::route_of;
use super::routes::{Lookup, Miss, Touched};
use crate::domain::host;
use crate::domain::link::{Clicks, Link, changed};
use crate::domain::rule::Visitor;
use crate::domain::{decide, draft, target};
use crate::store::list::{self, Filter};
use crate::store::{Fail, domains, history, limits, links, outbox};

/// Makes views of links: knows what the short URL is.
#[derive(Clone)]
pub(crate) struct Viewer {
    default: String,
    custom: String,
    now: Timestamp,
}

impl Viewer {
    /// How a link is shown.
    pub(crate) fn view(&self, link: Link, clicks: Clicks) -> LinkView {
        let short_url = match &link.body.domain {
            None => format!("{}{}", self.default, link.body.code),
            Some(domain) => self.custom.replace("*", domain) + &link.body.code,
        };
        link.view(clicks, short_url, self.now)
    }
}

impl Service {
    /// Makes views for this caller.
    pub(crate) fn viewer(&self, call: &Call) -> Viewer {
        Viewer {
            default: self.hosts.short_url(call, None, ""),
            custom: self.hosts.short_url(call, Some("*"), ""),
            now: self.ctx.now(),
        }
    }

    /// The link by one of its names.
    pub(crate) async fn find(
        &self,
        name: String,
        domain: Option<&str>,
    ) -> Result<(Link, Clicks), LinksError> {
        let domain = domain.unwrap_or_default().to_owned();
        let read = async move |tx: &mut Tx<'_>| {
            let found = links::by_name(tx, &domain, &name).await?;
            Ok::<_, Fail>(found.ok_or_else(|| LinksError::no_link(&name))?)
        };
        Ok(self.db.read(read).await?)
    }

    /// One link.
    pub(crate) async fn get(&self, call: &Call, request: GetLink) -> Result<LinkView, LinksError> {
        let (link, clicks) = self.find(request.link, request.domain.as_deref()).await?;
        Ok(self.viewer(call).view(link, clicks))
    }

    /// Links that match, page by page.
    pub(crate) async fn list(
        &self,
        call: &Call,
        request: ListLinks,
    ) -> Result<Page<LinkView>, LinksError> {
        let order = match request.sort.unwrap_or_default() {
            LinkSort::Created => "created",
            LinkSort::Clicks => "clicks",
        };
        let limit = PageLimit::clamped(request.limit);
        let seek = Seek::of(order, request.cursor.as_deref(), limit)
            .map_err(|error| LinksError::invalid("cursor", error.to_string()))?;
        let filter = filter(request, &seek)?;
        let read = async move |tx: &mut Tx<'_>| Ok::<_, Fail>(list::list(tx, &filter).await?);
        let found = seek.page(self.db.read(read).await?, list::key);
        let viewer = self.viewer(call);
        let items = found.items.into_iter();
        Ok(Page {
            items: items
                .map(|(link, clicks)| viewer.view(link, clicks))
                .collect(),
            next_cursor: found.next_cursor,
        })
    }

    /// Every tag in use.
    pub(crate) async fn tags(&self) -> Result<TagList, LinksError> {
        let read = async move |tx: &mut Tx<'_>| Ok::<_, Fail>(list::tags(tx).await?);
        Ok(TagList {
            items: self.db.read(read).await?,
        })
    }

    /// The versions of a link, newest first.
    pub(crate) async fn history(&self, request: GetHistory) -> Result<History, LinksError> {
        let (link, _) = self.find(request.link, request.domain.as_deref()).await?;
        let num = link.num;
        let read = async move |tx: &mut Tx<'_>| Ok::<_, Fail>(history::list(tx, num).await?);
        let earlier = self.db.read(read).await?;
        let mut versions = vec![LinkVersion {
            version: link.version,
            at: Moment(link.updated_at),
            by: link.updated_by,
            changed: Vec::new(),
            snapshot: link.body,
        }];
        versions.extend(earlier.into_iter().map(|e| LinkVersion {
            version: e.version,
            at: e.at,
            by: e.by,
            changed: Vec::new(),
            snapshot: e.body,
        }));
        for at in 1..versions.len() {
            versions[at - 1].changed = changed(&versions[at].snapshot, &versions[at - 1].snapshot);
        }
        Ok(History {
            id: link.id,
            versions,
        })
    }

    /// What would happen to a visitor, and why.
    pub(crate) async fn explain(&self, request: ExplainLink) -> Result<Explained, LinksError> {
        let (link, _) = self.find(request.link, request.domain.as_deref()).await?;
        let now = request.time.map_or_else(|| self.ctx.now(), |m| m.0);
        let left = link
            .body
            .max_clicks
            .map(|max| max.saturating_sub(link.used));
        let route = route_of(&link);
        let agent = request.agent.unwrap_or_default();
        let language = request.language.unwrap_or_default();
        let visitor = Visitor::new(agent.as_bytes(), &language, now.micros());
        let (outcome, rule, steps) = decide::explain(&route, &visitor, left);
        let location = match outcome {
            Outcome::Redirect => Some(route.target(rule).to_owned()),
            Outcome::Expired | Outcome::Exhausted => route.expired_url.clone(),
            _ => None,
        };
        Ok(Explained {
            status: status(outcome, route.status, location.is_some()),
            outcome,
            location,
            rule: rule.and_then(|r| u32::try_from(r).ok()),
            device: visitor.agent().platform.name().to_owned(),
            bot: visitor.agent().bot.is_some(),
            languages: visitor
                .languages()
                .iter()
                .map(|(tag, _)| (*tag).to_owned())
                .collect(),
            steps,
        })
    }

    /// Where a code leads for a visitor. Counts nothing; a protected target stays hidden.
    pub(crate) async fn resolve(&self, request: ResolveLink) -> Result<ResolvedLink, LinksError> {
        let host = request.host.unwrap_or_default();
        let set = self.hosts.load().await.map_err(Fail::from)?;
        let domain = set.find(&host).map(|d| d.host.clone()).unwrap_or_default();
        let how = Lookup::at(self.ctx.now(), &self.choices);
        let found = match self.routes.find(&domain, &request.code, how).await {
            Ok(found) => found,
            Err(Miss::Unknown) => return Err(LinksError::no_link(request.code)),
            Err(Miss::Store(error)) => return Err(Fail::Store(error).into()),
        };
        let route = &found.route;
        let num = route.num;
        let left = if route.limited {
            let read = async move |tx: &mut Tx<'_>| Ok::<_, Fail>(limits::left(tx, num).await?);
            let left = self.db.read(read).await?.unwrap_or(0);
            Some(u32::try_from(left.max(0)).unwrap_or(u32::MAX))
        } else {
            None
        };
        let agent = request.agent.unwrap_or_default();
        let language = request.language.unwrap_or_default();
        let visitor = Visitor::new(agent.as_bytes(), &language, self.ctx.now().micros());
        let (outcome, rule, _) = decide::explain(route, &visitor, left);
        let location = match outcome {
            Outcome::Redirect if !route.limited => Some(route.target(rule).to_owned()),
            Outcome::Expired | Outcome::Exhausted => route.expired_url.clone(),
            _ => None,
        };
        let status = status(outcome, route.status, location.is_some());
        Ok(ResolvedLink {
            id: route.id,
            outcome,
            location,
            status,
        })
    }

    /// The custom domains.
    pub(crate) async fn domains(&self) -> Result<DomainList, LinksError> {
        let read = async move |tx: &mut Tx<'_>| Ok::<_, Fail>(domains::list(tx).await?);
        Ok(DomainList {
            items: self.db.read(read).await?,
        })
    }

    /// Adds or changes a custom domain.
    pub(crate) async fn put_domain(
        &self,
        call: &Call,
        request: PutDomain,
    ) -> Result<Done<Domain>, LinksError> {
        let invalid = |field: &str, detail: String| LinksError::invalid(field, detail);
        let host = host::normal(&request.host).map_err(|e| invalid("host", e.to_string()))?;
        let mut rooms = self.hosts.rooms(call).await.map_err(Fail::from)?;
        rooms.own.add(&host);
        let url = |field: &str, url: Option<String>| {
            url.filter(|u| !u.is_empty())
                .map(|u| target::normal(&u, &rooms.own).map_err(|e| invalid(field, e.to_string())))
                .transpose()
        };
        let root_url = url("root_url", request.root_url)?;
        let not_found_url = url("not_found_url", request.not_found_url)?;
        let done = self
            .mutate(call, async move |tx: &mut Tx<'_>, _: &mut Vec<Touched>| {
                if domains::count_others(tx, &host).await? >= domains::DOMAINS_MAX {
                    let detail = "there are 1,000 custom domains already; remove one".to_owned();
                    return Err(LinksError::Conflict { detail }.into());
                }
                let root_url = root_url.as_deref();
                let domain = domains::put(tx, &host, root_url, not_found_url.as_deref()).await?;
                outbox::publish_domain(tx, &host).await?;
                Ok(domain)
            })
            .await;
        self.hosts.forget();
        done
    }

    /// Removes a custom domain that no link uses.
    pub(crate) async fn delete_domain(
        &self,
        call: &Call,
        request: DeleteDomain,
    ) -> Result<Done<Deleted>, LinksError> {
        let host =
            host::normal(&request.host).map_err(|e| LinksError::invalid("host", e.to_string()))?;
        let done = self
            .mutate(call, async move |tx: &mut Tx<'_>, _: &mut Vec<Touched>| {
                // Removed first: this waits for links that are being put there, and those that
                // come later find no domain.
                if !domains::delete(tx, &host).await? {
                    let what = "domain".to_owned();
                    return Err(LinksError::NotFound {
                        what,
                        name: host.clone(),
                    }
                    .into());
                }
                if domains::is_used(tx, &host).await? {
                    let detail = format!("links are on {host}; move or remove them first");
                    return Err(LinksError::Conflict { detail }.into());
                }
                outbox::publish_domain(tx, &host).await?;
                Ok(Deleted { deleted: 1 })
            })
            .await;
        self.hosts.forget();
        done
    }
}

fn filter(request: ListLinks, seek: &Seek<(i64, i64)>) -> Result<Filter, LinksError> {
    let domain = request
        .domain
        .filter(|d| !d.is_empty())
        .map(|d| match d.as_str() {
            "default" => Ok(String::new()),
            other => host::normal(other).map_err(|e| LinksError::invalid("domain", e.to_string())),
        });
    let search = request.search.unwrap_or_default();
    if search.chars().count() > 200 || search.contains('\0') {
        return Err(LinksError::invalid(
            "search",
            "at most 200 characters, none of them NUL",
        ));
    }
    Ok(Filter {
        search: (!search.trim().is_empty()).then_some(search),
        tag: request
            .tag
            .filter(|t| !t.is_empty())
            .map(|t| draft::tag(&t))
            .transpose()?,
        domain: domain.transpose()?,
        status: request.status,
        sort: request.sort.unwrap_or_default(),
        after: seek.after().copied(),
        limit: seek.rows(),
    })
}

/// The HTTP status of an outcome.
pub(crate) const fn status(outcome: Outcome, redirect: u16, elsewhere: bool) -> u16 {
    match outcome {
        Outcome::Redirect => redirect,
        Outcome::Expired | Outcome::Exhausted if elsewhere => 302,
        Outcome::Expired | Outcome::Exhausted => 410,
        Outcome::Disabled => 404,
        Outcome::Password => 401,
        Outcome::Preview => 200,
    }
}
