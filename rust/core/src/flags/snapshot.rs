//! A document compiled into one immutable snapshot.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use regex::RegexBuilder;

use super::bucket::{BUCKETS, NameMap, Salt};
use super::call::{Call, Path};
use super::condition::{Comparison, Condition, Test};
use super::decision::{Decision, Detail, Implementation, Reason, Stage};
use super::document::{self, Document, Override, Process};
use super::flag::{Action, CONTROL, Flag, Rule, UnitSource};

// A pattern that would need more memory than this is refused when the rules are read.
const PATTERN_BYTES: usize = 1 << 20;
const SEGMENT_DEPTH: usize = 64;

/// A document that cannot be compiled. A validated one always can.
#[derive(Debug, PartialEq, Eq)]
pub struct CompileError(String);

impl fmt::Display for CompileError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for CompileError {}

/// Compiled rules. Never changed; replaced as a whole.
#[derive(Debug)]
pub struct Snapshot {
    /// Names the rules; decisions carry it.
    pub revision: Box<str>,
    /// A newer file exists and could not be used.
    pub stale: bool,
    /// Every attribute name the rules look at, in the order of their [`Path::index`].
    pub paths: Vec<Path>,
    /// The flags, in the order of their names.
    pub flags: Vec<Flag>,
    names: NameMap<usize>,
}

impl Snapshot {
    /// Reads and compiles a document.
    ///
    /// # Errors
    ///
    /// The text is not a document, names an unknown segment, nests segments without end or holds an invalid pattern.
    pub fn from_json(document: &str, process: &str) -> Result<Self, CompileError> {
        let refused = |error| CompileError(format!("not a rule document: {error}"));
        let document: Document = serde_json::from_str(document).map_err(refused)?;
        Self::compile(&document, &serde_json::from_str(process).map_err(refused)?)
    }

    /// Compiles a document.
    ///
    /// # Errors
    ///
    /// The document names an unknown segment, nests segments without end or holds an invalid pattern.
    pub fn compile(document: &Document, process: &Process) -> Result<Self, CompileError> {
        let mut compiler =
            Compiler { document, process, segments: BTreeMap::new(), paths: Vec::new(), positions: BTreeMap::new() };
        let undeclared = document::Flag::default();
        let forced = process.forced.keys().map(|name| (name, &undeclared));
        let sources: BTreeMap<_, _> = forced.chain(&document.flags).collect();
        let flags = sources.into_iter().map(|(name, flag)| compiler.flag(name, flag)).collect::<Result<Vec<_>, _>>()?;
        let names = flags.iter().enumerate().map(|(index, flag)| (flag.name.clone(), index)).collect();
        let paths = compiler.paths;
        Ok(Self { revision: document.revision.as_str().into(), stale: process.stale, paths, flags, names })
    }

    /// The flag's position in [`Snapshot::flags`].
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.names.get(name).copied()
    }

    /// Decides one call for the flag at a position; an absent flag is answered, too.
    pub fn decide<C: Call>(&self, position: Option<usize>, call: &C) -> Decision {
        let Some(flag) = self.flag(position) else {
            return Decision::NOT_FOUND;
        };
        let decision = flag.decide(call);
        if self.stale && flag.from_file { decision.stale() } else { decision }
    }

    /// Who answers the call, which is all that most callers want to know of the decision.
    pub fn serve<C: Call>(&self, position: Option<usize>, call: &C) -> &Implementation {
        self.flag(position).map_or(&CONTROL, |flag| flag.choose(call).serve)
    }

    fn flag(&self, position: Option<usize>) -> Option<&Flag> {
        self.flags.get(position?)
    }
}

/// Compiles a regular expression the way rules do.
///
/// # Errors
///
/// The pattern is invalid or too large; the text says what is wrong with it.
pub fn pattern(text: &str) -> Result<regex::Regex, CompileError> {
    RegexBuilder::new(text).size_limit(PATTERN_BYTES).build().map_err(|error| CompileError(error.to_string()))
}

struct Compiler<'a> {
    document: &'a Document,
    process: &'a Process,
    segments: BTreeMap<&'a str, Arc<Condition>>,
    paths: Vec<Path>,
    positions: BTreeMap<&'a str, usize>,
}

impl<'a> Compiler<'a> {
    fn flag(&mut self, name: &'a str, source: &'a document::Flag) -> Result<Flag, CompileError> {
        let rules = source.rules.iter().map(|rule| self.rule(rule)).collect::<Result<Box<[_]>, _>>()?;
        let course = Course::of(self.process, name, source, &rules);
        Ok(Flag {
            name: name.into(),
            line: source.line,
            stage: course.stage,
            salt: Salt::new(source.salt.as_deref().unwrap_or(name)),
            unit: match &source.unit {
                Some(attribute) => UnitSource::Attribute(self.path(attribute)),
                None => UnitSource::Explicit(self.path(&self.document.unit)),
            },
            rules,
            ruled: course.ruled,
            otherwise: course.otherwise,
            reason: course.reason,
            detail: course.detail,
            shadow_share: shadow_share(source, self.process.forced.get(name)),
            from_file: course.from_file,
        })
    }

    fn rule(&mut self, source: &'a document::Rule) -> Result<Rule, CompileError> {
        Ok(Rule {
            name: source.name.as_str().into(),
            line: source.line,
            when: self.condition(&source.when, 0)?,
            then: action(&source.then),
        })
    }

    fn condition(&mut self, source: &'a document::Condition, depth: usize) -> Result<Condition, CompileError> {
        Ok(match source {
            document::Condition::All(parts) => Condition::All(self.conditions(parts, depth)?),
            document::Condition::Any(parts) => Condition::Any(self.conditions(parts, depth)?),
            document::Condition::Not(part) => Condition::Not(Box::new(self.condition(part, depth)?)),
            document::Condition::Segment(name) => Condition::Segment(name.as_str().into(), self.segment(name, depth)?),
            document::Condition::Attr(path, test) => Condition::Attribute(self.path(path), compiled(test)?),
        })
    }

    fn conditions(&mut self, parts: &'a [document::Condition], depth: usize) -> Result<Box<[Condition]>, CompileError> {
        parts.iter().map(|part| self.condition(part, depth)).collect()
    }

    fn segment(&mut self, name: &'a str, depth: usize) -> Result<Arc<Condition>, CompileError> {
        if let Some(known) = self.segments.get(name) {
            return Ok(known.clone());
        }
        if depth == SEGMENT_DEPTH {
            return Err(CompileError(format!(
                "segments nest deeper than {SEGMENT_DEPTH}, or in a circle, at {name:?}"
            )));
        }
        let source = self.document.segments.get(name).ok_or_else(|| CompileError(format!("no segment {name:?}")))?;
        let compiled = Arc::new(self.condition(source, depth + 1)?);
        self.segments.insert(name, compiled.clone());
        Ok(compiled)
    }

    fn path(&mut self, text: &'a str) -> Path {
        let next = self.paths.len();
        let index = *self.positions.entry(text).or_insert(next);
        if index == next {
            self.paths.push(Path { index, text: text.into() });
        }
        self.paths[index].clone()
    }
}

/// What a flag does once everything that can overrule its rules has been heard, strongest first: the kill switch of all
/// flags, a block, the environment, the flag's own kill switch, a pinned stage.
struct Course {
    stage: Stage,
    ruled: bool,
    otherwise: Action,
    reason: Reason,
    detail: Detail,
    from_file: bool,
}

impl Course {
    fn of(process: &Process, name: &str, flag: &document::Flag, rules: &[Rule]) -> Self {
        if process.disabled {
            return Self::stopped(Stage::Off, Detail::Killed, false);
        }
        if let Some(detail) = process.blocked.get(name) {
            return Self::stopped(Stage::Blocked, Detail::Blocked(detail.as_str().into()), false);
        }
        if let Some(word) = process.forced.get(name) {
            return Self::forced(*word);
        }
        if flag.killed {
            return Self::stopped(Stage::Off, Detail::Killed, true);
        }
        match flag.stage {
            Some(stage @ (Stage::Off | Stage::Shadow | Stage::Blocked)) => Self::pinned(stage),
            pin => Self::by_rules(pin, flag, rules),
        }
    }

    fn constant(stage: Stage, reason: Reason, detail: Detail, from_file: bool) -> Self {
        Self { stage, ruled: false, otherwise: Action::Serve(Implementation::Python), reason, detail, from_file }
    }

    fn stopped(stage: Stage, detail: Detail, from_file: bool) -> Self {
        Self::constant(stage, Reason::Disabled, detail, from_file)
    }

    fn pinned(stage: Stage) -> Self {
        Self::constant(stage, Reason::Static, Detail::Pinned(stage), true)
    }

    fn forced(word: Override) -> Self {
        let (stage, reason, otherwise) = match word {
            Override::Python => (Stage::Off, Reason::Disabled, Action::percent(0)),
            Override::Shadow => (Stage::Shadow, Reason::Static, Action::percent(0)),
            Override::Rust | Override::Percent(BUCKETS..) => (Stage::On, Reason::Static, Action::percent(BUCKETS)),
            Override::Percent(millionths) => (Stage::Canary, Reason::Static, Action::percent(millionths)),
        };
        Self { otherwise, ..Self::constant(stage, reason, Detail::EnvOverride, false) }
    }

    fn by_rules(pin: Option<Stage>, flag: &document::Flag, rules: &[Rule]) -> Self {
        let open_end = if pin == Some(Stage::On) { Implementation::Rust } else { Implementation::Python };
        let otherwise = flag.otherwise.as_ref().map_or(Action::Serve(open_end), action);
        let stage = pin.unwrap_or_else(|| derived(flag, rules, &otherwise));
        let (reason, detail) = match (rules, pin, &flag.otherwise) {
            ([_, ..], ..) => (Reason::Default, Detail::NoRule),
            ([], Some(stage), None) => (Reason::Static, Detail::Pinned(stage)),
            _ => (Reason::Static, Detail::None),
        };
        Self { stage, ruled: true, otherwise, reason, detail, from_file: true }
    }
}

/// Whoever demands shadowing from the environment means all of it, unless the file asks for a part.
fn shadow_share(flag: &document::Flag, forced: Option<&Override>) -> u32 {
    match (flag.shadow, forced) {
        (None, _) | (Some(0), Some(Override::Shadow)) => BUCKETS,
        (Some(share), _) => share,
    }
}

/// The stage of a flag that names none: how far its outcomes reach.
fn derived(flag: &document::Flag, rules: &[Rule], otherwise: &Action) -> Stage {
    let mut outcomes = rules.iter().map(|rule| &rule.then).chain([otherwise]);
    if outcomes.clone().all(Action::only_candidates) {
        Stage::On
    } else if outcomes.any(Action::some_candidate) {
        Stage::Canary
    } else if flag.shadow.is_some_and(|share| share > 0) {
        Stage::Shadow
    } else {
        Stage::Off
    }
}

fn action(source: &document::Action) -> Action {
    match source {
        document::Action::Serve(name) => Action::Serve(name.as_str().into()),
        document::Action::Split(parts) => {
            let parts: Vec<_> = parts.iter().map(|(name, millionths)| (name.as_str().into(), *millionths)).collect();
            Action::split(&parts)
        }
        document::Action::Ramp(ramp) => Action::percent(ramp.steps.last().map_or(0, |step| step.1)),
    }
}

fn compiled(source: &document::Test) -> Result<Test, CompileError> {
    Ok(match source.clone() {
        document::Test::Equals(value) => Test::Equals(value),
        document::Test::In(choices) => Test::In(choices.into()),
        document::Test::Contains(part) => Test::Contains(part),
        document::Test::StartsWith(prefix) => Test::StartsWith(prefix.into()),
        document::Test::EndsWith(suffix) => Test::EndsWith(suffix.into()),
        document::Test::Matches(text) => Test::Matches(Box::new(pattern(&text)?)),
        document::Test::Gt(bound) => Test::Compare(Comparison::Gt, bound),
        document::Test::Gte(bound) => Test::Compare(Comparison::Gte, bound),
        document::Test::Lt(bound) => Test::Compare(Comparison::Lt, bound),
        document::Test::Lte(bound) => Test::Compare(Comparison::Lte, bound),
        document::Test::Exists(wanted) => Test::Exists(wanted),
        other => return Err(CompileError(format!("not evaluated: {other:?}"))),
    })
}
