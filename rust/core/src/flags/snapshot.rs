//! Rules compiled into one immutable snapshot.

use super::bucket::NameMap;
use super::call::{Call, Path};
use super::compile::{CompileError, Compiler};
use super::decision::{Decision, Detail, Implementation, Outline};
use super::document::{Document, Process};
use super::evaluation::{CONTROL, Evaluation};
use super::flag::{Action, Flag};
use super::standing::Standing;

/// Compiled rules. Never changed; replaced as a whole.
#[derive(Debug)]
pub struct Snapshot {
    /// Names the rules; decisions carry it.
    pub revision: Box<str>,
    /// A newer file exists and could not be used.
    pub stale: bool,
    /// Every attribute name the rules look at, in the order of their [`Path::index`].
    pub paths: Box<[Path]>,
    /// The flags, in the order of their names.
    pub flags: Box<[Flag]>,
    names: NameMap<usize>,
}

impl Snapshot {
    /// Compiles a document, with what the process adds to it.
    ///
    /// # Errors
    ///
    /// The document names a segment, a flag or a layer that does not exist, nests segments or requirements without end, or
    /// holds an invalid pattern, range or network. The reader of rule files refuses all of these.
    pub fn compile(document: &Document, process: &Process) -> Result<Self, CompileError> {
        let mut compiler = Compiler::new(document, process);
        let flags = compiler.flags()?.into_boxed_slice();
        let names = flags.iter().enumerate().map(|(index, flag)| (flag.name.clone(), index)).collect();
        let paths = compiler.paths.into_boxed_slice();
        Ok(Self { revision: document.revision.as_str().into(), stale: process.stale, paths, flags, names })
    }

    /// The flag's position in [`Snapshot::flags`].
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.names.get(name).copied()
    }

    /// Whether the step of its plan decides what a flag serves where no rule does.
    #[must_use]
    pub fn follows_plan(&self, name: &str) -> bool {
        self.position(name).is_some_and(|position| matches!(self.flags[position].detail, Detail::Step(_)))
    }

    /// Decides one call for the flag at a position; an absent flag is answered, too.
    pub fn decide<C: Call>(&self, position: Option<usize>, call: &C) -> Decision {
        let Some(position) = position.filter(|position| *position < self.flags.len()) else {
            return Decision::NOT_FOUND;
        };
        let decision = Evaluation::new(&self.flags, call).decide(position);
        if self.stale && self.flags[position].from_file && decision.from_rules() { decision.stale() } else { decision }
    }

    /// As much of the decision as routing the call takes.
    #[inline(always)]
    pub fn outline<C: Call>(&self, position: Option<usize>, call: &C) -> Outline {
        match position.filter(|position| *position < self.flags.len()) {
            Some(position) => Evaluation::new(&self.flags, call).outline(position),
            None => Outline { serve: Implementation::Python, is_live: false, shadow_share: 0 },
        }
    }

    /// Who serves every call, whatever is in it, while the flag runs; `None` when that hangs on the call, or the flag is stopped.
    /// Its standing is asked for only where nothing else is left to ask.
    #[must_use]
    #[inline(always)]
    pub fn settled(&self, position: usize, standing: impl FnOnce() -> Standing) -> Option<&Implementation> {
        let flag = self.flags.get(position)?;
        match &flag.otherwise {
            Action::Serve(serve) if !flag.ruled && standing() == Standing::Running => Some(serve),
            _ => None,
        }
    }

    /// How many of a million calls are compared, while Python answers every call, whatever is in it; else `None`, as of `settled`.
    #[must_use]
    #[inline(always)]
    pub fn settled_share(&self, position: usize, standing: impl FnOnce() -> Standing) -> Option<u32> {
        match self.settled(position, standing)? {
            Implementation::Python => self.flags.get(position).map(|flag| flag.compared_share(flag.stage)),
            _ => None,
        }
    }

    /// Who serves the call, which is all that most callers want to know of the decision.
    #[inline(always)]
    pub fn serve<C: Call>(&self, position: Option<usize>, call: &C) -> &Implementation {
        match position.filter(|position| *position < self.flags.len()) {
            Some(position) => Evaluation::new(&self.flags, call).choose(position).serve,
            None => &CONTROL,
        }
    }
}
