//! The few pages that visitors see. Every text in them is escaped; no script runs in any.

use std::fmt::Write as _;
use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use kernel::{Code, Problem};
use sha2::{Digest as _, Sha256};
use web::{Body, ProblemReply, Response};

use super::redirect::{NOINDEX, ROBOTS, text};
use super::visit::{Head, bare};
use crate::domain::bookmarks::escape;
use crate::domain::route::Route;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1rem;color:#1a1a1a;background:#fff}h1{font-size:1.4rem}dt{color:#666;margin-top:.8rem}dd{margin:0;overflow-wrap:anywhere}input,button{font:inherit;padding:.4rem .7rem}p.wrong{color:#b00020}@media(prefers-color-scheme:dark){body{color:#eee;background:#16181d}dt{color:#aaa}a{color:#8ab4f8}}";

/// Nothing but the one style above. Forms may lead anywhere, because browsers hold the redirect
/// that follows a right password to be part of the form.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' https: http:"
    );
    crate::service::compiled::header(&policy)
});

/// Why there is no link.
pub(super) enum Page {
    /// No link has this code.
    Unknown,
    /// The link is switched off.
    Disabled,
}

fn html(status: StatusCode, title: &str, body: &str) -> Response {
    let title = escape(title);
    let text = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1>{body}</body></html>"
    );
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let fixed: [(HeaderName, HeaderValue); 5] = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("private, no-store"),
        ),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        (
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ),
        (ROBOTS, NOINDEX),
    ];
    headers.extend(fixed);
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY.clone());
    response
}

/// A page for people, a problem for programs that ask for JSON.
fn say(request: &Head, problem: Problem, title: &str) -> Response {
    if text(request.headers(), &header::ACCEPT).contains("json") {
        return ProblemReply(Box::new(problem)).into_web();
    }
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = html(
        status,
        title,
        &format!("<p>{}</p>", escape(&problem.detail)),
    );
    if let Some(seconds) = problem.retry_after {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// There is no such link.
pub(super) fn not_found(request: &Head, why: &Page) -> Response {
    let detail = match why {
        Page::Unknown => "No link has this address; check it for slips.",
        Page::Disabled => "This link is switched off at the moment.",
    };
    say(
        request,
        Problem::new(Code::NotFound, detail),
        "There is no such link",
    )
}

/// The link has ended.
pub(super) fn gone(request: &Head) -> Response {
    let detail = "This link has ended: its time is over, or all its clicks are used.";
    say(
        request,
        Problem::new(Code::Gone, detail),
        "This link has ended",
    )
}

/// Too many unknown codes from this address.
pub(super) fn too_many(request: &Head, wait: u64) -> Response {
    let detail = format!("Too many unknown links were asked for; try again in {wait} s.");
    let problem = Problem::new(Code::RateLimited, detail).with_retry_after(wait);
    say(request, problem, "Too many attempts")
}

/// The store does not answer.
pub(super) fn unavailable(request: &Head) -> Response {
    let detail = "The link cannot be looked up right now; try again in a second.";
    let problem = Problem::new(Code::Unavailable, detail).with_retry_after(1);
    say(request, problem, "Not available right now")
}

/// Asks for the password of a link.
pub(super) fn password(route: &Route, wrong: Option<&str>) -> Response {
    let wrong = wrong.map_or_else(String::new, |w| {
        format!("<p class=\"wrong\">{}</p>", escape(w))
    });
    let form = format!(
        "{wrong}<form method=\"post\" action=\"/{}\"><label>Password <input type=\"password\" name=\"password\" autocomplete=\"current-password\" autofocus required maxlength=\"256\"></label> <button>Open</button></form>",
        escape(&route.code)
    );
    let mut response = html(
        StatusCode::UNAUTHORIZED,
        "This link needs a password",
        &form,
    );
    let challenge = HeaderValue::from_static("Form realm=\"link\"");
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, challenge);
    response
}

/// Too many wrong passwords.
pub(super) fn too_many_guesses(wait: u64) -> Response {
    let body = format!("<p>Too many passwords were tried; try again in {wait} s.</p>");
    let mut response = html(StatusCode::TOO_MANY_REQUESTS, "Too many attempts", &body);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(wait));
    response
}

/// Shows where a link leads without going there. A protected or limited target stays hidden.
pub(super) fn preview(route: &Route) -> Response {
    let mut body = String::from("<dl>");
    let mut item = |name: &str, value: &str| {
        let _ = write!(body, "<dt>{}</dt><dd>{value}</dd>", escape(name));
    };
    item("Short link", &escape(&format!("/{}", route.code)));
    if route.password_version.is_some() || route.limited {
        item(
            "Leads to",
            "hidden: the link has a password or a limited number of clicks",
        );
    } else {
        item("Leads to", &anchor(&route.url));
        for rule in &route.rules {
            item("For some visitors", &anchor(&rule.url));
        }
    }
    body.push_str("</dl>");
    let title = route.title.as_deref().unwrap_or("Where this link leads");
    html(StatusCode::OK, title, &body)
}

fn anchor(url: &str) -> String {
    let url = escape(url);
    format!("<a href=\"{url}\" rel=\"nofollow noreferrer noopener\">{url}</a>")
}

/// Search engines may look; each redirect tells them not to keep it.
pub(super) fn robots() -> Response {
    let mut response = Response::new(Body::from("User-agent: *\nDisallow: /api/\n"));
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}

/// Nothing to show.
pub(super) fn no_content() -> Response {
    let mut response = bare(StatusCode::NO_CONTENT);
    response.headers_mut().insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-store"),
    );
    response
}

/// A method that a link does not have; for OPTIONS the list of those that it has.
pub(super) fn method(method: &Method) -> Response {
    let mut response = if *method == Method::OPTIONS {
        bare(StatusCode::NO_CONTENT)
    } else {
        web::method_not_allowed().into_web()
    };
    response.headers_mut().insert(
        header::ALLOW,
        HeaderValue::from_static("GET, HEAD, OPTIONS"),
    );
    response
}
