//! Stories over {direct, strict, apart} x {SQLite, PostgreSQL}, and the program as people use it.

mod auth;
mod backends;
mod command;
mod configuration;
mod crash;
mod demo;
mod drain;
mod edit;
mod faults;
mod features;
mod health;
mod killed;
mod knob;
mod lab;
mod load;
mod logs;
mod prices;
mod program;
mod sandbox;
mod serve;
mod stage;
mod traces;
mod twins;

pub(crate) use sandbox::{BROWSER, Sandbox, Store, Topology};

/// One test per topology and store for a story: an `async fn(Sandbox)` of the same module.
macro_rules! story {
    ($story:ident) => {
        mod $story {
            crate::story!(@each $story {
                direct_sqlite: Direct, Sqlite;
                direct_postgres: Direct, Postgres;
                strict_sqlite: Strict, Sqlite;
                strict_postgres: Strict, Postgres;
                apart_sqlite: Apart, Sqlite;
                apart_postgres: Apart, Postgres;
            });
        }
    };
    (@each $story:ident { $($name:ident: $topology:ident, $store:ident;)+ }) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let (topology, store) = (crate::Topology::$topology, crate::Store::$store);
                if let Some(sandbox) = crate::Sandbox::start(topology, store).await {
                    super::$story(sandbox).await;
                }
            }
        )+
    };
}
pub(crate) use story;
