//! Many links at once: bulk requests, imports, exports.

use contracts::links::{
    BULK_ITEMS_MAX, BulkCreate, BulkDelete, BulkItem, BulkPatch, BulkResult, IMPORT_ROWS_MAX,
    ImportBatch, ImportError, ImportReport, LinkView, LinksError,
};
use kernel::{Coded as _, Problem};
use storage::Tx;

use super::Service;
use super::call::{Call, Done};
use super::change::{apply, named, remove};
use super::make::Ready;
use super::routes::Touched;
use crate::domain::draft;
use crate::domain::link::{Clicks, Link};
use crate::store::Fail;
use crate::store::list::{self, Filter};

/// How many failed rows an import names.
pub(crate) const ERRORS_MAX: usize = 1_000;

/// What became of an item before the store was asked.
type Checked<T> = Result<T, LinksError>;

impl Service {
    /// Makes several links; each succeeds or fails by itself.
    pub(crate) async fn bulk_create(
        &self,
        call: &Call,
        request: BulkCreate,
    ) -> Result<Done<BulkResult>, LinksError> {
        check_size(request.links.len())?;
        let mut checked: Vec<Checked<Ready>> = Vec::with_capacity(request.links.len());
        for link in request.links {
            checked.push(self.ready(call, link).await);
        }
        let maker = self.maker(call);
        let viewer = self.viewer(call);
        self.mutate(
            call,
            async move |tx: &mut Tx<'_>, touched: &mut Vec<Touched>| {
                let ready: Vec<Ready> = checked.iter().flatten().cloned().collect();
                let mut made = maker.make(tx, &ready, touched).await?.into_iter();
                let items = checked.iter().map(|item| {
                    let link = match item {
                        Ok(_) => made
                            .next()
                            .unwrap_or_else(|| Err(LinksError::no_link("new"))),
                        Err(error) => Err(error.clone()),
                    };
                    of_item(link.map(|l| Some(viewer.view(l, Clicks::default()))), 201)
                });
                Ok(sum(items.collect()))
            },
        )
        .await
    }

    /// Changes several links; each succeeds or fails by itself.
    pub(crate) async fn bulk_patch(
        &self,
        call: &Call,
        request: BulkPatch,
    ) -> Result<Done<BulkResult>, LinksError> {
        check_size(request.links.len())?;
        let mut edits = Vec::with_capacity(request.links.len());
        for patch in request.links {
            edits.push((
                patch.link,
                patch.domain,
                self.edit(call, patch.changes).await,
            ));
        }
        let viewer = self.viewer(call);
        let by = call.by.clone();
        self.mutate(
            call,
            async move |tx: &mut Tx<'_>, touched: &mut Vec<Touched>| {
                let mut items = Vec::with_capacity(edits.len());
                for (name, domain, edit) in &edits {
                    let one = async {
                        let edit = edit.clone()?;
                        let (link, clicks) = named(tx, name, domain.as_deref()).await?;
                        let link: Link = apply(tx, link, edit, (&by, &mut *touched)).await?;
                        Ok::<_, Fail>(Some(viewer.view(link, clicks)))
                    };
                    items.push(of_item(refusal(one.await)?, 200));
                }
                Ok(sum(items))
            },
        )
        .await
    }

    /// Removes several links; each succeeds or fails by itself.
    pub(crate) async fn bulk_delete(
        &self,
        call: &Call,
        request: BulkDelete,
    ) -> Result<Done<BulkResult>, LinksError> {
        check_size(request.links.len())?;
        self.mutate(
            call,
            async move |tx: &mut Tx<'_>, touched: &mut Vec<Touched>| {
                let mut items = Vec::with_capacity(request.links.len());
                for name in &request.links {
                    let one = async {
                        let (link, _) = named(tx, name, None).await?;
                        remove(tx, &link, touched).await.map(|()| None)
                    };
                    items.push(of_item(refusal(one.await)?, 200));
                }
                Ok(sum(items))
            },
        )
        .await
    }

    /// Makes up to 1,000 links in one transaction; rows that cannot be made are reported.
    pub(crate) async fn import_batch(
        &self,
        call: &Call,
        request: ImportBatch,
    ) -> Result<Done<ImportReport>, LinksError> {
        if request.rows.len() > IMPORT_ROWS_MAX {
            let detail = "a batch has at most 1,000 rows; send several".to_owned();
            return Err(LinksError::TooLarge { detail });
        }
        let rooms = self.hosts.rooms(call).await.map_err(Fail::from)?;
        let mut report = ImportReport::default();
        let mut ready = Vec::with_capacity(request.rows.len());
        let mut lines = Vec::with_capacity(request.rows.len());
        for row in request.rows {
            match draft::create(row.link, &rooms) {
                // Hashing a password takes longer than all the rest of an import.
                Ok(d) if d.password.is_some() => {
                    fail(
                        &mut report,
                        row.line,
                        "password: set it after the import".to_owned(),
                    );
                }
                Ok(d) => {
                    ready.push(Ready {
                        body: d.body,
                        password: None,
                    });
                    lines.push(row.line);
                }
                Err(error) => fail(&mut report, row.line, error.to_string()),
            }
        }
        let maker = self.maker(call);
        let done = self
            .mutate(
                call,
                async move |tx: &mut Tx<'_>, touched: &mut Vec<Touched>| {
                    let mut report = report.clone();
                    let made = maker.make(tx, &ready, touched).await?;
                    for (link, line) in made.into_iter().zip(&lines) {
                        match link {
                            Ok(_) => report.created += 1,
                            Err(error) => fail(&mut report, *line, error.to_string()),
                        }
                    }
                    Ok(report)
                },
            )
            .await?;
        if !done.replayed {
            self.meters.imported.add(done.value.created);
        }
        Ok(done)
    }

    /// The next links of an export, oldest last, after the one with number `after`.
    pub(crate) async fn export_page(
        &self,
        call: &Call,
        after: Option<i64>,
    ) -> Result<(Vec<LinkView>, Option<i64>), LinksError> {
        let limit = 500;
        let filter = Filter {
            after: after.map(|num| (0, num)),
            limit,
            ..Filter::default()
        };
        let read = async move |tx: &mut Tx<'_>| Ok::<_, Fail>(list::list(tx, &filter).await?);
        let found = self.db.read(read).await?;
        let next = found
            .last()
            .map(|(link, _)| link.num)
            .filter(|_| found.len() == limit as usize);
        let viewer = self.viewer(call);
        Ok((
            found
                .into_iter()
                .map(|(link, clicks)| viewer.view(link, clicks))
                .collect(),
            next,
        ))
    }
}

fn check_size(items: usize) -> Result<(), LinksError> {
    match items {
        0 => Err(LinksError::invalid("links", "name at least one item")),
        n if n > BULK_ITEMS_MAX => Err(LinksError::invalid(
            "links",
            "at most 100 items; send several requests",
        )),
        _ => Ok(()),
    }
}

/// A failed rule is the item's own; a failed store ends the request.
fn refusal<T>(done: Result<T, Fail>) -> Result<Result<T, LinksError>, Fail> {
    match done {
        Ok(value) => Ok(Ok(value)),
        Err(Fail::Links(error)) => Ok(Err(error)),
        Err(Fail::Store(error)) => Err(Fail::Store(error)),
    }
}

fn of_item(done: Result<Option<LinkView>, LinksError>, status: u16) -> BulkItem {
    match done {
        Ok(link) => BulkItem {
            status,
            link,
            error: None,
        },
        Err(error) => BulkItem {
            status: error.code().status(),
            link: None,
            error: Some(Problem::of(&error)),
        },
    }
}

fn sum(items: Vec<BulkItem>) -> BulkResult {
    let failed = items.iter().filter(|i| i.error.is_some()).count();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    BulkResult {
        succeeded: count(items.len() - failed),
        failed: count(failed),
        items,
    }
}

/// Notes a row that could not be made.
pub(crate) fn fail(report: &mut ImportReport, line: u64, detail: String) {
    report.failed += 1;
    if report.errors.len() < ERRORS_MAX {
        report.errors.push(ImportError { line, detail });
    }
}
