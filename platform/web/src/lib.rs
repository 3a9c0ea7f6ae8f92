//! HTTP glue: bodies, handlers, problem details, paging, idempotency keys, callers.
