//! One contract call, with its types erased so that the layers are written once.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use kernel::{Clock, Code, Coded, Deadline, Principal, Retry};
use serde::{Serialize, de::DeserializeOwned};
use telemetry::TraceContext;

use crate::{MeshError, codec};

/// What travels with a call besides its message.
#[derive(Debug, Clone)]
pub struct CallCx {
    /// When nobody waits any more; the callee sees the earlier of this and the edge's timeout.
    pub deadline: Deadline,
    /// The span that the call belongs to.
    pub trace: TraceContext,
    /// On whose behalf; nobody known unless it is said.
    pub caller: Principal,
    /// Makes a command safe to send again.
    pub idempotency_key: Option<Arc<str>>,
}

impl CallCx {
    /// A call that belongs to no trace, with `budget` from now.
    #[must_use]
    pub fn new(clock: &dyn Clock, budget: Duration) -> Self {
        Self::until(Deadline::after(clock, budget))
    }

    /// A call that belongs to no trace, with this deadline.
    #[must_use]
    pub const fn until(deadline: Deadline) -> Self {
        let trace = TraceContext {
            trace_id: 0,
            span_id: 0,
            sampled: false,
        };
        Self {
            deadline,
            trace,
            caller: Principal::ANONYMOUS,
            idempotency_key: None,
        }
    }

    /// The same within a trace.
    #[must_use]
    pub const fn with_trace(mut self, trace: TraceContext) -> Self {
        self.trace = trace;
        self
    }

    /// The same on behalf of `caller`.
    #[must_use]
    pub fn with_caller(mut self, caller: Principal) -> Self {
        self.caller = caller;
        self
    }

    /// The same with an idempotency key.
    #[must_use]
    pub fn with_idempotency_key(mut self, key: impl Into<Arc<str>>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }
}

/// One method of a contract.
#[derive(Debug, PartialEq, Eq)]
pub struct Method {
    /// The service, as on the wire.
    pub service: &'static str,
    /// The method, as on the wire.
    pub name: &'static str,
    /// `/rpc/<service>/<method>`.
    pub path: &'static str,
    /// `<service>.<method>`: the name of its spans.
    pub span: &'static str,
    /// A query: may be sent again without a key.
    pub idempotent: bool,
}

/// In which form the messages of a call pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As they are, in process.
    Typed,
    /// As bytes.
    Wire,
}

/// The request's message: typed in process, bytes elsewhere.
#[derive(Clone)]
pub enum Body {
    /// Moved when nobody else holds it, cloned when a retry may need it again.
    Typed(Arc<dyn Any + Send + Sync>),
    /// As on the wire; the reply takes the same form.
    Wire(Bytes),
}

/// The reply's message: typed in process, bytes elsewhere.
pub enum Payload {
    /// The value itself.
    Typed(Box<dyn Any + Send>),
    /// As on the wire.
    Wire(Bytes),
}

/// A call on its way.
#[derive(Clone)]
pub struct Call {
    /// Which method.
    pub method: &'static Method,
    /// What travels with it.
    pub cx: CallCx,
    /// The request.
    pub body: Body,
}

/// A call that failed: what the layers need to know, and the error itself.
pub struct Failure {
    /// The kind of failure.
    pub code: Code,
    /// Whether it may be sent again.
    pub retry: Retry,
    /// The error.
    pub error: FailureKind,
}

/// Whose error it is.
pub enum FailureKind {
    /// The way to the callee failed.
    Mesh(MeshError),
    /// The callee said no, in the words of its contract.
    Contract(Payload),
}

impl From<MeshError> for Failure {
    fn from(error: MeshError) -> Self {
        Self {
            code: error.code(),
            retry: error.retry(),
            error: FailureKind::Mesh(error),
        }
    }
}

/// What comes back.
pub type Reply = Result<Payload, Failure>;

/// The receiving end of a contract; `contract!` makes one for each.
pub trait Dispatch: Send + Sync + 'static {
    /// The service that it offers.
    fn service(&self) -> &'static str;
    /// Its methods.
    fn methods(&self) -> &'static [Method];
    /// Carries out a call.
    fn dispatch(&self, call: Call) -> BoxFuture<'static, Reply>;
}

// What follows is compiled for every message of every contract, so all that does not need its type
// is left to functions without one.

impl Body {
    /// The form in which the reply is wanted.
    #[must_use]
    pub const fn form(&self) -> Form {
        match self {
            Self::Typed(_) => Form::Typed,
            Self::Wire(_) => Form::Wire,
        }
    }

    /// Takes the request out.
    pub fn open<Q>(self, service: &str) -> Result<Q, MeshError>
    where
        Q: DeserializeOwned + Clone + Any + Send + Sync,
    {
        match self {
            Self::Wire(bytes) => codec::decode(service, &bytes).map_err(unreadable),
            Self::Typed(message) => match message.downcast::<Q>() {
                Ok(typed) => Ok(Arc::unwrap_or_clone(typed)),
                Err(_) => Err(wrong_type(service)),
            },
        }
    }
}

impl Payload {
    /// Wraps a value in this form.
    fn wrap<T: Serialize + Any + Send>(
        value: T,
        service: &str,
        form: Form,
    ) -> Result<Self, MeshError> {
        match form {
            Form::Typed => Ok(Self::Typed(Box::new(value))),
            Form::Wire => codec::encode(service, &value).map(Self::Wire),
        }
    }

    /// Takes the value out.
    pub(crate) fn open<T: DeserializeOwned + Any>(self, service: &str) -> Result<T, MeshError> {
        match self {
            Self::Wire(bytes) => codec::decode(service, &bytes),
            Self::Typed(any) => unbox(any, service),
        }
    }
}

impl Failure {
    /// The error in the words of the contract.
    pub(crate) fn into_error<E>(self, service: &str) -> E
    where
        E: DeserializeOwned + Any + From<MeshError>,
    {
        let known = (self.code, self.retry);
        let opened = match self.error {
            FailureKind::Mesh(error) => Err(error),
            FailureKind::Contract(Payload::Wire(bytes)) => {
                codec::decode_error(service, &bytes, known)
            }
            FailureKind::Contract(Payload::Typed(any)) => unbox(any, service),
        };
        opened.unwrap_or_else(E::from)
    }
}

fn unbox<T: Any>(any: Box<dyn Any + Send>, service: &str) -> Result<T, MeshError> {
    match any.downcast() {
        Ok(value) => Ok(*value),
        Err(_) => Err(wrong_type(service)),
    }
}

/// Turns what a contract's method answered into a reply.
pub fn reply<R, E>(answer: Result<R, E>, service: &str, form: Form) -> Reply
where
    R: Serialize + Any + Send,
    E: Serialize + Coded + Any + Send,
{
    match answer {
        Ok(value) => Payload::wrap(value, service, form).map_err(Failure::from),
        Err(error) => Err(refusal(error, service, form)),
    }
}

fn refusal<E: Serialize + Coded + Any + Send>(error: E, service: &str, form: Form) -> Failure {
    let (code, retry) = (error.code(), error.retry());
    match Payload::wrap(error, service, form) {
        Ok(payload) => Failure {
            code,
            retry,
            error: FailureKind::Contract(payload),
        },
        Err(error) => error.into(),
    }
}

/// The failure of a method that the callee does not have.
#[must_use]
pub fn unknown_method(service: &str, method: &str, methods: &[Method]) -> MeshError {
    let near = kernel::nearest(method, methods.iter().map(|m| m.name));
    let hint = if near.is_empty() {
        let all: Vec<&str> = methods.iter().map(|m| m.name).collect();
        format!(
            "it has {}; caller and callee may be of different versions",
            all.join(", ")
        )
    } else {
        format!("did you mean {}?", near.join(" or "))
    };
    MeshError::UnknownMethod {
        service: service.to_owned(),
        method: method.to_owned(),
        hint,
    }
}

/// What the callee says of a request that it cannot read: that is no defect of its own.
fn unreadable(error: MeshError) -> MeshError {
    match error {
        MeshError::Codec {
            service, detail, ..
        } => MeshError::Unreadable { service, detail },
        other => other,
    }
}

fn wrong_type(service: &str) -> MeshError {
    MeshError::Codec {
        service: service.to_owned(),
        action: "open".to_owned(),
        detail: "the message is of another type than the contract says".to_owned(),
    }
}
