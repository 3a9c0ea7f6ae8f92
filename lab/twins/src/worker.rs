//! The process that is killed: takes one order after the other and says which it has taken.

use std::io::Write;
use std::path::Path;

use kernel::{Ctx, Id, Tasks};

use crate::orders::Databases;
use crate::{Mode, TwinError, line, outbox};

/// The words that lines of the worker begin with.
pub(crate) const TOLD: &str = "told";
pub(crate) const STORED: &str = "stored";
pub(crate) const MAIL: &str = "mail";
/// The last line of who settles: what came before is all.
pub(crate) const DONE: &str = "done";

/// Takes orders in `data` until it is killed, or until nobody reads `out` any more; writes a line
/// for each order that a client would now be told of.
pub async fn work(mode: Mode, data: &Path, out: &mut impl Write) -> Result<(), TwinError> {
    let databases = Databases::open(data).await?;
    let (ctx, tasks) = (Ctx::system(), Tasks::new());
    // A dual write has nothing that it could recover from.
    if mode == Mode::Outbox {
        outbox::relay(&databases, &tasks).await?;
    }
    loop {
        let id = ctx.new_id();
        take(mode, &databases, id).await?;
        if say(out, &line(TOLD, id)).is_err() {
            tasks.shutdown().await;
            return Ok(());
        }
    }
}

/// Takes one order, as the design has it.
async fn take(mode: Mode, databases: &Databases, id: Id) -> storage::Result<()> {
    match mode {
        Mode::Outbox => databases.place_and_publish(id).await,
        Mode::CommitFirst => {
            databases.place(id).await?;
            databases.send(id).await
        }
        Mode::PublishFirst => {
            databases.send(id).await?;
            databases.place(id).await
        }
    }
}

/// Lets everything that is under way in `data` arrive, then writes what there is.
pub async fn settle(mode: Mode, data: &Path, out: &mut impl Write) -> Result<(), TwinError> {
    let databases = Databases::open(data).await?;
    let tasks = Tasks::new();
    if mode == Mode::Outbox {
        outbox::relay(&databases, &tasks).await?;
        outbox::drained(&databases).await?;
    }
    let mut text = String::new();
    for (word, ids) in [
        (STORED, databases.placed().await?),
        (MAIL, databases.sent().await?),
    ] {
        text.extend(ids.into_iter().map(|id| line(word, id)));
    }
    text.push_str(DONE);
    text.push('\n');
    say(out, &text).map_err(|error| TwinError::Io("write to standard output", error))?;
    tasks.shutdown().await;
    Ok(())
}

fn say(out: &mut impl Write, text: &str) -> std::io::Result<()> {
    out.write_all(text.as_bytes())?;
    out.flush()
}
