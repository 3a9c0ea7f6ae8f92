//! A Rust file as a flat list of paths, words and literals, free of comments.
//!
//! The rules read token streams rather than parsed items, so that code inside a macro call counts
//! as well, and doc comments (which are attributes to the compiler) do not.

use std::cell::OnceCell;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// One Rust file.
#[derive(Debug)]
pub struct Source {
    /// Path from the workspace root.
    pub path: String,
    /// Its text.
    pub text: String,
    scan: OnceCell<Scan>,
}

/// What a file says, as far as the rules care.
#[derive(Debug, Default)]
pub struct Scan {
    /// Every path, with use-groups spelled out: `use std::{fs, env}` gives `std::fs`, `std::env`.
    pub paths: Vec<PathUse>,
    /// Every identifier outside of tests in the same file.
    pub words: Vec<Word>,
    /// Every string literal outside of tests in the same file, without its quotes.
    pub strings: Vec<Word>,
    /// The first argument of every call of `declare` outside of tests in the same file: the names
    /// of knobs. One that is no literal is empty.
    pub declared: Vec<Word>,
}

/// A path as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathUse {
    /// Its segments.
    pub segments: Vec<String>,
    /// The line of its first segment.
    pub line: usize,
}

/// A word and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word.
    pub text: String,
    /// Its line, from 1.
    pub line: usize,
}

impl Source {
    /// Wraps a file's text; nothing is parsed yet.
    pub fn new(path: &str, text: String) -> Self {
        Self {
            path: path.to_owned(),
            text,
            scan: OnceCell::new(),
        }
    }

    /// Whether the file is test code as a whole.
    pub fn is_test(&self) -> bool {
        let mut parts = self.path.split('/');
        parts.any(|part| matches!(part, "tests" | "benches" | "tests.rs"))
    }

    /// The file's paths, words and strings. A file that is no Rust gives none; that is a
    /// finding of its own.
    pub fn scan(&self) -> &Scan {
        self.scan.get_or_init(|| {
            let mut scan = Scan::default();
            if let Ok(stream) = self.text.parse::<TokenStream>() {
                collect_paths(stream.clone(), &[], &mut scan.paths);
                let code = without_tests(stream);
                collect_declared(&code, &mut scan.declared);
                collect_words(code, &mut scan);
            }
            scan
        })
    }

    /// Whether the word occurs as an identifier outside of tests in the same file.
    pub fn says(&self, word: &str) -> bool {
        self.scan().words.iter().any(|found| found.text == word)
    }
}

/// Drops attributes that hold documentation, and every item under `#[cfg(test)]`.
pub(crate) fn without_tests(stream: TokenStream) -> Vec<TokenTree> {
    let mut kept = Vec::new();
    let mut tokens = stream.into_iter().peekable();
    while let Some(token) = tokens.next() {
        if !is_punct(Some(&token), '#') {
            kept.push(token);
            continue;
        }
        // An inner attribute (`#![..]`) has a mark between the hash and the brackets.
        tokens.next_if(|next| is_punct(Some(next), '!'));
        let Some(attribute) = tokens.peek().and_then(bracketed) else {
            continue;
        };
        let compact: String = attribute.chars().filter(|c| !c.is_whitespace()).collect();
        if compact == "cfg(test)" {
            tokens.next();
            skip_item(&mut tokens);
        } else if compact.starts_with("doc=") {
            tokens.next();
        }
    }
    kept
}

fn bracketed(token: &TokenTree) -> Option<String> {
    match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
            Some(group.stream().to_string())
        }
        _ => None,
    }
}

fn skip_item(tokens: &mut impl Iterator<Item = TokenTree>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return,
            TokenTree::Punct(punct) if punct.as_char() == ';' => return,
            _ => {}
        }
    }
}

fn collect_words(tokens: Vec<TokenTree>, scan: &mut Scan) {
    for token in tokens {
        let line = token.span().start().line;
        match token {
            TokenTree::Group(group) => collect_words(without_tests(group.stream()), scan),
            TokenTree::Ident(ident) => scan.words.push(Word {
                text: ident.to_string(),
                line,
            }),
            TokenTree::Literal(literal) => {
                if let Some(text) = unquoted(&literal.to_string()) {
                    scan.strings.push(Word { text, line });
                }
            }
            TokenTree::Punct(_) => {}
        }
    }
}

/// Finds `declare(..)` and `declare::<..>(..)` with arguments, but not the functions of that name.
fn collect_declared(tokens: &[TokenTree], out: &mut Vec<Word>) {
    for (at, token) in tokens.iter().enumerate() {
        if let TokenTree::Group(group) = token {
            collect_declared(&without_tests(group.stream()), out);
        }
        let is_called = preceded_by_dot(tokens, at);
        if !is_called || !matches!(token, TokenTree::Ident(word) if *word == "declare") {
            continue;
        }
        let mut rest = tokens[at + 1..].iter();
        // A turbofish has no parentheses of its own worth the name.
        let arguments = rest.find_map(|token| match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => Some(group),
            _ => None,
        });
        let Some(first) = arguments.and_then(|group| group.stream().into_iter().next()) else {
            continue;
        };
        let name = match &first {
            TokenTree::Literal(literal) => unquoted(&literal.to_string()),
            _ => None,
        };
        out.push(Word {
            text: name.unwrap_or_default(),
            line: token.span().start().line,
        });
    }
}

fn unquoted(literal: &str) -> Option<String> {
    let start = literal.find('"')?;
    let end = literal.rfind('"').filter(|end| *end > start)?;
    Some(literal[start + 1..end].to_owned())
}

/// Walks a stream and notes every path. `prefix` is what stands before a use-group.
fn collect_paths(stream: TokenStream, prefix: &[String], out: &mut Vec<PathUse>) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Ident(first) => {
                let line = first.span().start().line;
                let (segments, next) = path_from(&tokens, at);
                let is_continued = preceded_by_dot(&tokens, at);
                let named = segments.len() > 1 || !prefix.is_empty() || after_use(&tokens, at);
                let whole: Vec<String> = prefix.iter().cloned().chain(segments).collect();
                at = next;
                if let Some(group) = use_group(&tokens, next) {
                    collect_paths(group, &whole, out);
                    at = next + 3;
                } else if named && !is_continued {
                    out.push(PathUse {
                        segments: whole,
                        line,
                    });
                }
            }
            TokenTree::Group(group) => {
                collect_paths(group.stream(), &[], out);
                at += 1;
            }
            _ => at += 1,
        }
    }
}

/// The segments of the path that starts at `at`, and where it ends.
fn path_from(tokens: &[TokenTree], at: usize) -> (Vec<String>, usize) {
    let mut segments = vec![tokens[at].to_string()];
    let mut next = at + 1;
    while is_colons(tokens, next) {
        let Some(TokenTree::Ident(ident)) = tokens.get(next + 2) else {
            break;
        };
        segments.push(ident.to_string());
        next += 3;
    }
    (segments, next)
}

fn use_group(tokens: &[TokenTree], at: usize) -> Option<TokenStream> {
    match tokens.get(at + 2) {
        Some(TokenTree::Group(group))
            if is_colons(tokens, at) && group.delimiter() == Delimiter::Brace =>
        {
            Some(group.stream())
        }
        _ => None,
    }
}

fn is_colons(tokens: &[TokenTree], at: usize) -> bool {
    is_punct(tokens.get(at), ':') && is_punct(tokens.get(at + 1), ':')
}

fn is_punct(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

fn preceded_by_dot(tokens: &[TokenTree], at: usize) -> bool {
    at.checked_sub(1)
        .is_some_and(|before| is_punct(tokens.get(before), '.'))
}

fn after_use(tokens: &[TokenTree], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    matches!(before, Some(TokenTree::Ident(word)) if *word == "use" || *word == "crate")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        let source = Source::new("a.rs", text.to_owned());
        source
            .scan()
            .paths
            .iter()
            .map(|path| path.segments.join("::"))
            .collect()
    }

    #[test]
    fn a_use_group_is_spelled_out() {
        let found = paths("use std::{fs, net::{IpAddr, TcpStream}};\nuse axum;");
        assert_eq!(
            found,
            ["std::fs", "std::net::IpAddr", "std::net::TcpStream", "axum"]
        );
    }

    #[test]
    fn a_path_inside_a_macro_and_behind_colons_counts() {
        assert_eq!(
            paths("fn f() { m!(::redis::cmd(\"GET\")); x.redis; }"),
            ["redis::cmd"]
        );
    }

    #[test]
    fn comments_and_tests_say_nothing() {
        let text = "//! links\n/// links\nfn f() { g(\"seen\") }\n#[cfg(test)]\nmod tests { fn links() {} }";
        let source = Source::new("a.rs", text.to_owned());
        assert!(!source.says("links") && source.says("g"));
        let strings: Vec<_> = source
            .scan()
            .strings
            .iter()
            .map(|word| &word.text)
            .collect();
        assert_eq!(strings, ["seen"]);
    }

    #[test]
    fn a_knob_is_found_by_its_declaration() {
        let text = "fn declare(x: u8) {}\nfn f() {\n    a.declare(\"one\", \"\");\n    m!(b.declare::<X>(\"two\", \"\"));\n    c.declare(NAME, \"\");\n}\n#[cfg(test)]\nmod tests { fn g() { d.declare(\"none\", \"\") } }";
        let source = Source::new("a.rs", text.to_owned());
        let found = source.scan().declared.iter();
        let found: Vec<_> = found.map(|w| (w.text.as_str(), w.line)).collect();
        assert_eq!(found, [("one", 3), ("two", 4), ("", 5)]);
    }

    #[test]
    fn lines_are_those_of_the_file() {
        let source = Source::new("a.rs", "\n\nuse moka::sync::Cache;".to_owned());
        assert_eq!(source.scan().paths[0].line, 3);
    }
}
