//! Who asks, for which tenant, and what they may: the authorization context of a request.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::Scopes;

/// What kind of caller it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Kind {
    /// Nobody known; may do what is open to everybody, and nothing else.
    #[default]
    Anonymous,
    /// Somebody on this machine while no keys are configured; may do everything.
    Local,
    /// Another process of this system, on its own behalf; may do everything.
    Internal,
    /// A service of this system, on its own behalf; may do everything.
    Service,
    /// The holder of an API key.
    Key,
    /// A person who has signed in.
    User,
}

/// The tenant of whoever belongs to no other.
pub const DEFAULT_TENANT: &str = "default";

/// Who asks. Cheap to clone: an anonymous, a local or an internal caller holds no memory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Principal {
    kind: Kind,
    who: Option<Arc<Who>>,
}

#[derive(Debug, PartialEq, Eq)]
struct Who {
    id: Box<str>,
    tenant: Box<str>,
    scopes: Scopes,
}

impl Principal {
    /// Nobody known.
    pub const ANONYMOUS: Self = Self::plain(Kind::Anonymous);
    /// Somebody on this machine, while no keys are configured.
    pub const LOCAL: Self = Self::plain(Kind::Local);
    /// Another process of this system.
    pub const INTERNAL: Self = Self::plain(Kind::Internal);

    const fn plain(kind: Kind) -> Self {
        Self { kind, who: None }
    }

    /// The service `name` of this system, on its own behalf.
    #[must_use]
    pub fn service(name: &str) -> Self {
        Self::named(Kind::Service, name, (DEFAULT_TENANT, Scopes::ALL))
    }

    /// The holder of the API key `name`.
    #[must_use]
    pub fn key(name: &str, tenant: &str, scopes: Scopes) -> Self {
        Self::named(Kind::Key, name, (tenant, scopes))
    }

    /// The person `id`.
    #[must_use]
    pub fn user(id: &str, tenant: &str, scopes: Scopes) -> Self {
        Self::named(Kind::User, id, (tenant, scopes))
    }

    fn named(kind: Kind, id: &str, (tenant, scopes): (&str, Scopes)) -> Self {
        let who = Who {
            id: id.into(),
            tenant: tenant.into(),
            scopes,
        };
        Self {
            kind,
            who: Some(Arc::new(who)),
        }
    }

    /// What kind of caller it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The name of the key, the service or the person; empty for the others.
    #[must_use]
    pub fn id(&self) -> &str {
        self.who.as_ref().map_or("", |who| &who.id)
    }

    /// For whom they ask: data of one tenant is not there for another.
    #[must_use]
    pub fn tenant(&self) -> &str {
        self.who.as_ref().map_or(DEFAULT_TENANT, |who| &who.tenant)
    }

    /// Whether anybody is known to ask.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.kind != Kind::Anonymous
    }

    /// Whether they may do what needs `scope`, such as `links:write`.
    #[must_use]
    pub fn may(&self, scope: &str) -> bool {
        match (self.kind, &self.who) {
            (Kind::Anonymous, _) => false,
            (Kind::Local | Kind::Internal | Kind::Service, _) => true,
            (Kind::Key | Kind::User, Some(who)) => who.scopes.allow(scope),
            (Kind::Key | Kind::User, None) => false,
        }
    }

    /// A name for logs, rows and the scope of idempotency keys: `anonymous`, `local`, `internal`, `key:NAME`,
    /// `service:NAME`, `user:ID`.
    #[must_use]
    pub fn label(&self) -> Cow<'static, str> {
        let kind = match self.kind {
            Kind::Anonymous => return "anonymous".into(),
            Kind::Local => return "local".into(),
            Kind::Internal => return "internal".into(),
            Kind::Service => "service",
            Kind::Key => "key",
            Kind::User => "user",
        };
        format!("{kind}:{}", self.id()).into()
    }

    /// Everything about them in visible ASCII, for a header between our own processes:
    /// `key:ci;tenant=acme;scopes=links:read,links:write`. What is usual is left out.
    #[must_use]
    pub fn to_text(&self) -> Cow<'static, str> {
        let Some(who) = &self.who else {
            return self.label();
        };
        let mut text = escape(&self.label());
        if &*who.tenant != DEFAULT_TENANT {
            text.push_str(";tenant=");
            text.push_str(&escape(&who.tenant));
        }
        if who.scopes != Scopes::ALL {
            text.push_str(";scopes=");
            text.push_str(&escape(&who.scopes.to_string()));
        }
        text.into()
    }

    /// Reads [`Principal::to_text`]. Whoever is of a kind that is not known here, or is told of in another
    /// form, is anonymous: a process of an earlier version trusts nobody by mistake.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self::read(text).unwrap_or_default()
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(';');
        let label = unescape(parts.next()?)?;
        let (kind, id) = match label.split_once(':') {
            None => return Self::read_plain(&label, parts.next()),
            Some(("service", id)) => (Kind::Service, id),
            Some(("key", id)) => (Kind::Key, id),
            Some(("user", id)) => (Kind::User, id),
            Some(_) => return None,
        };
        let (mut tenant, mut scopes) = (DEFAULT_TENANT.to_owned(), Scopes::ALL);
        for part in parts {
            match part.split_once('=')? {
                ("tenant", text) => tenant = unescape(text)?,
                ("scopes", text) => scopes = Scopes::parse(&unescape(text)?).ok()?,
                // What it takes away is not known here.
                _ => return None,
            }
        }
        (!id.is_empty()).then(|| Self::named(kind, id, (&tenant, scopes)))
    }

    fn read_plain(label: &str, more: Option<&str>) -> Option<Self> {
        let kind = match label {
            "anonymous" => Kind::Anonymous,
            "local" => Kind::Local,
            "internal" => Kind::Internal,
            _ => return None,
        };
        more.is_none().then_some(Self::plain(kind))
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label())
    }
}

/// Everything but plain visible ASCII as `%XX`.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'%' | b';' | b'=' | 0..=0x20 | 0x7f.. => {
                out.push_str(&format!("%{byte:02X}"));
            }
            plain => out.push(char::from(plain)),
        }
    }
    out
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let value = digit(rest.next())? * 16 + digit(rest.next())?;
        bytes.push(u8::try_from(value).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(text: &str) -> Scopes {
        Scopes::parse(text).unwrap()
    }

    #[test]
    fn everybody_crosses_a_header_unchanged() {
        let all = [
            Principal::ANONYMOUS,
            Principal::LOCAL,
            Principal::INTERNAL,
            Principal::service("demo"),
            Principal::key("ci", DEFAULT_TENANT, Scopes::ALL),
            Principal::key("ci", "acme; = %", scopes("links:read links:write")),
            Principal::user("Зоя=1;x", "acme", scopes("*:read")),
            Principal::user("nobody's", "acme", Scopes::none()),
        ];
        for who in all {
            let text = who.to_text();
            assert!(text.bytes().all(|b| (0x21..0x7f).contains(&b)), "{text}");
            assert_eq!(Principal::parse(&text), who, "{text}");
        }
        let text = Principal::key("ci", "acme", scopes("links:read")).to_text();
        assert_eq!(text, "key:ci;tenant=acme;scopes=links:read");
    }

    #[test]
    fn whoever_is_not_known_here_is_trusted_with_nothing() {
        let texts = [
            "",
            "root",
            "robot:x",
            "key:",
            "key:ci;grants=all",
            "key:ci;scopes=a b c",
            "key:ci;tenant",
            "local;tenant=acme",
            "user:%zz",
            "user:%ff",
            "INTERNAL",
        ];
        for text in texts {
            assert_eq!(Principal::parse(text), Principal::ANONYMOUS, "{text}");
        }
        assert!(!Principal::ANONYMOUS.may("links:read"));
    }

    #[test]
    fn a_key_may_do_what_its_scopes_say() {
        let key = Principal::key("ci", DEFAULT_TENANT, scopes("links:read *:export"));
        assert!(key.may("links:read") && key.may("tasks:export"));
        assert!(!key.may("links:write") && !key.may("tasks:read"));
        assert!(Principal::LOCAL.may("links:write") && Principal::service("demo").may("x:y"));
    }
}
