-- Numbers of requests whose clicks were folded a moment ago, 8 bytes each: a request that is asked
-- again of another replica after the fold is found here.
CREATE TABLE click_folded (
  part INTEGER PRIMARY KEY AUTOINCREMENT,
  at BIGINT NOT NULL,
  hops BLOB NOT NULL
);
