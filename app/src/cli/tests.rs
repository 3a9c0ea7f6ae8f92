//! The command line is sound, and says no in words.

use clap::CommandFactory;

use super::*;

fn said(args: &[&str]) -> String {
    let error = Cli::try_parse_from(args).expect_err("bad input");
    one_line(&error.to_string())
}

#[test]
fn the_definition_of_the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn a_mistyped_flag_is_one_line_with_the_nearest_flag() {
    let line = said(&["tradewind", "up", "--lisen", "127.0.0.1:1"]);
    assert!(
        line.contains("'--lisen'") && line.contains("'--listen'"),
        "{line}"
    );
    assert!(!line.contains('\n'), "{line}");
}

#[test]
fn a_value_of_the_wrong_kind_says_what_is_wanted() {
    let line = said(&["tradewind", "up", "--replicas", "links"]);
    assert!(
        line.contains("SERVICE=NUMBER") && line.contains("links=3"),
        "{line}"
    );
    let line = said(&["tradewind", "serve", "lniks"]);
    assert!(line.contains("links"), "{line}");
}
