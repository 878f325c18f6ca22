//! What the walk may ask of a value.

use std::borrow::Cow;

/// Why a call is left to the control. The words are counted and shown, so they say nothing of the call itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decline {
    /// The control would raise.
    Error,
    /// A value is of a type that is not walked: a subclass, a model, an object.
    OpaqueValue,
    /// An image whose dimensions decide.
    ImageDetail,
    /// A PDF whose pages decide.
    Pdf,
    /// Text that must be written out and has no UTF-8 form.
    LoneSurrogate,
    /// Values nested deeper than the walk goes.
    Depth,
    /// A form of tool definition that is not reproduced.
    UnusualTool,
    /// A value that must be serialised as JSON.
    Citations,
    /// Text whose count hangs on the version of Unicode that the control's tokenizer has.
    Unicode,
    /// A document inside of a tool's result in a form that is not validated here.
    UnusualDocument,
}

impl Decline {
    /// The word under which it is counted.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "control_raises",
            Self::OpaqueValue => "opaque_value",
            Self::ImageDetail => "image_detail",
            Self::Pdf => "pdf",
            Self::LoneSurrogate => "lone_surrogate",
            Self::Depth => "depth",
            Self::UnusualTool => "unusual_tool",
            Self::Citations => "citations",
            Self::Unicode => "unicode",
            Self::UnusualDocument => "unusual_document",
        }
    }
}

/// What a value is, as far as the walk cares. Only exact builtin types are anything but opaque.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `None`.
    None,
    /// `str`.
    Text,
    /// `list`.
    List,
    /// `dict`.
    Dict,
    /// Another builtin that is never counted by itself: a number, a truth value, bytes, a tuple.
    Other,
    /// Anything else; looking at it could run the caller's code.
    Opaque,
}

macro_rules! keys {
    ($($variant:ident = $text:literal),+ $(,)?) => {
        /// The names the walk looks up.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each is the word it stands for")]
        pub enum Key { $($variant),+ }

        impl Key {
            /// Every name, in the order of the discriminants.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name itself.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}

keys! {
    Arguments = "arguments",
    CacheControl = "cache_control",
    Caller = "caller",
    Citations = "citations",
    CompactionBlocks = "compaction_blocks",
    Content = "content",
    Context = "context",
    Data = "data",
    Description = "description",
    Detail = "detail",
    Enum = "enum",
    ErrorCode = "error_code",
    ErrorMessage = "error_message",
    File = "file",
    FileData = "file_data",
    Filename = "filename",
    Function = "function",
    FunctionDeclarations = "function_declarations",
    FunctionDeclarationsCamel = "functionDeclarations",
    ImageUrl = "image_url",
    Input = "input",
    InputSchema = "input_schema",
    Items = "items",
    Lines = "lines",
    MediaType = "media_type",
    Name = "name",
    Parameters = "parameters",
    Properties = "properties",
    Required = "required",
    Role = "role",
    Snippet = "snippet",
    Source = "source",
    Stderr = "stderr",
    Stdout = "stdout",
    Text = "text",
    Thinking = "thinking",
    Title = "title",
    ToolName = "tool_name",
    ToolUseId = "tool_use_id",
    Type = "type",
    Url = "url",
}

/// A value of a call.
pub trait Node: Clone {
    /// What it is.
    fn kind(&self) -> Kind;

    /// A text's characters; `None` for other kinds and for text without a UTF-8 form.
    fn text(&self) -> Option<Cow<'_, str>>;

    /// Python's truth of it; never asked of opaque values.
    fn truthy(&self) -> bool;

    /// A list's elements; empty for other kinds.
    fn elements(&self) -> Vec<Self>;

    /// A dictionary's entries in order; empty for other kinds.
    fn entries(&self) -> Vec<(Self, Self)>;

    /// A dictionary's value.
    fn get(&self, key: Key) -> Option<Self>;

    /// Python's `str()` of it, as a text.
    ///
    /// # Errors
    ///
    /// [`Decline::OpaqueValue`] when something inside it is opaque.
    fn display(&self) -> Result<Self, Decline>;

    /// Whether it is exactly this text.
    fn is(&self, word: &str) -> bool {
        self.text().is_some_and(|text| text == word)
    }

    /// A dictionary's value, absent when it is `None`.
    fn present(&self, key: Key) -> Option<Self> {
        self.get(key).filter(|value| value.kind() != Kind::None)
    }

    /// A dictionary's value when it is true: Python's `value.get(key) or ...`.
    ///
    /// # Errors
    ///
    /// [`Decline::OpaqueValue`] when its truth is the caller's code.
    fn when_true(&self, key: Key) -> Result<Option<Self>, Decline> {
        self.get(key).map_or(Ok(None), |value| Ok(Some(value.known()?).filter(Self::truthy)))
    }

    /// The value itself unless it is opaque.
    ///
    /// # Errors
    ///
    /// [`Decline::OpaqueValue`].
    fn known(self) -> Result<Self, Decline> {
        if self.kind() == Kind::Opaque { Err(Decline::OpaqueValue) } else { Ok(self) }
    }

    /// The value itself when it is of this kind; the control raises for any other.
    ///
    /// # Errors
    ///
    /// [`Decline::Error`], or [`Decline::OpaqueValue`] for what only the control can look at.
    fn only(self, kind: Kind) -> Result<Self, Decline> {
        match self.kind() {
            found if found == kind => Ok(self),
            Kind::Opaque => Err(Decline::OpaqueValue),
            _ => Err(Decline::Error),
        }
    }
}

/// A value that must be there; the control raises `KeyError` without it.
///
/// # Errors
///
/// [`Decline::Error`] when it is absent.
pub fn needed<N: Node>(container: &N, key: Key) -> Result<N, Decline> {
    container.get(key).ok_or(Decline::Error)
}
