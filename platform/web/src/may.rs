//! Who may use a route, written into its signature: `May<Read>`.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use http::request::Parts;
use kernel::{Code, Coded, Principal};

use crate::{Meta, ProblemReply, problem};

/// What a route needs of its caller. [`scopes!`](crate::scopes) makes them; [`Public`] lets everybody in.
pub trait Scope: Send + Sync + 'static {
    /// The scope, such as `links:read`; `None` needs nothing, not even a caller who is known.
    const NAME: Option<&'static str>;
}

/// Everybody may, also nobody known: the one way to open a route, so that openness is written down.
#[derive(Debug, Clone, Copy)]
pub struct Public;

impl Scope for Public {
    const NAME: Option<&'static str> = None;
}

/// Declares scopes as types: `scopes! { pub(crate) Read = "links:read"; }`.
///
/// By the house's rule of access, what reads needs `SERVICE:read` and what changes needs `SERVICE:write`, from a
/// caller who is known; what needs neither says [`Public`].
#[macro_export]
macro_rules! scopes {
    ($($(#[$meta:meta])* $vis:vis $name:ident = $scope:literal;)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy)]
        $vis struct $name;

        impl $crate::Scope for $name {
            const NAME: Option<&'static str> = Some($scope);
        }
    )+};
}

/// The caller, who may do what `S` needs: 401 for nobody known, 403 without the scope.
#[derive(Debug, Clone)]
pub struct May<S>(pub Principal, pub(crate) PhantomData<S>);

impl<S: Scope, T: Send + Sync> FromRequestParts<T> for May<S> {
    type Rejection = ProblemReply;

    async fn from_request_parts(parts: &mut Parts, _: &T) -> Result<Self, ProblemReply> {
        let caller = Meta::in_extensions(&parts.extensions).caller;
        if let Some(scope) = S::NAME {
            require(&caller, scope)?;
        }
        Ok(Self(caller, PhantomData))
    }
}

/// The scope of [`Admin`].
pub const ADMIN: &str = "system:admin";

/// Operating the system: knobs, faults, replicas, traces.
#[derive(Debug, Clone, Copy)]
pub struct Admin;

impl Scope for Admin {
    const NAME: Option<&'static str> = Some(ADMIN);
}

/// A caller may not do this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nobody is known to ask, and this needs somebody.
    #[error(
        "send an API key as 'Authorization: Bearer twk_...'; 'tradewind key create NAME' makes one"
    )]
    CallerNeeded,
    /// The caller is known, and has not the right.
    #[error(
        "{who} may not do this: it needs the scope '{scope}'; 'tradewind key create NAME --scope {scope}' makes a key that has it"
    )]
    ScopeNeeded {
        /// The caller's label.
        who: String,
        /// What they would need.
        scope: String,
    },
}

impl Coded for Refused {
    fn code(&self) -> Code {
        match self {
            Self::CallerNeeded => Code::Unauthenticated,
            Self::ScopeNeeded { .. } => Code::Forbidden,
        }
    }
}

/// Fails with 401 unless the caller is known, and with 403 unless they have the scope.
pub fn require(caller: &Principal, scope: &str) -> Result<(), ProblemReply> {
    if !caller.is_known() {
        return Err(problem(&Refused::CallerNeeded));
    }
    if caller.may(scope) {
        return Ok(());
    }
    let (who, scope) = (caller.label().into_owned(), scope.to_owned());
    Err(problem(&Refused::ScopeNeeded { who, scope }))
}

#[cfg(test)]
mod tests {
    use kernel::{DEFAULT_TENANT, Scopes};

    use super::*;

    #[test]
    fn a_caller_needs_to_be_known_and_to_have_the_scope() {
        let status = |caller: &Principal| require(caller, "links:write").map_err(|r| r.0.status);
        let key =
            |scopes: &str| Principal::key("ci", DEFAULT_TENANT, Scopes::parse(scopes).unwrap());
        assert_eq!(status(&Principal::ANONYMOUS), Err(401));
        assert_eq!(status(&key("links:read")), Err(403));
        assert_eq!(status(&key("links:*")), Ok(()));
        assert_eq!(status(&Principal::LOCAL), Ok(()));
        let detail = require(&key(""), "links:write").unwrap_err().0.detail;
        assert!(
            detail.contains("key:ci may not") && detail.contains("--scope links:write"),
            "{detail}"
        );
    }
}
