//! What can be struck in a process, and whether a fault would find anything to strike.

use serde::{Deserialize, Serialize};

use crate::spec::hint;
use crate::{FaultError, FaultSpec, Seam};

/// What can be struck in one process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The process.
    pub replica: String,
    /// The services in it.
    pub services: Vec<String>,
    /// The services in it that answer requests.
    #[serde(default)]
    pub entries: Vec<String>,
    /// Caller and callee of each of its edges.
    #[serde(default)]
    pub edges: Vec<(String, String)>,
    /// The services in it that keep data, and publish events with it.
    #[serde(default)]
    pub stores: Vec<String>,
    /// Whether its internal listener is behind a proxy.
    #[serde(default)]
    pub proxied: bool,
    /// Where it answers whatever its proxy does; the same as to everybody when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direct: Option<String>,
}

impl Place {
    /// Whether `spec` would find anything to strike here.
    #[must_use]
    pub fn takes(&self, spec: &FaultSpec) -> bool {
        let selector = &spec.selector;
        if !is(selector.replica.as_ref(), &self.replica) {
            return false;
        }
        let service = selector.service.as_ref();
        let among = |names: &[String]| names.iter().any(|name| is(service, name));
        match spec.seam {
            Seam::Call => self
                .edges
                .iter()
                .any(|(from, to)| is(selector.caller.as_ref(), from) && is(service, to)),
            Seam::Request => among(&self.entries),
            Seam::Process => among(&self.services),
            Seam::Clock => service.is_none() || among(&self.services),
            Seam::Socket => self.proxied && among(&self.services),
            Seam::Storage | Seam::Events => among(&self.stores),
        }
    }
}

fn is(wanted: Option<&String>, name: &str) -> bool {
    wanted.is_none_or(|wanted| wanted == name)
}

/// Why none of `places` takes `spec`, and what was perhaps meant.
#[must_use]
pub fn unplaced(spec: &FaultSpec, places: &[Place]) -> FaultError {
    let selector = &spec.selector;
    let replicas: Vec<&str> = places.iter().map(|place| place.replica.as_str()).collect();
    let names: Vec<&str> = services(spec.seam, places);
    let callers: Vec<&str> = {
        let edges = places.iter().flat_map(|place| &place.edges);
        unique(edges.map(|(from, _)| from.as_str()))
    };
    let asked = [
        ("process", selector.replica.as_deref(), &replicas),
        ("service", selector.service.as_deref(), &names),
        ("caller", selector.caller.as_deref(), &callers),
    ];
    for (what, name, known) in asked {
        if let Some(name) = name
            && !known.contains(&name)
        {
            let hint = if known.is_empty() {
                "there is none".to_owned()
            } else {
                hint(name, known)
            };
            let seam = spec.seam;
            let text = format!("no {what} '{name}' can be struck at the seam '{seam}'; {hint}");
            return FaultError::Nowhere(with_advice(spec.seam, places, text));
        }
    }
    let text = match spec.seam {
        Seam::Call => {
            let edges = places.iter().flat_map(|place| &place.edges);
            let edges: Vec<String> = edges.map(|(from, to)| format!("{from} -> {to}")).collect();
            let edges = unique(edges.iter().map(String::as_str)).join(", ");
            match edges.as_str() {
                "" => "no call crosses an edge here".to_owned(),
                edges => format!("no edge is meant by that; there are {edges}"),
            }
        }
        seam => format!("nothing here can be struck so at the seam '{seam}'"),
    };
    FaultError::Nowhere(with_advice(spec.seam, places, text))
}

fn with_advice(seam: Seam, places: &[Place], text: String) -> String {
    if seam == Seam::Socket && places.iter().all(|place| !place.proxied) {
        return format!("{text}; start the system with internal.proxied = true");
    }
    text
}

/// The services that can be struck at `seam`.
fn services(seam: Seam, places: &[Place]) -> Vec<&str> {
    let of = |place| -> Vec<&str> {
        let place: &Place = place;
        match seam {
            Seam::Call => place.edges.iter().map(|(_, to)| to.as_str()).collect(),
            Seam::Storage | Seam::Events => place.stores.iter().map(String::as_str).collect(),
            Seam::Request => place.entries.iter().map(String::as_str).collect(),
            Seam::Socket if !place.proxied => Vec::new(),
            _ => place.services.iter().map(String::as_str).collect(),
        }
    };
    unique(places.iter().flat_map(of))
}

fn unique<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.dedup();
    names
}
