//! What a caller may ask for, field by field.

use super::*;

fn field_of(error: LinksError) -> String {
    match error {
        LinksError::Invalid { field, .. } => field,
        other => panic!("{other}"),
    }
}

fn refused(asked: CreateLink) -> String {
    field_of(create(asked, &Rooms::default()).expect_err("refused"))
}

#[test]
fn defaults_can_be_edited_later_and_cached_by_nobody() {
    let draft = create(CreateLink::to("https://a.example"), &Rooms::default()).expect("fine");
    assert_eq!((draft.body.status, draft.body.enabled), (302, true));
    assert_eq!(draft.body.url, "https://a.example/");
}

fn base() -> CreateLink {
    CreateLink::to("https://a.example")
}

fn text(value: impl Into<String>) -> Option<String> {
    Some(value.into())
}

#[test]
fn each_field_is_checked_under_its_own_name() {
    let with = |change: fn(&mut CreateLink)| {
        let mut link = base();
        change(&mut link);
        link
    };
    for (asked, field) in [
        (CreateLink::to("javascript:1"), "url"),
        (with(|l| l.status = Some(200)), "status"),
        (with(|l| l.code = text("api")), "code"),
        (with(|l| l.domain = text("x.example")), "domain"),
        (with(|l| l.tags = vec!["a,b".to_owned()]), "tags"),
        (with(|l| l.tags = vec!["t".to_owned(); 33]), "tags"),
        (with(|l| l.max_clicks = Some(0)), "max_clicks"),
        (with(|l| l.cache_control = text("a\r\nb")), "cache_control"),
        (with(|l| l.expired_url = text("ftp://x")), "expired_url"),
        (with(|l| l.title = text("t".repeat(501))), "title"),
        (with(|l| l.password = text("p".repeat(257))), "password"),
    ] {
        assert_eq!(refused(asked), field);
    }
}

#[test]
fn a_rule_needs_a_condition_and_a_target_and_is_named_by_its_place() {
    let rule = |url: &str| Rule {
        url: url.to_owned(),
        ..Rule::default()
    };
    let german = |url: &str| Rule {
        languages: vec!["de".to_owned()],
        ..rule(url)
    };
    let good = || german("https://b.example");
    for (second, field) in [
        (rule("https://b.example"), "rules/1"),
        (german("data:x"), "rules/1/url"),
        (
            Rule {
                languages: vec!["d e".to_owned()],
                ..good()
            },
            "rules/1/languages",
        ),
        (
            Rule {
                name: text("n".repeat(101)),
                ..good()
            },
            "rules/1/name",
        ),
    ] {
        assert_eq!(
            refused(CreateLink {
                rules: vec![good(), second],
                ..base()
            }),
            field
        );
    }
}

#[test]
fn a_change_touches_what_is_named_only() {
    let rooms = Rooms::default();
    let asked = CreateLink {
        title: Some("old".to_owned()),
        ..CreateLink::to("https://a.example")
    };
    let before = create(asked, &rooms).expect("fine").body;
    let changes = LinkChanges {
        title: Some(None),
        enabled: Some(false),
        ..LinkChanges::default()
    };
    let (after, password) = change(&before, changes, &rooms).expect("fine");
    assert_eq!(
        super::super::link::changed(&before, &after),
        ["title", "enabled"]
    );
    assert_eq!(password, None);
}

#[test]
fn tags_are_lower_case_sorted_and_single() {
    let tags = vec![" Beta".to_owned(), "alpha".to_owned(), "BETA".to_owned()];
    let draft = create(
        CreateLink {
            tags,
            ..CreateLink::to("https://a.example")
        },
        &Rooms::default(),
    );
    assert_eq!(draft.expect("fine").body.tags, ["alpha", "beta"]);
}
