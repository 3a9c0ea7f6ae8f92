//! The design choices of the gateway.

use kernel::{Choice, ChoiceKnob, Knobs, Switch};
use mesh::balance::{self, Algorithm, Chosen};

/// What bounds the retries of a request that may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retries {
    /// The attempts of the request, and the budget of its service.
    Budget,
    /// There are none.
    Off,
    /// The attempts of the request alone.
    Unlimited,
}

impl Choice for Retries {
    const ALL: &'static [(&'static str, Self)] = &[
        ("budget", Self::Budget),
        ("off", Self::Off),
        ("unlimited", Self::Unlimited),
    ];
}

/// The design choices, as handles.
#[derive(Clone)]
pub(crate) struct Choices {
    /// Who gets the next request.
    pub(crate) balancer: ChoiceKnob<Algorithm>,
    /// Whether replicas are asked how they are.
    pub(crate) health_checks: ChoiceKnob<Switch>,
    /// Whether failures of requests speak against a replica.
    pub(crate) ejection: ChoiceKnob<Switch>,
    /// What bounds retries.
    pub(crate) retries: ChoiceKnob<Retries>,
}

impl Choices {
    /// Those that are the balancer's.
    pub(crate) fn balancing(&self) -> balance::Choices {
        balance::Choices {
            algorithm: Chosen::Knob(self.balancer.clone()),
            ejection: Chosen::Knob(self.ejection.clone()),
            health: Chosen::Knob(self.health_checks.clone()),
        }
    }
}

/// Declares the design choices.
pub(crate) fn declare() -> (Knobs, Choices) {
    let (knobs, balancer) = Knobs::none().declare(
        "balancer",
        "p2c_ewma avoids slow and failing replicas; round_robin is even and blind; least_requests \
         counts only; consistent_hash keeps a client on one replica, for its caches",
    );
    let (knobs, health_checks) = knobs.declare(
        "health_checks",
        "on asks every replica each second and takes out who is not well, before a request fails; \
         off asks nobody, and requests find it out",
    );
    let (knobs, ejection) = knobs.declare(
        "ejection",
        "on takes out replicas whose requests fail and avoids them before; off keeps every replica \
         that discovery names, and takes a quick failure for a quick answer",
    );
    let (knobs, retries) = knobs.declare(
        "retries",
        "budget hides the failures of a few replicas and stops when many fail; off shows each \
         failure; unlimited hides more, and multiplies the load of a service that is failing",
    );
    let choices = Choices {
        balancer,
        health_checks,
        ejection,
        retries,
    };
    (knobs, choices)
}
