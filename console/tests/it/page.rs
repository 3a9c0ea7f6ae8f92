//! The page's files: safe headers, kept for good, found for every view.

use std::path::Path;

use kernel::Principal;

use crate::fake::{Console, text};

async fn index(console: &Console, path: &str) -> (u16, http::HeaderMap, String) {
    let response = console
        .send(Principal::ANONYMOUS, http::Request::get(path), "")
        .await;
    (
        response.status().as_u16(),
        response.headers().clone(),
        text(response).await,
    )
}

/// The folder of the files, as the page names it.
fn folder(page: &str) -> String {
    let at = page
        .find("/console/files/")
        .expect("the page names its files");
    let name = &page[at + "/console/files/".len()..];
    format!(
        "/console/files/{}",
        &name[..name.find('/').expect("a file follows")]
    )
}

/// Every file below `assets`, relative to it.
fn assets(folder: &Path, found: &mut Vec<String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    for entry in std::fs::read_dir(folder).expect("it is there") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            assets(&path, found);
        } else {
            let name = path
                .strip_prefix(&root)
                .expect("it lies below")
                .to_str()
                .expect("text");
            found.push(name.to_owned());
        }
    }
}

#[tokio::test]
async fn every_view_has_a_url_that_answers_with_the_page() {
    let console = Console::new();
    for path in [
        "/console/",
        "/console/links",
        "/console/links/01k",
        "/console/services/links",
    ] {
        let (status, headers, page) = index(&console, path).await;
        assert_eq!(status, 200, "{path}");
        assert!(
            page.starts_with("<!doctype html>") && page.contains("main.js"),
            "{path}"
        );
        let policy = headers["content-security-policy"].to_str().expect("text");
        assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"));
        assert!(!policy.contains("unsafe"), "{policy}");
    }
    let (status, headers, _) = index(&console, "/console").await;
    assert_eq!(
        (status, headers["location"].as_bytes()),
        (308, &b"/console/"[..])
    );
    assert_eq!(index(&console, "/console/nothing.php").await.0, 404);
    assert_eq!(index(&console, "/console/files/0000/main.js").await.0, 404);
}

#[tokio::test]
async fn the_page_holds_no_script_of_its_own() {
    let (_, _, page) = index(&Console::new(), "/console/").await;
    assert_eq!(
        page.matches("<script").count(),
        page.matches("<script type=\"module\" src=").count()
    );
    assert!(
        !page.contains(" style=") && !page.contains("onclick"),
        "{page}"
    );
}

#[tokio::test]
async fn every_asset_is_served_and_kept_for_good() {
    let console = Console::new();
    let (_, _, page) = index(&console, "/console/").await;
    let folder = folder(&page);
    let mut files = Vec::new();
    assets(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("assets"),
        &mut files,
    );
    assert!(files.len() > 20, "{files:?}");
    for file in files
        .iter()
        .filter(|f| *f != "index.html" && !f.ends_with(".md"))
    {
        let (status, headers, _) = index(&console, &format!("{folder}/{file}")).await;
        assert_eq!(status, 200, "{file} is not in the list of files");
        let cache = headers["cache-control"].to_str().expect("text");
        assert!(cache.contains("immutable"), "{file}: {cache}");
        assert!(headers.contains_key("etag") && headers.contains_key("content-type"));
    }
}

#[tokio::test]
async fn every_import_leads_to_a_file() {
    let console = Console::new();
    let (_, _, page) = index(&console, "/console/").await;
    let folder = folder(&page);
    let mut files = Vec::new();
    assets(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("assets"),
        &mut files,
    );
    let mut imports = 0;
    for file in files
        .iter()
        .filter(|f| f.ends_with(".js") || f.ends_with(".mjs"))
    {
        let (_, _, code) = index(&console, &format!("{folder}/{file}")).await;
        for from in code
            .match_indices("from")
            .filter_map(|(at, _)| imported(&code[at + 4..]))
        {
            let base = Path::new(file).parent().expect("it lies in a folder");
            let path = normal(&base.join(from));
            let (status, _, _) = index(&console, &format!("{folder}/{path}")).await;
            assert_eq!(status, 200, "{file} imports {from}");
            imports += 1;
        }
    }
    assert!(imports > 50, "{imports}");
}

/// What stands in quotes right after `from`, when it is a path.
fn imported(rest: &str) -> Option<&str> {
    let quoted = rest.trim_start().strip_prefix('"')?;
    let path = &quoted[..quoted.find('"')?];
    path.starts_with('.').then_some(path)
}

fn normal(path: &Path) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.to_str().expect("text").split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn nothing_in_the_page_makes_markup_from_text() {
    let mut files = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    assets(&root, &mut files);
    for file in files
        .iter()
        .filter(|f| f.ends_with(".js") && !f.starts_with("vendor/"))
    {
        let code = std::fs::read_to_string(root.join(file)).expect("it can be read");
        for way in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
        ] {
            assert!(
                !code.contains(way),
                "{file} uses {way}: user text would become markup"
            );
        }
    }
}
