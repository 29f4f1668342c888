//! Asking the solver, within bounds of time.

use std::future::Future;
use std::time::Duration;

use cedar_policy::{PolicySet, RequestEnv, Schema};
use cedar_policy_symcc::err::{Error, Result as Answer};
use cedar_policy_symcc::solver::{LocalSolver, SolverError};
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicy, CompiledPolicySet, Env};
use tokio::process::Command;
use tokio::runtime::{Builder, Runtime};

use crate::{Counterexample, schema};

/// Longest time for one question, in milliseconds; the solver then answers "unknown", which is an error here.
const QUESTION_MILLIS: u64 = 60_000;
/// Longest life of one solver process, in milliseconds.
const PROCESS_MILLIS: u64 = 600_000;
/// How long to wait for an answer, should the solver not keep its own limit.
const PATIENCE: Duration = Duration::from_millis(QUESTION_MILLIS + 15_000);

/// Environment variable that names the solver; without it `cvc5` is looked for on the path.
const PROGRAM: &str = "CVC5";

/// A proof could not be attempted or did not come to an end. Never to be taken for a proof.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// There is no solver.
    #[error(
        "the solver {program} does not start ({source}): the proofs need cvc5; install the Debian package cvc5 \
         (apt-get install cvc5), or name the program in the environment variable CVC5"
    )]
    NoSolver {
        /// Program that was tried.
        program: String,
        /// Why it does not start.
        source: std::io::Error,
    },
    /// Rules, schema or pack cannot be used.
    #[error("the rules cannot be used: {0}")]
    Rules(String),
    /// The solver gave no answer.
    #[error("act {act}: no answer: {source}")]
    NoAnswer {
        /// Act that was asked about.
        act: String,
        /// Why.
        source: Box<Error>,
    },
    /// The solver did not keep its limit of time.
    #[error("act {act}: the solver did not answer in {} s", PATIENCE.as_secs())]
    TooLong {
        /// Act that was asked about.
        act: String,
    },
    /// No runtime for talking to the solver.
    #[error("no runtime: {0}")]
    Runtime(std::io::Error),
}

/// What came out.
#[derive(Debug, Clone)]
#[must_use]
pub enum Verdict {
    /// It holds for every organization, person, step and content, for each of so many acts.
    Proved {
        /// Number of acts (of the schema) it was proved for.
        acts: usize,
    },
    /// It does not hold.
    Refuted(Box<Counterexample>),
}

/// A solver and the schema it is asked about.
#[derive(Debug)]
pub struct Prover {
    compiler: CedarSymCompiler<LocalSolver>,
    schema: Schema,
    // Dropped after the compiler: the solver's process ends with it.
    runtime: Runtime,
}

impl Prover {
    /// Starts cvc5.
    ///
    /// # Errors
    /// [`ProveError::NoSolver`] where it is not installed.
    pub fn start() -> Result<Self, ProveError> {
        Self::with_program(&std::env::var(PROGRAM).unwrap_or_else(|_| "cvc5".to_owned()))
    }

    /// Starts this program as solver. It ends when the prover is dropped.
    ///
    /// # Errors
    /// [`ProveError::NoSolver`] where it does not start.
    pub fn with_program(program: &str) -> Result<Self, ProveError> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(ProveError::Runtime)?;
        let guard = runtime.enter();
        let mut command = Command::new(program);
        command.args(["--lang", "smt", "--quiet"]).kill_on_drop(true);
        command.arg(format!("--tlimit-per={QUESTION_MILLIS}")).arg(format!("--tlimit={PROCESS_MILLIS}"));
        let solver = LocalSolver::from_command(&mut command).map_err(|e| ProveError::NoSolver {
            program: program.to_owned(),
            source: match e {
                SolverError::Io(source) => source,
                other => std::io::Error::other(other.to_string()),
            },
        })?;
        let compiler = CedarSymCompiler::new(solver).map_err(|e| no_answer("none", e))?;
        drop(guard);
        Ok(Self { compiler, schema: schema()?, runtime })
    }

    /// Whether the rules never allow an act in a situation, written as `permit` rules.
    ///
    /// # Errors
    /// The solver gave no answer; see [`ProveError`].
    pub fn never(&mut self, rules: &PolicySet, situation: &PolicySet) -> Result<Verdict, ProveError> {
        self.for_each_act(|prover, env| {
            let rules = prover.compile(rules, env)?;
            let situation = prover.compile(situation, env)?;
            let question = prover.compiler.check_disjoint_with_counterexample_opt(&rules, &situation);
            answer(&prover.runtime, env, question)
        })
    }

    /// Whether whatever `rules` allow is allowed by `than`.
    ///
    /// # Errors
    /// The solver gave no answer; see [`ProveError`].
    pub fn no_looser(&mut self, rules: &PolicySet, than: &PolicySet) -> Result<Verdict, ProveError> {
        self.for_each_act(|prover, env| {
            let rules = prover.compile(rules, env)?;
            let than = prover.compile(than, env)?;
            let question = prover.compiler.check_implies_with_counterexample_opt(&rules, &than);
            answer(&prover.runtime, env, question)
        })
    }

    /// Whether no rule ever fails to evaluate: a `forbid` that fails would drop out of the decision.
    ///
    /// # Errors
    /// The solver gave no answer; see [`ProveError`].
    pub fn never_fails(&mut self, rules: &PolicySet) -> Result<Verdict, ProveError> {
        self.for_each_act(|prover, env| {
            for policy in rules.policies() {
                let compiled = CompiledPolicy::compile(policy, env, &prover.schema)
                    .map_err(|e| no_answer(&act(env), e))?;
                let question = prover.compiler.check_never_errors_with_counterexample_opt(&compiled);
                if let Some(found) = answer(&prover.runtime, env, question)? {
                    return Ok(Some(found));
                }
            }
            Ok(None)
        })
    }

    fn for_each_act(
        &mut self,
        mut ask: impl FnMut(&mut Self, &RequestEnv) -> Result<Option<Counterexample>, ProveError>,
    ) -> Result<Verdict, ProveError> {
        let acts: Vec<RequestEnv> = self.schema.request_envs().collect();
        for env in &acts {
            if let Some(found) = ask(self, env)? {
                return Ok(Verdict::Refuted(Box::new(found)));
            }
        }
        if acts.is_empty() {
            return Err(ProveError::Rules("the schema has no acts".to_owned()));
        }
        Ok(Verdict::Proved { acts: acts.len() })
    }

    fn compile(&self, rules: &PolicySet, env: &RequestEnv) -> Result<CompiledPolicySet, ProveError> {
        CompiledPolicySet::compile(rules, env, &self.schema).map_err(|e| no_answer(&act(env), e))
    }
}

/// Waits for an answer, within bounds.
fn answer(
    runtime: &Runtime,
    env: &RequestEnv,
    question: impl Future<Output = Answer<Option<Env>>>,
) -> Result<Option<Counterexample>, ProveError> {
    match runtime.block_on(async { tokio::time::timeout(PATIENCE, question).await }) {
        Ok(Ok(found)) => Ok(found.map(Counterexample::new)),
        Ok(Err(e)) => Err(no_answer(&act(env), e)),
        Err(_) => Err(ProveError::TooLong { act: act(env) }),
    }
}

fn act(env: &RequestEnv) -> String {
    env.action().id().unescaped().to_owned()
}

fn no_answer(act: &str, e: Error) -> ProveError {
    ProveError::NoAnswer { act: act.to_owned(), source: Box::new(e) }
}
