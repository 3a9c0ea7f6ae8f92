//! The form that asks for a link's password, and the pass that remembers it.

use http::{HeaderValue, StatusCode, header};
use web::{Body, Response, read_body};

use super::pages;
use super::redirect::{address, known, text};
use super::visit::{Head, bare};
use crate::domain::route::Route;
use crate::service::Service;
use crate::service::passes::{Guess, PASS_TTL};

/// The largest form, in bytes.
const FORM_BYTES_MAX: usize = 4 * 1024;

/// Whether the visitor has a pass for this link.
pub(super) async fn is_open(service: &Service, request: &Head, route: &Route) -> bool {
    let name = cookie(route);
    let cookies = text(request.headers(), &header::COOKIE);
    let pass = cookies.split(';').find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then_some(value)
    });
    match pass {
        Some(pass) => service.passes.opens(route, pass).await.unwrap_or(false),
        None => false,
    }
}

/// Takes a password that was sent with the form.
pub(super) async fn posted(
    service: &Service,
    request: &Head,
    body: Body,
    route: &Route,
) -> Response {
    if route.password_version.is_none() || !route.enabled {
        return pages::method(request.method());
    }
    let address = address(known(request));
    let body = match read_body(body, FORM_BYTES_MAX).await {
        Ok(body) => body,
        Err(error) => return web::ProblemReply::from(error).into_web(),
    };
    let form = url::form_urlencoded::parse(&body);
    let password = form
        .into_iter()
        .find(|(name, _)| name == "password")
        .map(|(_, v)| v.into_owned());
    let guess = service
        .passes
        .guess(route, address, password.unwrap_or_default())
        .await;
    match guess {
        Ok(Guess::Right(pass)) => {
            // Seen again as a GET, which counts the click and sends the visitor on.
            let mut response = bare(StatusCode::SEE_OTHER);
            let headers = response.headers_mut();
            headers.insert(
                header::LOCATION,
                crate::service::compiled::header(request.uri().path()),
            );
            headers.insert(
                header::CACHE_CONTROL,
                HeaderValue::from_static("private, no-store"),
            );
            headers.insert(header::SET_COOKIE, set_cookie(service, route, &pass));
            response
        }
        Ok(Guess::Wrong) => {
            service.meters.locked.inc();
            pages::password(route, Some("That is not the password."))
        }
        Ok(Guess::TooMany(wait)) => {
            service.meters.throttled.inc();
            pages::too_many_guesses(wait)
        }
        Err(error) => web::problem(&error).into_web(),
    }
}

fn cookie(route: &Route) -> String {
    format!("tw_{}", route.id)
}

fn set_cookie(service: &Service, route: &Route, pass: &str) -> HeaderValue {
    let secure = if service.hosts.is_secure() {
        "; Secure"
    } else {
        ""
    };
    let value = format!(
        "{}={pass}; Path=/{}; Max-Age={}; HttpOnly; SameSite=Lax{secure}",
        cookie(route),
        route.code,
        PASS_TTL.as_secs(),
    );
    crate::service::compiled::header(&value)
}
