//! A file becomes batches of links, each one a transaction and, with an idempotency key, done once.

use axum::body::{Body, Bytes};
use contracts::links::{IMPORT_ROWS_MAX, ImportBatch, ImportReport, ImportRow, LinksError};
use futures_util::StreamExt as _;
use sha2::{Digest as _, Sha256};
use web::{IdempotencyKey, ProblemReply};

use super::reader::Reader;
use crate::service::Service;
use crate::service::call::{Call, Done, Key};
use crate::service::transfer::ERRORS_MAX;

/// The largest file of an import, in bytes.
const FILE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// An import that is going on.
pub(super) struct Import<'a> {
    service: &'a Service,
    call: Call,
    key: Option<IdempotencyKey>,
    /// Of all bytes that came so far.
    file: Sha256,
    done: Report,
}

/// What comes after a batch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    More,
    End,
}

#[derive(Default)]
struct Report {
    sum: ImportReport,
    batches: u32,
    replayed: u32,
}

impl<'a> Import<'a> {
    /// An import that has not begun.
    pub(super) fn new(service: &'a Service, call: Call, key: Option<IdempotencyKey>) -> Self {
        Self {
            service,
            call,
            key,
            file: Sha256::new(),
            done: Report::default(),
        }
    }

    /// Makes the links of a file; those before a fault of the file as a whole stay made.
    pub(super) async fn run(
        mut self,
        mut reader: Reader,
        body: Body,
    ) -> Result<Done<ImportReport>, ProblemReply> {
        let mut chunks = body.into_data_stream();
        let (mut bytes, mut rows) = (0, Vec::new());
        while let Some(chunk) = chunks.next().await {
            let chunk: Bytes = chunk.map_err(|_| broken_off())?;
            bytes += chunk.len();
            self.file.update(&chunk);
            if bytes > FILE_BYTES_MAX {
                let detail = "a file has at most 256 MiB; send it in parts".to_owned();
                return Err(LinksError::TooLarge { detail }.into());
            }
            rows.extend(reader.push(&chunk, &mut self.done.sum)?);
            self.batches(&mut rows).await?;
        }
        rows.extend(reader.finish(&mut self.done.sum));
        self.batches(&mut rows).await?;
        // A file without rows uses up its key too.
        if !rows.is_empty() || self.key.is_some() {
            self.batch(rows, Then::End).await?;
        }
        let Report {
            mut sum,
            batches,
            replayed,
        } = self.done;
        sum.errors.sort_by_key(|e| e.line);
        Ok(Done {
            value: sum,
            replayed: batches > 0 && batches == replayed,
        })
    }

    /// Makes full batches that are not the last one.
    async fn batches(&mut self, rows: &mut Vec<ImportRow>) -> Result<(), ProblemReply> {
        while rows.len() > IMPORT_ROWS_MAX {
            let rest = rows.split_off(IMPORT_ROWS_MAX);
            let batch = std::mem::replace(rows, rest);
            self.batch(batch, Then::More).await?;
        }
        Ok(())
    }

    async fn batch(&mut self, rows: Vec<ImportRow>, then: Then) -> Result<(), ProblemReply> {
        let batch = ImportBatch { rows };
        let key = self.key.as_ref().map(|key| self.part(key, &batch, then));
        let call = Call {
            key,
            ..self.call.clone()
        };
        let part = self.service.import_batch(&call, batch).await?;
        self.done.batches += 1;
        self.done.replayed += u32::from(part.replayed);
        self.done.sum.created += part.value.created;
        self.done.sum.failed += part.value.failed;
        let room = ERRORS_MAX.saturating_sub(self.done.sum.errors.len());
        self.done
            .sum
            .errors
            .extend(part.value.errors.into_iter().take(room));
        Ok(())
    }

    /// The key of a batch. The last one stands for the whole file, so that no other file, longer or
    /// shorter, is taken for the one that the key was used with.
    fn part(&self, key: &IdempotencyKey, batch: &ImportBatch, then: Then) -> Key {
        let mut hash = Sha256::new();
        hash.update(key.fingerprint);
        hash.update(match then {
            Then::More => [0; 32],
            Then::End => self.file.clone().finalize().into(),
        });
        hash.update(serde_json::to_vec(batch).unwrap_or_default());
        let key = match self.done.batches {
            0 => key.key.clone(),
            // No key that a caller gives has a line break.
            number => format!("{}\n{number}", key.key),
        };
        Key {
            key,
            fingerprint: hash.finalize().into(),
        }
    }
}

fn broken_off() -> LinksError {
    LinksError::BadRequest {
        detail: "the file broke off; what came before is imported".to_owned(),
    }
}
