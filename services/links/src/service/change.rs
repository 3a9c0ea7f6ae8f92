//! Changing, rolling back and removing links.

use contracts::links::{
    CreateLink, Deleted, GetLink, LinkChanges, LinkView, LinksError, PatchLink, RollbackLink,
};
use storage::Tx;

use super::Service;
use super::call::{Call, Done};
use super::make::{Ready, announce, domain_gone};
use super::routes::Touched;
use crate::domain::draft::{self, Rooms};
use crate::domain::link::{Clicks, Link, changed};
use crate::store::{Fail, domains, history, links, outbox, write};

/// A change that is ready to be applied: its password is hashed.
#[derive(Debug, Clone)]
pub(crate) struct Edit {
    changes: LinkChanges,
    /// The hash of a new password.
    password: Option<String>,
    rooms: Rooms,
}

impl Edit {
    /// What an upsert changes: what the request names, and nothing else.
    pub(crate) fn of_create(request: CreateLink, ready: &Ready, rooms: Rooms) -> Self {
        let changes = LinkChanges {
            url: Some(request.url),
            code: request.code,
            title: request.title.map(Some),
            notes: request.notes.map(Some),
            tags: (!request.tags.is_empty()).then_some(request.tags),
            external_id: request.external_id.map(Some),
            enabled: request.enabled,
            status: request.status,
            cache_control: request.cache_control.map(Some),
            forward_query: request.forward_query,
            expires_at: request.expires_at.map(Some),
            expired_url: request.expired_url.map(Some),
            max_clicks: request.max_clicks.map(Some),
            password: request.password.map(Some),
            rules: (!request.rules.is_empty()).then_some(request.rules),
            domain: request.domain.map(Some),
        };
        Self {
            changes,
            password: ready.password.clone(),
            rooms,
        }
    }
}

impl Service {
    /// Changes what is named, keeps the rest.
    pub(crate) async fn patch(
        &self,
        call: &Call,
        request: PatchLink,
    ) -> Result<Done<LinkView>, LinksError> {
        let edit = self.edit(call, request.changes).await?;
        let (name, domain) = (request.link, request.domain);
        let viewer = self.viewer(call);
        let by = call.by.clone();
        self.mutate(
            call,
            async move |tx: &mut Tx<'_>, touched: &mut Vec<Touched>| {
                let (link, clicks) = named(tx, &name, domain.as_deref()).await?;
                let link = apply(tx, link, edit.clone(), (&by, touched)).await?;
                Ok(viewer.view(link, clicks))
            },
        )
        .await
    }

    /// Makes an earlier version the newest one.
    pub(crate) async fn rollback(
        &self,
        call: &Call,
        request: RollbackLink,
    ) -> Result<Done<LinkView>, LinksError> {
        let rooms = self.hosts.rooms(call).await.map_err(Fail::from)?;
        let viewer = self.viewer(call);
        let by = call.by.clone();
        self.mutate(
            call,
            async move |tx: &mut Tx<'_>, touched: &mut Vec<Touched>| {
                let (link, clicks) = named(tx, &request.link, request.domain.as_deref()).await?;
                let earlier = history::get(tx, link.num, request.version).await?;
                let earlier = earlier.ok_or_else(|| LinksError::NotFound {
                    what: "earlier version".to_owned(),
                    name: request.version.to_string(),
                })?;
                // The rules of today hold for a version of yesterday too.
                let mut next = link.clone();
                next.body = draft::check(earlier.body, &rooms)?;
                let link = write_change(tx, link, next, (&by, touched)).await?;
                Ok(viewer.view(link, clicks))
            },
        )
        .await
    }

    /// Removes a link with its history and its clicks.
    pub(crate) async fn delete(
        &self,
        call: &Call,
        request: GetLink,
    ) -> Result<Done<Deleted>, LinksError> {
        self.mutate(
            call,
            async move |tx: &mut Tx<'_>, touched: &mut Vec<Touched>| {
                let (link, _) = named(tx, &request.link, request.domain.as_deref()).await?;
                remove(tx, &link, touched).await?;
                Ok(Deleted { deleted: 1 })
            },
        )
        .await
    }

    /// Makes a change ready.
    pub(crate) async fn edit(&self, call: &Call, changes: LinkChanges) -> Result<Edit, LinksError> {
        let rooms = self.hosts.rooms(call).await.map_err(Fail::from)?;
        let password = match &changes.password {
            Some(Some(plain)) if !plain.is_empty() && plain.len() <= 256 => {
                Some(self.passes.hash(plain.clone()).await?)
            }
            _ => None,
        };
        Ok(Edit {
            changes,
            password,
            rooms,
        })
    }
}

/// The link that a request names.
pub(crate) async fn named(
    tx: &mut Tx<'_>,
    name: &str,
    domain: Option<&str>,
) -> Result<(Link, Clicks), Fail> {
    let found = links::by_name(tx, domain.unwrap_or_default(), name).await?;
    Ok(found.ok_or_else(|| LinksError::no_link(name))?)
}

/// Who changes a link, and where it is noted for the caches.
type By<'a> = (&'a str, &'a mut Vec<Touched>);

/// Applies a change; what changes nothing makes no new version.
pub(crate) async fn apply(
    tx: &mut Tx<'_>,
    link: Link,
    edit: Edit,
    by: By<'_>,
) -> Result<Link, Fail> {
    let (body, password) = draft::change(&link.body, edit.changes, &edit.rooms)?;
    let mut next = link.clone();
    next.body = body;
    match password {
        None => {}
        Some(None) => next.password = None,
        Some(Some(_)) => {
            next.password = edit.password;
            next.password_version += 1;
        }
    }
    if next == link {
        return Ok(link);
    }
    write_change(tx, link, next, by).await
}

async fn write_change(
    tx: &mut Tx<'_>,
    before: Link,
    mut next: Link,
    (by, touched): By<'_>,
) -> Result<Link, Fail> {
    domain_stays(tx, &before, &next).await?;
    free_names(tx, &before, &next).await?;
    history::keep(tx, &before).await?;
    next.updated_at = tx.now();
    by.clone_into(&mut next.updated_by);
    if !write::update(tx, &next, &before.body.tags).await? {
        return Err(LinksError::Conflict {
            detail: "the link was changed at the same moment; read it and try again".to_owned(),
        }
        .into());
    }
    next.version += 1;
    announce(tx, outbox::CHANGED, &next, Some(&before.body), touched).await?;
    Ok(next)
}

/// Fails if the domain that a link moves to was removed since it was checked. The one that it is on
/// cannot be.
async fn domain_stays(tx: &mut Tx<'_>, before: &Link, next: &Link) -> Result<(), Fail> {
    let Some(host) = next.body.domain.as_deref() else {
        return Ok(());
    };
    if next.body.domain == before.body.domain || domains::hold(tx, host).await? {
        return Ok(());
    }
    Err(domain_gone(host).into())
}

/// Fails if a new code or external id belongs to another link.
async fn free_names(tx: &mut Tx<'_>, before: &Link, next: &Link) -> Result<(), Fail> {
    let names = changed(&before.body, &next.body);
    let is = |field: &str| names.iter().any(|n| n == field);
    let domain = next.body.domain.as_deref().unwrap_or_default();
    if (is("code") || is("domain")) && links::by_code(tx, domain, &next.body.code).await?.is_some()
    {
        let domain = next
            .body
            .domain
            .clone()
            .unwrap_or_else(|| "the default domain".to_owned());
        return Err(LinksError::CodeTaken {
            code: next.body.code.clone(),
            domain,
        }
        .into());
    }
    if let Some(external_id) = next.body.external_id.as_ref().filter(|_| is("external_id"))
        && links::by_external_id(tx, external_id).await?.is_some()
    {
        return Err(LinksError::ExternalIdTaken {
            external_id: external_id.clone(),
        }
        .into());
    }
    Ok(())
}

/// Removes a link.
pub(crate) async fn remove(
    tx: &mut Tx<'_>,
    link: &Link,
    touched: &mut Vec<Touched>,
) -> Result<(), Fail> {
    write::delete(tx, link.num).await?;
    announce(tx, outbox::DELETED, link, None, touched).await
}
