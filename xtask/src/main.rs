//! The chores of the project: tidy, graph, new-service.

fn main() {}
