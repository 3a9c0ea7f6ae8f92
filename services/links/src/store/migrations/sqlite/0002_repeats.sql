-- Requests that were asked again of another replica and counted there: what the first replica wrote
-- of them, if it comes to light after all, counts no more.
CREATE TABLE click_repeats (
  hop INTEGER PRIMARY KEY,
  at BIGINT NOT NULL
);

-- Requests that were granted a click of a limited link.
CREATE TABLE link_uses (
  hop INTEGER PRIMARY KEY,
  at BIGINT NOT NULL
);
