//! Prepares the statements of a service on a migrated database, so that a test finds a wrong one.

use crate::tx::Link;
use crate::{Db, Error, Result, Sql};

impl Db {
    /// Prepares each of `statements` without running it. The error names those that cannot be.
    pub async fn prepare_all(&self, statements: &[Sql]) -> Result<()> {
        let mut wrong = Vec::new();
        let mut kind = None;
        for sql in statements {
            let text = sql.text(self.dialect());
            let prepared = self
                .read(async move |tx| {
                    let done = match tx.link {
                        Link::Sqlite(session) => session.prepare(text),
                        Link::Postgres(session) => session.prepare(text).await,
                    };
                    tx.note(done)
                })
                .await;
            if let Err(error) = prepared {
                kind.get_or_insert(error.kind().clone());
                wrong.push(format!("{error} in: {text}"));
            }
        }
        kind.map_or(Ok(()), |kind| Err(Error::new(kind, wrong.join("\n"))))
    }
}
