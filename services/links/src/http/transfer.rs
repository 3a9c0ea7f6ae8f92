//! Imports and exports: tables (CSV), JSON and bookmarks, as streams that are never held whole.

mod import;
mod reader;

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use contracts::links::{ImportReport, LinkView, LinksError};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use kernel::Problem;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use web::{IdempotencyKey, Query};

use self::import::Import;
use self::reader::Reader;
use super::answer::{Answer, Asked, Read, Write, done};
use crate::domain::{bookmarks, json, sheet};
use crate::service::Service;
use crate::service::transfer::fail;

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// A table.
    #[default]
    Csv,
    /// One link a line.
    Json,
    /// Bookmarks as browsers write them.
    Bookmarks,
}

impl Format {
    fn of_content_type(headers: &HeaderMap) -> Self {
        let kind = headers.get(header::CONTENT_TYPE);
        let kind = kind.map_or(&b""[..], HeaderValue::as_bytes);
        let is = |name: &str| kind.starts_with(name.as_bytes());
        if is("text/html") {
            Self::Bookmarks
        } else if is("application/json") || is("application/x-ndjson") {
            Self::Json
        } else {
            Self::Csv
        }
    }

    /// The content type of a file, and its name when it is kept.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Csv => (
                "text/csv; charset=utf-8",
                "attachment; filename=\"links.csv\"",
            ),
            Self::Json => (
                "application/x-ndjson",
                "attachment; filename=\"links.ndjson\"",
            ),
            Self::Bookmarks => (
                "text/html; charset=utf-8",
                "attachment; filename=\"links.html\"",
            ),
        }
    }
}

/// How a file is read.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ImportQuery {
    /// `csv`, `json` or `bookmarks`; by the content type if absent.
    #[param(inline)]
    format: Option<Format>,
    /// The domain of links that name none.
    domain: Option<String>,
    /// A tag for every link.
    tag: Option<String>,
}

/// How a file is written.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportQuery {
    /// `csv`, `json` or `bookmarks`; `csv` if absent.
    #[param(inline)]
    format: Option<Format>,
}

/// Makes links from a table, JSON or bookmarks. Rows that cannot be made are reported by line.
///
/// JSON has one link a line, as for a new link or as an export has it. A table begins with the names
/// of its columns: `url` and any of `code`, `domain`, `title`, `notes`, `tags`, `external_id`,
/// `enabled`, `status`, `cache_control`, `forward_query`, `expires_at`, `expired_url`,
/// `max_clicks`, `rules` (JSON). Up to 1,000 links are made in one
/// transaction; with an idempotency key an import that broke off goes on where it stopped when it is
/// sent again, and another file under the key of a whole one is refused.
#[utoipa::path(post, path = "/api/links/import", tag = "transfer", params(ImportQuery),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, body = ImportReport), (status = 413, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn import(
    State(service): State<Arc<Service>>,
    asked: Asked<Write>,
    Query(query): Query<ImportQuery>,
    request: Request,
) -> Answer {
    let meta = web::Meta::of(&request);
    let (parts, body) = request.into_parts();
    let key = IdempotencyKey::of(&parts, &meta.caller, &[])?;
    let format = query.format;
    let format = format.unwrap_or_else(|| Format::of_content_type(&parts.headers));
    let reader = Reader::new(format, query.domain, query.tag);
    let import = Import::new(&service, asked.0, key);
    let report = import.run(reader, body).await?;
    Ok(done(StatusCode::OK, report))
}

/// Every link, as a table, JSON or bookmarks. Passwords are in none: set them after an import.
#[utoipa::path(get, path = "/api/links/export", tag = "transfer", params(ExportQuery),
    responses((status = 200, content_type = "text/csv", body = String)))]
pub(crate) async fn export(
    State(service): State<Arc<Service>>,
    asked: Asked<Read>,
    Query(query): Query<ExportQuery>,
) -> Answer {
    let format = query.format.unwrap_or_default();
    let (head, tail) = match format {
        Format::Csv => (table(std::iter::once(head_row())), Bytes::new()),
        Format::Json => (Bytes::new(), Bytes::new()),
        Format::Bookmarks => (
            Bytes::from_static(bookmarks::HEAD.as_bytes()),
            Bytes::from_static(bookmarks::TAIL.as_bytes()),
        ),
    };
    let call = asked.0;
    let pages = stream::try_unfold(Some(None), move |at: Option<Option<i64>>| {
        let (service, call) = (Arc::clone(&service), call.clone());
        async move {
            let Some(after) = at else { return Ok(None) };
            let (links, next) = service.export_page(&call, after).await?;
            Ok::<_, LinksError>(Some((page(format, &links), next.map(Some))))
        }
    });
    let all = stream::once(async { Ok(head) })
        .chain(pages)
        .chain(stream::once(async { Ok(tail) }))
        .try_filter(|bytes| std::future::ready(!bytes.is_empty()));
    let (kind, name) = format.names();
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static(name)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
    ];
    let response: Response = (headers, Body::from_stream(all)).into_response();
    Ok(response)
}

fn head_row() -> Vec<String> {
    sheet::COLUMNS.iter().map(|c| (*c).to_owned()).collect()
}

fn page(format: Format, links: &[LinkView]) -> Bytes {
    match format {
        Format::Csv => table(links.iter().map(sheet::row)),
        Format::Json => Bytes::from(links.iter().map(json::line).collect::<String>()),
        Format::Bookmarks => {
            let lines = links.iter().map(|link| {
                let title = link.title.as_deref().unwrap_or(&link.url);
                bookmarks::line(
                    &link.url,
                    title,
                    link.created_at.0.secs(),
                    &link.tags,
                    &link.code,
                )
            });
            Bytes::from(lines.collect::<String>())
        }
    }
}

fn table(rows: impl Iterator<Item = Vec<String>>) -> Bytes {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        // Writing to memory cannot fail; a row that could not be written would only be missing.
        let _ = writer.write_record(&row);
    }
    Bytes::from(writer.into_inner().unwrap_or_default())
}

/// Notes a row that could not be read.
fn unreadable(report: &mut ImportReport, line: u64, detail: String) {
    fail(report, line, detail);
}
