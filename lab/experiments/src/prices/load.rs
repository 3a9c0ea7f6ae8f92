//! The file of a price: the load that shows what a knob costs, and the experiment that it becomes.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::Knob;
use crate::spec::{
    DataSpec, LoadSpec, Mistake, ProofSpec, QuickSpec, Spec, SystemSpec, TrialsSpec, VariantSpec,
    WeatherSpec, in_our_words,
};

/// The file of a price. Its parts are those of an experiment; the variants follow from the knob.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceFile {
    /// What the load is, in a few words.
    shows: String,
    #[serde(default)]
    system: SystemSpec,
    #[serde(default)]
    data: DataSpec,
    load: LoadSpec,
    #[serde(default = "trials")]
    trials: TrialsSpec,
    #[serde(default = "quick")]
    quick: QuickSpec,
    #[serde(default)]
    weather: Vec<Spanned<WeatherSpec>>,
    /// Other knobs that are not at their defaults, whatever the setting.
    #[serde(default)]
    knobs: BTreeMap<String, Spanned<String>>,
    /// Policies of edges, whatever the setting.
    #[serde(default)]
    policies: BTreeMap<String, toml::Value>,
}

/// Every knob that there is takes some six minutes with these.
fn trials() -> TrialsSpec {
    TrialsSpec {
        seconds: 1.2,
        blocks: 8,
        warm_up_seconds: 1.0,
        fresh: false,
    }
}

fn quick() -> QuickSpec {
    QuickSpec {
        seconds: Some(0.3),
        blocks: 4,
        warm_up_seconds: 0.3,
        ..QuickSpec::default()
    }
}

/// Reads `text`, which stands in `file`, as the experiment that tells the price of `knob`.
pub(super) fn spec(knob: &Knob, file: &str, text: &str) -> Result<Spec, Mistake> {
    let at = |span, detail| Mistake::at(file, text, span, detail);
    let read: PriceFile = toml::from_str(text)
        .map_err(|error| at(error.span().unwrap_or(0..0), in_our_words(error.message())))?;
    let name = &knob.name;
    let variant = variants(knob, &read);
    let spec = Spec {
        id: unplaced(format!("price-{}", name.replace(['.', '_'], "-"))),
        title: format!("The price of {name}"),
        question: format!(
            "What does each setting of {name} cost? Seen in {}.",
            read.shows
        ),
        phase: unplaced(1),
        why: String::new(),
        lesson: String::new(),
        look: Vec::new(),
        prediction: None,
        system: read.system,
        data: read.data,
        variant,
        load: read.load,
        twins: None,
        trials: read.trials,
        quick: read.quick,
        proof: ProofSpec::default(),
        weather: read.weather,
        recovery: None,
        probe: Vec::new(),
        measure: Vec::new(),
        derive: Vec::new(),
        check: Vec::new(),
        text: text.to_owned(),
    };
    if let Some((span, detail)) = spec.fault() {
        return Err(at(span, detail));
    }
    let odd = |blocks: u32| !blocks.is_multiple_of(2);
    if odd(spec.trials.blocks) || odd(spec.quick.blocks) {
        let start = text.find("blocks").unwrap_or(0);
        let detail = "blocks must be even, so that what drifts over time favours no setting";
        return Err(at(start..start, detail.to_owned()));
    }
    Ok(spec)
}

/// What the load of `spec` is, in a few words.
pub(super) fn shows(spec: &Spec) -> String {
    let read: Result<PriceFile, _> = toml::from_str(&spec.text);
    read.map(|file| file.shows).unwrap_or_default()
}

/// The default first: the others are compared with it. All have the rest of the design in common.
fn variants(knob: &Knob, file: &PriceFile) -> Vec<Spanned<VariantSpec>> {
    let others = knob.settings.iter().filter(|each| **each != knob.default);
    let all = std::iter::once(&knob.default).chain(others);
    all.map(|setting| {
        let mut knobs = file.knobs.clone();
        knobs.insert(knob.name.clone(), unplaced(setting.clone()));
        unplaced(VariantSpec {
            name: setting.clone(),
            label: String::new(),
            knobs,
            policies: file.policies.clone(),
            twin: None,
            topology: None,
            replicas: None,
            backends: None,
            config: BTreeMap::new(),
        })
    })
    .collect()
}

/// What stands in no file.
fn unplaced<T>(value: T) -> Spanned<T> {
    Spanned::new(0..0, value)
}
