//! The paths of one file, each with the module that it stands in and whether it is an import.
//!
//! Tokens, because much code stands inside of macro calls; imports are parsed, because they give names.

use std::iter::Peekable;

use proc_macro2::{Delimiter, Ident, Spacing, TokenStream, TokenTree};
use syn::UseTree;
use syn::spanned::Spanned as _;

use crate::source::{self, Source};

/// A path that code names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    /// The module that names it.
    pub(super) module: Vec<String>,
    /// As it is written.
    pub(super) segments: Vec<String>,
    /// The name that an import gives it in its module.
    pub(super) bound: Option<String>,
    pub(super) line: usize,
}

/// Everything that `source` names outside of tests. Its own module is `module`; the modules written
/// inside of it are added to `inner`.
pub(super) fn paths(
    source: &Source,
    module: &[String],
    inner: &mut Vec<Vec<String>>,
) -> Vec<Named> {
    let mut scan = Scan {
        found: Vec::new(),
        inner,
    };
    if let Ok(stream) = source.text.parse::<TokenStream>() {
        scan.stream(stream, module);
    }
    scan.found
}

struct Scan<'a> {
    found: Vec<Named>,
    inner: &'a mut Vec<Vec<String>>,
}

impl Scan<'_> {
    fn stream(&mut self, stream: TokenStream, module: &[String]) {
        let mut tokens = source::without_tests(stream).into_iter().peekable();
        let mut before = [None, None];
        while let Some(token) = tokens.next() {
            let mark = match &token {
                TokenTree::Punct(mark) => Some((mark.as_char(), mark.spacing())),
                _ => None,
            };
            // A word after a dot or two colons continues something, and begins no path; two dots are
            // a range.
            let continued = match before {
                [last, Some(('.', Spacing::Alone))] => last != Some(('.', Spacing::Joint)),
                [last, Some((':', _))] => last == Some((':', Spacing::Joint)),
                _ => false,
            };
            match token {
                TokenTree::Group(group) => self.stream(group.stream(), module),
                TokenTree::Ident(word) if continued => drop(segments(&word, &mut tokens)),
                TokenTree::Ident(word) if word == "use" && !is_mark(tokens.peek(), '<') => {
                    self.import(&mut tokens, module);
                }
                TokenTree::Ident(word) if word == "mod" => self.module(&mut tokens, module),
                TokenTree::Ident(word) => {
                    let line = word.span().start().line;
                    let segments = segments(&word, &mut tokens);
                    if segments.len() > 1 {
                        self.found.push(Named {
                            module: module.to_vec(),
                            segments,
                            bound: None,
                            line,
                        });
                    }
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            before = [before[1], mark];
        }
    }

    /// `mod name { .. }`; a module of its own file has no braces here.
    fn module(
        &mut self,
        tokens: &mut Peekable<impl Iterator<Item = TokenTree>>,
        module: &[String],
    ) {
        let Some(TokenTree::Ident(name)) = tokens.next() else {
            return;
        };
        let braces = tokens.next_if(
            |next| matches!(next, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace),
        );
        if let Some(TokenTree::Group(group)) = braces {
            let inner = [module, &[name.to_string()]].concat();
            self.inner.push(inner.clone());
            self.stream(group.stream(), &inner);
        }
    }

    fn import(&mut self, tokens: &mut impl Iterator<Item = TokenTree>, module: &[String]) {
        let own = tokens.take_while(|token| !is_mark(Some(token), ';'));
        let tree = own.collect::<TokenStream>();
        // What begins with two colons is another crate, and no tree.
        if let Ok(tree) = syn::parse2::<UseTree>(tree) {
            self.tree(&tree, &mut Vec::new(), module);
        }
    }

    fn tree(&mut self, tree: &UseTree, front: &mut Vec<String>, module: &[String]) {
        let (last, bound, span) = match tree {
            UseTree::Path(path) => {
                front.push(path.ident.to_string());
                self.tree(&path.tree, front, module);
                front.pop();
                return;
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.tree(tree, front, module);
                }
                return;
            }
            UseTree::Name(name) => (Some(&name.ident), Some(&name.ident), name.ident.span()),
            UseTree::Rename(name) => (Some(&name.ident), Some(&name.rename), name.ident.span()),
            UseTree::Glob(glob) => (None, None, glob.star_token.span()),
        };
        let mut segments = front.clone();
        segments.extend(last.filter(|last| *last != "self").map(Ident::to_string));
        let bound = match bound {
            Some(name) if name == "self" => segments.last().cloned(),
            name => name.map(Ident::to_string),
        };
        self.found.push(Named {
            module: module.to_vec(),
            segments,
            bound,
            line: span.start().line,
        });
    }
}

/// The path that begins with `first`.
fn segments(first: &Ident, tokens: &mut Peekable<impl Iterator<Item = TokenTree>>) -> Vec<String> {
    let mut segments = vec![first.to_string()];
    while tokens.next_if(is_joint_colon).is_some() {
        tokens.next();
        match tokens.next_if(|next| matches!(next, TokenTree::Ident(_))) {
            Some(word) => segments.push(word.to_string()),
            None => break,
        }
    }
    segments
}

/// The first of two colons; one alone is a type's.
fn is_joint_colon(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(mark) if mark.as_char() == ':' && mark.spacing() == Spacing::Joint)
}

fn is_mark(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(mark)) if mark.as_char() == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let source = Source::new("a.rs", text.to_owned());
        let said = paths(&source, &["a".to_owned()], &mut Vec::new());
        let shown = |named: &Named| {
            let bound = named.bound.as_ref();
            let bound = bound
                .map(|bound| format!(" as {bound}"))
                .unwrap_or_default();
            let (module, path) = (named.module.join("::"), named.segments.join("::"));
            format!("{module}: {path}{bound}")
        };
        said.iter().map(shown).collect()
    }

    #[test]
    fn imports_give_names_and_code_names_paths() {
        let text = "use crate::{b::{self, X}, c::Y as Z};\nfn f(x: u8) { m!(d::f(x.e::<u8>())); ::g::h() }";
        let want = [
            "a: crate::b as b",
            "a: crate::b::X as X",
            "a: crate::c::Y as Z",
            "a: d::f",
        ];
        assert_eq!(found(text), want);
    }

    #[test]
    fn a_module_inside_of_a_file_is_told_apart_and_tests_say_nothing() {
        let text = "mod i { use super::b; }\n#[cfg(test)]\nmod tests { use super::c; }\nfn f() -> impl X + use<> { 0..d::E }";
        assert_eq!(found(text), ["a::i: super::b as b", "a: d::E"]);
    }
}
