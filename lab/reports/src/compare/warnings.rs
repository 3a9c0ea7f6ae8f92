//! What two runs differ in besides what they measured.

use crate::model::Run;

/// A sentence for each thing that makes a comparison of the two doubtful.
pub(super) fn of(before: &Run, after: &Run) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut differ = |what: &str, one: String, other: String| {
        if one != other {
            warnings.push(format!("{what}: {one}, and {other}."));
        }
    };
    let (one, other) = (&before.experiment, &after.experiment);
    differ("The experiments differ", one.id.clone(), other.id.clone());
    let machine = |run: &Run| {
        let machine = &run.machine;
        format!(
            "{} cores, {}, {} MiB, {}",
            machine.cores, machine.cpu, machine.memory_mib, machine.os
        )
    };
    differ("The machines differ", machine(before), machine(after));
    differ(
        "The versions of the program differ",
        before.version.clone(),
        after.version.clone(),
    );
    let form = |run: &Run| if run.quick { "quick" } else { "full" }.to_owned();
    differ("One was the quick form", form(before), form(after));
    if one.id == other.id && one.text != other.text {
        warnings.push("The experiment's file was changed between them.".to_owned());
    }
    for metric in &before.metrics {
        let same = after.metrics.iter().find(|each| each.name == metric.name);
        if let Some(same) = same
            && (same.unit != metric.unit || same.compared != metric.compared)
        {
            warnings.push(format!(
                "{} was measured in another way: its figures are not comparable.",
                metric.label
            ));
        }
    }
    for run in [before, after] {
        if run.ended_early {
            warnings.push(format!("{} was ended early.", run.id));
        }
    }
    warnings
}
