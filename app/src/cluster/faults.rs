//! Faults of the whole system: each goes to the processes that it is meant for, under one id.

use std::collections::BTreeMap;

use console::{ClusterError, FaultAt};
use faults::{Effect, FaultError, FaultSpec, FaultView, Place, Seam, unplaced};
use futures_util::future::join_all;
use http::Method;
use kernel::{Code, Coded as _};

use super::System;
use crate::faulty::{self, Victim};
use crate::supervisor::State;

impl System {
    /// What can be struck in each process that answers, this one first.
    pub(crate) async fn places(&self) -> Vec<Place> {
        let mut places = vec![self.admin.place()];
        if let Some(others) = &self.others {
            places.extend(others.struck_at(&self.host.id).await);
        }
        places
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
        let places = self.places().await;
        let meant: Vec<&str> = places
            .iter()
            .filter(|place| place.takes(&spec))
            .map(|place| place.replica.as_str())
            .collect();
        if meant.is_empty() {
            return Err(told(&unplaced(&spec, &places)));
        }
        let sent = meant.iter().map(|replica| self.send(replica, &id, &spec));
        let sent = join_all(sent).await;
        let mut struck: Option<FaultAt> = None;
        let (mut missed, mut refusal) = (Vec::new(), None);
        for (replica, answer) in meant.into_iter().zip(sent) {
            match answer {
                Ok(fault) => {
                    let new = || FaultAt {
                        fault,
                        replicas: Vec::new(),
                        missed: Vec::new(),
                    };
                    struck
                        .get_or_insert_with(new)
                        .replicas
                        .push(replica.to_owned());
                }
                Err(error) => {
                    missed.push(replica.to_owned());
                    refusal = Some(error);
                }
            }
        }
        match (struck, refusal) {
            (Some(struck), _) => Ok(FaultAt { missed, ..struck }),
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
        let children = self.others.as_ref().and_then(|o| o.supervised_here());
        let Some(children) = children else {
            return Ok(None);
        };
        let named =
            |wanted: &Option<String>, name: &str| wanted.as_deref().is_none_or(|w| w == name);
        let meant: Vec<_> = children
            .into_iter()
            .filter(|child| {
                named(&spec.selector.service, child.service)
                    && named(&spec.selector.replica, &child.id)
            })
            .collect();
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
            let text = format!(
                "{} does not run at the moment; try again",
                missed.join(", ")
            );
            return Err(ClusterError::Refused(text));
        }
        let host = &self.host;
        let begun = host.faults.inject_as(id, spec.clone());
        let fault = begun.map_err(|error| told(&error))?;
        faulty::enact(host, &fault, &victims).map_err(|error| told(&error))?;
        Ok(Some(FaultAt {
            fault,
            replicas: alive.into_iter().map(|child| child.id).collect(),
            missed,
        }))
    }

    /// Every fault at work, in whichever processes, oldest first.
    pub(crate) async fn all_faults(&self) -> Vec<FaultAt> {
        let own = self.host.faults.list().into_iter();
        let mut all: Vec<(String, FaultView)> = own.map(|fault| (self.at(&fault), fault)).collect();
        if let Some(others) = &self.others {
            for (replica, body) in others.each(&self.host.id, "/admin/faults").await {
                let faults = body.and_then(|body| serde_json::from_slice(&body).ok());
                let faults: Vec<FaultView> = faults.unwrap_or_default();
                all.extend(faults.into_iter().map(|fault| (replica.clone(), fault)));
            }
        }
        let mut merged: BTreeMap<String, FaultAt> = BTreeMap::new();
        for (replica, fault) in all {
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
            at.replicas.push(replica);
        }
        // Ids begin with the time at which they were made.
        merged.into_values().collect()
    }

    /// Where a fault of this process is: a supervisor holds those that stop its children.
    fn at(&self, fault: &FaultView) -> String {
        let selector = &fault.spec.selector;
        let held_for = match fault.spec.effect {
            Effect::Stop => selector
                .replica
                .clone()
                .or_else(|| selector.service.clone()),
            _ => None,
        };
        held_for.unwrap_or_else(|| self.host.id.clone())
    }

    /// Ends a fault wherever it is. Answers where that was.
    pub(crate) async fn end(&self, id: &str) -> Result<Vec<String>, ClusterError> {
        let all = self.all_faults().await;
        let known: Vec<&str> = all.iter().map(|at| &*at.fault.id).collect();
        let Some(found) = all.iter().find(|at| &*at.fault.id == id) else {
            return Err(ClusterError::NotFound(faulty::unknown(id, &known)));
        };
        let own = self.host.faults.end(id);
        if let Some(others) = &self.others {
            let path = format!("/admin/faults/{id}");
            let told = found
                .replicas
                .iter()
                .map(|replica| others.change(replica, (Method::DELETE, &path), Vec::new()));
            if !own {
                // One that cannot be told ends by itself.
                let answers = join_all(told).await;
                let heard = found.replicas.iter().zip(answers);
                let heard = heard.filter(|(_, answer)| answer.is_ok());
                return Ok(heard.map(|(replica, _)| replica.clone()).collect());
            }
            join_all(told).await;
        }
        Ok(found.replicas.clone())
    }

    /// Ends every fault. Answers their ids.
    pub(crate) async fn clear(&self) -> Vec<String> {
        let all = self.all_faults().await;
        let ended = all.iter().map(|at| self.end(&at.fault.id));
        join_all(ended).await;
        all.iter().map(|at| at.fault.id.to_string()).collect()
    }
}

/// A fault that cannot be, in the words of the whole system.
fn told(error: &FaultError) -> ClusterError {
    if error.code() == Code::NotFound {
        return ClusterError::NotFound(error.to_string());
    }
    ClusterError::Refused(error.to_string())
}
