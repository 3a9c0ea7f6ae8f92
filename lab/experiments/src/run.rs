//! A run of an experiment: its systems, its variants in turn, its checks.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kernel::{Ctx, Random, SeededRandom};
use reports::{Run, Trial};
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Result};
use crate::judge;
use crate::killing::Killing;
use crate::machine;
use crate::spec::{Form, Spec, SystemSpec, TwinsSpec, VariantSpec};
use crate::system::Target;
use crate::trial::Number;
use crate::up::{Up, systems};

/// Where and how experiments are run.
pub struct Lab {
    /// The program whose systems are measured: `tradewind`.
    pub program: PathBuf,
    /// Private systems live below this.
    pub folder: PathBuf,
    /// The clock, and randomness for seeds.
    pub ctx: Ctx,
    /// A system that runs already, instead of private ones.
    pub target: Option<Target>,
    /// Ends everything early.
    pub cancel: CancellationToken,
    /// Is told what happens, in a line.
    pub say: Arc<dyn Fn(&str) + Send + Sync>,
}

/// What is wanted of a run.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// How much of it is run.
    pub form: Form,
    /// Decides every random choice; a random one when absent.
    pub seed: Option<u64>,
    /// What the reader has guessed.
    pub guess: Option<String>,
}

impl Lab {
    /// Runs `spec` to its end, or until it is cancelled: then with the trials that it has.
    pub async fn run(&self, spec: Spec, wanted: &Wanted) -> Result<Run> {
        let spec = spec.in_form(wanted.form);
        let seed = wanted
            .seed
            .unwrap_or_else(|| self.ctx.random.next_u64() >> 11);
        let started = self.ctx.steady();
        let mut run = machine::run(&spec, self.ctx.now(), wanted.form, seed);
        let wants = systems(&spec);
        if self.target.is_some()
            && let Some(why) = not_on_a_target(&spec, &wants)
        {
            return Err(Error::Bad(format!("{why}: run it without --target")));
        }
        let mut ups: Vec<Up> = Vec::new();
        let measured = self.measure(&spec, &wants, &mut ups, &mut run).await;
        if run.systems.is_empty() {
            for up in &ups {
                run.systems.push(up.system.view(&up.spec).await);
            }
        }
        for up in ups {
            run.notes.extend(up.foreign());
            if let Err(error) = up.leave().await {
                (self.say)(&error.to_string());
                run.notes.push(error.to_string());
            }
        }
        match measured {
            Ok(()) => {}
            Err(Error::Ended) if !run.trials.is_empty() => run.ended_early = true,
            Err(error) => return Err(error),
        }
        run.elapsed_s = self.ctx.steady().since(started).as_secs_f64();
        run.derived = judge::derived(&spec, &run);
        run.checks = judge::checks(&spec, &run);
        run.guess = wanted.guess.as_deref().map(|text| judge::guess(text, &run));
        Ok(run)
    }

    /// Every trial of every variant, those of a block in turn: there and back again, so that what
    /// drifts over time favours none.
    async fn measure(
        &self,
        spec: &Spec,
        wants: &[SystemSpec],
        ups: &mut Vec<Up>,
        run: &mut Run,
    ) -> Result<()> {
        let random = SeededRandom::new(run.seed);
        let variants: Vec<&VariantSpec> = spec.variants().collect();
        if spec.twins.is_none() && !spec.trials.fresh {
            for want in wants {
                self.ended()?;
                ups.push(Up::start(self, spec, want, ups.len()).await?);
            }
            self.warm_up(spec, ups, run, &random).await?;
        }
        for block in 0..spec.trials.blocks {
            let seed = random.next_u64();
            let mut order: Vec<usize> = (0..variants.len()).collect();
            if block % 2 == 1 {
                order.reverse();
            }
            for variant in order {
                self.ended()?;
                let number = Number {
                    variant,
                    block,
                    seed,
                };
                let of = run.variants[variant].system;
                let trial = match (spec.twins, spec.trials.fresh) {
                    (Some(twins), _) => self.twins(spec, twins, number).await?,
                    (None, true) => self.fresh(spec, &wants[of], number, run).await?,
                    (None, false) => {
                        let up = &mut ups[of];
                        self.or_ended(async {
                            up.apply(variants[variant]).await?;
                            up.trial(self, spec, number).await
                        })
                        .await?
                    }
                };
                self.tell(spec, run, &trial);
                run.trials.push(trial);
            }
        }
        Ok(())
    }

    async fn warm_up(
        &self,
        spec: &Spec,
        ups: &mut [Up],
        run: &Run,
        random: &SeededRandom,
    ) -> Result<()> {
        for (variant, of) in spec.variants().zip(&run.variants) {
            self.ended()?;
            (self.say)(&format!("warming up {}", variant.name));
            let up = &mut ups[of.system];
            let seed = random.next_u64();
            self.or_ended(async {
                up.apply(variant).await?;
                up.warm_up(self, spec, seed).await
            })
            .await?;
        }
        Ok(())
    }

    /// A trial on a system of its own.
    async fn fresh(
        &self,
        spec: &Spec,
        want: &SystemSpec,
        number: Number,
        run: &mut Run,
    ) -> Result<Trial> {
        let mut up = Up::start(self, spec, want, 0).await?;
        let of = run.variants[number.variant].system;
        let measured = self.or_ended(async {
            up.apply(spec.variant[number.variant].get_ref()).await?;
            up.warm_up(self, spec, number.seed).await?;
            up.trial(self, spec, number).await
        });
        let trial = measured.await;
        if run.systems.len() == of {
            run.systems.push(up.system.view(&up.spec).await);
        }
        up.leave().await?;
        trial
    }

    /// A trial in which a twin is killed.
    async fn twins(&self, spec: &Spec, twins: TwinsSpec, number: Number) -> Result<Trial> {
        let variant = spec.variant[number.variant].get_ref();
        let killing = Killing {
            ctx: &self.ctx,
            program: &self.program,
            folder: self.folder.join("twin"),
            name: &variant.name,
            twin: variant.twin.as_ref().map_or("", |twin| twin.get_ref()),
            kills: twins.kills,
        };
        self.or_ended(killing.trial(number, &*self.say)).await
    }

    /// What comes of `work`, unless everything ends before.
    pub(crate) async fn or_ended<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Error::Ended),
            done = work => done,
        }
    }

    fn ended(&self) -> Result<()> {
        match self.cancel.is_cancelled() {
            true => Err(Error::Ended),
            false => Ok(()),
        }
    }

    fn tell(&self, spec: &Spec, run: &Run, trial: &Trial) {
        let done = run.trials.len() + 1;
        let all = spec.trials.blocks as usize * run.variants.len();
        let shown = run.metrics.iter().filter_map(|metric| {
            let value = trial.values.get(&metric.name)?;
            Some(format!("{} {value:.2} {}", metric.label, metric.unit))
        });
        let shown: Vec<String> = shown.take(5).collect();
        let name = &run.variants[trial.variant].name;
        (self.say)(&format!("{done}/{all}  {name:16} {}", shown.join("  ")));
    }
}

/// Why a system that runs already cannot be used.
fn not_on_a_target(spec: &Spec, wants: &[SystemSpec]) -> Option<&'static str> {
    if spec.twins.is_some() {
        return Some("it kills twins, and no system");
    }
    if spec.trials.fresh {
        return Some("each of its trials needs a system of its own");
    }
    (wants.len() > 1).then_some("its variants need systems of their own")
}

/// Removes what private systems have left in `folder`.
pub fn clean_up(folder: &Path) {
    let _ = std::fs::remove_dir_all(folder);
}
