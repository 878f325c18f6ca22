//! A document compiled into a snapshot.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use regex::RegexBuilder;

use super::bucket::Salt;
use super::call::Path;
use super::condition::{Choices, Comparison, Condition, Test};
use super::course::Course;
use super::decision::{Detail, Implementation};
use super::document::{self, Document, Hash, Process};
use super::flag::{Action, Flag, Hashed, Ramp, Requirement, Rule, Slot, UnitSource};
use super::hash::{self, Draw, Hasher};
use super::version;

/// How many bits come before an IPv4 address that is written as IPv6.
const MAPPED_BITS: u8 = 96;
// A pattern that would need more memory than this is refused when the rules are read.
const PATTERN_BYTES: usize = 1 << 20;
const SEGMENT_DEPTH: usize = 64;

/// How many flags may lead from one to the next by what they require.
pub const REQUIREMENT_DEPTH: usize = 64;

/// A document that cannot be compiled. A validated one always can.
#[derive(Debug, PartialEq, Eq)]
pub struct CompileError(pub(super) String);

impl fmt::Display for CompileError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for CompileError {}

/// Compiles a regular expression the way rules do.
///
/// # Errors
///
/// The pattern is invalid or too large; the text says what is wrong with it.
pub fn pattern(text: &str) -> Result<regex::Regex, CompileError> {
    RegexBuilder::new(text).size_limit(PATTERN_BYTES).build().map_err(|error| CompileError(error.to_string()))
}

pub(super) struct Compiler<'a> {
    document: &'a Document,
    process: &'a Process,
    segments: BTreeMap<&'a str, Arc<Condition>>,
    positions: BTreeMap<&'a str, usize>,
    /// Every attribute name the rules look at, in the order of their [`Path::index`].
    pub(super) paths: Vec<Path>,
    path_positions: BTreeMap<&'a str, usize>,
}

impl<'a> Compiler<'a> {
    pub(super) fn new(document: &'a Document, process: &'a Process) -> Self {
        Self {
            document,
            process,
            segments: BTreeMap::new(),
            positions: BTreeMap::new(),
            paths: Vec::new(),
            path_positions: BTreeMap::new(),
        }
    }

    /// Compiles every flag that is declared, or that the environment names.
    pub(super) fn flags(&mut self) -> Result<Vec<Flag>, CompileError> {
        let undeclared = document::Flag::default();
        let forced = self.process.forced.keys().map(|name| (name.as_str(), None));
        let declared = self.document.flags.iter().map(|(name, flag)| (name.as_str(), Some(flag)));
        let sources: BTreeMap<&'a str, Option<&'a document::Flag>> = forced.chain(declared).collect();
        self.positions = sources.keys().enumerate().map(|(position, name)| (*name, position)).collect();
        let mut flags = Vec::with_capacity(sources.len());
        for (name, source) in sources {
            flags.push(match source {
                Some(source) => self.flag(name, source)?,
                None => self.undeclared(name, &undeclared),
            });
        }
        check_requirements(&flags)?;
        Ok(flags)
    }

    fn undeclared(&mut self, name: &str, nothing: &document::Flag) -> Flag {
        let unit = UnitSource::Explicit(self.path(&self.document.unit));
        let course = Course::of(self.process, name, nothing, &[], None);
        assembled(name, nothing, Hashed { salt: Salt::new(name), hasher: None, unit }, course)
    }

    fn flag(&mut self, name: &'a str, source: &'a document::Flag) -> Result<Flag, CompileError> {
        let unit = self.unit(source.unit.as_deref());
        let hashed = hashed(source.hash, source.salt.as_deref().unwrap_or(name), unit);
        let rules = exactly(source.rules.iter().map(|rule| self.rule(rule, source.hash, &hashed)))?;
        let otherwise = source.otherwise.as_ref().map(|action| self.action(action, source.hash, &hashed));
        let course = Course::of(self.process, name, source, &rules, otherwise);
        let requires = exactly(source.requires.iter().map(|required| self.requirement(required)))?;
        let slot = source.layer.as_deref().map(|layer| self.slot(name, layer)).transpose()?;
        let flag = assembled(name, source, hashed, course);
        Ok(Flag { requires, slot, rules, ..flag })
    }

    fn requirement(&self, source: &document::Requirement) -> Result<Requirement, CompileError> {
        let flag = self.positions.get(source.flag.as_str());
        let flag = *flag.ok_or_else(|| CompileError(format!("no flag {:?} to require", source.flag)))?;
        let detail = Detail::Prerequisite(format!("prerequisite:{}", source.flag).into());
        Ok(Requirement { flag, serves: source.serves.as_str().into(), detail })
    }

    fn slot(&mut self, flag: &str, layer: &str) -> Result<Box<Slot>, CompileError> {
        let missing = || CompileError(format!("no slot for {flag:?} in a layer {layer:?}"));
        let source = self.document.layers.get(layer).ok_or_else(missing)?;
        let (begin, end) = *source.slots.get(flag).ok_or_else(missing)?;
        let hashed = hashed(Hash::Xxh3, &source.salt, self.unit(source.unit.as_deref()));
        Ok(Box::new(Slot { layer: layer.into(), hashed, begin, end }))
    }

    fn rule(&mut self, source: &'a document::Rule, hash: Hash, hashed: &Hashed) -> Result<Rule, CompileError> {
        Ok(Rule {
            name: source.name.as_str().into(),
            line: source.line,
            when: self.condition(&source.when, 0)?,
            then: self.action(&source.then, hash, hashed),
        })
    }

    fn action(&mut self, source: &'a document::Action, hash: Hash, flag: &Hashed) -> Action {
        match source {
            document::Action::Serve(name) => Action::Serve(name.as_str().into()),
            document::Action::Split(parts) => {
                let parts: Vec<_> =
                    parts.iter().map(|(name, millionths)| (name.as_str().into(), *millionths)).collect();
                split(hash, flag.salt.text(), &parts)
            }
            document::Action::Ramp(ramp) => {
                let salt = ramp.salt.as_deref().unwrap_or(flag.salt.text());
                let unit = ramp.unit.as_deref().map_or_else(|| flag.unit.clone(), |unit| self.unit(Some(unit)));
                let (serve, steps) = (ramp.serve.as_str().into(), ramp.steps.as_slice().into());
                Action::Ramp(Box::new(Ramp { serve, hashed: hashed(hash, salt, unit), steps }))
            }
        }
    }

    fn unit(&mut self, attribute: Option<&'a str>) -> UnitSource {
        match attribute {
            Some(attribute) => UnitSource::Attribute(self.path(attribute)),
            None => UnitSource::Explicit(self.path(&self.document.unit)),
        }
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
        exactly(parts.iter().map(|part| self.condition(part, depth)))
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
        let index = *self.path_positions.entry(text).or_insert(next);
        if index == next {
            self.paths.push(Path { index, text: text.into() });
        }
        self.paths[index].clone()
    }
}

/// Collects into memory of exactly the size that is needed: what collecting grows and gives back would stay as holes amid
/// thousands of flags.
fn exactly<T>(parts: impl ExactSizeIterator<Item = Result<T, CompileError>>) -> Result<Box<[T]>, CompileError> {
    let mut collected = Vec::with_capacity(parts.len());
    for part in parts {
        collected.push(part?);
    }
    Ok(collected.into_boxed_slice())
}

fn hashed(hash: Hash, salt: &str, unit: UnitSource) -> Hashed {
    let hasher = (hash != Hash::Xxh3).then(|| Box::new(Hasher::new(hash, salt, Draw::Rollout)));
    Hashed { salt: Salt::new(salt), hasher, unit }
}

/// A split; by a hash of its own where the engine whose hash it is has one for variants.
fn split(hash: Hash, salt: &str, parts: &[(Implementation, u32)]) -> Action {
    match (Action::split(hash, parts), hash, hash::draw(parts)) {
        (Action::Split(shares), Hash::Unleash, draw @ Draw::Variants) => {
            Action::Variants(Box::new(Hasher::new(hash, salt, draw)), shares)
        }
        (action, ..) => action,
    }
}

/// A flag without what only declared ones have.
fn assembled(name: &str, source: &document::Flag, hashed: Hashed, course: Course) -> Flag {
    Flag {
        name: name.into(),
        line: source.line,
        stage: course.stage,
        hashed,
        requires: Box::default(),
        slot: None,
        rules: Box::default(),
        ruled: course.ruled,
        otherwise: course.otherwise,
        otherwise_line: source.otherwise_line,
        reason: course.reason,
        detail: course.detail,
        shadow_share: course.shadow_share,
        from_file: course.from_file,
        guard: source.guard.map(Box::new),
    }
}

/// Refuses requirements that lead in a circle, or further than an evaluation follows them.
fn check_requirements(flags: &[Flag]) -> Result<(), CompileError> {
    let mut depths = vec![None; flags.len()];
    for position in 0..flags.len() {
        requirement_depth(flags, position, 0, &mut depths)?;
    }
    Ok(())
}

fn requirement_depth(
    flags: &[Flag],
    position: usize,
    above: usize,
    depths: &mut [Option<usize>],
) -> Result<usize, CompileError> {
    if let Some(depth) = depths[position]
        && above + depth <= REQUIREMENT_DEPTH
    {
        return Ok(depth);
    }
    if above > REQUIREMENT_DEPTH {
        let name = &flags[position].name;
        return Err(CompileError(format!("requirements in a circle, or deeper than {REQUIREMENT_DEPTH}, at {name:?}")));
    }
    let mut depth = 0;
    for required in &flags[position].requires {
        depth = depth.max(1 + requirement_depth(flags, required.flag, above + 1, depths)?);
    }
    depths[position] = Some(depth);
    Ok(depth)
}

fn compiled(test: &document::Test) -> Result<Test, CompileError> {
    Ok(match test.clone() {
        document::Test::Equals(value) => Test::Equals(value),
        document::Test::In(choices) => Test::In(Choices::new(choices)),
        document::Test::Contains(part) => Test::Contains(part),
        document::Test::StartsWith(prefix) => Test::StartsWith(prefix.into()),
        document::Test::EndsWith(suffix) => Test::EndsWith(suffix.into()),
        document::Test::Matches(written) => Test::Matches(Box::new(pattern(&written)?)),
        document::Test::Gt(bound) => Test::Compare(Comparison::Gt, bound),
        document::Test::Gte(bound) => Test::Compare(Comparison::Gte, bound),
        document::Test::Lt(bound) => Test::Compare(Comparison::Lt, bound),
        document::Test::Lte(bound) => Test::Compare(Comparison::Lte, bound),
        document::Test::Exists(wanted) => Test::Exists(wanted),
        document::Test::Semver(written) => Test::Semver(range(&written)?),
        document::Test::Before(bound) => Test::Before(bound),
        document::Test::After(bound) => Test::After(bound),
        document::Test::Cidr(networks) => {
            Test::Cidr(networks.iter().map(|text| network(text)).collect::<Result<_, _>>()?)
        }
    })
}

fn range(text: &str) -> Result<version::Range, CompileError> {
    version::Range::parse(text).ok_or_else(|| CompileError(format!("no version range: {text:?}")))
}

fn network(text: &str) -> Result<IpNet, CompileError> {
    text.parse().map(canonical).map_err(|error| CompileError(format!("no network: {text:?} ({error})")))
}

/// A network of IPv4 addresses that are written as IPv6 is one of IPv4, as the addresses are.
fn canonical(network: IpNet) -> IpNet {
    let shorter = network.prefix_len().checked_sub(MAPPED_BITS);
    match (network.addr(), shorter) {
        (IpAddr::V6(address), Some(bits)) if address.to_ipv4_mapped().is_some() => {
            IpNet::new(IpAddr::V6(address).to_canonical(), bits).unwrap_or(network)
        }
        _ => network,
    }
}
