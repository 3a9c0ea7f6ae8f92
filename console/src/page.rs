//! The files of the page, embedded in the program.
//!
//! Everything but the page itself lies below a path that names its content, so browsers keep it for
//! good and a new version of the program is seen at once.

use http::{HeaderValue, StatusCode, header};
use kernel::Code;
use sha2::{Digest as _, Sha256};
use web::{Asset, Assets, ProblemReply, Request, Response};

const INDEX: &str = include_str!("../assets/index.html");
/// What stands in the page for the path of the other files.
const PLACEHOLDER: &str = "{{files}}";
/// What stands in the page for the names of its modules: asked for at once, not one by one as each
/// is read by the one before.
const PRELOAD: &str = "{{preload}}";
const ROOT: &str = "/console/";

macro_rules! files {
    ($($path:literal)+) => {
        &[$((concat!("/", $path), include_bytes!(concat!("../assets/", $path)))),+]
    };
}

/// Every other file of the page.
const FILES: &[(&str, &[u8])] = files! {
    "icon.svg"
    "lib/api.js"
    "lib/dom.js"
    "lib/format.js"
    "lib/links.js"
    "lib/live.js"
    "lib/parts.js"
    "lib/route.js"
    "main.js"
    "style.css"
    "vendor/hooks.mjs"
    "vendor/htm.LICENSE"
    "vendor/htm.mjs"
    "vendor/preact.LICENSE"
    "vendor/preact.mjs"
    "vendor/uPlot.LICENSE"
    "vendor/uPlot.iife.min.js"
    "vendor/uPlot.min.css"
    "views/axis.js"
    "views/chart.js"
    "views/explain.js"
    "views/faults.js"
    "views/knobs.js"
    "views/lab.js"
    "views/layout.js"
    "views/link-form.js"
    "views/link.js"
    "views/links.js"
    "views/new-link.js"
    "views/overview.js"
    "views/palette.js"
    "views/panel.js"
    "views/runs.js"
    "views/stats.js"
    "views/traces.js"
    "views/versions.js"
};

/// The page and its files.
pub(crate) struct Page {
    index: Asset,
    files: Assets,
    /// `/console/files/<hash>`, without a slash at the end.
    folder: String,
}

impl Page {
    /// Reads everything once: the page's address of its files follows from their content.
    pub(crate) fn new() -> Self {
        let mut hash = Sha256::new();
        let mut files = Assets::new();
        for (path, content) in FILES {
            hash.update(path);
            hash.update(content);
            files = files.with(path, content);
        }
        let name: String = hash.finalize()[..8]
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        let folder = format!("{ROOT}files/{name}");
        let index = INDEX
            .replace(PRELOAD, &preload())
            .replace(PLACEHOLDER, &folder);
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        Self {
            index: Asset::new(html, index.into()),
            files,
            folder,
        }
    }

    /// A file, or the page itself for every path that may be one of its views.
    pub(crate) fn answer(&self, request: &Request) -> Response {
        let path = request.uri().path();
        if let Some(name) = path.strip_prefix(&self.folder) {
            let Some(file) = self.files.get(name) else {
                return no_such_page().into_web();
            };
            let mut response = file.answer(request.method(), request.headers());
            let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
            response
                .headers_mut()
                .insert(header::CACHE_CONTROL, forever);
            return response;
        }
        let is_view = path.starts_with(ROOT) && !path[ROOT.len()..].contains('.');
        if is_view && !path.starts_with("/console/files/") {
            return self.index.answer(request.method(), request.headers());
        }
        no_such_page().into_web()
    }
}

fn preload() -> String {
    let modules = FILES.iter().map(|(path, _)| *path).filter(|path| {
        let module = path.ends_with(".mjs") || path.ends_with(".js");
        module && !path.ends_with(".iife.min.js")
    });
    let links = modules.map(|m| format!("<link rel=\"modulepreload\" href=\"{PLACEHOLDER}{m}\">"));
    links.collect::<Vec<_>>().join("\n")
}

/// Not found, for a path that no file has.
fn no_such_page() -> ProblemReply {
    ProblemReply::new(
        Code::NotFound,
        "the console has no such page; go to /console/",
    )
    .with_status(StatusCode::NOT_FOUND, "not_found", "Not found")
}
