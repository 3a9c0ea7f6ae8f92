//! Rows there and back again.

use contracts::links::{Device, LinkSnapshot, LinkStatus};
use proptest::prelude::*;

use super::super::draft::{self, Rooms};
use super::*;

fn read(head: &[&str], row: &[&str]) -> Result<CreateLink, String> {
    Columns::of_head(head.iter().copied())
        .0
        .link(row.iter().copied())
}

#[test]
fn columns_are_found_by_their_names_in_any_order() {
    let link = read(
        &["Title", "LONG_URL", "keyword", "Tags"],
        &["T", "https://a.example", "abc", "x|y"],
    );
    let link = link.expect("a link");
    assert_eq!(
        (link.url.as_str(), link.code.as_deref()),
        ("https://a.example", Some("abc"))
    );
    assert_eq!(link.tags, ["x", "y"]);
}

#[test]
fn a_table_without_a_head_begins_with_urls() {
    let (columns, head) = Columns::of_head(["https://a.example"].into_iter());
    assert!(!head);
    assert_eq!(
        columns
            .link(["https://a.example"].into_iter())
            .expect("a link")
            .url,
        "https://a.example"
    );
}

#[test]
fn a_cell_that_cannot_be_read_is_named() {
    let error =
        read(&["url", "max_clicks"], &["https://a.example", "many"]).expect_err("no number");
    assert_eq!(error, "max_clicks: 'many' is not a number that fits");
    assert_eq!(
        read(&["url", "code"], &["", "abc"]),
        Err("the url is missing".to_owned())
    );
}

#[test]
fn no_cell_is_a_formula() {
    assert_eq!(cell("=HYPERLINK(\"x\")"), "'=HYPERLINK(\"x\")");
    assert_eq!(cell("https://a.example"), "https://a.example");
    assert_eq!(cell("-sale"), "'-sale");
}

#[test]
fn the_quote_before_a_formula_is_not_part_of_the_text() {
    let title = |cell: &str| read(&["url", "title"], &["https://a.example", cell]);
    for (cell, text) in [("'=1+1", "=1+1"), ("''=1", "'=1"), ("'tis", "'tis")] {
        assert_eq!(title(cell).expect("a link").title.as_deref(), Some(text));
    }
}

pub(in crate::domain) fn any_link() -> impl Strategy<Value = CreateLink> {
    let text = || prop::option::of("[-=+@'a\",;| \\n]{1,8}");
    let tags = prop::collection::vec("[-=a'|;][-=a'|; ]{0,3}", 0..3);
    let names = (
        prop::option::of("[-_]{0,2}[a-z]{5}"),
        prop::option::of("[-=+@' a]{1,6}"),
    );
    let rule = prop::option::of("[-=a']{1,4}").prop_map(|name| Rule {
        name,
        devices: vec![Device::Ios],
        url: "https://b.example/?a=\"b\"".to_owned(),
        ..Rule::default()
    });
    let limits = (prop::option::of(1_u32..9), prop::option::of("[-=a\"]{1,4}"));
    let rules = prop::collection::vec(rule, 0..2);
    (
        text(),
        text(),
        tags,
        names,
        (limits, rules),
        any::<(bool, bool)>(),
    )
        .prop_map(
            |(
                title,
                notes,
                tags,
                (code, external_id),
                ((max_clicks, cache_control), rules),
                flags,
            )| {
                CreateLink {
                    title,
                    notes,
                    tags,
                    code,
                    external_id,
                    max_clicks,
                    cache_control,
                    rules,
                    enabled: Some(flags.0),
                    forward_query: Some(flags.1),
                    expires_at: flags
                        .0
                        .then(|| "2027-01-01T00:00:00.125Z".parse().expect("a moment")),
                    expired_url: flags.1.then(|| "https://c.example/".to_owned()),
                    ..CreateLink::to("https://a.example/?x=1,2")
                }
            },
        )
}

pub(in crate::domain) fn view(body: LinkSnapshot) -> LinkView {
    LinkView {
        id: kernel::Id::from_u128(1),
        short_url: format!("https://tw.example/{}", body.code),
        code: body.code,
        domain: body.domain,
        url: body.url,
        title: body.title,
        notes: body.notes,
        tags: body.tags,
        external_id: body.external_id,
        enabled: body.enabled,
        state: LinkStatus::Active,
        status: body.status,
        cache_control: body.cache_control,
        forward_query: body.forward_query,
        expires_at: body.expires_at,
        expired_url: body.expired_url,
        max_clicks: body.max_clicks,
        clicks_left: None,
        has_password: false,
        rules: body.rules,
        clicks: 0,
        last_clicked_at: None,
        created_at: Moment::default(),
        created_by: String::new(),
        updated_at: Moment::default(),
        version: 1,
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_and_no_cell_is_a_formula(asked in any_link()) {
        let kept = |asked| draft::create(asked, &Rooms::default()).map(|draft| draft.body);
        let Ok(body) = kept(asked) else { return Ok(()) };
        let cells = row(&view(body.clone()));
        prop_assert!(!cells.iter().any(|c| is_formula(c)), "{cells:?}");
        let (columns, _) = Columns::of_head(COLUMNS.iter().copied());
        let again = columns.link(cells.iter().map(String::as_str)).expect("a link");
        prop_assert_eq!(kept(again), Ok(body));
    }
}
