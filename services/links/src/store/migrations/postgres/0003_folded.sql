-- Numbers of requests whose clicks were folded a moment ago, 8 bytes each: a request that is asked
-- again of another replica after the fold is found here.
CREATE TABLE click_folded (
  part BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at BIGINT NOT NULL,
  hops BYTEA NOT NULL
);
