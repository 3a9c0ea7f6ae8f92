//! A variant's design on a running system: its knobs and policies, and nothing that another variant
//! has left behind.

use std::collections::BTreeMap;

use serde_json::json;

use crate::error::{Error, Result};
use crate::spec::VariantSpec;
use crate::system::System;

/// Policies that a variant has set, by edge: the next one sets them back.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    edges: Vec<String>,
}

impl Applied {
    /// Brings `system` to `variant`: what it does not name has its default.
    pub(crate) async fn apply(&mut self, system: &System, variant: &VariantSpec) -> Result<()> {
        let wanted: BTreeMap<&str, &str> = variant
            .knobs
            .iter()
            .map(|(name, value)| (name.as_str(), value.get_ref().as_str()))
            .collect();
        for knob in system.knobs().await? {
            let name = knob.full_name();
            let value = wanted.get(name.as_str()).copied().unwrap_or(&knob.default);
            if knob.value != value {
                system.turn(&name, value).await?;
            }
        }
        for edge in std::mem::take(&mut self.edges) {
            if !variant.policies.contains_key(&edge) {
                set_policy(system, &edge, &toml::Value::Table(toml::Table::new())).await?;
            }
        }
        for (edge, policy) in &variant.policies {
            set_policy(system, edge, policy).await?;
            self.edges.push(edge.clone());
        }
        Ok(())
    }

    /// A policy was set besides: it is set back with the next variant.
    pub(crate) fn also(&mut self, edge: &str) {
        self.edges.push(edge.to_owned());
    }
}

/// Sets the policy of the edge `caller -> callee`.
pub(crate) async fn set_policy(system: &System, edge: &str, policy: &toml::Value) -> Result<()> {
    let (caller, callee) = edge
        .split_once("->")
        .ok_or_else(|| Error::Bad(format!("'{edge}' is no edge; write 'caller -> callee'")))?;
    let body = json!({ "caller": caller.trim(), "callee": callee.trim(), "policy": policy });
    let _: serde_json::Value = system.post("/system/policies", &body).await?;
    Ok(())
}
