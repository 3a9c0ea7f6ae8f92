//! One planted fault per rule.

use crate::mini::Mini;

const LINKS: &str = "services/links/src/lib.rs";

#[test]
fn a_clean_workspace_has_no_faults() {
    let mini = Mini::new();
    assert_eq!(mini.faults(), []);
    assert!(xtask::tidy::run(&mini.load()).unwrap().success);
}

#[test]
fn a_long_file_warns_first_and_then_fails() {
    let mini = Mini::new();
    let lines = |count: usize| format!("//! Long.\n{}", "// more\n".repeat(count - 1));
    mini.write("app/src/long.rs", &lines(401));
    assert_eq!(mini.faults(), []);
    let warned = xtask::tidy::run(&mini.load()).unwrap();
    assert!(
        warned
            .text
            .contains("app/src/long.rs:1: warning: file-size: 401 lines"),
        "{}",
        warned.text
    );
    mini.write("app/src/long.rs", &lines(501));
    mini.expect("app/src/long.rs", 1, "file-size", "501 lines");
}

#[test]
fn a_file_of_tests_may_be_longer() {
    let mini = Mini::new();
    let lines = |count: usize| format!("//! Long.\n{}", "// more\n".repeat(count - 1));
    mini.write("app/tests/long.rs", &lines(800));
    assert_eq!(mini.faults(), []);
    mini.write("app/tests/long.rs", &lines(801));
    mini.expect("app/tests/long.rs", 1, "file-size", "at most 800");
}

#[test]
fn a_long_function_is_caught_and_comments_are_free() {
    let mini = Mini::new();
    let body = |count: usize| {
        format!(
            "//! Long.\nfn long() {{\n{}{}}}\n",
            "    // why\n".repeat(30),
            "    f();\n".repeat(count)
        )
    };
    mini.write("app/src/long.rs", &body(70));
    assert_eq!(mini.faults(), []);
    mini.write("app/src/long.rs", &body(71));
    mini.expect("app/src/long.rs", 2, "function-size", "`long` has 71 lines");
}

#[test]
fn a_long_function_inside_of_a_macro_is_caught() {
    let body = "        f();\n".repeat(71);
    for (head, name) in [
        ("story! {\n    async fn long() -> u8 {\n", "long"),
        (
            "macro_rules! m { () => {\n    fn $name(f: fn(u8)) where T: X {\n",
            "name",
        ),
        ("impl X {\n    fn long(&self) {\n", "long"),
    ] {
        let mini = Mini::new();
        let ends = "}".repeat(head.matches('{').count() - head.matches('}').count());
        mini.write(
            "app/src/long.rs",
            &format!("//! Long.\n{head}{body}    {ends}\n"),
        );
        let words = format!("`{name}` has 71 lines");
        mini.expect("app/src/long.rs", 3, "function-size", &words);
    }
}

#[test]
fn a_file_that_no_rule_can_read_is_caught() {
    let mini = Mini::new();
    mini.write("app/src/torn.rs", "//! Torn.\nfn f() {\n");
    let faults = mini.faults();
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert_eq!(
        (faults[0].rule, faults[0].path.as_str()),
        ("unreadable", "app/src/torn.rs")
    );
    std::fs::write(mini.path().join("app/src/torn.rs"), b"//! \xFF\n").unwrap();
    mini.expect("app/src/torn.rs", 1, "unreadable", "UTF-8");
}

#[test]
fn a_crate_on_no_shelf_is_caught() {
    let mini = Mini::new();
    let root = mini
        .read("Cargo.toml")
        .replace("\"app\",", "\"app\", \"extras/more\",");
    mini.write("Cargo.toml", &root);
    mini.package("extras/more", "more", &[]);
    mini.write("extras/more/src/lib.rs", "//! More.\n");
    mini.expect("extras/more/Cargo.toml", 1, "layers", "put the crate into");
}

#[test]
fn a_file_without_a_header_is_caught() {
    let mini = Mini::new();
    mini.write("app/src/bare.rs", "pub fn bare() {}\n");
    mini.expect("app/src/bare.rs", 1, "file-header", "//!");
}

#[test]
fn a_mod_rs_is_caught() {
    let mini = Mini::new();
    mini.write("app/src/part/mod.rs", "//! A part.\n");
    mini.expect("app/src/part/mod.rs", 1, "no-mod-rs", "foo.rs");
}

#[test]
fn a_migration_without_its_twin_is_caught() {
    let mini = Mini::new();
    mini.migration("0002_more");
    let folder = "services/links/src/store/migrations";
    std::fs::remove_file(mini.path().join(folder).join("postgres/0002_more.sql")).unwrap();
    mini.expect(
        &format!("{folder}/sqlite/0002_more.sql"),
        1,
        "paired-migrations",
        "postgres/0002_more.sql",
    );
}

#[test]
fn a_gap_in_the_numbers_of_migrations_is_caught() {
    let mini = Mini::new();
    mini.migration("0003_more");
    let faults = mini.faults();
    assert_eq!(faults.len(), 2, "{faults:#?}");
    assert!(
        faults
            .iter()
            .all(|fault| fault.advice.contains("should be 0002"))
    );
}

#[test]
fn a_migration_that_no_list_includes_is_caught() {
    let mini = Mini::new();
    let folder = "services/links/src/store/migrations";
    for engine in ["sqlite", "postgres"] {
        mini.write(&format!("{folder}/{engine}/0002_more.sql"), "SELECT 1;\n");
    }
    let faults = mini.faults();
    assert_eq!(faults.len(), 2, "{faults:#?}");
    assert!(faults.iter().all(|fault| fault.advice.contains("no list")));
    mini.append(
        "services/links/src/store.rs",
        "const A: &str = include_str!(\"store/migrations/sqlite/0002_more.sql\");\n",
    );
    mini.expect(
        &format!("{folder}/postgres/0002_more.sql"),
        1,
        "paired-migrations",
        "no list",
    );
}

#[test]
fn a_version_outside_the_root_is_caught() {
    let mini = Mini::new();
    mini.append("platform/kernel/Cargo.toml", "moka = \"0.12\"\n");
    mini.append("platform/kernel/src/lib.rs", "fn f() {}\n");
    let faults = mini.faults();
    assert!(
        faults
            .iter()
            .any(|fault| fault.rule == "shared-versions" && fault.line == 10),
        "{faults:#?}"
    );
}

#[test]
fn a_crate_with_its_own_lints_is_caught() {
    let mini = Mini::new();
    let text = mini
        .read("app/Cargo.toml")
        .replace("[lints]\nworkspace = true\n", "");
    mini.write("app/Cargo.toml", &text);
    mini.expect("app/Cargo.toml", 1, "shared-lints", "workspace = true");
}

#[test]
fn a_dependency_that_no_code_names_is_caught_unless_the_manifest_keeps_it() {
    let mini = Mini::new();
    mini.append("services/orders/Cargo.toml", "mesh.workspace = true\n");
    mini.expect(
        "services/orders/Cargo.toml",
        12,
        "unused-dependency",
        "`mesh`",
    );
    mini.append(
        "services/orders/Cargo.toml",
        "[package.metadata.tidy]\nkeep = [\"mesh\"]\n",
    );
    assert_eq!(mini.faults(), []);
}

#[test]
fn a_promise_of_later_work_is_caught() {
    let mini = Mini::new();
    let word = ["TO", "DO"].concat();
    mini.append("README.md", &format!("\n{word}: more\n"));
    mini.expect("README.md", 9, "no-promises", "do it now");
}

#[test]
fn a_path_of_one_machine_is_caught_and_a_url_is_not() {
    let mini = Mini::new();
    let path = ["/ho", "me/me/x"].concat();
    mini.append(LINKS, &format!("// https://example.org{path}\n"));
    assert_eq!(mini.faults(), []);
    mini.append(LINKS, &format!("// {path}\n"));
    mini.expect(LINKS, 5, "no-machine-paths", "relative");
}

#[test]
fn a_dead_link_is_caught() {
    let mini = Mini::new();
    mini.append(
        "README.md",
        "See [more](docs/more.md#part) and [the web](https://example.org).\n",
    );
    mini.expect("README.md", 8, "dead-link", "docs/more.md");
}

#[test]
fn a_documented_command_that_does_not_exist_is_caught() {
    for (line, words) in [
        ("cargo xtask paint", "no chore `paint`"),
        ("cargo test -p moon", "`moon` is no crate"),
        ("cargo run --release -- up --everything", "`--everything`"),
        ("cargo run --release -- fly", "`fly`"),
        ("bench/nothing/run --fast", "no file of the repository"),
    ] {
        let mini = Mini::new();
        mini.append("README.md", &format!("```\n{line}\n```\n"));
        mini.expect("README.md", 9, "documented-command", words);
    }
}

#[test]
fn a_shared_dependency_that_no_crate_uses_is_caught() {
    let mini = Mini::new();
    mini.append("Cargo.toml", "moka = \"0.12\"\n");
    mini.expect("Cargo.toml", 17, "unused-dependency", "`moka`");
}
