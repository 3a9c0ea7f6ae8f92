//! One story per feature of the short links, told over HTTP to a running system.
//!
//! A story knows only the base URL: the same ones run over every topology and store.

mod analytics;
mod bulk;
mod document;
mod domains;
mod editing;
mod keys;
mod listing;
mod naming;
mod rules;
mod serving;
mod transfer;

use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};
use testkit::{Client, Reply};

use crate::{Sandbox, story};

story!(every_feature_of_links_works);

async fn every_feature_of_links_works(sandbox: Sandbox) {
    let api = Api::at(sandbox.client.base());
    tell_all(&api).await;
    naming::codes_are_made_as_the_knob_says(&sandbox).await;
    let link = analytics::visited_often(&api).await;
    let sandbox = sandbox.restart().await;
    let api = Api::at(sandbox.client.base());
    analytics::every_visit_is_counted(&api, &link).await;
}

/// Far longer than an edit takes to reach every replica: for a busy machine.
const SEEN_EVERYWHERE: Duration = Duration::from_secs(60);
/// Visits in a row that must agree: enough to have met every one of three replicas.
const IN_A_ROW: u32 = 9;

pub(crate) const CHROME: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";
pub(crate) const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1";
pub(crate) const GOOGLEBOT: &str =
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

/// The API and the short URLs of a running system.
pub(crate) struct Api {
    client: Client,
}

impl Api {
    pub(crate) fn at(base: &str) -> Self {
        Self {
            client: Client::new(base),
        }
    }

    /// Makes a link and insists on 201.
    pub(crate) async fn create(&self, link: Value) -> Value {
        let reply = self.post("/api/links", &link).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.client
            .json(Method::POST, path, body)
            .await
            .expect("an answer")
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Reply {
        self.client
            .json(Method::PUT, path, body)
            .await
            .expect("an answer")
    }

    /// Changes a link and insists on 200.
    pub(crate) async fn patch(&self, link: &Value, changes: Value) -> Value {
        let path = path_of(link);
        let reply = self
            .client
            .json(Method::PATCH, &path, &changes)
            .await
            .expect("an answer");
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.client
            .send(Method::DELETE, path, &[], "")
            .await
            .expect("an answer")
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.client.get(path).await.expect("an answer")
    }

    /// GET of JSON; insists on 200.
    pub(crate) async fn read(&self, path: &str) -> Value {
        let reply = self.get(path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.json()
    }

    /// A visit of the short URL as the browser `agent`.
    pub(crate) async fn visit_as(&self, link: &Value, agent: &str) -> Reply {
        self.visit(Method::GET, link, &[("user-agent", agent)])
            .await
    }

    pub(crate) async fn visit(
        &self,
        method: Method,
        link: &Value,
        headers: &[(&str, &str)],
    ) -> Reply {
        let path = format!("/{}", text(link, "code"));
        self.client
            .send(method, &path, headers, "")
            .await
            .expect("an answer")
    }

    /// Visits until every replica gives the answer that `fits`, and answers the last one.
    pub(crate) async fn visit_until(&self, link: &Value, fits: impl Fn(&Reply) -> bool) -> Reply {
        let mut last = self.visit_as(link, CHROME).await;
        everywhere("an edit", async || {
            last = self.visit_as(link, CHROME).await;
            fits(&last)
        })
        .await;
        last
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        self.client
            .send(method, path, headers, body.to_owned())
            .await
            .expect("an answer")
    }
}

/// Asks until the answer is yes so often in a row that every replica has given it.
pub(crate) async fn everywhere(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + SEEN_EVERYWHERE;
    let mut in_a_row = 0;
    while in_a_row < IN_A_ROW {
        in_a_row = if holds().await { in_a_row + 1 } else { 0 };
        assert!(Instant::now() < end, "not seen everywhere in time: {what}");
    }
}

/// A text that no other story uses, so that stories can run on a system that has seen others.
pub(crate) fn unique() -> String {
    kernel::Ctx::system().new_id().to_string()
}

pub(crate) fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("no text '{field}' in {value}"))
}

pub(crate) fn path_of(link: &Value) -> String {
    format!("/api/links/{}", text(link, "id"))
}

/// Insists that `reply` is a problem of this status and code, as RFC 9457 asks.
#[track_caller]
pub(crate) fn is_problem(reply: &Reply, status: u16, code: &str) {
    assert_eq!(reply.status.as_u16(), status, "{}", reply.text());
    assert_eq!(reply.header("content-type"), "application/problem+json");
    let problem = reply.json();
    assert_eq!(problem["code"], json!(code), "{problem}");
    assert_eq!(problem["status"], json!(status), "{problem}");
    assert!(
        problem["detail"].as_str().is_some_and(|d| !d.is_empty()),
        "{problem}"
    );
}

/// Every story, one after the other.
async fn tell_all(api: &Api) {
    serving::a_link_redirects_and_is_not_cached_for_good(api).await;
    serving::a_link_that_is_switched_off_leads_nowhere(api).await;
    serving::the_query_of_a_visit_is_forwarded_if_the_link_says_so(api).await;
    serving::status_and_cache_header_are_the_links_own(api).await;
    serving::an_expired_link_is_gone_and_not_missing(api).await;
    serving::click_limits_are_exact(api).await;
    serving::a_password_is_asked_for_and_guessing_ends(api).await;
    serving::the_preview_page_shows_the_target(api).await;
    serving::qr_codes_are_svg_and_png(api).await;
    serving::the_root_leads_to_the_console(api).await;
    domains::each_domain_has_codes_of_its_own(api).await;
    rules::the_first_matching_rule_wins(api).await;
    rules::explain_names_the_rule_and_the_reason(api).await;
    editing::bad_targets_are_refused(api).await;
    editing::codes_are_unique_and_reserved_words_refused(api).await;
    editing::upsert_finds_by_external_id(api).await;
    editing::history_can_be_rolled_back(api).await;
    editing::a_deleted_link_is_not_found(api).await;
    keys::a_key_makes_one_link_however_often_it_is_sent_at_once(api).await;
    keys::a_key_holds_for_every_kind_of_change(api).await;
    bulk::bulk_reports_each_item(api).await;
    bulk::bulk_changes_and_removes_what_it_can(api).await;
    listing::cursors_page_through_everything_once(api).await;
    listing::search_and_tags_find(api).await;
    analytics::bots_and_head_do_not_count(api).await;
    analytics::what_is_no_link_is_counted_as_an_orphan(api).await;
    transfer::csv_goes_in_and_comes_out(api).await;
    transfer::bookmarks_are_read(api).await;
    transfer::what_is_exported_can_be_imported_again(api).await;
    document::every_operation_of_the_document_is_answered(api).await;
}
