//! Short links: the contract of the service `links`.
//!
//! Its messages are the bodies of the REST API too, so that both read the same. Messages travel
//! as JSON; a field that is absent keeps its default, an unknown one is refused.

mod analytics;
mod domain;
mod error;
mod list;
mod moment;
mod patch;
mod resolve;
mod spec;
mod transfer;
mod view;

use mesh::contract;

pub use analytics::{
    Bucket, Count, GetOrphans, GetStats, LinkStats, OrphanStats, SeriesPoint, TagCount, TagList,
};
pub use domain::{DeleteDomain, Domain, DomainList, PutDomain};
pub use error::LinksError;
pub use list::{LinkSort, LinkStatus, ListLinks};
pub use moment::{Moment, MomentError};
pub use patch::{LinkChanges, PatchLink};
pub use resolve::{ExplainLink, ExplainStep, Explained, Outcome, ResolveLink, ResolvedLink};
pub use spec::{CreateLink, Device, Rule};
pub use transfer::{
    BULK_ITEMS_MAX, BulkCreate, BulkDelete, BulkItem, BulkPatch, BulkResult, IMPORT_ROWS_MAX,
    ImportBatch, ImportError, ImportReport, ImportRow,
};
pub use view::{
    Deleted, GetHistory, GetLink, History, LinkSnapshot, LinkVersion, LinkView, NoRequest,
    RollbackLink, Upserted,
};

contract! {
    /// Short links: the code in, the target out, every click counted.
    pub trait Links("links") error LinksError {
        /// Makes a link.
        command create(CreateLink) -> LinkView;
        /// One link by its id, `ext_<external id>` or code.
        query get(GetLink) -> LinkView;
        /// Links that match, page by page.
        query list(ListLinks) -> kernel::Page<LinkView>;
        /// Changes what is named, keeps the rest.
        command patch(PatchLink) -> LinkView;
        /// Removes a link with its history and its clicks.
        command delete(GetLink) -> Deleted;
        /// Makes the link, or changes the one with the same external id, or else the same target.
        command upsert(CreateLink) -> Upserted;
        /// Makes up to 100 links; each item succeeds or fails by itself.
        command bulk_create(BulkCreate) -> BulkResult;
        /// Changes up to 100 links; each item succeeds or fails by itself.
        command bulk_patch(BulkPatch) -> BulkResult;
        /// Removes up to 100 links; each item succeeds or fails by itself.
        command bulk_delete(BulkDelete) -> BulkResult;
        /// Where a code leads for a visitor. Counts nothing and reveals no protected target.
        query resolve(ResolveLink) -> ResolvedLink;
        /// What would happen to a visitor, and why, rule by rule.
        query explain(ExplainLink) -> Explained;
        /// The clicks of a link, exact when read.
        query stats(GetStats) -> LinkStats;
        /// Visits that found no link.
        query orphans(GetOrphans) -> OrphanStats;
        /// Every tag in use.
        query tags(NoRequest) -> TagList;
        /// The versions of a link, newest first.
        query history(GetHistory) -> History;
        /// Makes an earlier version the newest one.
        command rollback(RollbackLink) -> LinkView;
        /// Makes up to 1,000 links in one transaction; rows that cannot be made are reported.
        command import_batch(ImportBatch) -> ImportReport;
        /// The custom domains.
        query domains(NoRequest) -> DomainList;
        /// Adds or changes a custom domain.
        command put_domain(PutDomain) -> Domain;
        /// Removes a custom domain that no link uses.
        command delete_domain(DeleteDomain) -> Deleted;
    }
}
