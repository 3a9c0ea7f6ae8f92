CREATE TABLE platform_outbox (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  topic TEXT NOT NULL,
  key TEXT NOT NULL,
  kind TEXT NOT NULL,
  payload BLOB NOT NULL,
  trace TEXT,
  created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE platform_cursors (
  name TEXT NOT NULL PRIMARY KEY,
  position INTEGER NOT NULL,
  moved_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE platform_inbox (
  consumer TEXT NOT NULL,
  event_id TEXT NOT NULL,
  accepted_at INTEGER NOT NULL,
  PRIMARY KEY (consumer, event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX platform_inbox_accepted_at ON platform_inbox (accepted_at);
CREATE TABLE platform_dead_letters (
  consumer TEXT NOT NULL,
  event_id TEXT NOT NULL,
  event BLOB NOT NULL,
  key TEXT NOT NULL,
  error TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  died_at INTEGER NOT NULL,
  PRIMARY KEY (consumer, event_id)
) STRICT;
CREATE INDEX platform_dead_letters_died_at ON platform_dead_letters (consumer, died_at, event_id);
CREATE TABLE platform_idempotency (
  scope TEXT NOT NULL,
  key TEXT NOT NULL,
  fingerprint BLOB NOT NULL,
  answer BLOB,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (scope, key)
) STRICT;
CREATE INDEX platform_idempotency_created_at ON platform_idempotency (created_at);
CREATE TABLE platform_knobs (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL,
  changed_at INTEGER NOT NULL,
  version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE platform_leases (
  name TEXT NOT NULL PRIMARY KEY,
  holder TEXT NOT NULL,
  until_at INTEGER NOT NULL,
  fence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
