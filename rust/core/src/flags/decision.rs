//! The answer to "which implementation serves this call?", and its reason.

use std::sync::Arc;

use super::standing::Cause;

/// An implementation of a seam. The two that every feature has cost nothing to copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Implementation {
    /// The control.
    Python,
    /// The candidate.
    Rust,
    /// A further candidate.
    Other(Arc<str>),
}

impl Implementation {
    /// The name used in rule files.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Python => "python",
            Self::Rust => "rust",
            Self::Other(name) => name,
        }
    }
}

impl From<&str> for Implementation {
    fn from(name: &str) -> Self {
        match name {
            "python" => Self::Python,
            "rust" => Self::Rust,
            other => Self::Other(other.into()),
        }
    }
}

/// How far a feature has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Python answers; nothing is compared.
    Off,
    /// Python answers every call; calls are compared.
    Shadow,
    /// Rules decide; calls that Python answers are compared.
    Canary,
    /// Rules decide, and what they leave open goes to the candidate; nothing is compared.
    On,
    /// Stopped at run time by a difference or a guard; Python answers.
    Blocked,
    /// Stopped at run time by a person; Python answers.
    Paused,
}

impl Stage {
    /// Every stage, in the order of their discriminants.
    pub const ALL: [Self; 6] = [Self::Off, Self::Shadow, Self::Canary, Self::On, Self::Blocked, Self::Paused];

    /// The name used in rule files and in status.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Shadow => "shadow",
            Self::Canary => "canary",
            Self::On => "on",
            Self::Blocked => "blocked",
            Self::Paused => "paused",
        }
    }

    fn pinned(self) -> &'static str {
        match self {
            Self::Off => "pinned:off",
            Self::Shadow => "pinned:shadow",
            Self::Canary => "pinned:canary",
            Self::On => "pinned:on",
            Self::Blocked => "blocked",
            Self::Paused => "paused",
        }
    }
}

/// Why, in `OpenFeature`'s words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The answer does not depend on the call.
    Static,
    /// A rule's condition holds.
    TargetingMatch,
    /// The unit's bucket decided.
    Split,
    /// Switched off, by the file, the environment or a block.
    Disabled,
    /// Nothing more specific applied.
    Default,
    /// The rules are the last good ones: a newer file could not be used.
    Stale,
    /// The flag is not declared.
    Error,
}

impl Reason {
    /// Every reason, in the order of their discriminants.
    pub const ALL: [Self; 7] =
        [Self::Static, Self::TargetingMatch, Self::Split, Self::Disabled, Self::Default, Self::Stale, Self::Error];

    /// `OpenFeature`'s spelling.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Static => "STATIC",
            Self::TargetingMatch => "TARGETING_MATCH",
            Self::Split => "SPLIT",
            Self::Disabled => "DISABLED",
            Self::Default => "DEFAULT",
            Self::Stale => "STALE",
            Self::Error => "ERROR",
        }
    }

    fn lower_case(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::TargetingMatch => "targeting_match",
            Self::Split => "split",
            Self::Disabled => "disabled",
            Self::Default => "default",
            Self::Stale => "stale",
            Self::Error => "error",
        }
    }
}

/// The reason made precise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detail {
    /// Nothing to add.
    None,
    /// `enabled: false`, or the kill switch of all flags.
    Killed,
    /// The environment decided.
    EnvOverride,
    /// A guard stopped the feature, and said why.
    Blocked(Arc<str>),
    /// A person or a guard stopped the candidate at run time.
    Stopped(Cause),
    /// Nothing has been heard for too long from where the candidate may be taken back.
    LeaseEnded,
    /// The step of the flag's plan decided.
    Step(Arc<str>),
    /// Another flag does not serve what this one requires of it.
    Prerequisite(Arc<str>),
    /// The unit's bucket in the layer is not among the flag's.
    LayerExcluded,
    /// A percentage applies, but the call has no unit.
    MissingUnit,
    /// There are rules and none matched.
    NoRule,
    /// The stage written in the file decided.
    Pinned(Stage),
    /// The flag is not declared.
    FlagNotFound,
    /// The rules are stale; this is the reason they would have given.
    Instead(Reason),
}

impl Detail {
    /// The word shown to people; empty for [`Detail::None`].
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::None => "",
            Self::Killed => "killed",
            Self::EnvOverride => "env_override",
            Self::Blocked(detail) | Self::Step(detail) | Self::Prerequisite(detail) => detail,
            Self::Stopped(cause) => cause.name(),
            Self::LeaseEnded => "lease_ended",
            Self::LayerExcluded => "layer_excluded",
            Self::MissingUnit => "missing_unit",
            Self::NoRule => "no_rule",
            Self::Pinned(stage) => stage.pinned(),
            Self::FlagNotFound => "FLAG_NOT_FOUND",
            Self::Instead(reason) => reason.lower_case(),
        }
    }
}

/// As much of a decision as routing a call takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// Who answers the caller.
    pub serve: Implementation,
    /// The flag is at a stage at which candidates may answer.
    pub is_live: bool,
    /// How many of a million such calls are compared.
    pub shadow_share: u32,
}

impl Outline {
    /// Whether Python answers.
    #[must_use]
    pub fn serves_control(&self) -> bool {
        matches!(self.serve, Implementation::Python)
    }
}

/// One decision. Making and cloning it allocates nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The flag's stage.
    pub stage: Stage,
    /// Who answers the caller.
    pub serve: Implementation,
    /// Whether the call belongs to those that are compared, before sampling.
    pub shadow: bool,
    /// Of such calls, how many of a million are compared.
    pub shadow_share: u32,
    /// Why.
    pub reason: Reason,
    /// Why, more precisely.
    pub detail: Detail,
    /// The matching rule's position in its flag.
    pub rule: Option<usize>,
    /// The unit's bucket, when a percentage was drawn.
    pub bucket: Option<u32>,
    /// What the bucket was compared with: below it, `serve` is a candidate.
    pub threshold: Option<u32>,
}

impl Decision {
    /// The answer for a flag nobody declared.
    pub const NOT_FOUND: Self = Self {
        stage: Stage::Off,
        serve: Implementation::Python,
        shadow: false,
        shadow_share: 0,
        reason: Reason::Error,
        detail: Detail::FlagNotFound,
        rule: None,
        bucket: None,
        threshold: None,
    };

    /// Whether the rules gave this answer; a stop at run time is not theirs, and so never stale.
    #[must_use]
    pub fn from_rules(&self) -> bool {
        !matches!(self.detail, Detail::Stopped(_))
    }

    /// The same answer from rules that a newer file failed to replace.
    #[must_use]
    pub fn stale(self) -> Self {
        Self { detail: Detail::Instead(self.reason), reason: Reason::Stale, ..self }
    }
}
