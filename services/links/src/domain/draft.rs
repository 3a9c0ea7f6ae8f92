//! From what a caller asks for to what is kept: every field checked and in normal form.

use contracts::links::{CreateLink, LinkChanges, LinkSnapshot, LinksError, Rule};

use super::host::{self, OwnHosts};
use super::{code, language, target};

/// The most tags of a link.
pub(crate) const TAGS_MAX: usize = 32;
/// The most rules of a link.
pub(crate) const RULES_MAX: usize = 32;
const TAG_CHARS_MAX: usize = 64;
const TITLE_CHARS_MAX: usize = 500;
const NOTES_CHARS_MAX: usize = 4_000;
const EXTERNAL_ID_CHARS_MAX: usize = 255;
const PASSWORD_BYTES_MAX: usize = 256;
const CACHE_CONTROL_CHARS_MAX: usize = 200;
const CLICKS_MAX: u32 = 1_000_000_000;

/// A link that can be kept; without a code if one is still to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draft {
    /// Its content. The code is empty when the caller chose none.
    pub(crate) body: LinkSnapshot,
    /// Its password in plain text, to be hashed.
    pub(crate) password: Option<String>,
}

/// What is known of the hosts, for checks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rooms {
    /// Targets there would go round in a circle.
    pub(crate) own: OwnHosts,
    /// The custom domains, in normal form.
    pub(crate) domains: Vec<String>,
}

/// Checks a new link.
pub(crate) fn create(asked: CreateLink, rooms: &Rooms) -> Result<Draft, LinksError> {
    let body = LinkSnapshot {
        url: asked.url,
        domain: asked.domain,
        code: asked.code.unwrap_or_default(),
        title: asked.title,
        notes: asked.notes,
        tags: asked.tags,
        external_id: asked.external_id,
        enabled: asked.enabled.unwrap_or(true),
        status: asked.status.unwrap_or(302),
        cache_control: asked.cache_control,
        forward_query: asked.forward_query.unwrap_or(false),
        expires_at: asked.expires_at,
        expired_url: asked.expired_url,
        max_clicks: asked.max_clicks,
        rules: asked.rules,
    };
    let password = asked.password.map(password).transpose()?.flatten();
    let body = check(body, rooms)?;
    if !body.code.is_empty() {
        check_code(&body.code)?;
    }
    Ok(Draft { body, password })
}

/// What changes make of a link. The password is answered apart: kept, removed or set.
pub(crate) fn change(
    before: &LinkSnapshot,
    changes: LinkChanges,
    rooms: &Rooms,
) -> Result<(LinkSnapshot, Option<Option<String>>), LinksError> {
    let mut body = before.clone();
    macro_rules! set {
        ($($field:ident),+) => { $(if let Some(value) = changes.$field { body.$field = value; })+ };
    }
    set!(
        url,
        domain,
        title,
        notes,
        tags,
        external_id,
        enabled,
        status,
        cache_control,
        forward_query,
        expires_at,
        expired_url,
        max_clicks,
        rules
    );
    let password = match changes.password {
        None => None,
        Some(None) => Some(None),
        Some(Some(text)) => Some(password(text)?),
    };
    if let Some(wanted) = changes.code {
        // A code that the service made is not checked again: the rules may have changed since.
        if wanted != before.code {
            check_code(&wanted)?;
        }
        body.code = wanted;
    }
    Ok((check(body, rooms)?, password))
}

/// Brings everything but the code into normal form.
pub(crate) fn check(body: LinkSnapshot, rooms: &Rooms) -> Result<LinkSnapshot, LinksError> {
    if !matches!(body.status, 301 | 302 | 307 | 308) {
        return Err(invalid("status", "a redirect is 301, 302, 307 or 308"));
    }
    if body
        .max_clicks
        .is_some_and(|max| max == 0 || max > CLICKS_MAX)
    {
        return Err(invalid(
            "max_clicks",
            "a limit is 1 to 1,000,000,000 clicks; null for none",
        ));
    }
    if body.tags.len() > TAGS_MAX {
        return Err(invalid("tags", "a link has at most 32 tags"));
    }
    if body.rules.len() > RULES_MAX {
        return Err(invalid("rules", "a link has at most 32 rules"));
    }
    let rules = body.rules.into_iter().enumerate();
    Ok(LinkSnapshot {
        url: url("url", &body.url, &rooms.own)?,
        domain: body
            .domain
            .map(|d| domain(&d, rooms))
            .transpose()?
            .flatten(),
        code: body.code,
        title: text("title", body.title, TITLE_CHARS_MAX)?,
        notes: text("notes", body.notes, NOTES_CHARS_MAX)?,
        tags: tags(body.tags)?,
        external_id: external_id(body.external_id)?,
        enabled: body.enabled,
        status: body.status,
        cache_control: body.cache_control.map(cache_control).transpose()?.flatten(),
        forward_query: body.forward_query,
        expires_at: body.expires_at,
        expired_url: body
            .expired_url
            .filter(|u| !u.is_empty())
            .map(|u| url("expired_url", &u, &rooms.own))
            .transpose()?,
        max_clicks: body.max_clicks,
        rules: rules
            .map(|(at, r)| rule(at, r, &rooms.own))
            .collect::<Result<_, _>>()?,
    })
}

fn invalid(field: impl Into<String>, detail: impl Into<String>) -> LinksError {
    LinksError::invalid(field, detail)
}

fn check_code(wanted: &str) -> Result<(), LinksError> {
    code::check(wanted).map_err(|e| invalid("code", e.to_string()))
}

fn url(field: &str, text: &str, own: &OwnHosts) -> Result<String, LinksError> {
    target::normal(text, own).map_err(|e| invalid(field, e.to_string()))
}

fn domain(text: &str, rooms: &Rooms) -> Result<Option<String>, LinksError> {
    if text.is_empty() {
        return Ok(None);
    }
    let host = host::normal(text).map_err(|e| invalid("domain", e.to_string()))?;
    if rooms.domains.contains(&host) {
        return Ok(Some(host));
    }
    let near = kernel::nearest(&host, rooms.domains.iter().map(String::as_str));
    let hint = if near.is_empty() {
        "add it with PUT /api/links/domains".to_owned()
    } else {
        format!("did you mean {}?", near.join(" or "))
    };
    Err(invalid(
        "domain",
        format!("'{host}' is not one of the custom domains; {hint}"),
    ))
}

/// Trimmed, bounded, nothing instead of empty. Line breaks are fine, other controls are not.
fn text(field: &str, text: Option<String>, max: usize) -> Result<Option<String>, LinksError> {
    let Some(text) = text else { return Ok(None) };
    let trimmed = text.trim();
    if trimmed.chars().count() > max {
        return Err(invalid(field, format!("at most {max} characters")));
    }
    if trimmed
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    {
        return Err(invalid(field, "no control characters"));
    }
    Ok((!trimmed.is_empty()).then(|| trimmed.to_owned()))
}

/// The normal form of a tag: trimmed, lower case.
pub(crate) fn tag(text: &str) -> Result<String, LinksError> {
    let tag = text.trim().to_lowercase();
    let chars = tag.chars().count();
    if chars == 0 || chars > TAG_CHARS_MAX || tag.chars().any(|c| c.is_control() || c == ',') {
        return Err(invalid(
            "tags",
            "a tag has 1 to 64 characters, without commas and line breaks",
        ));
    }
    Ok(tag)
}

fn tags(all: Vec<String>) -> Result<Vec<String>, LinksError> {
    let mut tags = all.iter().map(|t| tag(t)).collect::<Result<Vec<_>, _>>()?;
    tags.sort();
    tags.dedup();
    Ok(tags)
}

fn external_id(id: Option<String>) -> Result<Option<String>, LinksError> {
    let Some(id) = id.filter(|id| !id.is_empty()) else {
        return Ok(None);
    };
    if id.chars().count() > EXTERNAL_ID_CHARS_MAX || id.chars().any(char::is_control) {
        return Err(invalid(
            "external_id",
            "at most 255 characters, no control characters",
        ));
    }
    Ok(Some(id))
}

fn password(text: String) -> Result<Option<String>, LinksError> {
    match text.len() {
        0 => Ok(None),
        n if n > PASSWORD_BYTES_MAX => Err(invalid("password", "at most 256 bytes")),
        _ => Ok(Some(text)),
    }
}

fn cache_control(value: String) -> Result<Option<String>, LinksError> {
    let fine = value.len() <= CACHE_CONTROL_CHARS_MAX
        && value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b" ,=-\"_".contains(&b));
    if !fine {
        let detail = "write it as 'private, max-age=60', at most 200 characters";
        return Err(invalid("cache_control", detail));
    }
    Ok((!value.trim().is_empty()).then(|| value.trim().to_owned()))
}

fn rule(at: usize, rule: Rule, own: &OwnHosts) -> Result<Rule, LinksError> {
    let field = |name: &str| format!("rules/{at}/{name}");
    let bare = rule.devices.is_empty() && rule.languages.is_empty();
    if bare && rule.from.is_none() && rule.until.is_none() {
        let detail = "a rule needs a condition: devices, languages, from or until";
        return Err(invalid(format!("rules/{at}"), detail));
    }
    if let Some(bad) = rule.languages.iter().find(|l| !language::is_tag(l)) {
        let detail = format!("'{bad}' is no language; write it as 'de' or 'pt-BR'");
        return Err(invalid(field("languages"), detail));
    }
    if rule.languages.len() > 64 || rule.devices.len() > 8 {
        return Err(invalid(
            format!("rules/{at}"),
            "at most 64 languages and 8 devices",
        ));
    }
    if let (Some(from), Some(until)) = (rule.from, rule.until)
        && from >= until
    {
        return Err(invalid(field("until"), "the end must come after 'from'"));
    }
    Ok(Rule {
        name: text(&field("name"), rule.name, 100)?,
        url: url(&field("url"), &rule.url, own)?,
        ..rule
    })
}

#[cfg(test)]
mod tests;
