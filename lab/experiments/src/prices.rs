//! What each knob costs: the load that shows it, the experiment that measures it, and the list.

mod list;
mod load;
mod number;
mod page;

pub use list::{Price, PriceList, Priced};

use crate::catalogue::Catalogue;
use crate::error::{Error, Result};
use crate::spec::{Spec, unknown};

macro_rules! prices {
    ($($name:literal),* $(,)?) => {
        /// The loads that show what a knob costs, as `service.knob`, with their files.
        pub const PRICES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../prices/", $name, ".toml")))),*];
    };
}

prices![
    "gateway.balancer",
    "gateway.health_checks",
    "gateway.ejection",
    "gateway.retries",
    "links.cache",
    "links.loading",
    "links.ids",
    "links.clicks",
    "links.commits",
    "stage_back.admission",
    // new-service: "__name__.order",
];

/// A knob whose price is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Knob {
    /// Its name: `links.cache`.
    pub name: String,
    /// What the other settings are compared with.
    pub default: String,
    /// Every setting, the default among them.
    pub settings: Vec<String>,
}

/// A knob and the experiment that tells its price.
#[derive(Debug, Clone)]
pub struct PricePlan {
    /// The knob.
    pub knob: Knob,
    /// Its default first, then each other setting.
    pub spec: Spec,
}

/// The experiment that tells the price of each of `knobs`, or of those that are `named`.
///
/// A name that no knob has is refused with the nearest, and a knob that has no load with the name of
/// the file to write.
pub fn price_plans(
    knobs: &[Knob],
    named: &[String],
    catalogue: &Catalogue,
) -> Result<Vec<PricePlan>> {
    let all: Vec<&str> = knobs.iter().map(|knob| knob.name.as_str()).collect();
    if let Some(wrong) = named.iter().find(|name| !all.contains(&name.as_str())) {
        return Err(Error::Bad(unknown("knob", wrong, &all)));
    }
    let wanted = knobs
        .iter()
        .filter(|knob| named.is_empty() || named.contains(&knob.name));
    wanted.map(|knob| plan(knob, PRICES, catalogue)).collect()
}

fn plan(knob: &Knob, files: &[(&str, &str)], catalogue: &Catalogue) -> Result<PricePlan> {
    let name = &knob.name;
    let file = format!("lab/experiments/prices/{name}.toml");
    let Some((_, text)) = files.iter().find(|(of, _)| of == name) else {
        return Err(Error::Bad(format!(
            "no load shows what {name} costs: write {file}, and name it in \
             lab/experiments/src/prices.rs"
        )));
    };
    let spec = load::spec(knob, &file, text)?;
    spec.check(&file, catalogue)?;
    Ok(PricePlan {
        knob: knob.clone(),
        spec,
    })
}

#[cfg(test)]
mod tests;
