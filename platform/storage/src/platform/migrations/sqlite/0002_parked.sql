-- Made at each start by earlier versions, so it may be there.
CREATE TABLE IF NOT EXISTS bus_parked (
  consumer TEXT NOT NULL,
  event_id TEXT NOT NULL,
  scope TEXT NOT NULL,
  seq INTEGER NOT NULL,
  event BLOB NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  error TEXT NOT NULL,
  due_at INTEGER NOT NULL,
  parked_at INTEGER NOT NULL,
  behind INTEGER NOT NULL,
  PRIMARY KEY (consumer, event_id)
) STRICT;
CREATE INDEX IF NOT EXISTS bus_parked_scope ON bus_parked (consumer, scope, seq);
CREATE UNIQUE INDEX IF NOT EXISTS bus_parked_head ON bus_parked (consumer, scope)
  WHERE state <> 'behind';
CREATE INDEX IF NOT EXISTS bus_parked_due ON bus_parked (consumer, state, due_at);
-- Nothing was ever kept there.
DROP TABLE platform_dead_letters;
-- Which topics a cursor speaks of.
ALTER TABLE platform_cursors ADD COLUMN topics TEXT NOT NULL DEFAULT '';
