//! Bookmarks as browsers write them (the Netscape format): read line by line, written again.

use contracts::links::CreateLink;

/// The longest piece of a bookmark file that is looked at, in bytes: one `<DT>` entry.
pub(crate) const ENTRY_BYTES_MAX: usize = 32 * 1024;

/// What stands before the first bookmark.
pub(crate) const HEAD: &str = "<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<META HTTP-EQUIV=\"Content-Type\" CONTENT=\"text/html; charset=UTF-8\">\n<TITLE>Bookmarks</TITLE>\n<H1>Bookmarks</H1>\n<DL><p>\n";
/// What stands after the last one.
pub(crate) const TAIL: &str = "</DL><p>\n";

/// A piece of a bookmark file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A folder begins; its name becomes a tag.
    Folder(String),
    /// A folder ends.
    Close,
    /// A bookmark.
    Link(Box<CreateLink>),
}

/// The pieces of one line. Folders and bookmarks stand on lines of their own in what browsers write.
pub(crate) fn pieces(line: &str) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let upper: String = rest
            .chars()
            .take(4)
            .collect::<String>()
            .to_ascii_uppercase();
        if upper.starts_with("/DL") {
            out.push(Piece::Close);
        } else if upper.starts_with("H3") {
            out.push(Piece::Folder(inner(rest)));
        } else if upper.starts_with("A ") || upper.starts_with("A\t") {
            out.extend(bookmark(rest).map(|link| Piece::Link(Box::new(link))));
        }
    }
    out
}

fn bookmark(tag: &str) -> Option<CreateLink> {
    let url = attribute(tag, "HREF")?;
    let title = inner(tag);
    let tags = attribute(tag, "TAGS").unwrap_or_default();
    Some(CreateLink {
        // A bookmark needs a title: one without has its URL there.
        title: (!title.is_empty() && title != url).then(|| title.chars().take(500).collect()),
        tags: tags
            .split(',')
            .map(str::trim)
            .filter(|t| !t.is_empty())
            .map(str::to_owned)
            .collect(),
        code: attribute(tag, "SHORTCUTURL").filter(|c| super::code::check(c).is_ok()),
        ..CreateLink::to(url)
    })
}

/// The value of an attribute of the tag that `text` begins with.
fn attribute(text: &str, name: &str) -> Option<String> {
    let mut rest = text;
    loop {
        let at = find_ignoring_case(rest, name)?;
        let before = rest[..at].chars().next_back();
        rest = &rest[at + name.len()..];
        let Some(value) = rest.trim_start().strip_prefix('=') else {
            continue;
        };
        if !before.is_some_and(char::is_whitespace) {
            continue;
        }
        let value = value.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let raw = match quote {
            Some(quote) => value[1..].split(quote).next(),
            None => value.split(|c: char| c.is_whitespace() || c == '>').next(),
        };
        return raw.map(unescape);
    }
}

fn find_ignoring_case(text: &str, name: &str) -> Option<usize> {
    text.as_bytes()
        .windows(name.len())
        .position(|w| w.eq_ignore_ascii_case(name.as_bytes()))
}

/// The text between the tag that `text` begins with and the next tag.
fn inner(text: &str) -> String {
    // An attribute may hold a `>`; quotes are skipped.
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if c == open => quote = None,
            (None, '>') => {
                let body = &text[at + 1..];
                return unescape(body.split('<').next().unwrap_or_default())
                    .trim()
                    .to_owned();
            }
            _ => {}
        }
    }
    String::new()
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest
            .char_indices()
            .take(10)
            .find(|(_, c)| *c == ';')
            .map(|(at, _)| at);
        let decoded = end.and_then(|end| entity(&rest[1..end]).map(|c| (c, end)));
        match decoded {
            Some((c, end)) => {
                out.push(c);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

/// Text made inert for HTML, in text and in attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

/// One bookmark as a line.
pub(crate) fn line(url: &str, title: &str, created_s: i64, tags: &[String], code: &str) -> String {
    let tags = if tags.is_empty() {
        String::new()
    } else {
        format!(" TAGS=\"{}\"", escape(&tags.join(",")))
    };
    format!(
        "    <DT><A HREF=\"{}\" ADD_DATE=\"{created_s}\"{tags} SHORTCUTURL=\"{}\">{}</A>\n",
        escape(url),
        escape(code),
        escape(&title.replace(['\r', '\n'], " ")),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_firefox_and_chrome_write_is_read() {
        let line = r#"        <DT><A HREF="https://a.example/?x=1&amp;y=2" ADD_DATE="1700000000" ICON="data:image/png;base64,AA>B" TAGS="one,two">A &lt;b&gt; &#39;c&#39;</A>"#;
        let [Piece::Link(link)] = &pieces(line)[..] else {
            panic!("one bookmark")
        };
        assert_eq!(link.url, "https://a.example/?x=1&y=2");
        assert_eq!(link.title.as_deref(), Some("A <b> 'c'"));
        assert_eq!(link.tags, ["one", "two"]);
        assert_eq!(
            pieces("<DT><H3 ADD_DATE=\"1\">Work &amp; play</H3>"),
            [Piece::Folder("Work & play".to_owned())]
        );
        assert_eq!(pieces("</DL><p>"), [Piece::Close]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(title in "[^\\r\\n\\p{C}]{1,30}", path in "[a-z&\"'<>]{0,10}") {
            let url = format!("https://a.example/{path}");
            let text = line(&url, &title, 1, &["t".to_owned()], "abc");
            let read = pieces(text.trim_end());
            let [Piece::Link(link)] = &read[..] else { panic!("one bookmark in {text}") };
            prop_assert_eq!(&link.url, &url);
            prop_assert_eq!(link.title.as_deref().unwrap_or_default(), title.trim());
        }

        #[test]
        fn no_line_makes_the_reader_panic(line in "\\PC{0,80}") {
            let _ = pieces(&line);
            let _ = pieces(&format!("<A HREF={line}"));
        }
    }
}
