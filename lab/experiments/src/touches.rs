//! What an experiment is about and how long it takes, told without running it: for whoever has to
//! choose among experiments.

use std::collections::BTreeSet;

use crate::catalogue::Catalogue;
use crate::spec::{ProbeKind, Spec, Topology, WeatherSpec};
use crate::up::systems;

/// What stands in the way of every request of a system apart.
const GATEWAY: &str = "gateway";
/// What is seeded: `{code}` and `{id}` in paths, and what probes look at.
const SEEDED: &str = "links";

/// How long it takes on a small machine to start and end a system.
const SYSTEM_S: f64 = 2.0;
/// What a trial takes besides its load.
const TRIAL_S: f64 = 0.2;
/// What looking at the clicks that are stored takes, and guessing codes.
const CLICKS_S: f64 = 2.5;
const GUESS_S: f64 = 0.7;
/// How long it takes to kill a twin and start it again.
const KILL_S: f64 = 0.03;

impl Spec {
    /// The services whose code it exercises on purpose: those of its knobs, policies and replicas,
    /// of its configuration, of what strikes them, and those that answer its requests.
    #[must_use]
    pub fn services(&self, catalogue: &Catalogue) -> BTreeSet<String> {
        let mut names: BTreeSet<String> = BTreeSet::new();
        if self.twins.is_some() {
            return names;
        }
        let mut add = |name: &str| names.insert(name.to_owned());
        for system in systems(self) {
            if system.topology == Topology::Apart {
                add(GATEWAY);
            }
            system.replicas.keys().for_each(|name| _ = add(name));
            let keys = system.config.keys().filter_map(|key| key.split_once('.'));
            let keys = keys.filter(|(name, _)| catalogue.services.iter().any(|s| s == name));
            keys.for_each(|(name, _)| _ = add(name));
        }
        for variant in self.variants() {
            let knobs = variant.knobs.keys().filter_map(|knob| knob.split_once('.'));
            knobs.for_each(|(name, _)| _ = add(name));
            variant
                .policies
                .keys()
                .flat_map(|edge| ends(edge))
                .for_each(|name| _ = add(name));
        }
        for event in &self.weather {
            of_weather(event.get_ref()).for_each(|name| _ = add(name));
        }
        for request in &self.load.request {
            catalogue
                .answers(&request.path)
                .into_iter()
                .for_each(|name| _ = add(name));
            if request.path.contains("{code}") || request.path.contains("{id}") {
                add(SEEDED);
            }
        }
        if !self.probe.is_empty() {
            add(SEEDED);
        }
        names
    }

    /// About how long it takes, in seconds, on a small machine that has nothing else to do.
    #[must_use]
    pub fn about_s(&self) -> f64 {
        let trials = &self.trials;
        let variants = self.variant.len() as f64;
        let all = variants * f64::from(trials.blocks);
        if let Some(twins) = self.twins {
            return all * (TRIAL_S + f64::from(twins.kills) * KILL_S);
        }
        let (starts, warm_ups) = match trials.fresh {
            true => (all, all),
            false => (systems(self).len() as f64, variants),
        };
        let probes = self.probe.iter().map(|probe| match probe.kind {
            ProbeKind::Clicks => CLICKS_S,
            ProbeKind::Guess => GUESS_S,
            ProbeKind::Staleness => 0.0,
        });
        let trial = trials.seconds + TRIAL_S + probes.sum::<f64>();
        starts * SYSTEM_S + warm_ups * trials.warm_up_seconds + all * trial
    }
}

impl Catalogue {
    /// The service that answers requests below `path`: that of the longest prefix.
    fn answers(&self, path: &str) -> Option<&str> {
        let below = |prefix: &str| match path.strip_prefix(prefix.trim_end_matches('/')) {
            Some(rest) => rest.is_empty() || rest.starts_with('/'),
            None => false,
        };
        let fitting = self.routes.iter().filter(|(prefix, _)| below(prefix));
        let longest = fitting.max_by_key(|(prefix, _)| prefix.len())?;
        Some(&longest.1)
    }
}

/// Caller and callee of an edge.
fn ends(edge: &str) -> impl Iterator<Item = &str> {
    edge.split("->").map(str::trim)
}

/// What happens to whom.
fn of_weather(event: &WeatherSpec) -> impl Iterator<Item = &str> {
    let struck = event.fault.iter().flat_map(|fault| {
        let of = &fault.selector;
        let replica = of.replica.as_deref().map(service_of);
        let named = [of.service.as_deref(), of.caller.as_deref(), replica];
        named.into_iter().flatten()
    });
    let knobs = event.knobs.keys().filter_map(|knob| knob.split_once('.'));
    let edges = event.policies.keys().flat_map(|edge| ends(edge));
    struck.chain(knobs.map(|(name, _)| name)).chain(edges)
}

/// What the process `links-2` runs.
fn service_of(replica: &str) -> &str {
    match replica.rsplit_once('-') {
        Some((service, number)) if number.bytes().all(|b| b.is_ascii_digit()) => service,
        _ => replica,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue() -> Catalogue {
        let routes = [
            ("/", "links"),
            ("/api/links", "links"),
            ("/api/parcels", "parcels"),
        ];
        Catalogue {
            services: ["links", "parcels", "depots"].map(str::to_owned).to_vec(),
            routes: routes
                .map(|(path, of)| (path.to_owned(), of.to_owned()))
                .to_vec(),
            ..Catalogue::default()
        }
    }

    fn spec(more: &str) -> Spec {
        let text = format!(
            "id = 'x'\ntitle = 't'\nquestion = 'q'\nphase = 1\nwhy = 'w'\nlesson = 'l'\n{more}"
        );
        Spec::read("x.toml", &text).unwrap_or_else(|mistake| panic!("{mistake}"))
    }

    const ASKED: &str = "[[load.request]]\nname = 'list'\npath = '/api/parcels'\n";

    #[test]
    fn a_service_is_touched_by_whatever_speaks_of_it() {
        let plain = "[[variant]]\nname = 'a'\n";
        let weather = |fault: &str| {
            format!("{plain}[[weather]]\nat_s = 0\nfault = {{ {fault}, ttl_ms = 1 }}\n")
        };
        for (more, also) in [
            (plain.to_owned(), &[][..]),
            (
                format!("{plain}knobs = {{ 'depots.order' = 'x' }}\n"),
                &["depots"],
            ),
            (
                format!("{plain}policies = {{ 'depots -> links' = {{}} }}\n"),
                &["depots", "links"],
            ),
            (format!("{plain}topology = 'apart'\n"), &["gateway"]),
            (
                format!("[system]\nreplicas = {{ depots = 2 }}\n{plain}"),
                &["depots"],
            ),
            (
                format!(
                    "[system]\nconfig = {{ 'depots.size' = 2, 'log.level' = 'info' }}\n{plain}"
                ),
                &["depots"],
            ),
            (
                weather("seam = 'process', replica = 'depots-2', effect = 'kill'"),
                &["depots"],
            ),
            (
                weather("seam = 'call', caller = 'depots', service = 'links', effect = 'drop'"),
                &["depots", "links"],
            ),
            (format!("{plain}[[probe]]\nkind = 'clicks'\n"), &["links"]),
            (
                format!("{plain}[[load.request]]\nname = 'visit'\npath = '/{{code}}'\n"),
                &["links"],
            ),
        ] {
            let found = spec(&format!("{more}{ASKED}")).services(&catalogue());
            let mut wanted: Vec<&str> = also.to_vec();
            wanted.push("parcels");
            wanted.sort_unstable();
            assert_eq!(
                found.iter().map(String::as_str).collect::<Vec<_>>(),
                wanted,
                "{more}"
            );
        }
    }

    #[test]
    fn a_path_is_answered_by_the_longest_prefix_that_ends_where_a_name_does() {
        let catalogue = catalogue();
        for (path, service) in [
            ("/api/parcels/7", "parcels"),
            ("/api/parcels", "parcels"),
            ("/api/parcelsome", "links"),
            ("/{code}", "links"),
        ] {
            assert_eq!(catalogue.answers(path), Some(service), "{path}");
        }
    }

    #[test]
    fn it_takes_longer_with_more_trials_and_with_systems_of_their_own() {
        let two = "[[variant]]\nname = 'a'\n[[variant]]\nname = 'b'\n";
        let (one, own) = ("seconds = 3\nblocks = 2\n", "fresh = true\n");
        let of = |trials: &str| spec(&format!("{two}{ASKED}[trials]\n{trials}")).about_s();
        assert!(of(one) > 12.0, "the load alone");
        assert!(of(&format!("{one}{own}")) > of(one) + 3.0 * SYSTEM_S);
        assert!(spec(&format!("{two}{ASKED}")).proof().about_s() < 8.0);
    }
}
