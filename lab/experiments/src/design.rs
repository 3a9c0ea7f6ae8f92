//! A variant's design on a running system: its knobs and policies, and nothing that another variant
//! has left behind.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::patiently;
use crate::error::{Error, Result};
use crate::spec::VariantSpec;
use crate::system::System;

/// Caller and callee.
type Edge = (String, String);

/// How a system was found, and what has been changed since.
#[derive(Debug)]
pub(crate) struct Design {
    /// By `service.knob`.
    knobs: BTreeMap<String, String>,
    policies: BTreeMap<Edge, Value>,
    /// Edges whose policy was set: the next variant sets them back.
    changed: BTreeSet<Edge>,
}

/// A policy as `/system/policies` answers it.
#[derive(Deserialize)]
struct Policy {
    caller: String,
    callee: String,
    policy: Value,
}

impl Design {
    /// The design of `system` as it is now.
    pub(crate) async fn found(system: &System) -> Result<Self> {
        patiently(async || Self::try_found(system).await).await
    }

    async fn try_found(system: &System) -> Result<Self> {
        let knobs = system.knobs().await?.into_iter();
        let url = system.at_admin("/system/policies");
        let policies: Vec<Policy> = system.client.get(&url).await?;
        let policies = policies.into_iter();
        Ok(Self {
            knobs: knobs.map(|k| (k.full_name(), k.value)).collect(),
            policies: policies.map(|p| ((p.caller, p.callee), p.policy)).collect(),
            changed: BTreeSet::new(),
        })
    }

    /// Brings `system` to `variant`: a knob that it does not name has its default, a policy is as it
    /// was found.
    pub(crate) async fn apply(&mut self, system: &System, variant: &VariantSpec) -> Result<()> {
        patiently(async || self.try_apply(system, variant).await).await
    }

    async fn try_apply(&mut self, system: &System, variant: &VariantSpec) -> Result<()> {
        let mut unseen: BTreeSet<&String> = variant.knobs.keys().collect();
        for knob in system.knobs().await? {
            let name = knob.full_name();
            unseen.remove(&name);
            let wanted = variant.knobs.get(&name).map(toml::Spanned::get_ref);
            let value = wanted.unwrap_or(&knob.default);
            if knob.value != *value {
                system.turn(&name, value).await?;
            }
        }
        // Those of a process that does not answer are left out of the list.
        if let Some(name) = unseen.first() {
            let text = format!("no process of the system shows the knob {name}");
            return Err(Error::Unready(text));
        }
        self.policies_back(system).await?;
        for (edge, policy) in &variant.policies {
            self.changes(edge)?;
            set_policy(system, edge, policy).await?;
        }
        Ok(())
    }

    /// The policy of `edge` is about to be set: it is set back with the next variant.
    pub(crate) fn changes(&mut self, edge: &str) -> Result<()> {
        self.changed.insert(parts(edge)?);
        Ok(())
    }

    /// Leaves `system` as it was found.
    pub(crate) async fn set_back(&mut self, system: &System) -> Result<()> {
        for knob in system.knobs().await? {
            let name = knob.full_name();
            if let Some(was) = self.knobs.get(&name).filter(|was| **was != knob.value) {
                system.turn(&name, was).await?;
            }
        }
        self.policies_back(system).await
    }

    async fn policies_back(&mut self, system: &System) -> Result<()> {
        while let Some(edge) = self.changed.first() {
            let was = self.policies.get(edge).cloned();
            put(system, edge, &was.unwrap_or_else(|| json!({}))).await?;
            self.changed.pop_first();
        }
        Ok(())
    }
}

/// Sets the policy of the edge `caller -> callee`.
pub(crate) async fn set_policy(system: &System, edge: &str, policy: &toml::Value) -> Result<()> {
    put(system, &parts(edge)?, &json!(policy)).await
}

async fn put(system: &System, (caller, callee): &Edge, policy: &Value) -> Result<()> {
    let body = json!({ "caller": caller, "callee": callee, "policy": policy });
    let _: Value = system.post("/system/policies", &body).await?;
    Ok(())
}

fn parts(edge: &str) -> Result<Edge> {
    let parts = edge.split_once("->");
    let (caller, callee) = parts
        .ok_or_else(|| Error::Bad(format!("'{edge}' is no edge; write 'caller -> callee'")))?;
    Ok((caller.trim().to_owned(), callee.trim().to_owned()))
}
