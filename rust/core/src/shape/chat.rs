//! What is told of a call with chat messages.

use super::profile::{self, CONTENTS, FAMILIES, KEYS, MESSAGES, OPTIONS, PROVIDERS, ROLES, TOOLS};
use super::{Profile, TextClass, index_of};

/// Collects while the arguments are walked.
#[derive(Debug, Clone, Default)]
pub struct ChatFacts {
    family: Option<usize>,
    provider: Option<usize>,
    characters: usize,
    messages: usize,
    roles: u64,
    contents: u64,
    tools: usize,
    keys: u64,
    options: u64,
    class: TextClass,
}

impl ChatFacts {
    /// Notes the model.
    pub fn model(&mut self, name: &str) {
        let (provider, model) = name.split_once('/').map_or((None, name), |(provider, model)| (Some(provider), model));
        self.provider = provider.map(|it| index_of(PROVIDERS, it));
        self.family = Some(family(model.rsplit('/').next().unwrap_or(model)));
    }

    /// Notes a text of so many characters.
    pub fn text(&mut self, class: TextClass, characters: usize) {
        self.characters = self.characters.saturating_add(characters);
        self.class = self.class.max(class);
    }

    /// Notes a message.
    pub fn message(&mut self) {
        self.messages += 1;
    }

    /// Notes the role of a message.
    pub fn role(&mut self, role: &str) {
        self.roles |= 1 << index_of(ROLES, role);
    }

    /// Notes a kind of content, by the word of its dimension or the type of a content part.
    pub fn content(&mut self, kind: &str) {
        let kind = match kind {
            "image_url" | "input_image" => "image",
            "input_audio" | "audio_url" => "audio",
            "tool_use" => "tool_call",
            "input_text" | "output_text" => "text",
            "document" | "input_file" => "file",
            other => other,
        };
        self.contents |= 1 << index_of(CONTENTS, kind);
    }

    /// Notes what a message carries beside role and content.
    pub fn key(&mut self, key: &str) {
        match key {
            "tool_calls" => self.content("tool_call"),
            "tool_call_id" => self.content("tool_result"),
            other => self.keys |= 1 << index_of(KEYS, other),
        }
    }

    /// Notes a parameter that is given.
    pub fn option(&mut self, name: &str) {
        self.options |= 1 << index_of(OPTIONS, name);
    }

    /// Notes so many tools.
    pub fn tools(&mut self, count: usize) {
        self.tools = count;
    }

    /// The shape of what was noted.
    #[must_use]
    pub fn shape(&self) -> u64 {
        Profile::Chat.pack(&[
            self.family.unwrap_or(FAMILIES.len() - 2) as u64,
            self.provider.unwrap_or(PROVIDERS.len() - 2) as u64,
            profile::size(self.characters),
            bucket(self.messages, &[0, 1, 4, 16, 64], MESSAGES),
            self.roles,
            self.contents,
            bucket(self.tools, &[0, 4], TOOLS),
            self.keys,
            self.options,
            self.class as u64,
        ])
    }
}

fn family(model: &str) -> usize {
    let named = FAMILIES.len() - 2;
    FAMILIES[..named].iter().position(|prefix| model.starts_with(prefix)).unwrap_or(named + 1)
}

/// The first bucket whose largest number is not exceeded, or the last of all.
pub(super) fn bucket(number: usize, largest: &[usize], words: &[&str]) -> u64 {
    largest.iter().position(|most| number <= *most).unwrap_or(words.len() - 1) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(facts: &ChatFacts) -> Vec<String> {
        Profile::Chat.values(facts.shape()).into_iter().map(|(_, word)| word).collect()
    }

    #[test]
    fn a_call_without_anything_has_a_shape() {
        let expected = ["none", "none", "0", "0", "-", "-", "none", "-", "-", "ascii", "unknown"];

        assert_eq!(expected.map(str::to_owned).to_vec(), values(&ChatFacts::default()));
    }

    #[test]
    fn what_is_noted_is_told() {
        let mut facts = ChatFacts::default();
        facts.model("azure/gpt-4o-mini");
        facts.message();
        facts.message();
        facts.role("user");
        facts.role("narrator");
        facts.content("image_url");
        facts.text(TextClass::Cjk, 300);
        facts.text(TextClass::Ascii, 1);
        facts.tools(5);
        facts.key("name");
        facts.key("tool_call_id");
        facts.option("seed");

        let expected = [
            "gpt-4o",
            "azure",
            "256-511",
            "2-4",
            "user+other",
            "image+tool_result",
            "many",
            "name",
            "other",
            "cjk",
            "unknown",
        ];
        assert_eq!(expected.map(str::to_owned).to_vec(), values(&facts));
    }

    #[test]
    fn a_provider_with_a_path_leaves_the_model() {
        let mut facts = ChatFacts::default();
        facts.model("openrouter/anthropic/claude-3");

        assert_eq!(["claude".to_owned(), "openrouter".to_owned()], values(&facts)[..2]);
    }
}
