//! The experiments that come with the program.

/// Their files, by name, in the order of the journey.
pub const LIBRARY: &[(&str, &str)] = &[(
    "cache-policies",
    include_str!("../files/cache-policies.toml"),
)];
