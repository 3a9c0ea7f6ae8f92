//! How far somebody gets who knows one code and tries those next to it.

use http::{Method, StatusCode};

use crate::error::Result;
use crate::seed;
use crate::system::System;
use crate::values::Values;

/// How many links are made to know codes of.
const KNOWN: usize = 60;
/// How many codes are tried; below what one network may guess in a minute.
const GUESSES_MAX: usize = 300;
/// What codes are made of.
const ALPHABET: &str = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz";

/// Tries every last character of some known codes.
pub(crate) async fn guess(system: &System, values: &mut Values) -> Result<()> {
    // Made now: their codes are of the scheme that is measured.
    let links = seed::links(system, KNOWN).await?;
    let (mut tried, mut hit) = (0_u32, 0_u32);
    let known = links.iter().rev().step_by(links.len().div_ceil(6).max(1));
    'all: for link in known {
        for last in ALPHABET.chars() {
            let mut code = link.code.clone();
            if code.pop() == Some(last) {
                continue;
            }
            code.push(last);
            let url = format!("{}/{code}", system.gateway);
            let answer = system.client.send(Method::HEAD, &url, Vec::new()).await?;
            if answer.status == StatusCode::TOO_MANY_REQUESTS {
                break 'all;
            }
            tried += 1;
            hit += u32::from(answer.status.is_redirection());
            if tried as usize == GUESSES_MAX {
                break 'all;
            }
        }
    }
    if tried > 0 {
        let share = f64::from(hit) / f64::from(tried) * 100.0;
        values.insert("guessed_percent".to_owned(), share);
    }
    Ok(())
}
