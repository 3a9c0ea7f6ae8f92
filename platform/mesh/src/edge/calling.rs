//! A call as a future. Only its last step knows the contract's types: all before it is compiled
//! once, and not for every method of every contract.

use std::any::Any;
use std::marker::PhantomData;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use tower::Service as _;

use crate::layer::Stack;
use crate::{Call, MeshError, Reply};

/// A call that ends with what the contract promises.
pub(super) struct Calling<R, E> {
    sent: Sent,
    service: &'static str,
    promise: PhantomData<fn() -> (R, E)>,
}

/// How far it is. Nothing happens before it is polled.
pub(super) enum Sent {
    /// Its request could not be written.
    Unwritten(MeshError),
    /// About to go.
    Ready(Stack, Call),
    /// On its way.
    Away(BoxFuture<'static, Reply>),
    /// Nothing is left of it.
    Ended,
}

impl<R, E> Calling<R, E> {
    pub(super) const fn new(sent: Sent, service: &'static str) -> Self {
        Self {
            sent,
            service,
            promise: PhantomData,
        }
    }
}

impl<R, E> Future for Calling<R, E>
where
    R: DeserializeOwned + Any,
    E: DeserializeOwned + Any + From<MeshError>,
{
    type Output = Result<R, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<R, E>> {
        let service = self.service;
        Poll::Ready(match ready!(self.sent.poll(cx)) {
            Ok(payload) => payload.open(service).map_err(E::from),
            Err(failure) => Err(failure.into_error(service)),
        })
    }
}

impl Sent {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Reply> {
        match mem::replace(self, Self::Ended) {
            Self::Unwritten(error) => return Poll::Ready(Err(error.into())),
            Self::Ready(mut stack, call) => *self = Self::Away(stack.call(call)),
            other => *self = other,
        }
        match self {
            Self::Away(reply) => reply.as_mut().poll(cx),
            _ => unreachable!("a call is not polled after its end"),
        }
    }
}
