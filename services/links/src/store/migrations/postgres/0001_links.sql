-- Links. The default domain is the empty text. Numbers are never given twice, because late clicks
-- of a removed link must not count for another one.
CREATE TABLE links (
  num BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id TEXT NOT NULL,
  domain TEXT NOT NULL,
  code TEXT NOT NULL,
  url TEXT NOT NULL,
  url_hash BIGINT NOT NULL,
  title TEXT,
  notes TEXT,
  tags TEXT NOT NULL,
  external_id TEXT,
  enabled BIGINT NOT NULL,
  status BIGINT NOT NULL,
  cache_control TEXT,
  forward_query BIGINT NOT NULL,
  expires_at BIGINT,
  expired_url TEXT,
  max_clicks BIGINT,
  rules TEXT NOT NULL,
  password TEXT,
  password_version BIGINT NOT NULL,
  search TEXT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  updated_by TEXT NOT NULL
);
CREATE UNIQUE INDEX links_by_id ON links (id);
CREATE UNIQUE INDEX links_by_code ON links (domain, code);
CREATE UNIQUE INDEX links_by_external_id ON links (external_id) WHERE external_id IS NOT NULL;
CREATE INDEX links_by_url ON links (url_hash);

CREATE TABLE link_tags (
  tag TEXT NOT NULL,
  num BIGINT NOT NULL,
  PRIMARY KEY (tag, num)
);
CREATE INDEX link_tags_by_link ON link_tags (num);

-- Narrow, so that a limited redirect rewrites a few bytes.
CREATE TABLE link_limits (
  num BIGINT PRIMARY KEY,
  max_clicks BIGINT NOT NULL,
  used BIGINT NOT NULL
);

-- Earlier versions; the present one is the link itself.
CREATE TABLE link_versions (
  num BIGINT NOT NULL,
  version BIGINT NOT NULL,
  at BIGINT NOT NULL,
  made_by TEXT NOT NULL,
  snapshot TEXT NOT NULL,
  PRIMARY KEY (num, version)
);

CREATE TABLE domains (
  host TEXT PRIMARY KEY,
  root_url TEXT,
  not_found_url TEXT,
  created_at BIGINT NOT NULL
);

-- Numbers of the id scheme `counter`.
CREATE TABLE code_counters (
  domain TEXT PRIMARY KEY,
  given BIGINT NOT NULL
);

-- Totals of the last fold. Negative numbers count visits that found no link.
CREATE TABLE link_counts (
  num BIGINT PRIMARY KEY,
  clicks BIGINT NOT NULL,
  last_at BIGINT
);
CREATE INDEX link_counts_by_clicks ON link_counts (clicks, num);
INSERT INTO link_counts (num, clicks) VALUES (-1, 0), (-2, 0), (-3, 0);

CREATE TABLE link_days (
  num BIGINT NOT NULL,
  day BIGINT NOT NULL,
  data BYTEA NOT NULL,
  PRIMARY KEY (num, day)
);

-- Groups of clicks that are not folded yet.
CREATE TABLE click_batches (
  seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  clicks BIGINT NOT NULL,
  data BYTEA NOT NULL
);

-- The last group of each process, so that a repeated commit counts once.
CREATE TABLE click_writers (
  writer TEXT PRIMARY KEY,
  seq BIGINT NOT NULL,
  seen_at BIGINT NOT NULL
);

-- The fold that is going on: which groups, and up to which link its sums are written.
CREATE TABLE click_fold (
  one BIGINT PRIMARY KEY,
  generation BIGINT NOT NULL,
  runs TEXT NOT NULL,
  pos BIGINT NOT NULL
);
INSERT INTO click_fold (one, generation, runs, pos) VALUES (1, 0, '[]', 0);

CREATE TABLE visitor_salts (
  day BIGINT PRIMARY KEY,
  salt BYTEA NOT NULL
);

CREATE TABLE password_guesses (
  num BIGINT NOT NULL,
  address BYTEA NOT NULL,
  began_at BIGINT NOT NULL,
  guesses BIGINT NOT NULL,
  PRIMARY KEY (num, address)
);

CREATE TABLE secrets (
  name TEXT PRIMARY KEY,
  value BYTEA NOT NULL
);
