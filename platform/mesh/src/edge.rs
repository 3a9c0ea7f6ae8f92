//! An edge: one caller, one callee, and all that happens to the calls between them.

mod breaker;
mod budget;
mod bulkhead;
mod calling;
mod metrics;
mod rates;

use std::any::Any;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use faults::{FaultView, Faults, Seam};
use futures_util::future::BoxFuture;
use kernel::Ctx;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use telemetry::Telemetry;

use crate::balance::{Balancer, BalancerView};
use crate::layer::Stack;
use crate::{Body, Call, CallCx, Dispatch, HttpTarget};
use crate::{MeshError, MeshRegistry, Method, Policy, codec};

use calling::{Calling, Sent};

pub(crate) use breaker::{Admission, Breaker, Ended, Transition};
pub(crate) use budget::RetryBudget;
pub(crate) use bulkhead::{Bulkhead, Entry, Permit};
pub(crate) use metrics::EdgeMetrics;
pub(crate) use rates::Rates;

pub use breaker::BreakerView;
pub use rates::EdgeRates;

/// How the calls of an edge travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Binding {
    /// In process; the message is moved.
    Direct,
    /// In process, through the codec both ways: what the wire would refuse is refused here.
    Strict,
    /// `POST /rpc/<service>/<method>` to another process.
    Http,
}

/// What an edge looks like to the console.
#[derive(Debug, Clone, Serialize)]
pub struct EdgeView {
    /// Who calls.
    pub caller: Arc<str>,
    /// Who is called.
    pub callee: Arc<str>,
    /// How the calls travel.
    pub binding: Binding,
    /// The policy now.
    pub policy: Policy,
    /// The circuit breaker.
    pub breaker: BreakerView,
    /// Calls, errors and latencies of the last seconds.
    pub rates: EdgeRates,
    /// Calls that are in flight.
    pub in_flight: u32,
    /// Calls that wait for their turn.
    pub waiting: u32,
    /// Retries that the budget would allow now.
    pub retries_left: f64,
    /// Faults at work.
    pub faults: Vec<FaultView>,
    /// The endpoints, when the calls are balanced over some.
    pub endpoints: Option<BalancerView>,
}

pub(crate) struct EdgeState {
    pub(crate) caller: Arc<str>,
    pub(crate) callee: Arc<str>,
    pub(crate) binding: Binding,
    pub(crate) policy: ArcSwap<Policy>,
    pub(crate) ctx: Ctx,
    pub(crate) telemetry: Telemetry,
    pub(crate) metrics: EdgeMetrics,
    pub(crate) rates: Rates,
    pub(crate) budget: RetryBudget,
    pub(crate) breaker: Breaker,
    pub(crate) bulkhead: Bulkhead,
    pub(crate) faults: Faults,
    pub(crate) balancer: OnceLock<Balancer>,
}

/// Carries calls from one caller to one callee. Cheap to clone; clones share their state.
#[derive(Clone)]
pub struct Edge {
    state: Arc<EdgeState>,
    stack: Stack,
}

impl Edge {
    /// An edge of its own, in process, with the default policy and quiet telemetry. For tests and
    /// tools; a process that runs makes its edges with its [`MeshRegistry`].
    #[must_use]
    pub fn direct(dispatch: Arc<dyn Dispatch>) -> Self {
        MeshRegistry::quiet().direct("test", dispatch)
    }

    /// The same through the codec.
    #[must_use]
    pub fn strict(dispatch: Arc<dyn Dispatch>) -> Self {
        MeshRegistry::quiet().strict("test", dispatch)
    }

    /// The same over HTTP.
    #[must_use]
    pub fn http(service: &str, target: HttpTarget) -> Self {
        MeshRegistry::quiet().http("test", service, target)
    }

    pub(crate) const fn new(state: Arc<EdgeState>, stack: Stack) -> Self {
        Self { state, stack }
    }

    /// The service at its far end.
    #[must_use]
    pub fn callee(&self) -> &str {
        &self.state.callee
    }

    /// How its calls travel.
    #[must_use]
    pub fn binding(&self) -> Binding {
        self.state.binding
    }

    /// How it stands.
    #[must_use]
    pub fn view(&self) -> EdgeView {
        self.state.view()
    }

    /// Makes one call. Clients made by `contract!` are the ones that use it.
    pub fn call<Q, R, E>(
        &self,
        method: &'static Method,
        cx: &CallCx,
        request: Q,
    ) -> BoxFuture<'static, Result<R, E>>
    where
        Q: Serialize + Any + Send + Sync,
        R: DeserializeOwned + Any,
        E: DeserializeOwned + Any + From<MeshError>,
    {
        let body = match self.state.binding {
            Binding::Direct => Ok(Body::Typed(Arc::new(request))),
            _ => codec::encode(method.service, &request).map(Body::Wire),
        };
        Box::pin(Calling::new(self.sent(method, cx, body), method.service))
    }

    fn sent(&self, method: &'static Method, cx: &CallCx, body: Result<Body, MeshError>) -> Sent {
        let cx = cx.clone();
        match body {
            Ok(body) => Sent::Ready(self.stack.clone(), Call { method, cx, body }),
            Err(error) => Sent::Unwritten(error),
        }
    }
}

impl EdgeState {
    /// Puts a policy that has been validated into force. Answers the one before.
    pub(crate) fn set_policy(&self, policy: Policy) -> Policy {
        let before = self.policy.swap(Arc::new(policy));
        self.bulkhead.resize(&self.policy.load().bulkhead);
        Policy::clone(&before)
    }

    /// The faults that may strike its calls.
    fn faults(&self) -> Vec<FaultView> {
        let is = |wanted: &Option<String>, name: &str| wanted.as_deref().is_none_or(|w| w == name);
        let mut faults = self.faults.list();
        faults.retain(|fault| {
            let selector = &fault.spec.selector;
            fault.spec.seam == Seam::Call
                && is(&selector.caller, &self.caller)
                && is(&selector.service, &self.callee)
        });
        faults
    }

    pub(crate) fn view(&self) -> EdgeView {
        let now = self.ctx.steady();
        let policy = Policy::clone(&self.policy.load());
        let (in_flight, waiting) = self.bulkhead.load();
        EdgeView {
            caller: Arc::clone(&self.caller),
            callee: Arc::clone(&self.callee),
            binding: self.binding,
            breaker: self.breaker.view(&policy.breaker, &self.ctx),
            rates: self.rates.view(self.ctx.now()),
            in_flight,
            waiting,
            retries_left: self.budget.left(&policy.retry, now),
            faults: self.faults(),
            endpoints: self.balancer.get().map(Balancer::view),
            policy,
        }
    }
}
