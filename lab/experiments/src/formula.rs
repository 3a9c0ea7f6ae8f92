//! Arithmetic over the metrics of variants: `(apart.p50_ms - together.p50_ms) / 2`.

/// Computes `text`; `value` gives the number of a `variant.metric`. `None` where one is missing or
/// the result is no number.
pub(crate) fn compute(
    text: &str,
    value: &mut dyn FnMut(&str) -> Option<f64>,
) -> Result<Option<f64>, String> {
    let tokens = tokens(text)?;
    let mut reader = Reader {
        tokens: &tokens,
        value,
    };
    let result = reader.sum()?;
    match reader.tokens.first() {
        None => Ok(result.filter(|number| number.is_finite())),
        Some(token) => Err(format!("'{}' is one too many", token.text())),
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Sign(char),
    Word(String),
}

impl Token {
    fn text(&self) -> String {
        match self {
            Self::Sign(sign) => sign.to_string(),
            Self::Word(word) => word.clone(),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut word = String::new();
    for c in text.chars().chain([' ']) {
        if c.is_ascii_alphanumeric() || c == '_' || c == '.' {
            word.push(c);
            continue;
        }
        if !word.is_empty() {
            tokens.push(Token::Word(std::mem::take(&mut word)));
        }
        match c {
            ' ' => {}
            '+' | '-' | '*' | '/' | '(' | ')' => tokens.push(Token::Sign(c)),
            other => return Err(format!("'{other}' has no place in a formula")),
        }
    }
    Ok(tokens)
}

struct Reader<'a> {
    tokens: &'a [Token],
    value: &'a mut dyn FnMut(&str) -> Option<f64>,
}

type Number = Result<Option<f64>, String>;

impl Reader<'_> {
    fn sign(&mut self, wanted: [char; 2]) -> Option<char> {
        let Some((Token::Sign(sign), rest)) = self.tokens.split_first() else {
            return None;
        };
        let found = wanted.contains(sign).then_some(*sign)?;
        self.tokens = rest;
        Some(found)
    }

    fn sum(&mut self) -> Number {
        let mut left = self.product()?;
        while let Some(sign) = self.sign(['+', '-']) {
            let right = self.product()?;
            left = left
                .zip(right)
                .map(|(l, r)| if sign == '+' { l + r } else { l - r });
        }
        Ok(left)
    }

    fn product(&mut self) -> Number {
        let mut left = self.one()?;
        while let Some(sign) = self.sign(['*', '/']) {
            let right = self.one()?;
            left = left
                .zip(right)
                .map(|(l, r)| if sign == '*' { l * r } else { l / r });
        }
        Ok(left)
    }

    fn one(&mut self) -> Number {
        if self.sign(['(', '(']).is_some() {
            let inner = self.sum()?;
            return match self.sign([')', ')']) {
                Some(_) => Ok(inner),
                None => Err("a bracket is not closed".to_owned()),
            };
        }
        let Some((Token::Word(word), rest)) = self.tokens.split_first() else {
            return Err("a formula is made of VARIANT.METRIC, numbers, + - * / and ( )".to_owned());
        };
        self.tokens = rest;
        match word.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Ok((self.value)(word)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Option<f64>, String> {
        compute(text, &mut |name| match name {
            "a.p50_ms" => Some(8.0),
            "b.p50_ms" => Some(2.0),
            _ => None,
        })
    }

    #[test]
    fn a_formula_is_computed_as_it_is_read_at_school() {
        assert_eq!(of("a.p50_ms - b.p50_ms * 3"), Ok(Some(2.0)));
        assert_eq!(of("(a.p50_ms - b.p50_ms) / 2"), Ok(Some(3.0)));
        assert_eq!(of("a.p50_ms - b.p50_ms - 1"), Ok(Some(5.0)));
        assert_eq!(of("1.5 * b.p50_ms"), Ok(Some(3.0)));
        assert_eq!(
            of("a.p50_ms / (b.p50_ms - 2)"),
            Ok(None),
            "nothing is divided by zero"
        );
        assert_eq!(
            of("a.p50_ms - c.p50_ms"),
            Ok(None),
            "what is missing stays so"
        );
    }

    #[test]
    fn what_is_no_formula_is_refused() {
        for text in ["", "a.p50_ms -", "(1", "1 2", "a ^ b", ")"] {
            assert!(of(text).is_err(), "{text}");
        }
    }
}
