//! The use cases, one method each.

use async_trait::async_trait;
use contracts::__name__::{
    Count__Name__, Create__Item__, Get__Item__, List__Name__, __Item__, __Item__Count, __Name__,
    __Name__Error,
};
use kernel::{Choice, ChoiceKnob, Coded, Ctx, Page, PageLimit, Seek};
use mesh::CallCx;
use sha2::{Digest, Sha256};

use crate::domain::{self, Order};
use crate::events;
use crate::store::{Asked, OnceKey, Store};

/// What implements the contract.
pub(crate) struct Service {
    pub(crate) ctx: Ctx,
    pub(crate) store: Store,
    pub(crate) order: ChoiceKnob<Order>,
}

#[async_trait]
impl __Name__ for Service {
    async fn create(&self, cx: &CallCx, request: Create__Item__) -> Result<__Item__, __Name__Error> {
        let made = domain::create(&request, self.ctx.new_id(), self.ctx.now())?;
        let event = events::changed(&made);
        let asked = Asked { once: once(cx, &request), trace: cx.trace };
        let kept = self.store.insert(made, event, asked).await;
        kept.map_err(|error| failed(&error))
    }

    async fn get(&self, _: &CallCx, request: Get__Item__) -> Result<__Item__, __Name__Error> {
        let Get__Item__ { id } = request;
        let found = self.store.get(id).await.map_err(|error| failed(&error))?;
        found.ok_or(__Name__Error::NotFound { id })
    }

    async fn list(&self, _: &CallCx, request: List__Name__) -> Result<Page<__Item__>, __Name__Error> {
        let order = self.order.get();
        let limit = PageLimit::clamped(Some(request.limit));
        let seek = Seek::of(order.name(), request.cursor.as_deref(), limit)
            .map_err(|error| __Name__Error::Invalid { reason: error.to_string() })?;
        let found = self.store.page(order, seek.after().copied(), seek.rows()).await;
        Ok(seek.page(found.map_err(|error| failed(&error))?, |last| last.id))
    }

    async fn count(&self, _: &CallCx, _: Count__Name__) -> Result<__Item__Count, __Name__Error> {
        let count = self.store.count().await.map_err(|error| failed(&error))?;
        Ok(__Item__Count { count })
    }
}

fn once(cx: &CallCx, request: &Create__Item__) -> Option<OnceKey> {
    let key = cx.idempotency_key.as_deref()?.to_owned();
    let scope = format!("create/{}", cx.caller.label());
    let fingerprint = Sha256::digest(request.name.as_bytes()).into();
    Some(OnceKey { scope, key, fingerprint })
}

fn failed(error: &storage::Error) -> __Name__Error {
    let (code, retry) = (error.code(), error.retry());
    __Name__Error::Store { code, retry, reason: error.to_string() }
}
