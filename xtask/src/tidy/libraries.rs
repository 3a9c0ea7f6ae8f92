//! A foreign library has one home, so that it can be replaced in one place.

use crate::finding::Finding;
use crate::source::Source;
use crate::workspace::{Dependency, Package, Workspace};

const RULE: &str = "one-home";

/// A library and the places that may name it. A `*` stands for one folder's name.
struct Home {
    library: &'static str,
    places: &'static [&'static str],
    instead: &'static str,
}

const SQL: &[&str] = &["platform/storage"];
const HTTP: &[&str] = &[
    "platform/web",
    "services/*/src/http.rs",
    "services/*/src/http",
    "lab/stage/src/http.rs",
    "console",
    "app",
];
const CACHES: &[&str] = &["platform/cache"];

const HOMES: &[Home] = &[
    Home {
        library: "rusqlite",
        places: SQL,
        instead: "use storage::Db",
    },
    Home {
        library: "tokio_postgres",
        places: SQL,
        instead: "use storage::Db",
    },
    Home {
        library: "deadpool_postgres",
        places: SQL,
        instead: "use storage::Db",
    },
    Home {
        library: "axum",
        places: HTTP,
        instead: "use web::Handler, or move it to the service's http module",
    },
    Home {
        library: "async_nats",
        places: &["platform/bus"],
        instead: "use bus",
    },
    Home {
        library: "redis",
        places: CACHES,
        instead: "use cache::Cache",
    },
    Home {
        library: "moka",
        places: CACHES,
        instead: "use cache::Cache",
    },
];

/// Looks for each library in manifests, and in the code of the crates that name it there.
pub fn check(workspace: &Workspace, findings: &mut Vec<Finding>) {
    for home in HOMES {
        for package in &workspace.packages {
            let named = package
                .dependencies
                .iter()
                .find(|d| d.name.replace('-', "_") == home.library);
            if let Some(dependency) = named {
                check_manifest(workspace, package, dependency, home, findings);
                for source in workspace.sources_under(&package.folder) {
                    check_source(source, home, findings);
                }
            }
        }
    }
}

fn check_manifest(
    workspace: &Workspace,
    package: &Package,
    dependency: &Dependency,
    home: &Home,
    findings: &mut Vec<Finding>,
) {
    let allowed = home.places.iter().any(|place| {
        let mut parts = place.split('/');
        package.folder.split('/').all(|part| {
            parts
                .next()
                .is_none_or(|wanted| wanted == "*" || part == wanted)
        })
    });
    if !allowed {
        let path = package.manifest();
        let line = super::manifests::line_of(workspace, &path, &dependency.name);
        findings.push(Finding::fault(&path, line, RULE, advice(home)));
    }
}

fn check_source(source: &Source, home: &Home, findings: &mut Vec<Finding>) {
    if home.places.iter().any(|place| matches(&source.path, place)) {
        return;
    }
    let uses = source
        .scan()
        .paths
        .iter()
        .filter(|path| path.segments[0] == home.library);
    for path in uses {
        findings.push(Finding::fault(&source.path, path.line, RULE, advice(home)));
    }
}

fn advice(home: &Home) -> String {
    format!(
        "`{}` lives in {} only: {}",
        home.library,
        home.places.join(", "),
        home.instead
    )
}

/// Whether `path` is the place or lies below it.
fn matches(path: &str, place: &str) -> bool {
    let mut parts = path.split('/');
    place.split('/').all(|wanted| {
        parts
            .next()
            .is_some_and(|part| wanted == "*" || part == wanted)
    })
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_one_folder() {
        assert!(matches(
            "services/links/src/http/pages.rs",
            "services/*/src/http"
        ));
        assert!(!matches(
            "services/links/src/service.rs",
            "services/*/src/http"
        ));
        assert!(!matches(
            "services/links/src/httpish.rs",
            "services/*/src/http"
        ));
    }
}
