//! What differs between LiteLLM's releases, and the constants of one call.

/// What differs between the releases of LiteLLM whose counting is reproduced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each names one independent difference")]
pub struct Semantics {
    /// A message's `function_call` is counted as a tool call is; before, only when it was a text, and as that text.
    pub function_calls: bool,
    /// Absent arguments of a tool call count as nothing; before, as an empty list written out.
    pub absent_arguments_are_empty: bool,
    /// The text of a message's `search_results` is counted.
    pub search_results: bool,
    /// Blocks of the kinds `image`, `document`, `file`, `redacted_thinking` and `tool_reference` are counted; before, they
    /// were errors.
    pub further_blocks: bool,
    /// A tool may be without a `function`, and one without a name is left out; before, it was an error to be without
    /// the first, and the name was written out whatever it was.
    pub bare_tools: bool,
    /// A `search_result` block is counted; before, it was an error.
    pub search_result_blocks: bool,
    /// `compaction` blocks, and the summaries in `provider_specific_fields`, are counted.
    pub compaction: bool,
    /// `None` for the text of a block counts as nothing; before, as the word `None`.
    pub absent_text_is_empty: bool,
    /// Blocks are refused when a required field is missing.
    pub required_fields: bool,
    /// Malformed tool schemas and tool choices count as little as possible; before, they were errors.
    pub lenient_tools: bool,
    /// An inline image's dimensions decide at detail `auto`; before, `auto` was `low`.
    pub inline_images: bool,
    /// Blocks of the tools that Anthropic's servers run are counted; before, they were errors.
    pub server_tools: bool,
}

impl Semantics {
    /// LiteLLM 1.83.
    pub const V1_83: Self = Self {
        function_calls: false,
        absent_arguments_are_empty: false,
        search_results: false,
        further_blocks: false,
        bare_tools: false,
        ..Self::V1_106
    };
    /// LiteLLM 1.106.
    pub const V1_106: Self = Self {
        function_calls: true,
        absent_arguments_are_empty: true,
        search_results: true,
        further_blocks: true,
        bare_tools: true,
        search_result_blocks: false,
        compaction: false,
        absent_text_is_empty: false,
        required_fields: true,
        lenient_tools: false,
        inline_images: false,
        server_tools: false,
    };
    /// LiteLLM 1.108.
    pub const V1_108: Self = Self { search_result_blocks: true, ..Self::V1_106 };
    /// LiteLLM 1.109.
    pub const V1_109: Self = Self {
        compaction: true,
        absent_text_is_empty: true,
        required_fields: false,
        lenient_tools: true,
        inline_images: true,
        ..Self::V1_108
    };
    /// LiteLLM 1.110.
    pub const V1_110: Self = Self { server_tools: true, ..Self::V1_109 };

    /// All of them, by the names of their release lines.
    pub const ALL: [(&'static str, Self); 5] = [
        ("1.83", Self::V1_83),
        ("1.106", Self::V1_106),
        ("1.108", Self::V1_108),
        ("1.109", Self::V1_109),
        ("1.110", Self::V1_110),
    ];

    /// The semantics of a release line, or `None` for an unknown name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find_map(|(known, semantics)| (known == name).then_some(semantics))
    }
}

/// What a message costs beside its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accounting {
    /// Tokens around every message.
    pub per_message: i64,
    /// Tokens for a name, on top of the name's own.
    pub per_name: i64,
}

impl Accounting {
    /// Every model but one.
    pub const USUAL: Self = Self { per_message: 3, per_name: 1 };
    /// `gpt-3.5-turbo-0301`, where a name replaces the role.
    pub const LEGACY: Self = Self { per_message: 4, per_name: -1 };
}
