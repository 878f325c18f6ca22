//! YAML text to a tree of nodes, with the place of everything.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};

use super::findings::{Findings, Trail};
use super::node::{DEPTH_LIMIT, Entry, Node, Place, Value};
use super::scalar;

// Below this, comparing a mapping's keys one with another is quicker than hashing them.
const FEW_KEYS: usize = 8;

/// Nothing further can be read; what is wrong is already noted.
struct Unusable;

/// Reads one YAML document; `None` when the text is none, which is then noted.
pub fn read<'a>(data: &'a [u8], findings: &mut Findings) -> Option<Node<'a>> {
    let text = decoded(data, findings).ok()?;
    Composer { events: Parser::new_from_str(text), text, findings }.document().ok()
}

/// Takes one entry of the streamed mapping, with the root as far as it has been read before it.
pub type Sink<'s, 'a> = &'s mut dyn FnMut(&Node<'a>, &Entry<'a>, &mut Findings);

/// Reads one YAML document as [`read`] does, but hands over the entries of the mapping under one key of the root as soon as
/// they are read, and forgets them.
pub fn stream<'a>(data: &'a [u8], key: &str, findings: &mut Findings, sink: Sink<'_, 'a>) -> Option<Node<'a>> {
    let text = decoded(data, findings).ok()?;
    let mut composer = Composer { events: Parser::new_from_str(text), text, findings };
    composer.streamed(key, sink).ok()
}

fn decoded<'a>(data: &'a [u8], findings: &mut Findings) -> Result<&'a str, Unusable> {
    let data = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    let text = std::str::from_utf8(data).map_err(|error| {
        let message = format!("expected UTF-8 text, got the byte 0x{:02x}", data[error.valid_up_to()]);
        let place = place_after(&String::from_utf8_lossy(&data[..error.valid_up_to()]));
        findings.add_at(&Trail::ROOT, place, message, "save the file as UTF-8");
        Unusable
    })?;
    let Some((index, control)) = text.char_indices().find(|(_, character)| !printable(*character)) else {
        return Ok(text);
    };
    let message = format!("expected text, got the control character U+{:04X}", u32::from(control));
    findings.add_at(&Trail::ROOT, place_after(&text[..index]), message, "");
    Err(Unusable)
}

/// YAML's own list (5.1, character set).
fn printable(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' => true,
        '\u{a0}'.. => !matches!(character, '\u{fffe}' | '\u{ffff}'),
        _ => false,
    }
}

fn place_after(before: &str) -> Place {
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    Place { line: short(line), column: short(column) }
}

fn short(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Makes nodes of parser events. Aliases are refused, so the tree is never larger than the text.
struct Composer<'a, 'f> {
    events: Parser<'a, StrInput<'a>>,
    text: &'a str,
    findings: &'f mut Findings,
}

impl<'a> Composer<'a, '_> {
    fn document(&mut self) -> Result<Node<'a>, Unusable> {
        let first = self.opened()?;
        let root = self.node(first, &Trail::ROOT, 0)?;
        self.closed(root)
    }

    fn streamed(&mut self, key: &str, sink: Sink<'_, 'a>) -> Result<Node<'a>, Unusable> {
        let (event, span) = self.opened()?;
        self.refuse_extras(&event, span, &Trail::ROOT);
        if !matches!(event, Event::MappingStart(..)) {
            return Err(Unusable);
        }
        let mut root = Node::new(Value::Map(Vec::new()), place(span));
        loop {
            let event = self.next()?;
            if matches!(event.0, Event::MappingEnd) {
                return self.closed(root);
            }
            let name = self.node(event, &Trail::ROOT, 1)?;
            let value = self.next()?;
            self.refuse_extras(&value.0, value.1, &Trail::ROOT);
            let value = match value.0 {
                Event::MappingStart(..) if name.text == key => self.handed_over(&root, value.1, sink)?,
                _ => self.node(value, &Trail::ROOT, 1)?,
            };
            let Value::Map(entries) = &mut root.value else { return Err(Unusable) };
            if !self.names(&name, &Trail::ROOT) || entries.iter().any(|entry| entry.key.text == name.text) {
                return Err(Unusable);
            }
            entries.push(Entry { key: name, value });
        }
    }

    /// Hands the entries of a mapping over, and returns it without them.
    fn handed_over(&mut self, before: &Node<'a>, span: Span, sink: Sink<'_, 'a>) -> Result<Node<'a>, Unusable> {
        let mut names = HashSet::new();
        loop {
            let event = self.next()?;
            if matches!(event.0, Event::MappingEnd) {
                return Ok(Node::new(Value::Map(Vec::new()), place(span)));
            }
            let key = self.node(event, &Trail::ROOT, 2)?;
            let value = self.next()?;
            let value = self.node(value, &Trail::ROOT, 2)?;
            if !names.insert(key.text.to_string()) || !self.names(&key, &Trail::ROOT) {
                return Err(Unusable);
            }
            sink(before, &Entry { key, value }, self.findings);
        }
    }

    fn opened(&mut self) -> Result<(Event<'a>, Span), Unusable> {
        self.next()?; // the stream begins
        if matches!(self.next()?.0, Event::StreamEnd) {
            let place = Place { line: 1, column: 1 };
            return Err(self.stop(place, "expected a mapping with version and flags, got an empty file", ""));
        }
        self.next()
    }

    fn closed(&mut self, root: Node<'a>) -> Result<Node<'a>, Unusable> {
        self.next()?; // the document ends
        let (after, span) = self.next()?;
        if matches!(after, Event::StreamEnd) {
            return Ok(root);
        }
        let message = "expected one YAML document, got a second one";
        Err(self.stop(place(span), message, "remove the line with ---"))
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), Unusable> {
        match self.events.next() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                let marker = error.marker();
                let place = Place { line: short(marker.line()), column: short(marker.col() + 1) };
                Err(self.stop(place, &format!("expected YAML, got broken YAML: {}", error.info()), ""))
            }
            None => Err(self.stop(place_after(self.text), "expected YAML, got a text that ends too early", "")),
        }
    }

    fn stop(&mut self, place: Place, message: &str, hint: &str) -> Unusable {
        self.findings.add_at(&Trail::ROOT, place, message, hint);
        Unusable
    }

    fn node(
        &mut self,
        (event, span): (Event<'a>, Span),
        trail: &Trail<'_>,
        depth: usize,
    ) -> Result<Node<'a>, Unusable> {
        let place = place(span);
        self.refuse_extras(&event, span, trail);
        if depth > DEPTH_LIMIT {
            return Err(self.stop(place, &format!("expected at most {DEPTH_LIMIT} levels, got more"), ""));
        }
        Ok(match event {
            Event::MappingStart(..) => Node::new(Value::Map(self.mapping(trail, depth)?), place),
            Event::SequenceStart(..) => Node::new(Value::List(self.sequence(trail, depth)?), place),
            Event::Scalar(text, style, ..) => scalar_node(text, style, place),
            _ => Node::new(Value::Null, place),
        })
    }

    fn sequence(&mut self, trail: &Trail<'_>, depth: usize) -> Result<Vec<Node<'a>>, Unusable> {
        let mut items = Vec::new();
        loop {
            let event = self.next()?;
            if matches!(event.0, Event::SequenceEnd) {
                return Ok(items);
            }
            let item = self.node(event, &trail.item(items.len()), depth + 1)?;
            items.push(item);
        }
    }

    fn mapping(&mut self, trail: &Trail<'_>, depth: usize) -> Result<Vec<Entry<'a>>, Unusable> {
        let mut entries = Vec::new();
        loop {
            let event = self.next()?;
            if matches!(event.0, Event::MappingEnd) {
                return Ok(self.each_once(entries, trail));
            }
            let key = self.node(event, trail, depth + 1)?;
            let next = self.next()?;
            let value = self.node(next, &trail.key(&key.text), depth + 1)?;
            if self.names(&key, trail) {
                entries.push(Entry { key, value });
            }
        }
    }

    /// Whether a key is a name; noted when it is not.
    fn names(&mut self, key: &Node<'a>, trail: &Trail<'_>) -> bool {
        if key.as_text().is_none() {
            let hint = if matches!(key.value, Value::Bool(_)) { "put it in quotes" } else { "" };
            self.findings.add_at(trail, key.place, format!("expected a name as key, got {key}"), hint);
        }
        key.as_text().is_some()
    }

    /// The entries without those whose key came before, which are noted.
    fn each_once(&mut self, entries: Vec<Entry<'a>>, trail: &Trail<'_>) -> Vec<Entry<'a>> {
        let repeated = |entry: &Entry<'_>| entries.iter().filter(|other| other.key.text == entry.key.text).count() > 1;
        if entries.len() <= FEW_KEYS && !entries.iter().any(repeated) {
            return entries;
        }
        let mut lines: HashMap<Cow<'a, str>, u32> = HashMap::with_capacity(entries.len());
        let mut kept = Vec::with_capacity(entries.len());
        for entry in entries {
            let line = *lines.entry(entry.key.text.clone()).or_insert(entry.key.place.line);
            if lines.len() > kept.len() {
                kept.push(entry);
            } else {
                let name = &entry.key.text;
                let message = format!("expected each key once, got \"{name}\" again (first on line {line})");
                self.findings.add_at(trail, entry.key.place, message, "remove one");
            }
        }
        kept
    }

    fn refuse_extras(&mut self, event: &Event<'a>, span: Span, trail: &Trail<'_>) {
        let (anchor, tag) = match event {
            Event::Alias(_) => (1, None),
            Event::Scalar(_, _, anchor, tag) | Event::SequenceStart(anchor, tag) | Event::MappingStart(anchor, tag) => {
                (*anchor, tag.as_deref())
            }
            _ => (0, None),
        };
        if anchor > 0 {
            let sign = if matches!(event, Event::Alias(_)) { "* (an alias)" } else { "& (an anchor)" };
            let message = format!("expected a value, got the YAML reference {sign}");
            self.findings.add_at(trail, place(span), message, "write the value out");
        }
        if let Some(Tag { handle, suffix }) = tag {
            let message = format!("expected a plain value, got the YAML tag {handle}{suffix}");
            self.findings.add_at(trail, place(span), message, "remove the tag");
        }
    }
}

fn scalar_node(text: Cow<'_, str>, style: ScalarStyle, place: Place) -> Node<'_> {
    let value = if style == ScalarStyle::Plain { scalar::resolve(&text) } else { Value::Text };
    Node { value, text, place }
}

fn place(span: Span) -> Place {
    Place { line: short(span.start.line()), column: short(span.start.col() + 1) }
}
