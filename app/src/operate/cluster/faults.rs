//! Faults of the whole system: each goes to the processes that it is meant for, under one id.

use std::collections::BTreeMap;
use std::time::Duration;

use console::{ClusterError, FaultAt};
use faults::{Effect, FaultError, FaultSpec, FaultView, Place, Seam, unplaced};
use futures_util::future::join_all;
use http::Method;
use kernel::{Code, Coded as _};

use super::System;
use crate::operate::faulty::{self, Victim};
use crate::operate::supervisor::{ProcessView, State};

impl System {
    /// What can be struck in each process that answers, this one first; and who does not answer.
    pub(crate) async fn places(&self) -> (Vec<Place>, Vec<String>) {
        let mut places = vec![self.admin.place()];
        let mut silent = Vec::new();
        if let Some(others) = &self.others {
            let (struck, quiet) = others.struck_at(&self.host.id).await;
            places.extend(struck);
            silent = quiet;
        }
        (places, silent)
    }

    /// Begins a fault in every process that it is meant for. Fails if there is none, and if none of
    /// them takes it.
    pub(crate) async fn strike(&self, spec: FaultSpec) -> Result<FaultAt, ClusterError> {
        let id = self.host.ctx.new_id().to_string();
        if spec.seam == Seam::Process
            && let Some(struck) = self.strike_children(&id, &spec)?
        {
            return Ok(struck);
        }
        let (places, silent) = self.places().await;
        let meant: Vec<&str> = places
            .iter()
            .filter(|place| place.takes(&spec))
            .map(|place| place.replica.as_str())
            .collect();
        if meant.is_empty() {
            return Err(nowhere(&unplaced(&spec, &places), &silent));
        }
        let sent = meant.iter().map(|replica| self.send(replica, &id, &spec));
        let sent = join_all(sent).await;
        let (mut took, mut missed) = (Vec::new(), Vec::new());
        let (mut begun, mut refusal) = (None, None);
        for (replica, answer) in meant.into_iter().zip(sent) {
            match answer {
                Ok(fault) => {
                    took.push(replica.to_owned());
                    begun = begun.or(Some(fault));
                }
                Err(error) => {
                    missed.push(replica.to_owned());
                    refusal = Some(error);
                }
            }
        }
        match (begun, refusal) {
            (Some(fault), _) => Ok(FaultAt {
                fault,
                replicas: took,
                missed,
            }),
            (None, Some(error)) => Err(error),
            (None, None) => Err(ClusterError::NotFound("nobody took it".to_owned())),
        }
    }

    /// Begins a fault called `id` in the process `replica`.
    async fn send(
        &self,
        replica: &str,
        id: &str,
        spec: &FaultSpec,
    ) -> Result<FaultView, ClusterError> {
        let unreachable = || ClusterError::Unreachable {
            replica: replica.to_owned(),
        };
        if replica == self.host.id {
            let begun = self.admin.begin(Some(id), spec.clone());
            return begun.map_err(|error| told(&error));
        }
        let others = self.others.as_ref().ok_or_else(unreachable)?;
        let path = format!("/admin/faults/{id}");
        let body = serde_json::to_vec(spec).unwrap_or_default();
        let answer = others.change(replica, (Method::PUT, &path), body).await?;
        answer
            .json()
            .map_err(|error| ClusterError::Refused(error.to_string()))
    }

    /// Kills or stops processes that this one supervises: one that hangs could not do it itself.
    /// Answers nothing when none of them is meant.
    fn strike_children(&self, id: &str, spec: &FaultSpec) -> Result<Option<FaultAt>, ClusterError> {
        let meant = self.children_meant(spec);
        if meant.is_empty() {
            return Ok(None);
        }
        let (alive, dead): (Vec<_>, Vec<_>) = meant
            .into_iter()
            .partition(|child| child.state == State::Running && child.pid.is_some());
        let missed: Vec<String> = dead.into_iter().map(|child| child.id).collect();
        let victims: Vec<Victim> = alive
            .iter()
            .filter_map(|child| Some(Victim::called(&child.id, child.pid?)))
            .collect();
        if victims.is_empty() {
            let names = missed.join(", ");
            let text = format!("{names} does not run at the moment; try again");
            return Err(ClusterError::Refused(text));
        }
        let host = &self.host;
        let begun = host.faults.inject_as(id, spec.clone());
        let fault = begun.map_err(|error| told(&error))?;
        let enacted = self.admin.faulty.enact(&fault, &victims);
        enacted.map_err(|error| told(&error))?;
        Ok(Some(FaultAt {
            fault,
            replicas: alive.into_iter().map(|child| child.id).collect(),
            missed,
        }))
    }

    /// The processes that this one supervises and that `spec` selects.
    fn children_meant(&self, spec: &FaultSpec) -> Vec<ProcessView> {
        let children = self.others.as_ref().and_then(|o| o.supervised_here());
        let is = |wanted: &Option<String>, name: &str| wanted.as_deref().is_none_or(|w| w == name);
        let selector = &spec.selector;
        let mut meant = children.unwrap_or_default();
        meant.retain(|child| {
            is(&selector.service, child.service) && is(&selector.replica, &child.id)
        });
        meant
    }

    /// Every fault at work, in whichever processes, oldest first.
    pub(crate) async fn all_faults(&self) -> Vec<FaultAt> {
        let mut all: Vec<(Vec<String>, FaultView)> = Vec::new();
        for fault in self.host.faults.list() {
            all.push((self.held_for(&fault), fault));
        }
        if let Some(others) = &self.others {
            for (replica, body) in others.each(&self.host.id, "/admin/faults").await {
                let faults = body.and_then(|body| serde_json::from_slice(&body).ok());
                let faults: Vec<FaultView> = faults.unwrap_or_default();
                let at = |fault| (vec![replica.clone()], fault);
                all.extend(faults.into_iter().map(at));
            }
        }
        let mut merged: BTreeMap<String, FaultAt> = BTreeMap::new();
        for (replicas, fault) in all {
            let known = merged.entry(fault.id.to_string());
            let at = known.or_insert_with(|| FaultAt {
                fault: FaultView {
                    hits: 0,
                    ..fault.clone()
                },
                replicas: Vec::new(),
                missed: Vec::new(),
            });
            at.fault.hits += fault.hits;
            at.fault.left_ms = at.fault.left_ms.max(fault.left_ms);
            at.replicas.extend(replicas);
        }
        let mut faults: Vec<FaultAt> = merged.into_values().collect();
        faults.sort_by_key(|at| {
            let ttl = Duration::from_millis(at.fault.spec.ttl_ms);
            at.fault.until.minus(ttl)
        });
        faults
    }

    /// Where a fault of this process is: a supervisor holds those that stop its children.
    fn held_for(&self, fault: &FaultView) -> Vec<String> {
        let mut places = Vec::new();
        if fault.spec.effect == Effect::Stop {
            let children = self.children_meant(&fault.spec).into_iter();
            places.extend(children.map(|child| child.id));
        }
        if places.is_empty() {
            places.push(self.host.id.clone());
        }
        places
    }

    /// Ends a fault wherever it is. Answers where that was.
    pub(crate) async fn end(&self, id: &str) -> Result<Vec<String>, ClusterError> {
        let all = self.all_faults().await;
        let Some(found) = all.iter().find(|at| &*at.fault.id == id) else {
            let known: Vec<&str> = all.iter().map(|at| &*at.fault.id).collect();
            return Err(ClusterError::NotFound(faulty::unknown(id, &known)));
        };
        Ok(self.end_at(found).await)
    }

    /// Ends a fault where it is. One that cannot be told ends it by itself.
    async fn end_at(&self, found: &FaultAt) -> Vec<String> {
        let own = self.host.faults.end(&found.fault.id);
        if own && found.fault.spec.seam == Seam::Process {
            return found.replicas.clone();
        }
        let path = format!("/admin/faults/{}", found.fault.id);
        let asked = found.replicas.iter().map(|replica| {
            let path = (Method::DELETE, path.as_str());
            async move {
                let others = self.others.as_ref().filter(|_| *replica != self.host.id);
                match others {
                    Some(others) => others.change(replica, path, Vec::new()).await.is_ok(),
                    None => own,
                }
            }
        });
        let heard = join_all(asked).await.into_iter().zip(&found.replicas);
        heard
            .filter(|(heard, _)| *heard)
            .map(|(_, replica)| replica.clone())
            .collect()
    }

    /// Ends every fault. Answers their ids.
    pub(crate) async fn clear(&self) -> Vec<String> {
        let all = self.all_faults().await;
        join_all(all.iter().map(|at| self.end_at(at))).await;
        all.iter().map(|at| at.fault.id.to_string()).collect()
    }
}

/// Why nobody takes a fault; those who did not answer might have.
fn nowhere(error: &FaultError, silent: &[String]) -> ClusterError {
    if silent.is_empty() {
        return told(error);
    }
    let silent = silent.join(", ");
    ClusterError::NotFound(format!("{error}; no answer came from {silent}"))
}

/// A fault that cannot be, in the words of the whole system.
fn told(error: &FaultError) -> ClusterError {
    if error.code() == Code::NotFound {
        return ClusterError::NotFound(error.to_string());
    }
    ClusterError::Refused(error.to_string())
}
