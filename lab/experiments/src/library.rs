//! The experiments that come with the program.

macro_rules! library {
    ($($name:literal),* $(,)?) => {
        /// Their names and files, in the order of the journey.
        pub const LIBRARY: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../files/", $name, ".toml")))),*];
    };
}

library![
    "monolith-or-services",
    "cache-policies",
    "cache-stampede",
    "balancers",
    "group-commit",
    "outbox-or-dual-write",
    "id-schemes",
    "retry-storm",
    "kill-a-replica",
    "bulkhead",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Spec;

    #[test]
    fn every_file_is_an_experiment_of_its_name_that_teaches_and_checks() {
        for (name, text) in LIBRARY {
            let spec = Spec::read(name, text).unwrap_or_else(|mistake| panic!("{mistake}"));
            assert_eq!(spec.id.get_ref(), name);
            assert!(!spec.check.is_empty(), "{name} can fail");
            assert!(spec.prediction.is_some(), "{name} asks for a prediction");
            for place in &spec.look {
                let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");
                let there = std::path::Path::new(root).join(place).exists();
                assert!(there, "{name}: there is no {place}");
            }
        }
    }
}
