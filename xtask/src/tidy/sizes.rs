//! Files and functions stay small enough to read at once.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

use crate::finding::Finding;
use crate::source::Source;
use crate::workspace::Workspace;

/// A file over this many lines is a smell.
const FILE_LINES_WARN: usize = 400;
/// A file over this many lines fails.
const FILE_LINES_MAX: usize = 500;
/// A file of tests over this many lines fails.
const TEST_FILE_LINES_MAX: usize = 800;
/// A function's body over this many lines of code fails.
const FUNCTION_LINES_MAX: usize = 70;

/// Counts the lines of each Rust file and of each function in it.
pub fn check(workspace: &Workspace, findings: &mut Vec<Finding>) {
    for source in workspace.sources() {
        check_file(source, findings);
        check_functions(source, findings);
    }
}

fn check_file(source: &Source, findings: &mut Vec<Finding>) {
    let lines = source.text.lines().count();
    let max = if source.is_test() {
        TEST_FILE_LINES_MAX
    } else {
        FILE_LINES_MAX
    };
    let path = &source.path;
    if lines > max {
        let advice = format!("{lines} lines, at most {max}: make two rooms of it");
        findings.push(Finding::fault(path, 1, "file-size", advice));
    } else if lines > FILE_LINES_WARN && !source.is_test() {
        let advice = format!("{lines} lines, aim at {FILE_LINES_WARN} or fewer");
        findings.push(Finding::warning(path, 1, "file-size", advice));
    }
}

fn check_functions(source: &Source, findings: &mut Vec<Finding>) {
    // What does not parse is a finding of its own.
    let Ok(stream) = source.text.parse::<TokenStream>() else {
        return;
    };
    let mut functions = Functions {
        lines: source.text.lines().collect(),
        found: Vec::new(),
    };
    functions.visit(stream);
    for (line, name, length) in functions.found {
        let advice =
            format!("`{name}` has {length} lines, at most {FUNCTION_LINES_MAX}: name its parts");
        findings.push(Finding::fault(&source.path, line, "function-size", advice));
    }
}

/// Functions by their tokens, so that those inside of a macro count as well.
struct Functions<'a> {
    lines: Vec<&'a str>,
    found: Vec<(usize, String, usize)>,
}

impl Functions<'_> {
    fn visit(&mut self, stream: TokenStream) {
        let mut name: Option<(usize, String)> = None;
        let mut tokens = stream.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Ident(word) if word == "fn" => {
                    // A macro's `fn $name`; the type `fn(u8)` has no name.
                    tokens
                        .next_if(|next| matches!(next, TokenTree::Punct(p) if p.as_char() == '$'));
                    let ident = tokens.next_if(|next| matches!(next, TokenTree::Ident(_)));
                    name = ident.map(|ident| (ident.span().start().line, ident.to_string()));
                }
                TokenTree::Punct(mark) if mark.as_char() == ';' => name = None,
                TokenTree::Group(group) => {
                    if group.delimiter() == Delimiter::Brace
                        && let Some(name) = name.take()
                    {
                        self.measure(name, group.span());
                    }
                    self.visit(group.stream());
                }
                _ => {}
            }
        }
    }

    /// Counts lines inside the braces, without blank ones and whole-line comments.
    fn measure(&mut self, (line, name): (usize, String), body: Span) {
        let (first, last) = (body.start().line, body.end().line);
        let inside = self
            .lines
            .get(first..last.saturating_sub(1))
            .unwrap_or_default();
        let is_code =
            |line: &&&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
        let length = inside.iter().filter(is_code).count();
        if length > FUNCTION_LINES_MAX {
            self.found.push((line, name, length));
        }
    }
}
