//! Every visit that is not answered at once: first visits, rules, limits, passwords, previews,
//! codes that are not there.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Method, StatusCode, header};
use percent_encoding::percent_decode_str;
use storage::Tx;
use web::{Body, Request, Response};

use super::pages::{self, Page};
use super::password;
use super::redirect::{address, elsewhere, hop, host, is_again, known, redirect, text, visit_of};
use crate::domain::decide::{Decision, decide};
use crate::domain::route::Route;
use crate::domain::rule::Visitor;
use crate::domain::{code, target};
use crate::service::compiled::{Compiled, header as header_of};
use crate::service::recorder::{Full, Visit};
use crate::service::routes::{Lookup, Miss};
use crate::service::stats::{ORPHAN_BASE, ORPHAN_CODE, ORPHAN_PATH};
use crate::service::{ClickPolicy, Service};
use crate::store::{Fail, limits};

/// How long a visit waits for room in the buffer of clicks before it is answered uncounted.
const ROOM_WAIT_MAX: Duration = Duration::from_secs(1);
/// How long a visit waits for its commit, when clicks are recorded before the answer.
const COMMIT_WAIT_MAX: Duration = Duration::from_secs(10);

/// A request without its body.
pub(super) type Head = http::Request<()>;

/// What a path asks for.
enum Asked {
    /// `/`.
    Root,
    /// `/code`.
    Code(String),
    /// `/code+`.
    Preview(String),
    /// `/robots.txt`.
    Robots,
    /// What browsers ask for by themselves.
    Favicon,
    /// Anything else.
    Other,
}

fn asked(path: &str) -> Asked {
    let path = percent_decode_str(path.strip_prefix('/').unwrap_or(path)).decode_utf8_lossy();
    match path.as_ref() {
        "" => Asked::Root,
        "robots.txt" => Asked::Robots,
        "favicon.ico" => Asked::Favicon,
        text => match text.strip_suffix('+') {
            Some(bare) if code::is_code(bare.as_bytes()) => Asked::Preview(bare.to_owned()),
            None if code::is_code(text.as_bytes()) => Asked::Code(text.to_owned()),
            _ => Asked::Other,
        },
    }
}

/// Answers a visit.
pub(super) async fn visit(service: Arc<Service>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let request = Head::from_parts(parts, ());
    let posts = *request.method() == Method::POST;
    let gets = matches!(*request.method(), Method::GET | Method::HEAD);
    let asked = asked(request.uri().path());
    let fine = gets || (posts && matches!(asked, Asked::Code(_)));
    if !fine {
        return pages::method(request.method());
    }
    if let Some(wait) = service
        .throttle
        .wait(address(known(&request)), service.ctx.now())
    {
        service.meters.throttled.inc();
        return pages::too_many(&request, wait);
    }
    match asked {
        Asked::Robots => pages::robots(),
        Asked::Favicon => pages::no_content(),
        Asked::Root => orphan(&service, &request, ORPHAN_BASE).await,
        Asked::Other => orphan(&service, &request, ORPHAN_PATH).await,
        Asked::Code(code) => of_code(&service, request, posts.then_some(body), code).await,
        Asked::Preview(code) => preview(&service, &request, &code).await,
    }
}

async fn of_code(service: &Service, request: Head, body: Option<Body>, code: String) -> Response {
    let found = match find(service, &request, &code).await {
        Ok(found) => found,
        Err(response) => return *response,
    };
    if let Some(body) = body {
        return password::posted(service, &request, body, &found.route).await;
    }
    let unlocked = match found.route.password_version {
        None => true,
        Some(_) => password::is_open(service, &request, &found.route).await,
    };
    let agent = request
        .headers()
        .get(header::USER_AGENT)
        .map_or(&[][..], HeaderValue::as_bytes);
    let language = text(request.headers(), &header::ACCEPT_LANGUAGE);
    let visitor = Visitor::new(agent, language, service.ctx.now().micros());
    let decision = decide(&found.route, &visitor, unlocked);
    act(service, &request, &found, decision).await
}

/// Shows where the link leads, unless it leads nowhere now.
async fn preview(service: &Service, request: &Head, code: &str) -> Response {
    let found = match find(service, request, code).await {
        Ok(found) => found,
        Err(response) => return *response,
    };
    let visitor = Visitor::new(&[], "", service.ctx.now().micros());
    match decide(&found.route, &visitor, true) {
        Decision::Disabled => pages::not_found(request, &Page::Disabled),
        Decision::Expired => pages::gone(request),
        _ => {
            service.meters.preview.inc();
            pages::preview(&found.route)
        }
    }
}

/// The link, or the answer that there is none.
async fn find(
    service: &Service,
    request: &Head,
    code: &str,
) -> Result<Arc<Compiled>, Box<Response>> {
    let domain = match service.hosts.load().await {
        Ok(set) => set
            .find(host(request))
            .map(|d| d.host.clone())
            .unwrap_or_default(),
        Err(error) => return Err(Box::new(failed(service, request, &error))),
    };
    let how = Lookup::at(service.ctx.now(), &service.choices);
    match service.routes.find(&domain, code, how).await {
        Ok(found) => Ok(found),
        Err(Miss::Unknown) => Err(Box::new(orphan(service, request, ORPHAN_CODE).await)),
        Err(Miss::Store(error)) => Err(Box::new(failed(service, request, &error))),
    }
}

async fn act(service: &Service, request: &Head, found: &Compiled, decision: Decision) -> Response {
    let route = &found.route;
    match decision {
        Decision::Disabled => {
            service.meters.disabled.inc();
            pages::not_found(request, &Page::Disabled)
        }
        Decision::Expired => gone(service, request, route),
        Decision::Preview => {
            service.meters.preview.inc();
            pages::preview(route)
        }
        Decision::Password => {
            service.meters.locked.inc();
            pages::password(route, None)
        }
        Decision::Redirect(rule) => send_on(service, request, found, rule).await,
        // A HEAD request uses up no click, so it is not told where the link leads.
        Decision::Ask(_) if *request.method() == Method::HEAD => {
            let _ = count(service, request, route.num).await;
            pages::no_content()
        }
        Decision::Ask(rule) => {
            let (num, hop) = (route.num, hop(known(request)));
            let ask =
                async move |tx: &mut Tx<'_>| Ok::<_, Fail>(limits::use_click(tx, num, hop).await?);
            match service.db.write(ask).await {
                Ok(true) => send_on(service, request, found, rule).await,
                Ok(false) => gone(service, request, route),
                Err(Fail::Store(error)) => failed(service, request, &error),
                Err(Fail::Links(_)) => pages::unavailable(request),
            }
        }
    }
}

/// Counts the visit and sends the visitor on.
async fn send_on(
    service: &Service,
    request: &Head,
    found: &Compiled,
    rule: Option<usize>,
) -> Response {
    if count(service, request, found.route.num).await.is_err() {
        service.meters.failed.inc();
        return pages::unavailable(request);
    }
    service.meters.redirected.inc();
    let route = &found.route;
    let location = match (request.uri().query().filter(|_| route.forward_query), rule) {
        (Some(query), _) => header_of(&target::with_query(route.target(rule), query)),
        (None, None) => found.location.clone(),
        (None, Some(_)) => header_of(route.target(rule)),
    };
    redirect(found, location)
}

/// Counts a visit as the knob says. Fails only when it must not be answered uncounted.
async fn count(service: &Service, request: &Head, link: i64) -> Result<(), Full> {
    let visit = visit_of(request, known(request), link, service.ctx.now().millis());
    if is_repeat(request, &visit) {
        count_repeat(service, &visit).await
    } else {
        count_first(service, &visit).await
    }
}

/// Whether another replica may have counted the visit.
fn is_repeat(request: &Head, visit: &Visit<'_>) -> bool {
    is_again(known(request)) && visit.hop != 0
}

async fn count_repeat(service: &Service, visit: &Visit<'_>) -> Result<(), Full> {
    let recorder = &service.recorder;
    let durable = service.choices.clicks.get() == ClickPolicy::Durable;
    match recorder.repeats.take(visit) {
        Ok(()) if durable => committed(recorder.repeats.settle()).await,
        Ok(()) => Ok(()),
        Err(full) if durable => Err(full),
        Err(Full) => {
            recorder.meters.dropped.inc();
            Ok(())
        }
    }
}

/// Waits for a commit, within limits.
async fn committed(commit: impl Future<Output = Result<(), storage::Error>>) -> Result<(), Full> {
    match tokio::time::timeout(COMMIT_WAIT_MAX, commit).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Full),
    }
}

async fn count_first(service: &Service, visit: &Visit<'_>) -> Result<(), Full> {
    let recorder = &service.recorder;
    match service.choices.clicks.get() {
        ClickPolicy::Lossy => {
            if recorder.record(visit).is_err() {
                recorder.meters.dropped.inc();
            }
            Ok(())
        }
        ClickPolicy::Grouped => {
            if recorder
                .record_patiently(visit, ROOM_WAIT_MAX)
                .await
                .is_err()
            {
                // The visitor goes first. The metric tells, and so does the log.
                recorder.meters.dropped.inc();
                tracing::warn!(
                    link = visit.link,
                    "a click is not counted: the buffer is full"
                );
            }
            Ok(())
        }
        ClickPolicy::Durable => {
            recorder.record_patiently(visit, COMMIT_WAIT_MAX).await?;
            committed(recorder.flush()).await
        }
    }
}

fn gone(service: &Service, request: &Head, route: &Route) -> Response {
    service.meters.gone.inc();
    match &route.expired_url {
        Some(url) => elsewhere(url),
        None => pages::gone(request),
    }
}

fn failed(service: &Service, request: &Head, error: &storage::Error) -> Response {
    service.meters.failed.inc();
    tracing::warn!(%error, "a link could not be looked up");
    pages::unavailable(request)
}

/// A visit that found no link: counted by kind and path, and throttled if there are too many.
async fn orphan(service: &Service, request: &Head, kind: i64) -> Response {
    let now = service.ctx.now();
    if kind == ORPHAN_CODE
        && let Some(wait) = service.throttle.miss(address(known(request)), now)
    {
        service.meters.throttled.inc();
        return pages::too_many(request, wait);
    }
    service.meters.unknown.inc();
    let mut visit = visit_of(request, known(request), kind, now.millis());
    visit.referrer = request.uri().path().as_bytes();
    let recorder = &service.recorder;
    let taken = if is_repeat(request, &visit) {
        recorder.repeats.take(&visit)
    } else {
        recorder.record(&visit)
    };
    if taken.is_err() {
        recorder.meters.dropped.inc();
    }
    let set = service.hosts.load().await.ok();
    let domain = set.as_ref().and_then(|set| set.find(host(request)));
    let other = match kind {
        ORPHAN_BASE => match domain {
            Some(domain) => domain.root_url.as_deref(),
            None => service.config.root_url.as_deref(),
        },
        _ => domain.and_then(|d| d.not_found_url.as_deref()),
    };
    match other {
        Some(url) => elsewhere(url),
        None => pages::not_found(request, &Page::Unknown),
    }
}

/// An answer without content.
pub(super) fn bare(status: StatusCode) -> Response {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = status;
    response
}
