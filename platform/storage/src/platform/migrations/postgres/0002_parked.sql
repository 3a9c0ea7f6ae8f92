-- Made at each start by earlier versions, so it may be there.
CREATE TABLE IF NOT EXISTS bus_parked (
  consumer TEXT NOT NULL,
  event_id TEXT NOT NULL,
  scope TEXT NOT NULL,
  seq BIGINT NOT NULL,
  event BYTEA NOT NULL,
  state TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  error TEXT NOT NULL,
  due_at BIGINT NOT NULL,
  parked_at BIGINT NOT NULL,
  behind BIGINT NOT NULL,
  PRIMARY KEY (consumer, event_id)
);
CREATE INDEX IF NOT EXISTS bus_parked_scope ON bus_parked (consumer, scope, seq);
CREATE UNIQUE INDEX IF NOT EXISTS bus_parked_head ON bus_parked (consumer, scope)
  WHERE state <> 'behind';
CREATE INDEX IF NOT EXISTS bus_parked_due ON bus_parked (consumer, state, due_at);
-- Nothing was ever kept there.
DROP TABLE platform_dead_letters;
-- Which topics a cursor speaks of.
ALTER TABLE platform_cursors ADD COLUMN topics TEXT NOT NULL DEFAULT '';
