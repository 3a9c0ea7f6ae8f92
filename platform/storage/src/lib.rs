//! SQLite and PostgreSQL behind one seam: transactions, migrations, outbox, inbox, idempotency keys.
