//! Contract calls between services, the layers on an edge, discovery and balancing.
