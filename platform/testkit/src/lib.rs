//! What tests stand on: private PostgreSQL, Redis and NATS servers, HTTP clients, waiting without sleeping.
