//! Messages, their keys, tool calls, and the extras around them.

use super::content;
use super::node::{Decline, Key, Kind, Node, needed};
use super::semantics::{Accounting, Semantics};
use super::tools;

/// Nested content lists deeper than this are left to the control, whose own recursion has a limit.
pub const MAX_DEPTH: usize = 64;

/// Every reply is primed with `<|start|>assistant<|message|>`.
const REPLY_PRIMER: i64 = 3;
/// The tokens LiteLLM adds for the presence of tool definitions.
const TOOLS: i64 = 9;
/// What a system message saves when there are tools.
const SYSTEM_MESSAGE_DISCOUNT: i64 = 4;
/// The tokens LiteLLM adds for a named tool choice, beside its name.
const NAMED_CHOICE: i64 = 7;

/// What is counted, and how text is.
pub struct Call<'a, N> {
    /// The release's rules.
    pub semantics: Semantics,
    /// The model's constants.
    pub accounting: Accounting,
    /// Each image counts this much, whatever it is.
    pub fixed_image_tokens: Option<i64>,
    /// What an image counts at low detail.
    pub base_image_tokens: i64,
    /// Tool definitions, tool choice and the reply's primer are added.
    pub with_extras: bool,
    /// Counts a text value.
    pub count: &'a dyn Fn(&N) -> Result<i64, Decline>,
    /// Counts text that was written out.
    pub count_written: &'a dyn Fn(&str) -> Result<i64, Decline>,
}

/// Counts chat messages as LiteLLM's `token_counter(messages=...)` does.
///
/// # Errors
///
/// [`Decline`] for everything the control would raise for, and everything not reproduced.
pub fn count_messages<N: Node>(call: &Call<'_, N>, messages: &N, tools: &N, choice: &N) -> Result<i64, Decline> {
    let mut total = 0;
    let mut system = false;
    for message in messages.clone().only(Kind::List)?.elements() {
        let message = message.only(Kind::Dict)?;
        total += call.message(&message)?;
        system |= message.get(Key::Role).is_some_and(|role| role.is("system"));
    }
    if call.with_extras {
        total += call.extras(tools, choice, system)?;
    }
    Ok(total)
}

impl<N: Node> Call<'_, N> {
    fn message(&self, message: &N) -> Result<i64, Decline> {
        let mut total = self.accounting.per_message;
        for (key, value) in message.entries() {
            total += self.entry(&key.known()?, &value.known()?)?;
        }
        Ok(total)
    }

    fn entry(&self, key: &N, value: &N) -> Result<i64, Decline> {
        let name = key.text();
        let name = name.as_deref().unwrap_or_default();
        match (name, value.kind()) {
            (_, Kind::None) => Ok(0),
            ("tool_calls", kind) => self.tool_calls(value, kind),
            ("function_call", _) if self.semantics.function_calls => self.arguments(&value.clone().only(Kind::Dict)?),
            ("name", Kind::Text) => Ok((self.count)(value)? + self.accounting.per_name),
            (_, Kind::Text) => (self.count)(value),
            ("content", Kind::List) => content::count_blocks(self, value, 0),
            ("provider_specific_fields", Kind::Dict) if self.semantics.compaction => self.compaction_summaries(value),
            ("search_results", Kind::List) if self.semantics.search_results => self.search_results(value),
            _ => Ok(0),
        }
    }

    fn tool_calls(&self, calls: &N, kind: Kind) -> Result<i64, Decline> {
        if kind != Kind::List {
            return Err(Decline::Error);
        }
        calls.elements().into_iter().try_fold(0, |total, call| {
            let function = needed(&call.only(Kind::Dict)?, Key::Function)?.only(Kind::Dict)?;
            Ok(total + self.arguments(&function)?)
        })
    }

    /// The arguments of a call, written out as Python writes them when they are not a text.
    fn arguments(&self, function: &N) -> Result<i64, Decline> {
        match function.get(Key::Arguments) {
            Some(arguments) => (self.count)(&arguments.display()?),
            None if self.semantics.absent_arguments_are_empty => Ok(0),
            None => (self.count_written)("[]"),
        }
    }

    fn compaction_summaries(&self, fields: &N) -> Result<i64, Decline> {
        let Some(blocks) = fields.get(Key::CompactionBlocks) else { return Ok(0) };
        let mut total = 0;
        for block in blocks.known()?.elements() {
            let block = block.known()?;
            if block.get(Key::Type).is_some_and(|kind| kind.is("compaction")) {
                let summary = block.get(Key::Content).map(Node::known).transpose()?;
                total +=
                    summary.filter(|summary| summary.kind() == Kind::Text).map_or(Ok(0), |text| (self.count)(&text))?;
            }
        }
        Ok(total)
    }

    /// The text of search results is joined and counted as one.
    fn search_results(&self, results: &N) -> Result<i64, Decline> {
        let mut text = String::new();
        for result in results.elements() {
            let result = result.known()?;
            push_text(&mut text, result.get(Key::Source))?;
            push_text(&mut text, result.get(Key::Title))?;
            let content = result.get(Key::Content).map(Node::known).transpose()?;
            for block in content.map_or_else(Vec::new, |content| content.elements()) {
                push_text(&mut text, block.known()?.get(Key::Text))?;
            }
            if result.present(Key::Citations).is_some() {
                return Err(Decline::Citations);
            }
        }
        if text.is_empty() { Ok(0) } else { (self.count_written)(&text) }
    }

    fn extras(&self, tools: &N, choice: &N, system: bool) -> Result<i64, Decline> {
        Ok(REPLY_PRIMER + self.tools(&tools.clone().known()?, system)? + self.choice(&choice.clone().known()?)?)
    }

    fn tools(&self, tools: &N, system: bool) -> Result<i64, Decline> {
        if !tools.truthy() {
            return Ok(0);
        }
        let text = tools::format(self.semantics, &tools.clone().only(Kind::List)?)?;
        Ok((self.count_written)(&text)? + TOOLS - if system { SYSTEM_MESSAGE_DISCOUNT } else { 0 })
    }

    fn choice(&self, choice: &N) -> Result<i64, Decline> {
        match choice.kind() {
            Kind::Text => Ok(i64::from(choice.is("none"))),
            Kind::Dict if self.semantics.lenient_tools => self.matched_choice(choice),
            Kind::Dict => {
                let function = needed(choice, Key::Function)?.only(Kind::Dict)?;
                Ok(NAMED_CHOICE + (self.count)(&needed(&function, Key::Name)?.display()?)?)
            }
            _ => Ok(0),
        }
    }

    fn matched_choice(&self, choice: &N) -> Result<i64, Decline> {
        let function = choice.get(Key::Function).map(Node::known).transpose()?;
        let name = function.and_then(|function| function.get(Key::Name));
        if let Some(name) = named(name)? {
            return Ok(NAMED_CHOICE + (self.count)(&name)?);
        }
        if choice.get(Key::Type).is_some_and(|kind| kind.is("none")) {
            return Ok(1);
        }
        named(choice.get(Key::Name))?.map_or(Ok(0), |name| Ok(NAMED_CHOICE + (self.count)(&name)?))
    }
}

fn named<N: Node>(name: Option<N>) -> Result<Option<N>, Decline> {
    Ok(name.map(Node::known).transpose()?.filter(|name| name.kind() == Kind::Text))
}

fn push_text<N: Node>(text: &mut String, value: Option<N>) -> Result<(), Decline> {
    if let Some(value) = value.map(Node::known).transpose()?.filter(|value| value.kind() == Kind::Text) {
        text.push_str(&value.text().ok_or(Decline::LoneSurrogate)?);
    }
    Ok(())
}
