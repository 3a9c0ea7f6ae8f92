//! The policy of an edge, in every process that has the edge.

use std::collections::{BTreeMap, BTreeSet};

use console::ClusterError;
use futures_util::future::join_all;
use http::Method;
use kernel::{Code, Coded as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::System;
use crate::operate::admin::SetPolicy;

/// As much of an edge as is needed here.
#[derive(Serialize, Deserialize)]
pub(crate) struct Edge {
    caller: String,
    callee: String,
    policy: Value,
}

impl System {
    /// The policy of every edge, as the first process that has the edge knows it.
    pub(crate) async fn policies(&self) -> Vec<Edge> {
        const EDGES: &str = "/admin/edges";
        let mut answers = vec![self.admin.get(EDGES).await.ok()];
        if let Some(others) = &self.others {
            let theirs = others.each(&self.host.id, EDGES).await;
            answers.extend(theirs.into_iter().map(|(_, body)| body));
        }
        let mut edges = BTreeMap::new();
        for body in answers.into_iter().flatten() {
            for edge in serde_json::from_slice::<Vec<Edge>>(&body).unwrap_or_default() {
                let name = (edge.caller.clone(), edge.callee.clone());
                edges.entry(name).or_insert(edge);
            }
        }
        edges.into_values().collect()
    }

    /// Puts a policy into force wherever the edge is. Answers the processes that took it.
    pub(crate) async fn set_policy(&self, set: &SetPolicy) -> Result<Vec<String>, ClusterError> {
        let (places, _) = self.places().await;
        let edge = (set.caller.clone(), set.callee.clone());
        let meant = places.iter().filter(|place| place.edges.contains(&edge));
        let meant: Vec<&str> = meant.map(|place| place.replica.as_str()).collect();
        if meant.is_empty() {
            let edges = places.iter().flat_map(|place| &place.edges);
            let edges: BTreeSet<String> = edges.map(|(a, b)| format!("{a} -> {b}")).collect();
            let asked = format!("{} -> {}", set.caller, set.callee);
            let near = kernel::nearest(&asked, edges.iter().map(String::as_str));
            let hint = match (near.first(), edges.is_empty()) {
                (Some(near), _) => format!("did you mean {near}?"),
                (None, true) => "there is none here".to_owned(),
                (None, false) => {
                    format!(
                        "there are {}",
                        edges.into_iter().collect::<Vec<_>>().join(", ")
                    )
                }
            };
            let text = format!("no edge is {asked}; {hint}");
            return Err(ClusterError::NotFound(text));
        }
        let sent = meant.iter().map(|replica| self.send_policy(replica, set));
        let answers = join_all(sent).await;
        let mut took = Vec::new();
        for (replica, answer) in meant.into_iter().zip(answers) {
            answer?;
            took.push(replica.to_owned());
        }
        Ok(took)
    }

    async fn send_policy(&self, replica: &str, set: &SetPolicy) -> Result<(), ClusterError> {
        if replica == self.host.id {
            let (caller, callee, policy) = (&set.caller, &set.callee, set.policy.clone());
            let done = self.host.mesh.set_policy(caller, callee, policy);
            return done.map(drop).map_err(|error| match error.code() {
                Code::NotFound => ClusterError::NotFound(error.to_string()),
                _ => ClusterError::Refused(error.to_string()),
            });
        }
        let others = self.others.as_ref();
        let others = others.ok_or_else(|| ClusterError::Unreachable {
            replica: replica.to_owned(),
        })?;
        let body = serde_json::to_vec(set).unwrap_or_default();
        let path = (Method::POST, "/admin/policies");
        let answer = others.change(replica, path, body).await?;
        let done = answer.json::<serde_json::Value>();
        done.map(drop)
            .map_err(|error| ClusterError::Refused(error.to_string()))
    }
}
