//! `tradewind lab prices`: what is refused, and what one knob's price holds.

use crate::program::{answered, refused, temporary};

#[test]
fn a_knob_that_does_not_exist_is_refused_with_the_nearest() {
    let (_guard, dir) = temporary();
    let said = refused(&dir, &["lab", "prices", "links.cahce"]);
    assert!(said.contains("did you mean links.cache"), "{said}");
}

#[test]
fn a_page_of_a_few_knobs_is_refused_because_it_would_drop_the_others() {
    let (_guard, dir) = temporary();
    let page = ["lab", "prices", "links.cache", "--markdown", "list.md"];
    let said = refused(&dir, &page);
    assert!(said.contains("--markdown"), "{said}");
    assert!(!dir.join("list.md").exists());
}

#[test]
fn a_knob_is_priced_with_everything_that_was_recorded_and_nothing_stays_behind() {
    let (_guard, dir) = temporary();
    let list = answered(&dir, &["lab", "prices", "links.clicks", "--quick"]);
    let price = &list["prices"][0];
    assert_eq!(price["knob"], "links.clicks", "{list}");
    let settings = price["settings"].as_array().expect("a list");
    let values: Vec<_> = settings.iter().map(|each| &each["value"]).collect();
    assert_eq!(values, ["grouped", "durable", "lossy"]);
    for setting in settings {
        let estimates = setting["estimates"].as_array().expect("a list");
        assert_eq!(estimates.len(), 6, "{setting}");
        assert!(estimates[0]["value"].as_f64().is_some_and(|p50| p50 > 0.0));
    }
    assert!(settings[1]["estimates"][0]["difference"]["high"].is_f64());
    assert_eq!(price["run"]["trials"].as_array().map(Vec::len), Some(12));
    let left = std::fs::read_dir(dir.join(".tradewind/lab")).expect("was made");
    assert_eq!(left.count(), 0, "the private system is gone");
}
