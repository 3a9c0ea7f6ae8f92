//! Reads contracts, topics and their users out of the source.

use std::collections::BTreeMap;

use proc_macro2::{TokenStream, TokenTree};

use super::{Graph, Node};
use crate::source::Source;
use crate::workspace::{Package, Workspace};

const FOLDER: &str = "contracts/src";

/// What one module of `contracts/src` promises.
#[derive(Debug, Default)]
struct Contract {
    service: String,
    traits: Vec<String>,
    topics: Vec<Topic>,
}

#[derive(Debug)]
struct Topic {
    constant: String,
    value: String,
}

/// The graph of every folder of `services/`.
pub(super) fn graph(workspace: &Workspace) -> Graph {
    let contracts = contracts(workspace);
    workspace
        .services()
        .map(|package| (package.name.clone(), node(workspace, package, &contracts)))
        .collect()
}

fn node(workspace: &Workspace, package: &Package, contracts: &[Contract]) -> Node {
    let folder = format!("{}/src", package.folder);
    let sources: Vec<&Source> = workspace
        .sources_under(&folder)
        .filter(|source| !source.is_test())
        .collect();
    let consumed: Vec<String> = sources
        .iter()
        .flat_map(|source| consumer_words(source))
        .collect();
    let mut node = Node::default();
    for contract in contracts.iter().chain([&private_topics(package, &sources)]) {
        let own = contract.service == package.name;
        if !own && sources.iter().any(|source| calls(source, contract)) {
            node.calls.insert(contract.service.clone());
        }
        for topic in &contract.topics {
            if !sources.iter().any(|source| source.says(&topic.constant)) {
                continue;
            }
            if own {
                node.publishes.insert(topic.value.clone());
            }
            if !own || consumed.contains(&topic.constant) {
                node.hears.insert(topic.value.clone());
            }
        }
    }
    node
}

/// Topics that a service keeps to itself: constants in its own source.
fn private_topics(package: &Package, sources: &[&Source]) -> Contract {
    let mut own = Contract {
        service: package.name.clone(),
        ..Contract::default()
    };
    for source in sources {
        if let Ok(file) = syn::parse_file(&source.text) {
            read_items(&file.items, false, &mut own);
        }
    }
    own.service.clone_from(&package.name);
    own
}

/// Whether the file reaches into the contract's module and names the trait or its client there.
fn calls(source: &Source, contract: &Contract) -> bool {
    let module = contract.service.replace('-', "_");
    let reaches = source.scan().paths.iter().any(|path| {
        path.segments[0] == "contracts" && path.segments.get(1).is_some_and(|name| *name == module)
    });
    reaches
        && contract
            .traits
            .iter()
            .any(|name| source.says(name) || source.says(&format!("{name}Client")))
}

/// The files of one contract (`links.rs` and `links/..`) read as one.
fn contracts(workspace: &Workspace) -> Vec<Contract> {
    let mut found: BTreeMap<String, Contract> = BTreeMap::new();
    for source in workspace.sources_under(FOLDER) {
        let module = source.path[FOLDER.len() + 1..]
            .split(['/', '.'])
            .next()
            .unwrap_or_default();
        if let Ok(file) = syn::parse_file(&source.text) {
            let contract = found.entry(module.to_owned()).or_default();
            read_items(&file.items, false, contract);
            if contract.service.is_empty() {
                contract.service = module.replace('_', "-");
            }
        }
    }
    found.into_values().collect()
}

fn read_items(items: &[syn::Item], in_topics: bool, contract: &mut Contract) {
    for item in items {
        match item {
            syn::Item::Macro(item)
                if item
                    .mac
                    .path
                    .segments
                    .last()
                    .is_some_and(|s| s.ident == "contract") =>
            {
                if let Some((name, service)) = tied_trait(item.mac.tokens.clone()) {
                    contract.traits.push(name);
                    contract.service = service;
                }
            }
            syn::Item::Const(item) if in_topics || item.ident.to_string().contains("TOPIC") => {
                if let syn::Expr::Lit(syn::ExprLit {
                    lit: syn::Lit::Str(value),
                    ..
                }) = &*item.expr
                {
                    contract.topics.push(Topic {
                        constant: item.ident.to_string(),
                        value: value.value(),
                    });
                }
            }
            syn::Item::Mod(module) => {
                let inner = module
                    .content
                    .iter()
                    .flat_map(|(_, items)| items.iter().cloned());
                let inner: Vec<syn::Item> = inner.collect();
                read_items(&inner, in_topics || module.ident == "topics", contract);
            }
            _ => {}
        }
    }
}

/// `trait Links("links")` gives `Links` and `links`.
fn tied_trait(tokens: TokenStream) -> Option<(String, String)> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let at = tokens
        .iter()
        .position(|token| matches!(token, TokenTree::Ident(word) if *word == "trait"))?;
    let name = tokens.get(at + 1)?.to_string();
    let TokenTree::Group(group) = tokens.get(at + 2)? else {
        return None;
    };
    let service = group.stream().to_string();
    Some((name, service.trim_matches('"').to_owned()))
}

/// The words in every `Consumer { .. }` and `Consumer::function(..)`, among them its topics.
///
/// Tokens, because a list of consumers is mostly written inside `vec![..]`.
fn consumer_words(source: &Source) -> Vec<String> {
    let mut words = Vec::new();
    if let Ok(stream) = source.text.parse::<TokenStream>() {
        consumers_in(stream, &mut words);
    }
    words
}

fn consumers_in(stream: TokenStream, words: &mut Vec<String>) {
    let mut is_consumer = false;
    for token in stream {
        match token {
            TokenTree::Group(group) if is_consumer => {
                words_in(group.stream(), words);
                is_consumer = false;
            }
            TokenTree::Group(group) => consumers_in(group.stream(), words),
            TokenTree::Ident(word) => is_consumer = word == "Consumer" || is_consumer,
            // `Consumer::group` goes on; any other mark ends it.
            TokenTree::Punct(mark) => is_consumer &= mark.as_char() == ':',
            TokenTree::Literal(_) => is_consumer = false,
        }
    }
}

fn words_in(stream: TokenStream, words: &mut Vec<String>) {
    for token in stream {
        match token {
            TokenTree::Group(group) => words_in(group.stream(), words),
            TokenTree::Ident(word) => words.push(word.to_string()),
            _ => {}
        }
    }
}
