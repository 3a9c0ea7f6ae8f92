//! Links as JSON, one a line.

use contracts::links::{CreateLink, LinkView};
use serde_json::{Map, Value};

/// What a link tells besides what can be imported.
const TOLD: &[&str] = &[
    "id",
    "short_url",
    "state",
    "clicks_left",
    "has_password",
    "clicks",
    "last_clicked_at",
    "created_at",
    "created_by",
    "updated_at",
    "version",
];

/// A link as the API answers it, with a line break.
pub(crate) fn line(link: &LinkView) -> String {
    let mut line = serde_json::to_string(link).unwrap_or_default();
    line.push('\n');
    line
}

/// The link in a line, if there is one: a line may be empty, or a bracket around the others.
pub(crate) fn link(line: &str) -> Result<Option<CreateLink>, String> {
    let between = |c: char| c.is_whitespace() || matches!(c, '[' | ',' | ']' | '\u{feff}');
    let text = line.trim_matches(between);
    if text.is_empty() {
        return Ok(None);
    }
    let mut fields: Map<String, Value> = serde_json::from_str(text)
        .map_err(|_| "the line is no JSON object; write one link a line".to_owned())?;
    for told in TOLD {
        fields.remove(*told);
    }
    let link = serde_json::from_value(Value::Object(fields));
    link.map(Some).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::draft::{self, Rooms};
    use super::super::sheet::tests::{any_link, view};
    use super::*;

    #[test]
    fn a_list_with_one_link_a_line_is_read_too() {
        let url = |line| link(line).map(|link| link.map(|link| link.url));
        assert_eq!(url("["), Ok(None));
        let text = "{\"url\": \"https://a.example\", \"tags\": [\"a\"]},";
        assert_eq!(url(text), Ok(Some("https://a.example".to_owned())));
        assert_eq!(url("]\r"), Ok(None));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let error = |line| link(line).expect_err("refused");
        assert!(error("{\"url\":").contains("one link a line"));
        assert!(error("{\"url\": \"https://a.example\", \"titel\": 1}").contains("titel"));
        assert!(error("{\"title\": \"T\"}").contains("url"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(asked in any_link()) {
            let kept = |asked| draft::create(asked, &Rooms::default()).map(|draft| draft.body);
            let Ok(body) = kept(asked) else { return Ok(()) };
            let line = line(&view(body.clone()));
            prop_assert_eq!(line.find('\n'), Some(line.len() - 1));
            let again = link(&line).expect("JSON").expect("a link");
            prop_assert_eq!(kept(again), Ok(body));
        }
    }
}
