//! Files and functions stay small enough to read at once.

use proc_macro2::Span;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

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
    // What does not parse is the compiler's to report.
    let Ok(file) = syn::parse_file(&source.text) else {
        return;
    };
    let mut visitor = Functions {
        lines: source.text.lines().collect(),
        found: Vec::new(),
    };
    visitor.visit_file(&file);
    for (line, name, length) in visitor.found {
        let advice =
            format!("`{name}` has {length} lines, at most {FUNCTION_LINES_MAX}: name its parts");
        findings.push(Finding::fault(&source.path, line, "function-size", advice));
    }
}

struct Functions<'a> {
    lines: Vec<&'a str>,
    found: Vec<(usize, String, usize)>,
}

impl Functions<'_> {
    /// Counts lines inside the braces, without blank ones and whole-line comments.
    fn measure(&mut self, name: &syn::Ident, body: Span) {
        let (first, last) = (body.start().line, body.end().line);
        let inside = self
            .lines
            .get(first..last.saturating_sub(1))
            .unwrap_or_default();
        let is_code =
            |line: &&&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
        let length = inside.iter().filter(is_code).count();
        if length > FUNCTION_LINES_MAX {
            self.found
                .push((name.span().start().line, name.to_string(), length));
        }
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.measure(&function.sig.ident, function.block.span());
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.measure(&function.sig.ident, function.block.span());
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(body) = &function.default {
            self.measure(&function.sig.ident, body.span());
        }
        visit::visit_trait_item_fn(self, function);
    }
}
