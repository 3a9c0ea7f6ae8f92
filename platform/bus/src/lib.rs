//! Events: read from the outbox, carried in process, over the mesh or by NATS, applied under an inbox.
