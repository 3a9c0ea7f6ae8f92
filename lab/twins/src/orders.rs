//! The two databases: orders here, mails there. Both are durable, as those of services are.

use std::path::Path;

use kernel::Id;
use storage::{Db, DbOptions, Migration, OutboxEvent, Result, Sql, Tx};

use crate::url;

/// The service that takes orders, and the topic of its events.
pub(crate) const ORDERS: &str = "twin_orders";
/// The service that sends mails.
pub(crate) const MAILS: &str = "twin_mails";

const ORDER_TABLE: &str = "CREATE TABLE orders (id TEXT PRIMARY KEY, placed_at BIGINT NOT NULL)";
// Nothing keeps an order from having two mails: they are to be counted.
const MAIL_TABLE: &str = "CREATE TABLE mails (order_id TEXT NOT NULL, sent_at BIGINT NOT NULL)";

const PLACE: Sql = Sql::both("INSERT INTO orders (id, placed_at) VALUES ($1, $2)");
const SEND: Sql = Sql::both("INSERT INTO mails (order_id, sent_at) VALUES ($1, $2)");
const PLACED: Sql = Sql::both("SELECT id FROM orders ORDER BY id");
const SENT: Sql = Sql::both("SELECT order_id FROM mails ORDER BY order_id");

/// Both databases.
#[derive(Clone)]
pub(crate) struct Databases {
    pub(crate) orders: Db,
    pub(crate) mails: Db,
}

impl Databases {
    /// Opens both, and makes what is not there.
    pub(crate) async fn open(data: &Path) -> Result<Self> {
        Ok(Self {
            orders: open(data, ORDERS, ORDER_TABLE).await?,
            mails: open(data, MAILS, MAIL_TABLE).await?,
        })
    }

    /// Keeps an order and nothing else.
    pub(crate) async fn place(&self, id: Id) -> Result<()> {
        let place = async move |tx: &mut Tx<'_>| insert(tx, &PLACE, id).await;
        self.orders.write(place).await
    }

    /// Keeps an order together with the event that tells of it.
    pub(crate) async fn place_and_publish(&self, id: Id) -> Result<()> {
        let place = async move |tx: &mut Tx<'_>| {
            insert(tx, &PLACE, id).await?;
            let event = OutboxEvent {
                topic: ORDERS.to_owned(),
                key: id.to_string(),
                kind: "order_placed".to_owned(),
                payload: serde_json::to_vec(&id).expect("an id is JSON"),
            };
            tx.publish(&event).await.map(drop)
        };
        self.orders.write(place).await
    }

    /// Sends the mail of an order.
    pub(crate) async fn send(&self, id: Id) -> Result<()> {
        let send = async move |tx: &mut Tx<'_>| send_mail(tx, id).await;
        self.mails.write(send).await
    }

    /// Every order.
    pub(crate) async fn placed(&self) -> Result<Vec<Id>> {
        let all = async |tx: &mut Tx<'_>| ids(tx, &PLACED).await;
        self.orders.read(all).await
    }

    /// The order of every mail.
    pub(crate) async fn sent(&self) -> Result<Vec<Id>> {
        let all = async |tx: &mut Tx<'_>| ids(tx, &SENT).await;
        self.mails.read(all).await
    }
}

/// Sends the mail of an order, within a transaction.
pub(crate) async fn send_mail(tx: &mut Tx<'_>, id: Id) -> Result<()> {
    insert(tx, &SEND, id).await
}

async fn open(data: &Path, name: &str, table: &'static str) -> Result<Db> {
    let db = Db::open(&url(data, name), DbOptions::new(name)).await?;
    let step = Migration {
        version: 1,
        name: "init",
        sqlite: table,
        postgres: table,
    };
    db.migrate(&[step]).await?;
    Ok(db)
}

async fn insert(tx: &mut Tx<'_>, sql: &'static Sql, id: Id) -> Result<()> {
    let now = tx.now();
    tx.execute(sql, &[&id, &now]).await.map(drop)
}

async fn ids(tx: &mut Tx<'_>, sql: &'static Sql) -> Result<Vec<Id>> {
    let rows = tx.query(sql, &[]).await?;
    rows.iter().map(|row| row.get(0)).collect()
}
