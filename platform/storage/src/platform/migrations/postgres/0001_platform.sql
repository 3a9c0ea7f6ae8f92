CREATE TABLE platform_outbox (
  seq BIGINT PRIMARY KEY,
  id TEXT NOT NULL,
  topic TEXT NOT NULL,
  key TEXT NOT NULL,
  kind TEXT NOT NULL,
  payload BYTEA NOT NULL,
  trace TEXT,
  created_at BIGINT NOT NULL
);
CREATE TABLE platform_cursors (
  name TEXT NOT NULL PRIMARY KEY,
  position BIGINT NOT NULL,
  moved_at BIGINT NOT NULL
);
CREATE TABLE platform_inbox (
  consumer TEXT NOT NULL,
  event_id TEXT NOT NULL,
  accepted_at BIGINT NOT NULL,
  PRIMARY KEY (consumer, event_id)
);
CREATE INDEX platform_inbox_accepted_at ON platform_inbox (accepted_at);
CREATE TABLE platform_dead_letters (
  consumer TEXT NOT NULL,
  event_id TEXT NOT NULL,
  event BYTEA NOT NULL,
  key TEXT NOT NULL,
  error TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  died_at BIGINT NOT NULL,
  PRIMARY KEY (consumer, event_id)
);
CREATE INDEX platform_dead_letters_died_at ON platform_dead_letters (consumer, died_at, event_id);
CREATE TABLE platform_idempotency (
  scope TEXT NOT NULL,
  key TEXT NOT NULL,
  fingerprint BYTEA NOT NULL,
  answer BYTEA,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (scope, key)
);
CREATE INDEX platform_idempotency_created_at ON platform_idempotency (created_at);
CREATE TABLE platform_knobs (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL,
  changed_at BIGINT NOT NULL,
  version BIGINT NOT NULL
);
CREATE TABLE platform_leases (
  name TEXT NOT NULL PRIMARY KEY,
  holder TEXT NOT NULL,
  until_at BIGINT NOT NULL,
  fence BIGINT NOT NULL
);
CREATE SEQUENCE platform_outbox_seq;
