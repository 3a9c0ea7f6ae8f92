//! Every edge of a process, for the console, the API and experiments: what they do, how they stand,
//! and the switches to change them while they run.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use faults::Faults;
use kernel::{Code, Coded, Ctx, nearest};
use parking_lot::RwLock;
use telemetry::{EventKind, Telemetry};

use crate::binding::{HttpBinding, LocalBinding};
use crate::edge::{Breaker, Bulkhead, EdgeMetrics, EdgeState, Rates, RetryBudget};
use crate::layer::{self, Inner, Stack};
use crate::{Binding, Dispatch, Edge, EdgeView, HttpTarget, Policy, PolicyError};

/// How many edges a process may have.
const EDGES_MAX: usize = 1_024;

/// An edge could not be changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EdgeError {
    /// There is no such edge.
    #[error("no edge goes from '{caller}' to '{callee}'; {hint}")]
    Unknown {
        /// Who calls.
        caller: String,
        /// Who is called.
        callee: String,
        /// The nearest, or all.
        hint: String,
    },
    /// The policy is not valid.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

impl Coded for EdgeError {
    fn code(&self) -> Code {
        match self {
            Self::Unknown { .. } => Code::NotFound,
            Self::Policy(error) => error.code(),
        }
    }
}

/// Makes the edges of a process and knows them. Cheap to clone; clones share their state.
#[derive(Clone)]
pub struct MeshRegistry(Arc<Shared>);

/// By caller and callee.
type Edges = BTreeMap<(Arc<str>, Arc<str>), Arc<EdgeState>>;

struct Shared {
    ctx: Ctx,
    telemetry: Telemetry,
    faults: Faults,
    edges: RwLock<Edges>,
}

impl MeshRegistry {
    /// No edges yet. What is called is struck by `faults`.
    #[must_use]
    pub fn new(ctx: Ctx, telemetry: Telemetry, faults: Faults) -> Self {
        Self(Arc::new(Shared {
            ctx,
            telemetry,
            faults,
            edges: RwLock::default(),
        }))
    }

    /// For tests and tools: the system's clock, and telemetry that nobody looks at.
    #[must_use]
    pub fn quiet() -> Self {
        Self::new(Ctx::system(), Telemetry::quiet(), Faults::default())
    }

    /// An edge in process; messages are moved.
    #[must_use]
    pub fn direct(&self, caller: &str, dispatch: Arc<dyn Dispatch>) -> Edge {
        let service = dispatch.service();
        self.edge(
            (caller, service, Binding::Direct),
            LocalBinding(dispatch),
            |_| {},
        )
    }

    /// An edge in process, through the codec both ways.
    #[must_use]
    pub fn strict(&self, caller: &str, dispatch: Arc<dyn Dispatch>) -> Edge {
        let service = dispatch.service();
        self.edge(
            (caller, service, Binding::Strict),
            LocalBinding(dispatch),
            |_| {},
        )
    }

    /// An edge to other processes.
    #[must_use]
    pub fn http(&self, caller: &str, service: &str, target: HttpTarget) -> Edge {
        let balancer = target.balancer.clone();
        let binding = HttpBinding::new(service, target);
        self.edge((caller, service, Binding::Http), binding, |state| {
            let _first = state.balancer.set(balancer);
        })
    }

    /// Every edge, by caller and callee.
    #[must_use]
    pub fn list(&self) -> Vec<EdgeView> {
        let edges: Vec<Arc<EdgeState>> = self.0.edges.read().values().cloned().collect();
        edges.iter().map(|edge| edge.view()).collect()
    }

    /// Changes the policy of an edge; takes effect with the next call. Answers the one before.
    pub fn set_policy(
        &self,
        caller: &str,
        callee: &str,
        policy: Policy,
    ) -> Result<Policy, EdgeError> {
        policy.validate()?;
        let edge = self.find(caller, callee)?;
        let before = edge.set_policy(policy);
        let text = format!("policy of {caller} -> {callee} changed");
        self.record(EventKind::Policy, text, caller, callee);
        Ok(before)
    }

    fn edge<S: Inner>(
        &self,
        (caller, callee, binding): (&str, &str, Binding),
        service: S,
        prepare: impl FnOnce(&EdgeState),
    ) -> Edge {
        let state = Arc::new(self.state(caller, callee, binding));
        prepare(&state);
        let mut edges = self.0.edges.write();
        let key = (Arc::clone(&state.caller), Arc::clone(&state.callee));
        if edges.len() < EDGES_MAX || edges.contains_key(&key) {
            edges.insert(key, Arc::clone(&state));
        }
        drop(edges);
        let stack = layer::stack(&state, service);
        Edge::new(state, stack)
    }

    fn state(&self, caller: &str, callee: &str, binding: Binding) -> EdgeState {
        let Shared {
            ctx,
            telemetry,
            faults,
            ..
        } = &*self.0;
        let (policy, now) = (Policy::default(), ctx.steady());
        EdgeState {
            caller: caller.into(),
            callee: callee.into(),
            binding,
            metrics: EdgeMetrics::new(&telemetry.metrics, caller, callee),
            rates: Rates::default(),
            budget: RetryBudget::new(&policy.retry, now),
            breaker: Breaker::new(now),
            bulkhead: Bulkhead::new(&policy.bulkhead),
            faults: faults.clone(),
            balancer: OnceLock::new(),
            policy: ArcSwap::from_pointee(policy),
            ctx: ctx.clone(),
            telemetry: telemetry.clone(),
        }
    }

    fn find(&self, caller: &str, callee: &str) -> Result<Arc<EdgeState>, EdgeError> {
        let edges = self.0.edges.read();
        let key = (Arc::from(caller), Arc::from(callee));
        edges.get(&key).cloned().ok_or_else(|| {
            let all: Vec<String> = edges.keys().map(|(a, b)| format!("{a} -> {b}")).collect();
            let asked = format!("{caller} -> {callee}");
            let near = nearest(&asked, all.iter().map(String::as_str));
            let hint = match (near.is_empty(), all.is_empty()) {
                (false, _) => format!("did you mean {}?", near.join(" or ")),
                (true, false) => format!("there are {}", all.join(", ")),
                (true, true) => "this process has none".to_owned(),
            };
            EdgeError::Unknown {
                caller: caller.to_owned(),
                callee: callee.to_owned(),
                hint,
            }
        })
    }

    fn record(&self, kind: EventKind, text: String, caller: &str, callee: &str) {
        let attributes = [("caller", caller), ("callee", callee)];
        self.0.telemetry.timeline.record(kind, text, &attributes);
    }
}

impl Edge {
    /// The same edge without its layers, which then see nothing of the calls. To measure what the
    /// layers cost, and for nothing else.
    #[doc(hidden)]
    #[must_use]
    pub fn bare_local(dispatch: Arc<dyn Dispatch>, binding: Binding) -> Self {
        let service = dispatch.service();
        Self::bare(service, binding, layer::bare(LocalBinding(dispatch)))
    }

    /// The same over HTTP.
    #[doc(hidden)]
    #[must_use]
    pub fn bare_http(service: &str, target: HttpTarget) -> Self {
        let stack = layer::bare(HttpBinding::new(service, target));
        Self::bare(service, Binding::Http, stack)
    }

    fn bare(service: &str, binding: Binding, stack: Stack) -> Self {
        let state = MeshRegistry::quiet().state("bench", service, binding);
        Self::new(Arc::new(state), stack)
    }
}
