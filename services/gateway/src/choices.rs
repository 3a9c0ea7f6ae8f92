//! The design choices of the gateway.

use kernel::{ChoiceKnob, Knobs, Switch};
use mesh::balance::{self, Algorithm, Chosen};

/// The design choices, as handles.
#[derive(Clone)]
pub(crate) struct Choices {
    /// Who gets the next request.
    pub(crate) balancer: ChoiceKnob<Algorithm>,
    /// Whether replicas are asked how they are.
    pub(crate) health_checks: ChoiceKnob<Switch>,
    /// Whether failures of requests speak against a replica.
    pub(crate) ejection: ChoiceKnob<Switch>,
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
    let choices = Choices {
        balancer,
        health_checks,
        ejection,
    };
    (knobs, choices)
}
