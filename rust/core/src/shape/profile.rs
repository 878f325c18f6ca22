//! The tables of dimensions: what is told of a call's arguments, and with which words.

/// What a dimension can say.
#[derive(Debug, Clone, Copy)]
pub enum Values {
    /// One of these.
    One(&'static [&'static str]),
    /// Any of these together.
    Set(&'static [&'static str]),
    /// A number by its binary logarithm: 0, 1, 2-3, 4-7 and so on, up to so many steps.
    Magnitude(u32),
}

/// One dimension of a shape.
#[derive(Debug, Clone, Copy)]
pub struct Dimension {
    /// Its name in cells.
    pub name: &'static str,
    /// What it can say.
    pub values: Values,
}

impl Dimension {
    /// The bits it takes.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "a set has a handful of words")]
    pub const fn bits(&self) -> u32 {
        match self.values {
            Values::One(words) => usize::BITS - words.len().leading_zeros(),
            Values::Set(words) => words.len() as u32,
            Values::Magnitude(steps) => u32::BITS - steps.leading_zeros(),
        }
    }

    /// What a value of this dimension is called.
    #[must_use]
    pub fn word(&self, value: u64) -> String {
        match self.values {
            Values::One(words) => {
                usize::try_from(value).ok().and_then(|index| words.get(index)).map_or("?", |it| it).to_owned()
            }
            Values::Set(words) => set_word(words, value),
            Values::Magnitude(_) => magnitude_word(value),
        }
    }
}

fn set_word(words: &[&str], value: u64) -> String {
    let members: Vec<&str> =
        words.iter().enumerate().filter(|(bit, _)| value >> bit & 1 == 1).map(|(_, word)| *word).collect();
    if members.is_empty() { "-".to_owned() } else { members.join("+") }
}

fn magnitude_word(step: u64) -> String {
    match step {
        0 | 1 => step.to_string(),
        _ => format!("{}-{}", 1_u64 << (step - 1), (1_u64 << step) - 1),
    }
}

/// The step of a number: 0 for 0, then one more than its binary logarithm.
#[must_use]
pub(super) fn magnitude(number: usize, steps: u32) -> u64 {
    u64::from((usize::BITS - number.leading_zeros()).min(steps))
}

const STEPS: u32 = 24;

/// From the commonest to the rarest: the rarest a text holds is what its tokenization hangs on.
pub(super) const UNICODE: &[&str] =
    &["ascii", "latin1", "cjk", "rtl", "combining", "astral", "surrogate", "control", "special_token", "other"];

/// What became of the control's run; not known before it has run.
pub(super) const OUTCOMES: &[&str] = &["unknown", "value", "exception"];

/// The dimension that tells what the control did, the last of each table. It is evidence; routing cannot know it.
pub const OUTCOME: &str = "outcome";

/// Prefixes of model names, the first that fits; the last word is for all others and the one before for none.
pub(super) const FAMILIES: &[&str] = &[
    "gpt-4o",
    "gpt-4.1",
    "gpt-4",
    "gpt-3.5",
    "gpt-35",
    "gpt-5",
    "o1",
    "o3",
    "o4",
    "chatgpt",
    "claude",
    "gemini",
    "mistral",
    "llama",
    "command",
    "deepseek",
    "qwen",
    "grok",
    "text-embedding",
    "none",
    "other",
];

/// What stands before the first slash of a model's name.
pub(super) const PROVIDERS: &[&str] = &[
    "openai",
    "azure",
    "anthropic",
    "bedrock",
    "vertex_ai",
    "gemini",
    "mistral",
    "groq",
    "together_ai",
    "openrouter",
    "ollama",
    "none",
    "other",
];

/// Who speaks.
pub(super) const ROLES: &[&str] = &["system", "user", "assistant", "tool", "function", "developer", "other"];

/// What a message holds.
pub(super) const CONTENTS: &[&str] =
    &["text", "image", "audio", "file", "tool_call", "tool_result", "none", "list", "other"];

/// What messages carry beside role and content.
pub(super) const KEYS: &[&str] = &["name", "cache_control", "function_call", "other"];

/// Parameters that are given.
pub(super) const OPTIONS: &[&str] = &["text", "tool_choice", "response_format", "stream", "other"];

/// How many messages.
pub(super) const MESSAGES: &[&str] = &["0", "1", "2-4", "5-16", "17-64", "65+"];

/// How many tools.
pub(super) const TOOLS: &[&str] = &["none", "some", "many"];

/// The classes of values.
pub(super) const KINDS: &[&str] =
    &["none", "bool", "int", "float", "str", "bytes", "list", "tuple", "dict", "set", "other"];

/// How many arguments.
pub(super) const ARGUMENTS: &[&str] = &["0", "1", "2", "3-4", "5+"];

/// How deep containers are nested.
pub(super) const DEPTHS: &[&str] = &["0", "1", "2", "3+"];

const fn one(name: &'static str, words: &'static [&'static str]) -> Dimension {
    Dimension { name, values: Values::One(words) }
}

const fn set(name: &'static str, words: &'static [&'static str]) -> Dimension {
    Dimension { name, values: Values::Set(words) }
}

const SIZE: Dimension = Dimension { name: "size", values: Values::Magnitude(STEPS) };

/// The dimensions of calls with chat messages.
pub(super) const CHAT: &[Dimension] = &[
    one("family", FAMILIES),
    one("provider", PROVIDERS),
    SIZE,
    one("messages", MESSAGES),
    set("roles", ROLES),
    set("content", CONTENTS),
    one("tools", TOOLS),
    set("keys", KEYS),
    set("options", OPTIONS),
    one("unicode", UNICODE),
    one(OUTCOME, OUTCOMES),
];

/// The dimensions of calls of which nothing is known but that they have arguments.
pub(super) const PLAIN: &[Dimension] = &[
    one("arguments", ARGUMENTS),
    set("kinds", KINDS),
    SIZE,
    one("depth", DEPTHS),
    one("unicode", UNICODE),
    one(OUTCOME, OUTCOMES),
];

/// The steps of the dimension `size`.
#[must_use]
pub(super) fn size(characters: usize) -> u64 {
    magnitude(characters, STEPS)
}
