//! The contract: the same use cases for other services.

use async_trait::async_trait;
use contracts::links::{
    BulkCreate, BulkDelete, BulkPatch, BulkResult, CreateLink, DeleteDomain, Deleted, Domain,
    DomainList, ExplainLink, Explained, GetHistory, GetLink, GetOrphans, GetStats, History,
    ImportBatch, ImportReport, LinkStats, LinkView, Links, LinksError, ListLinks, NoRequest,
    OrphanStats, PatchLink, PutDomain, ResolveLink, ResolvedLink, RollbackLink, TagList, Upserted,
};
use kernel::Page;
use mesh::CallCx;

use super::Service;
use super::call::Call;

/// Hands each command on with its caller and idempotency key.
macro_rules! commands {
    ($($method:ident($request:ty) -> $reply:ty;)+) => {
        #[async_trait]
        impl Links for Service {
            $(
                async fn $method(&self, cx: &CallCx, request: $request) -> Result<$reply, LinksError> {
                    let call = Call::of_mesh(cx, stringify!($method), &request);
                    Ok(Self::$method(self, &call, request).await?.value)
                }
            )+

            async fn get(&self, cx: &CallCx, request: GetLink) -> Result<LinkView, LinksError> {
                Self::get(self, &Call::by(caller(cx)), request).await
            }

            async fn list(&self, cx: &CallCx, request: ListLinks) -> Result<Page<LinkView>, LinksError> {
                Self::list(self, &Call::by(caller(cx)), request).await
            }

            async fn resolve(&self, _: &CallCx, request: ResolveLink) -> Result<ResolvedLink, LinksError> {
                Self::resolve(self, request).await
            }

            async fn explain(&self, _: &CallCx, request: ExplainLink) -> Result<Explained, LinksError> {
                Self::explain(self, request).await
            }

            async fn stats(&self, _: &CallCx, request: GetStats) -> Result<LinkStats, LinksError> {
                Self::stats(self, request).await
            }

            async fn orphans(&self, _: &CallCx, request: GetOrphans) -> Result<OrphanStats, LinksError> {
                Self::orphans(self, request).await
            }

            async fn tags(&self, _: &CallCx, _: NoRequest) -> Result<TagList, LinksError> {
                Self::tags(self).await
            }

            async fn history(&self, _: &CallCx, request: GetHistory) -> Result<History, LinksError> {
                Self::history(self, request).await
            }

            async fn domains(&self, _: &CallCx, _: NoRequest) -> Result<DomainList, LinksError> {
                Self::domains(self).await
            }
        }
    };
}

commands! {
    create(CreateLink) -> LinkView;
    patch(PatchLink) -> LinkView;
    delete(GetLink) -> Deleted;
    upsert(CreateLink) -> Upserted;
    bulk_create(BulkCreate) -> BulkResult;
    bulk_patch(BulkPatch) -> BulkResult;
    bulk_delete(BulkDelete) -> BulkResult;
    rollback(RollbackLink) -> LinkView;
    import_batch(ImportBatch) -> ImportReport;
    put_domain(PutDomain) -> Domain;
    delete_domain(DeleteDomain) -> Deleted;
}

fn caller(cx: &CallCx) -> String {
    cx.caller.label().into_owned()
}
