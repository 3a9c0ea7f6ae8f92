//! Every statement that the program contains is understood by both engines.

use crate::world::story;

story! {
    async fn every_statement_can_be_prepared(world: 1) {
        for group in links::STATEMENTS {
            world.node().db.prepare_all(group).await.unwrap();
        }
    }
}
