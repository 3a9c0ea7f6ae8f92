//! A run as one self-contained page: no script, no request, light and dark, for print too.

mod chart;
mod distribution;
mod page;
mod table;
mod timeline;
mod topology;

use crate::model::Run;
use crate::summary::summary;

/// A run as one HTML page that needs nothing else. Every text of the run is escaped.
#[must_use]
pub fn to_html(run: &Run) -> String {
    let summary = summary(run);
    let mut out = String::new();
    page::head(&mut out, run, &summary);
    page::why(&mut out, run);
    topology::write(&mut out, run);
    table::write(&mut out, run, &summary);
    timeline::write(&mut out, run);
    distribution::write(&mut out, run);
    page::rest(&mut out, run, &summary);
    out
}

/// A text as it stands in HTML, in or out of an attribute; control characters are left out.
pub(crate) fn esc(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(character),
            other if other.is_control() => {}
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::esc;

    #[test]
    fn nothing_that_is_markup_is_left() {
        assert_eq!(
            esc("<a href='x' onclick=\"y\">&\u{0}"),
            "&lt;a href=&#39;x&#39; onclick=&quot;y&quot;&gt;&amp;"
        );
    }
}
