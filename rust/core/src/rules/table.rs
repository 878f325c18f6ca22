//! What a mapping of a rule file may hold: one table per mapping, from which keys are checked, problems are worded and the
//! JSON schema is generated.

/// A mapping's keys.
#[derive(Debug)]
pub struct Table {
    /// In the order in which people are told of them.
    pub fields: &'static [Field],
    /// Those that must be there.
    pub required: &'static [&'static str],
    /// Those of which there must be exactly one; empty when there is no such choice.
    pub one_of: &'static [&'static str],
}

/// One key.
#[derive(Debug)]
pub struct Field {
    /// As it is written.
    pub name: &'static str,
    /// What it means, in one sentence.
    pub about: &'static str,
    /// What its value looks like.
    pub shape: Shape,
}

/// What a value looks like.
#[derive(Debug)]
pub enum Shape {
    /// A text that is not empty.
    Text,
    /// A text, a number, `true` or `false`.
    Scalar,
    /// A number.
    Number,
    /// A whole number from here on.
    Count(u32),
    /// A number from here on.
    From(f64),
    /// `true` or `false`.
    Boolean,
    /// Nothing but this.
    True,
    /// Nothing but the number 1.
    One,
    /// 0 to 100, with at most four decimals, with or without the sign.
    Percent,
    /// A whole number with a unit of time.
    Duration,
    /// A whole number with a unit of memory.
    Memory,
    /// A step of a plan: shadow, a percentage with its sign, or on.
    Share,
    /// A day.
    Date,
    /// A moment.
    Time,
    /// The name of an attribute, dotted when it is nested.
    Attribute,
    /// A name of lower-case letters, digits and _.
    Name,
    /// A range of buckets.
    Slot,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of at least one.
    List(&'static Shape),
    /// Names to values.
    Named(&'static Shape),
    /// A mapping of its own.
    Mapping(&'static Table),
    /// What a rule asks of a call.
    Condition,
    /// One of several shapes.
    Either(&'static [Shape]),
}

impl Table {
    /// Its keys.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().map(|field| field.name)
    }

    /// Its keys as people are told of them.
    #[must_use]
    pub fn listed(&self) -> String {
        self.names().collect::<Vec<_>>().join(", ")
    }
}

const fn field(name: &'static str, shape: Shape, about: &'static str) -> Field {
    Field { name, about, shape }
}

/// How a unit becomes a bucket.
pub const HASHES: &[&str] = &["xxh3", "unleash", "growthbook2", "flagd2"];
/// The stages that can be pinned.
pub const STAGES: &[&str] = &["off", "shadow", "canary", "on"];
/// Where a candidate runs when its calls are compared.
pub const MODES: &[&str] = &["off_path", "inline", "isolated"];
/// Who takes the next step of a plan.
pub const ADVANCES: &[&str] = &["manual", "auto"];
/// How far a stop reaches.
pub const SCOPES: &[&str] = &["process", "host", "fleet"];

/// The whole file.
pub static FILE: Table = Table {
    fields: &[
        field("version", Shape::One, "The format of this file. There is only 1."),
        field("defaults", Shape::Mapping(&DEFAULTS), "What holds for every flag that does not say otherwise."),
        field("segments", Shape::Named(&Shape::Condition), "Conditions that rules can name."),
        field(
            "layers",
            Shape::Named(&Shape::Mapping(&LAYER)),
            "Flags of one layer never serve candidates to the same unit.",
        ),
        field("flags", Shape::Named(&Shape::Mapping(&FLAG)), "The flags by name."),
    ],
    required: &["version", "flags"],
    one_of: &[],
};

/// `defaults`.
pub static DEFAULTS: Table = Table {
    fields: &[
        field("unit", Shape::Attribute, "The attribute that is hashed when the call names no unit; call_id if absent."),
        field(
            "hash",
            Shape::Word(HASHES),
            "How a unit becomes a bucket; xxh3 if absent, the others are those of other engines.",
        ),
        field(
            "python_on_missing_unit",
            Shape::True,
            "A call without a unit is answered by Python. It cannot be changed.",
        ),
    ],
    required: &[],
    one_of: &[],
};

/// One layer.
pub static LAYER: Table = Table {
    fields: &[
        field("salt", Shape::Text, "Hashed with the unit; the layer's name if absent."),
        field("unit", Shape::Attribute, "The attribute that is hashed instead of the unit the call carries."),
        field(
            "slots",
            Shape::Named(&Shape::Slot),
            "Each flag's buckets, such as 0-499999, or as percentages, such as 0%-50%.",
        ),
    ],
    required: &["slots"],
    one_of: &[],
};

/// One flag.
pub static FLAG: Table = Table {
    fields: &[
        field("enabled", Shape::Boolean, "false is the kill switch: Python answers, and nothing is compared."),
        field("stage", Shape::Word(STAGES), "A pin. Without it the stage follows from what the rules serve."),
        field("owner", Shape::Text, "Who to ask. For people and for lint."),
        field(
            "expires",
            Shape::Date,
            "When the flag should be gone. For people and for lint; decisions do not depend on it.",
        ),
        field(
            "candidate",
            Shape::Name,
            "The implementation that is compared and promoted: rust if absent, or another one of the seam.",
        ),
        field(
            "salt",
            Shape::Text,
            "Hashed with the unit; the flag's name if absent. Keep it when the flag is renamed.",
        ),
        field("unit", Shape::Attribute, "The attribute that is hashed instead of the unit the call carries."),
        field("hash", Shape::Word(HASHES), "How a unit becomes a bucket."),
        field("layer", Shape::Name, "The layer in whose slots this flag is, said again for the reader."),
        field(
            "requires",
            Shape::List(&REQUIREMENT_SHAPE),
            "What other flags must serve, for the same call, before this one serves a candidate.",
        ),
        field("rules", Shape::List(&Shape::Mapping(&RULE)), "The first rule whose condition holds decides."),
        field("otherwise", OTHERWISE_SHAPE, "What happens when no rule matches; Python if absent."),
        field(
            "shadow",
            Shape::Mapping(&SHADOW),
            "How many of the calls that Python answers are compared, and at what cost.",
        ),
        field(
            "guard",
            Shape::Mapping(&GUARD),
            "When the candidate is taken out of service, measured against the control.",
        ),
        field("gate", Shape::Mapping(&GATE), "What a promotion to the next step takes."),
        field(
            "plan",
            Shape::Mapping(&PLAN),
            "The steps of the rollout. The ledger knows which one is reached; stage or otherwise would win over it.",
        ),
    ],
    required: &[],
    one_of: &[],
};

const REQUIREMENT_SHAPE: Shape = Shape::Either(&[Shape::Name, Shape::Mapping(&REQUIREMENT)]);
const OTHERWISE_SHAPE: Shape = Shape::Either(&[Shape::Name, Shape::Mapping(&ACTION)]);

/// One item of `requires`.
pub static REQUIREMENT: Table = Table {
    fields: &[
        field("flag", Shape::Name, "The other flag."),
        field("serves", Shape::Name, "The implementation it must serve; rust if absent."),
    ],
    required: &["flag"],
    one_of: &[],
};

const SERVE: Field = field("serve", Shape::Name, "This implementation answers: python, rust, or another one's name.");
const SPLIT: Field = field(
    "split",
    Shape::Named(&Shape::Percent),
    "Each implementation answers its percentage of the units; they add up to 100.",
);
const RAMP: Field = field("ramp", Shape::Mapping(&RAMP_TABLE), "A percentage that follows the clock.");

/// `otherwise` in its long form.
pub static ACTION: Table = Table { fields: &[SERVE, SPLIT, RAMP], required: &[], one_of: &["serve", "split", "ramp"] };

/// One rule.
pub static RULE: Table = Table {
    fields: &[
        field("name", Shape::Text, "Unique within its flag; decisions name it."),
        field("when", Shape::Condition, "When the rule applies."),
        SERVE,
        SPLIT,
        RAMP,
    ],
    required: &["name", "when"],
    one_of: &["serve", "split", "ramp"],
};

/// `ramp`.
pub static RAMP_TABLE: Table = Table {
    fields: &[
        field("serve", Shape::Name, "Who answers the percentage; rust if absent."),
        field("unit", Shape::Attribute, "The attribute that is hashed instead of the flag's unit."),
        field("salt", Shape::Text, "Hashed with the unit instead of the flag's salt."),
        field(
            "steps",
            Shape::List(&Shape::Mapping(&STEP)),
            "In the order of time; before the first it is 0 percent, the last one stays.",
        ),
    ],
    required: &["steps"],
    one_of: &[],
};

/// One step of a ramp.
pub static STEP: Table = Table {
    fields: &[
        field("at", Shape::Time, "Since when, such as 2027-01-05T09:00:00Z."),
        field("percent", Shape::Percent, "How many of the units."),
    ],
    required: &["at", "percent"],
    one_of: &[],
};

/// `shadow`.
pub static SHADOW: Table = Table {
    fields: &[
        field("percent", Shape::Percent, "How many of the calls that Python answers are compared; all if absent."),
        field(
            "budget",
            Shape::Percent,
            "How much of one processor core comparing may take; features that say nothing, or 5%, share 5% between them.",
        ),
        field(
            "mode",
            Shape::Word(MODES),
            "Where the candidate runs: on a thread of its own (the default), in the caller's, or in another process.",
        ),
        field("deadline", Shape::Duration, "How long one run of the candidate may take; 1s if absent."),
        field(
            "memory",
            Shape::Memory,
            "How much copies of waiting calls may keep alive; if absent 16MiB, which features share.",
        ),
    ],
    required: &[],
    one_of: &[],
};

/// `gate`.
pub static GATE: Table = Table {
    fields: &[
        field("divergence", Shape::Mapping(&BOUND), "Of all calls: below 0.001% with 99% confidence if absent."),
        field("cells", Shape::Mapping(&BOUND), "Of the calls in each cell: below 0.1% with 95% if absent."),
        field("pairs", Shape::Mapping(&BOUND), "Of the calls in each pair of cells: below 1% with 95% if absent."),
        field("timeouts", Shape::Mapping(&BOUND), "Of runs that never end, panic or crash; 0.01% with 95% if absent."),
        field("not_compared", Shape::Percent, "How many of the calls that were taken on may be lost; 1 if absent."),
        field("latency", GATE_LATENCY_SHAPE, "How fast the candidate must be; none asks for no speed."),
        field("bake", Shape::Duration, "How long a step lasts at least; 24h if absent."),
        field("hosts", Shape::Count(1), "How many hosts must have compared; 1 if absent."),
    ],
    required: &[],
    one_of: &[],
};

const GATE_LATENCY_SHAPE: Shape = Shape::Either(&[Shape::Word(&["none"]), Shape::Mapping(&GATE_LATENCY)]);

/// A rate that must be excluded.
pub static BOUND: Table = Table {
    fields: &[
        field("rate", Shape::Percent, "The rate below which the true one must be."),
        field("alpha", Shape::Percent, "How often that may be wrong, however often somebody looks."),
    ],
    required: &[],
    one_of: &[],
};

/// `gate.latency`.
pub static GATE_LATENCY: Table = Table {
    fields: &[
        field("median_ratio", Shape::Number, "What the candidate's median may be of the control's; 1 if absent."),
        field("tail", Shape::Percent, "In how many calls the candidate may be much slower; 1 if absent."),
        field("alpha", Shape::Percent, "How often that may be wrong; 1 if absent."),
    ],
    required: &[],
    one_of: &[],
};

/// `plan`.
pub static PLAN: Table = Table {
    fields: &[
        field("advance", Shape::Word(ADVANCES), "Who takes the next step when the gate opens: a person, or auto."),
        field(
            "steps",
            Shape::List(&PLAN_STEP_SHAPE),
            "The candidate's shares in rising order; shadow, 1%, 5%, 25%, 50%, on if absent.",
        ),
    ],
    required: &[],
    one_of: &[],
};

const PLAN_STEP_SHAPE: Shape = Shape::Either(&[Shape::Share, Shape::Mapping(&PLAN_STEP)]);

/// One step of a plan in its long form.
pub static PLAN_STEP: Table = Table {
    fields: &[
        field("to", Shape::Share, "The candidate's share: shadow, a percentage, or on."),
        field("bake", Shape::Duration, "How long this step lasts at least; the gate's bake if absent."),
    ],
    required: &["to"],
    one_of: &[],
};

/// `guard`.
pub static GUARD: Table = Table {
    fields: &[
        field("window", Shape::Duration, "How far back calls count; 60s if absent."),
        field(
            "min_calls",
            Shape::Count(1),
            "How many calls of each side the window needs before anything is concluded; 200 if absent.",
        ),
        field(
            "error_rate",
            Shape::Mapping(&ERROR_RATE),
            "How much more often than the control the candidate may fail.",
        ),
        field("latency_p99", Shape::Mapping(&LATENCY), "How much slower than the control the candidate may be."),
        field("on_breach", Shape::Mapping(&ON_BREACH), "What happens then."),
    ],
    required: &[],
    one_of: &[],
};

/// `guard.error_rate`.
pub static ERROR_RATE: Table = Table {
    fields: &[field("max_over_python", Shape::Percent, "Percentage points above the control's own error rate.")],
    required: &["max_over_python"],
    one_of: &[],
};

/// `guard.latency_p99`.
pub static LATENCY: Table = Table {
    fields: &[field("max_ratio_to_python", Shape::From(1.0), "Multiple of the control's own 99th percentile.")],
    required: &["max_ratio_to_python"],
    one_of: &[],
};

/// `guard.on_breach`.
pub static ON_BREACH: Table = Table {
    fields: &[
        field("serve", Shape::Word(&["python"]), "Who answers then: always python."),
        field("hold", Shape::Duration, "How long the candidate stays out; 5m if absent."),
        field("retry_percent", Shape::Percent, "How many of the units try it again after that; 1 if absent."),
        field(
            "scope",
            Shape::Word(SCOPES),
            "Who else is told: this process, this host (the default), or the fleet of one ledger.",
        ),
    ],
    required: &[],
    one_of: &[],
};

/// The forms of a condition; there is exactly one.
pub static FORMS: Table = Table {
    fields: &[
        field("attr", Shape::Attribute, "The attribute that is tested; every test beside it must pass."),
        field("segment", Shape::Name, "The named condition holds."),
        field("all", Shape::List(&Shape::Condition), "Every part holds."),
        field("any", Shape::List(&Shape::Condition), "At least one part holds."),
        field("not", Shape::Condition, "The part does not hold."),
    ],
    required: &[],
    one_of: &["attr", "segment", "all", "any", "not"],
};

/// The tests of an attribute. Each can be written with `not_` before it, which is its exact opposite.
pub static TESTS: Table = Table {
    fields: &[
        field("equals", Shape::Scalar, "Equal, of the same kind."),
        field("in", Shape::List(&Shape::Scalar), "Equal to one of these."),
        field("contains", Shape::Scalar, "A text with this part, or a list with this element."),
        field("starts_with", Shape::Text, "A text that begins so."),
        field("ends_with", Shape::Text, "A text that ends so."),
        field("matches", Shape::Text, "A text in which this regular expression is found, in linear time."),
        field("gt", Shape::Number, "A greater number."),
        field("gte", Shape::Number, "A number at least as great."),
        field("lt", Shape::Number, "A smaller number."),
        field("lte", Shape::Number, "A number at most as great."),
        field(
            "semver",
            Shape::Text,
            "A version within this range, such as \">=2.4.0, <3\"; \"1.2.3\" is \"^1.2.3\", and \"=1.2.3\" is that version.",
        ),
        field("before", Shape::Time, "A time before this one."),
        field("after", Shape::Time, "A time after this one."),
        field("exists", Shape::Boolean, "Present, or with false absent."),
        field("cidr", NETWORKS, "An address within this network, or one of these."),
    ],
    required: &[],
    one_of: &[],
};

const NETWORKS: Shape = Shape::Either(&[Shape::Text, Shape::List(&Shape::Text)]);

/// What turns a test into its opposite.
pub const NEGATION: &str = "not_";
