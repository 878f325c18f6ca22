//! Tool definitions written out as the text that is counted.

use std::iter;

use super::node::{Decline, Key, Kind, Node};
use super::semantics::Semantics;

/// Schemas nested deeper than this are left to the control.
const MAX_DEPTH: usize = 64;
/// Room for the text of a few tools.
const TYPICAL_LENGTH: usize = 1_024;

/// Writes tool definitions as LiteLLM's `_format_function_definitions` does: a TypeScript-like namespace.
pub(super) fn format<N: Node>(semantics: Semantics, tools: &N) -> Result<String, Decline> {
    let mut text = String::with_capacity(TYPICAL_LENGTH);
    text.push_str("namespace functions {\n\n");
    for tool in tools.elements() {
        let tool = tool.known()?;
        if tool.kind() == Kind::Dict {
            write_tool(semantics, &tool, &mut text)?;
        } else if !semantics.bare_tools {
            return Err(Decline::Error);
        }
    }
    text.push_str("} // namespace functions");
    Ok(text)
}

fn write_tool<N: Node>(semantics: Semantics, tool: &N, text: &mut String) -> Result<(), Decline> {
    let function = tool.get(Key::Function).map(Node::known).transpose()?;
    if let Some(function) = function.filter(|function| function.kind() == Kind::Dict) {
        let parameters = function_parameters(semantics, &function)?;
        return write_function(semantics, &function, parameters.as_ref(), text);
    }
    if !semantics.bare_tools {
        return Err(Decline::Error);
    }
    if let Some(declarations) = declarations(tool)? {
        for declaration in declarations.elements() {
            let declaration = declaration.known()?;
            if declaration.kind() == Kind::Dict {
                write_function(semantics, &declaration, declaration.when_true(Key::Parameters)?.as_ref(), text)?;
            }
        }
        return Ok(());
    }
    write_function(semantics, tool, bare_parameters(semantics, tool)?.as_ref(), text)
}

/// The parameters of a function. Where bare tools are errors, so are parameters or properties that are no dictionary.
fn function_parameters<N: Node>(semantics: Semantics, function: &N) -> Result<Option<N>, Decline> {
    if semantics.bare_tools {
        return function.when_true(Key::Parameters);
    }
    let parameters = function.get(Key::Parameters).map(|parameters| parameters.only(Kind::Dict)).transpose()?;
    if let Some(properties) =
        parameters.as_ref().map_or(Ok(None), |parameters| parameters.when_true(Key::Properties))?
    {
        properties.only(Kind::Dict)?;
    }
    Ok(parameters)
}

fn declarations<N: Node>(tool: &N) -> Result<Option<N>, Decline> {
    let found = match tool.when_true(Key::FunctionDeclarations)? {
        Some(found) => Some(found),
        None => tool.when_true(Key::FunctionDeclarationsCamel)?,
    };
    Ok(found.filter(|found| found.kind() == Kind::List))
}

/// The parameters of a tool that has no `function`: Anthropic's, or a bare definition.
fn bare_parameters<N: Node>(semantics: Semantics, tool: &N) -> Result<Option<N>, Decline> {
    let overriding = [Key::Properties, Key::Required].iter().any(|key| tool.get(*key).is_some());
    if semantics.lenient_tools && tool.present(Key::InputSchema).is_some() && overriding {
        return Err(Decline::UnusualTool); // these keys would be merged into the schema
    }
    match tool.when_true(Key::InputSchema)? {
        Some(schema) => Ok(Some(schema)),
        None => tool.when_true(Key::Parameters),
    }
}

fn write_function<N: Node>(
    semantics: Semantics,
    function: &N,
    parameters: Option<&N>,
    text: &mut String,
) -> Result<(), Decline> {
    let Some(name) = function_name(semantics, function)? else { return Ok(()) };
    if let Some(description) = function.when_true(Key::Description)? {
        write_comment(&description, text)?;
    }
    let parameters = parameters.filter(|parameters| parameters.kind() == Kind::Dict);
    let properties = parameters.and_then(|parameters| parameters.get(Key::Properties)).map(Node::known).transpose()?;
    text.extend(["type ", &name, " = "]);
    match (parameters, properties) {
        (Some(parameters), Some(properties)) if properties.kind() == Kind::Dict && properties.truthy() => {
            text.push_str("(_: {\n");
            write_object(semantics, parameters, 0, text)?;
            text.push_str("\n}) => any;\n\n");
        }
        _ => text.push_str("() => any;\n\n"),
    }
    Ok(())
}

/// The name of a function as it is written; `None` when the function is left out.
fn function_name<N: Node>(semantics: Semantics, function: &N) -> Result<Option<String>, Decline> {
    let written = |name: &N| {
        let mut text = String::new();
        write_value(name, &mut text).map(|()| text)
    };
    if semantics.bare_tools {
        return function.when_true(Key::Name)?.as_ref().map(written).transpose();
    }
    function.get(Key::Name).as_ref().map_or_else(|| Ok(Some("None".to_owned())), |name| written(name).map(Some))
}

/// The properties of an object, a line each; an entry of several lines is indented on its first only, as in the control.
fn write_object<N: Node>(
    semantics: Semantics,
    parameters: &N,
    indent: usize,
    text: &mut String,
) -> Result<(), Decline> {
    if indent / 2 == MAX_DEPTH {
        return Err(Decline::Depth);
    }
    let Some(properties) = parameters.when_true(Key::Properties)? else { return Ok(()) };
    if properties.kind() != Kind::Dict {
        return if semantics.lenient_tools { Ok(()) } else { Err(Decline::Error) };
    }
    let required = Required::of(semantics, parameters)?;
    for (place, (key, schema)) in properties.entries().into_iter().enumerate() {
        if place > 0 {
            text.push('\n');
        }
        let schema = schema.known()?;
        if schema.kind() != Kind::Dict && !semantics.lenient_tools {
            return Err(Decline::Error);
        }
        if let Some(description) = schema.when_true(Key::Description)? {
            write_indent(indent, text);
            write_comment(&description, text)?;
        }
        write_indent(indent, text);
        write_value(&key, text)?;
        let is_required = required.as_ref().map_or(Ok(false), |required| required.names(&key))?;
        text.push_str(if is_required { ": " } else { "?: " });
        write_type(semantics, &schema, indent, 0, text)?;
        text.push(',');
    }
    Ok(())
}

/// What Python's `key in required` is asked of.
enum Required<N> {
    Elements(Vec<N>),
    /// A part of it is in it, before 1.109.
    Text(String),
}

impl<N: Node> Required<N> {
    /// Before 1.109 a dictionary's keys were in it as well, and anything else was an error.
    fn of(semantics: Semantics, parameters: &N) -> Result<Option<Self>, Decline> {
        let Some(required) = parameters.when_true(Key::Required)? else { return Ok(None) };
        Ok(Some(match required.kind() {
            Kind::List => Self::Elements(required.elements()),
            _ if semantics.lenient_tools => Self::Elements(Vec::new()),
            Kind::Text => Self::Text(required.text().ok_or(Decline::LoneSurrogate)?.into_owned()),
            Kind::Dict => Self::Elements(required.entries().into_iter().map(|(name, _)| name).collect()),
            _ => return Err(Decline::Error),
        }))
    }

    fn names(&self, key: &N) -> Result<bool, Decline> {
        let key = key.clone().only(Kind::Text)?;
        let key = key.text().ok_or(Decline::LoneSurrogate)?;
        match self {
            Self::Elements(elements) => contains(elements, &key),
            Self::Text(text) => Ok(text.contains(&*key)),
        }
    }
}

fn contains<N: Node>(elements: &[N], key: &str) -> Result<bool, Decline> {
    for element in elements {
        if element.clone().known()?.is(key) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn write_type<N: Node>(
    semantics: Semantics,
    schema: &N,
    indent: usize,
    depth: usize,
    text: &mut String,
) -> Result<(), Decline> {
    if depth == MAX_DEPTH {
        return Err(Decline::Depth);
    }
    let kind = schema.get(Key::Type).map(Node::known).transpose()?;
    match kind.as_ref().and_then(Node::text).as_deref() {
        Some("string") => return write_choice(semantics, schema, "string", text),
        Some("integer" | "number") => return write_choice(semantics, schema, "number", text),
        Some("array") => {
            write_elements(semantics, schema, indent, depth, text)?;
            text.push_str("[]");
        }
        Some("object") => {
            text.push_str("{\n");
            write_object(semantics, schema, indent + 2, text)?;
            text.push_str("\n}");
        }
        Some("boolean") => text.push_str("boolean"),
        Some("null") => text.push_str("null"),
        _ => text.push_str("any"),
    }
    Ok(())
}

fn write_elements<N: Node>(
    semantics: Semantics,
    schema: &N,
    indent: usize,
    depth: usize,
    text: &mut String,
) -> Result<(), Decline> {
    match schema.get(Key::Items).map(Node::known).transpose()? {
        Some(items) if items.kind() == Kind::Dict => return write_type(semantics, &items, indent, depth + 1, text),
        _ if semantics.lenient_tools => text.push_str("any"),
        _ => return Err(Decline::Error),
    }
    Ok(())
}

/// The values of an enumeration, quoted; another word when there is none.
fn write_choice<N: Node>(semantics: Semantics, schema: &N, otherwise: &str, text: &mut String) -> Result<(), Decline> {
    let values = schema.get(Key::Enum).map(Node::known).transpose()?;
    let Some(values) = values.filter(|values| values.kind() == Kind::List || !semantics.lenient_tools) else {
        text.push_str(otherwise);
        return Ok(());
    };
    for (place, value) in values.only(Kind::List)?.elements().iter().enumerate() {
        text.push_str(if place == 0 { "\"" } else { " | \"" });
        write_value(value, text)?;
        text.push('"');
    }
    Ok(())
}

fn write_indent(indent: usize, text: &mut String) {
    text.extend(iter::repeat_n(' ', indent));
}

fn write_comment<N: Node>(comment: &N, text: &mut String) -> Result<(), Decline> {
    text.push_str("// ");
    write_value(comment, text)?;
    text.push('\n');
    Ok(())
}

/// A value as Python writes it.
fn write_value<N: Node>(value: &N, text: &mut String) -> Result<(), Decline> {
    text.push_str(&value.display()?.text().ok_or(Decline::LoneSurrogate)?);
    Ok(())
}
