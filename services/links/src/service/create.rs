//! Making one link, or changing the one that is meant.

use contracts::links::{CreateLink, LinkSnapshot, LinkView, LinksError, Upserted};
use storage::Tx;

use super::Service;
use super::call::{Call, Done};
use super::change::{Edit, apply};
use super::make::{Maker, Ready};
use super::routes::Touched;
use crate::domain::draft::{self, Draft};
use crate::domain::link::{Clicks, Link};
use crate::store::{Fail, links, locks};

impl Service {
    /// Makes a link.
    pub(crate) async fn create(
        &self,
        call: &Call,
        request: CreateLink,
    ) -> Result<Done<LinkView>, LinksError> {
        let ready = [self.ready(call, request).await?];
        let maker = self.maker(call);
        let viewer = self.viewer(call);
        self.mutate(
            call,
            async move |tx: &mut Tx<'_>, touched: &mut Vec<Touched>| {
                let mut made = maker.make(tx, &ready, touched).await?;
                let link = made
                    .pop()
                    .unwrap_or_else(|| Err(LinksError::no_link("new")))?;
                Ok(viewer.view(link, Clicks::default()))
            },
        )
        .await
    }

    /// Makes the link, or changes the one with the same external id, or else with the same target.
    pub(crate) async fn upsert(
        &self,
        call: &Call,
        request: CreateLink,
    ) -> Result<Done<Upserted>, LinksError> {
        let ready = self.ready(call, request.clone()).await?;
        let rooms = self.hosts.rooms(call).await.map_err(Fail::from)?;
        let edit = Edit::of_create(request, &ready, rooms);
        let maker = self.maker(call);
        let viewer = self.viewer(call);
        self.mutate(
            call,
            async move |tx: &mut Tx<'_>, touched: &mut Vec<Touched>| {
                if let Some((link, clicks)) = meant(tx, &ready).await? {
                    let link = apply(tx, link, edit.clone(), (&maker.by, touched)).await?;
                    return Ok(Upserted {
                        created: false,
                        link: viewer.view(link, clicks),
                    });
                }
                let mut made = maker
                    .make(tx, std::slice::from_ref(&ready), touched)
                    .await?;
                let link = made
                    .pop()
                    .unwrap_or_else(|| Err(LinksError::no_link("new")))?;
                Ok(Upserted {
                    created: true,
                    link: viewer.view(link, Clicks::default()),
                })
            },
        )
        .await
    }

    /// Checks a new link and hashes its password, before any transaction.
    pub(crate) async fn ready(
        &self,
        call: &Call,
        request: CreateLink,
    ) -> Result<Ready, LinksError> {
        let rooms = self.hosts.rooms(call).await.map_err(Fail::from)?;
        let Draft { body, password } = draft::create(request, &rooms)?;
        let password = match password {
            Some(plain) => Some(self.passes.hash(plain).await?),
            None => None,
        };
        Ok(Ready { body, password })
    }

    /// How links are made now.
    pub(crate) fn maker(&self, call: &Call) -> Maker {
        Maker {
            ctx: self.ctx.clone(),
            scheme: self.choices.ids.get(),
            length: self.config.code_length,
            taken: self.meters.taken.clone(),
            by: call.by.clone(),
        }
    }
}

/// The link that an upsert means. One with an external id is never found by its target alone.
///
/// Until the transaction ends no other upsert looks for the same link: two that find none at the same
/// moment would make two.
async fn meant(tx: &mut Tx<'_>, ready: &Ready) -> Result<Option<(Link, Clicks)>, Fail> {
    let LinkSnapshot {
        domain,
        code,
        url,
        external_id,
        ..
    } = &ready.body;
    let domain = domain.as_deref().unwrap_or_default();
    if let Some(external_id) = external_id {
        locks::hold(tx, ["links by external id", "", external_id]).await?;
        return Ok(links::by_external_id(tx, external_id).await?);
    }
    if code.is_empty() {
        locks::hold(tx, ["links by target", domain, url]).await?;
        return Ok(links::by_url(tx, domain, url).await?);
    }
    locks::hold(tx, ["links by code", domain, code]).await?;
    Ok(links::by_code(tx, domain, code).await?)
}
