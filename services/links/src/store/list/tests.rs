//! How lists are read: by an index, however many clicks there are.

use storage::{Db, DbOptions, Dialect, Tx};
use testkit::Postgres;

use super::*;
use crate::MIGRATIONS;

#[test]
fn wildcards_of_a_search_stand_for_themselves() {
    assert_eq!(pattern("50%_\\x"), "%50\\%\\_\\\\x%");
}

/// A hundred million clicks on twenty thousand links.
async fn popular(db: &Db) -> Result<()> {
    db.migrate(MIGRATIONS).await?;
    db.write(async |tx: &mut Tx<'_>| {
        let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)";
        let clicks = format!("{numbers} INSERT INTO link_counts (num, clicks) SELECT i, 2 * (i * 7919 % 5003) FROM n");
        let clicks = if tx.dialect() == Dialect::Sqlite {
            clicks
        } else {
            "INSERT INTO link_counts (num, clicks) SELECT i, 2 * (i * 7919 % 5003) FROM generate_series(1, 20000) AS i".to_owned()
        };
        tx.execute_dyn(&clicks, &[]).await?;
        let links = "(id, domain, code, url, url_hash, tags, enabled, status, forward_query, rules, password_version, search, version, created_at, created_by, updated_at, updated_by)";
        let row = "CAST(i AS TEXT), '', CAST(i AS TEXT), 'https://a.example/', 0, '[]', 1, 302, 0, '[]', 0, '', 1, 0, '', 0, ''";
        let links = if tx.dialect() == Dialect::Sqlite {
            format!("{numbers} INSERT INTO links {links} SELECT {row} FROM n")
        } else {
            format!("INSERT INTO links {links} SELECT {row} FROM generate_series(1, 20000) AS i")
        };
        tx.execute_dyn(&links, &[]).await?;
        tx.execute_dyn("ANALYZE", &[]).await.map(drop)
    })
    .await
}

/// How the engine would read a page of links by clicks.
async fn plan(db: &Db) -> Result<String> {
    db.read(async |tx: &mut Tx<'_>| {
        let after = Some((5_000, 77));
        let filter = Filter {
            sort: LinkSort::Clicks,
            after,
            limit: 51,
            ..Filter::default()
        };
        let sql = build(tx, &filter);
        let explain = match tx.dialect() {
            Dialect::Sqlite => "EXPLAIN QUERY PLAN ",
            Dialect::Postgres => "EXPLAIN ",
        };
        let params: Vec<&dyn storage::ToParam> = sql
            .params()
            .iter()
            .map(|v| v as &dyn storage::ToParam)
            .collect();
        let rows = tx
            .query_dyn(&format!("{explain}{}", sql.text()), &params)
            .await?;
        let column = if tx.dialect() == Dialect::Sqlite {
            3
        } else {
            0
        };
        let lines: Result<Vec<String>> = rows.iter().map(|row| row.get(column)).collect();
        Ok(lines?.join("\n"))
    })
    .await
}

#[tokio::test]
async fn u13_a_list_by_clicks_is_read_in_the_order_of_an_index_on_sqlite() {
    let db = Db::open("sqlite::memory:", DbOptions::new("links"))
        .await
        .expect("a database");
    popular(&db).await.expect("links");
    let plan = plan(&db).await.expect("a plan");
    assert!(plan.contains("link_counts_by_clicks"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE"), "nothing is sorted: {plan}");
}

#[tokio::test]
async fn u13_a_list_by_clicks_is_read_in_the_order_of_an_index_on_postgres() {
    let Some(postgres) = Postgres::shared().await else {
        return;
    };
    let db = Db::open(&postgres.url(), DbOptions::new("links_plan"))
        .await
        .expect("a database");
    popular(&db).await.expect("links");
    let plan = plan(&db).await.expect("a plan");
    assert!(plan.contains("link_counts_by_clicks"), "{plan}");
    assert!(!plan.contains("Sort"), "nothing is sorted: {plan}");
}
