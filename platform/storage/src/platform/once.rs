//! Idempotency keys: the effects of a request and its answer are kept in one transaction.

use kernel::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use super::prune::prune;
use crate::{Db, Error, ErrorKind, Result, Sql, Tx};

/// The answer of [`Tx::once`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once<R> {
    /// What the work answered, now or the first time.
    pub value: R,
    /// Whether this is the answer of an earlier request, and nothing was done now.
    pub replayed: bool,
}

/// On PostgreSQL a second request with the same key waits here until the first one has ended.
const TAKE: Sql = Sql::both(
    "INSERT INTO platform_idempotency (scope, key, fingerprint, answer, created_at)
     VALUES ($1, $2, $3, NULL, $4) ON CONFLICT (scope, key) DO NOTHING",
);
const GET: Sql =
    Sql::both("SELECT fingerprint, answer FROM platform_idempotency WHERE scope = $1 AND key = $2");
const KEEP: Sql =
    Sql::both("UPDATE platform_idempotency SET answer = $3 WHERE scope = $1 AND key = $2");
const PRUNE: Sql = Sql::both(
    "DELETE FROM platform_idempotency WHERE (scope, key) IN (
       SELECT scope, key FROM platform_idempotency WHERE created_at < $1
       ORDER BY created_at LIMIT $2)",
);

impl Tx<'_> {
    /// Does `work` if `key` was not used before within `scope`; otherwise answers what it answered.
    ///
    /// The effects of `work`, its answer and the key are committed together; if `work` fails, none is.
    /// The same key with another `fingerprint` fails with [`ErrorKind::IdempotencyMismatch`].
    pub async fn once<R, E, F>(
        &mut self,
        scope: &str,
        key: &str,
        fingerprint: &[u8; 32],
        work: F,
    ) -> Result<Once<R>, E>
    where
        R: Serialize + DeserializeOwned,
        E: From<Error>,
        F: AsyncFnOnce(&mut Tx<'_>) -> Result<R, E>,
    {
        let now = self.now();
        if self
            .execute(&TAKE, &[&scope, &key, fingerprint, &now])
            .await?
            == 0
        {
            return Ok(Once {
                value: self.replay(scope, key, fingerprint).await?,
                replayed: true,
            });
        }
        let value = work(self).await.inspect_err(|_| {
            // The key must not be kept without its effects, even if the caller forgets the error.
            self.failed.get_or_insert(ErrorKind::Aborted);
        });
        let value = value?;
        let answer = serde_json::to_vec(&value).map_err(|e| {
            self.failed.get_or_insert(ErrorKind::Internal);
            Error::new(
                ErrorKind::Internal,
                format!("answer cannot be kept as JSON: {e}"),
            )
        })?;
        self.execute(&KEEP, &[&scope, &key, &answer]).await?;
        Ok(Once {
            value,
            replayed: false,
        })
    }

    async fn replay<R: DeserializeOwned>(
        &mut self,
        scope: &str,
        key: &str,
        fingerprint: &[u8; 32],
    ) -> Result<R> {
        let row = self.query_one(&GET, &[&scope, &key]).await?;
        if row.get::<Vec<u8>>(0)? != fingerprint {
            return Err(Error::new(
                ErrorKind::IdempotencyMismatch,
                "this idempotency key was used with another request; use a new key",
            ));
        }
        let answer: Vec<u8> = row.get(1)?;
        serde_json::from_slice(&answer).map_err(|e| {
            Error::new(
                ErrorKind::Internal,
                format!("kept answer cannot be read: {e}"),
            )
        })
    }
}

impl Db {
    /// Forgets keys that were used before `before`; answers how many.
    pub async fn prune_idempotency(&self, before: Timestamp) -> Result<u64> {
        prune(self, PRUNE, before).await
    }
}
