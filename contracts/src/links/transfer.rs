//! Many links at once.

use kernel::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CreateLink, LinkView, PatchLink};

/// The most items of a bulk request.
pub const BULK_ITEMS_MAX: usize = 100;
/// The most rows of one import batch.
pub const IMPORT_ROWS_MAX: usize = 1_000;

/// Makes several links.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkCreate {
    /// Up to 100 links.
    pub links: Vec<CreateLink>,
}

/// Changes several links.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkPatch {
    /// Up to 100 changes.
    pub links: Vec<PatchLink>,
}

/// Removes several links.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkDelete {
    /// Up to 100 ids, `ext_<external id>`s or codes of the default domain.
    pub links: Vec<String>,
}

/// What became of each item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BulkResult {
    /// How many succeeded.
    pub succeeded: u32,
    /// How many failed.
    pub failed: u32,
    /// Each item, in the order of the request.
    pub items: Vec<BulkItem>,
}

/// What became of one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BulkItem {
    /// The status that the item would have had by itself.
    pub status: u16,
    /// The link, if it succeeded and is still there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkView>,
    /// What is wrong, if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Problem>,
}

/// Rows of an import, made in one transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportBatch {
    /// Up to 1,000 rows.
    pub rows: Vec<ImportRow>,
}

/// One row of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportRow {
    /// Its line in the file, for messages.
    pub line: u64,
    /// The link.
    pub link: CreateLink,
}

/// What became of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportReport {
    /// How many links were made.
    pub created: u64,
    /// How many rows could not be made.
    pub failed: u64,
    /// Why, for the first 1,000 of them.
    pub errors: Vec<ImportError>,
}

/// Why a row could not be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportError {
    /// Its line in the file.
    pub line: u64,
    /// What is wrong, and what to do.
    pub detail: String,
}
