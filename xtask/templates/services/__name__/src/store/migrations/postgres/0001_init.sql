-- The things themselves, and how many there are by the events heard so far.
CREATE TABLE __name__ (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE tally (
  id BIGINT PRIMARY KEY,
  count BIGINT NOT NULL
);
INSERT INTO tally (id, count) VALUES (1, 0);
