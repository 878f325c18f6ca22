//! Tool definitions written out as the text that is counted.

use std::borrow::Cow;
use std::fmt::Write;

use super::node::{Decline, Key, Kind, Node};
use super::semantics::Semantics;

/// Schemas nested deeper than this are left to the control.
const MAX_DEPTH: usize = 64;

/// Writes tool definitions as LiteLLM's `_format_function_definitions` does: a TypeScript-like namespace.
pub(super) fn format<N: Node>(semantics: Semantics, tools: &N) -> Result<String, Decline> {
    let mut lines = vec!["namespace functions {".to_owned(), String::new()];
    for tool in tools.elements() {
        let tool = tool.known()?;
        if tool.kind() == Kind::Dict {
            write_tool(semantics, &tool, &mut lines)?;
        } else if !semantics.bare_tools {
            return Err(Decline::Error);
        }
    }
    lines.push("} // namespace functions".to_owned());
    Ok(lines.join("\n"))
}

fn write_tool<N: Node>(semantics: Semantics, tool: &N, lines: &mut Vec<String>) -> Result<(), Decline> {
    let function = tool.get(Key::Function).map(Node::known).transpose()?;
    if let Some(function) = function.filter(|function| function.kind() == Kind::Dict) {
        let parameters = function_parameters(semantics, &function)?;
        return write_function(semantics, &function, parameters.as_ref(), lines);
    }
    if !semantics.bare_tools {
        return Err(Decline::Error);
    }
    if let Some(declarations) = declarations(tool)? {
        for declaration in declarations.elements() {
            let declaration = declaration.known()?;
            if declaration.kind() == Kind::Dict {
                write_function(semantics, &declaration, declaration.when_true(Key::Parameters)?.as_ref(), lines)?;
            }
        }
        return Ok(());
    }
    write_function(semantics, tool, bare_parameters(semantics, tool)?.as_ref(), lines)
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
    lines: &mut Vec<String>,
) -> Result<(), Decline> {
    let Some(name) = function_name(semantics, function)? else { return Ok(()) };
    if let Some(description) = function.when_true(Key::Description)? {
        lines.push(format!("// {}", written(&description)?));
    }
    let parameters = parameters.filter(|parameters| parameters.kind() == Kind::Dict);
    let properties = parameters.and_then(|parameters| parameters.get(Key::Properties)).map(Node::known).transpose()?;
    match (parameters, properties) {
        (Some(parameters), Some(properties)) if properties.kind() == Kind::Dict && properties.truthy() => {
            lines.push(format!("type {name} = (_: {{"));
            lines.push(object(semantics, parameters, 0)?);
            lines.push("}) => any;".to_owned());
        }
        _ => lines.push(format!("type {name} = () => any;")),
    }
    lines.push(String::new());
    Ok(())
}

/// The name of a function as it is written; `None` when the function is left out.
fn function_name<N: Node>(semantics: Semantics, function: &N) -> Result<Option<String>, Decline> {
    if semantics.bare_tools {
        return function.when_true(Key::Name)?.as_ref().map(written).transpose();
    }
    function.get(Key::Name).as_ref().map_or_else(|| Ok(Some("None".to_owned())), |name| written(name).map(Some))
}

/// The properties of an object, a line each; an entry of several lines is indented on its first only, as in the control.
fn object<N: Node>(semantics: Semantics, parameters: &N, indent: usize) -> Result<String, Decline> {
    if indent / 2 == MAX_DEPTH {
        return Err(Decline::Depth);
    }
    let Some(properties) = parameters.when_true(Key::Properties)? else { return Ok(String::new()) };
    if properties.kind() != Kind::Dict {
        return if semantics.lenient_tools { Ok(String::new()) } else { Err(Decline::Error) };
    }
    let required = parameters.when_true(Key::Required)?;
    let mut lines = Vec::new();
    for (key, schema) in properties.entries() {
        let schema = schema.known()?;
        if schema.kind() != Kind::Dict && !semantics.lenient_tools {
            return Err(Decline::Error);
        }
        if let Some(description) = schema.when_true(Key::Description)? {
            lines.push(format!("{:indent$}// {}", "", written(&description)?));
        }
        let optional = if is_required(semantics, required.as_ref(), &key)? { "" } else { "?" };
        let line = format!("{}{optional}: {},", written(&key)?, schema_type(semantics, &schema, indent, 0)?);
        lines.push(format!("{:indent$}{line}", ""));
    }
    Ok(lines.join("\n"))
}

/// Python's `key in required`: an element of a list, or, before 1.109, a part of a text or a key of a dictionary.
fn is_required<N: Node>(semantics: Semantics, required: Option<&N>, key: &N) -> Result<bool, Decline> {
    let Some(required) = required else { return Ok(false) };
    let key = key.clone().only(Kind::Text)?;
    let key = key.text().ok_or(Decline::LoneSurrogate)?;
    match required.kind() {
        Kind::List => contains(&required.elements(), &key),
        _ if semantics.lenient_tools => Ok(false),
        Kind::Text => Ok(required.text().ok_or(Decline::LoneSurrogate)?.contains(&*key)),
        Kind::Dict => contains(&required.entries().into_iter().map(|(name, _)| name).collect::<Vec<_>>(), &key),
        _ => Err(Decline::Error),
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

fn schema_type<N: Node>(semantics: Semantics, schema: &N, indent: usize, depth: usize) -> Result<String, Decline> {
    if depth == MAX_DEPTH {
        return Err(Decline::Depth);
    }
    let kind = schema.get(Key::Type).map(Node::known).transpose()?;
    let kind = kind.as_ref().and_then(Node::text).unwrap_or_default();
    Ok(match &*kind {
        "string" => one_of(semantics, schema)?.unwrap_or_else(|| "string".to_owned()),
        "integer" | "number" => one_of(semantics, schema)?.unwrap_or_else(|| "number".to_owned()),
        "array" => format!("{}[]", element_type(semantics, schema, indent, depth)?),
        "object" => format!("{{\n{}\n}}", object(semantics, schema, indent + 2)?),
        "boolean" => "boolean".to_owned(),
        "null" => "null".to_owned(),
        _ => "any".to_owned(),
    })
}

fn element_type<N: Node>(semantics: Semantics, schema: &N, indent: usize, depth: usize) -> Result<String, Decline> {
    match schema.get(Key::Items).map(Node::known).transpose()? {
        Some(items) if items.kind() == Kind::Dict => schema_type(semantics, &items, indent, depth + 1),
        _ if semantics.lenient_tools => Ok("any".to_owned()),
        _ => Err(Decline::Error),
    }
}

/// The values of an enumeration, quoted; `None` when there is none.
fn one_of<N: Node>(semantics: Semantics, schema: &N) -> Result<Option<String>, Decline> {
    let Some(values) = schema.get(Key::Enum).map(Node::known).transpose()? else { return Ok(None) };
    if values.kind() != Kind::List {
        return if semantics.lenient_tools { Ok(None) } else { Err(Decline::Error) };
    }
    let mut text = String::new();
    for value in values.elements() {
        let separator = if text.is_empty() { "" } else { " | " };
        write!(text, "{separator}\"{}\"", written(&value)?).map_err(|_| Decline::Error)?;
    }
    Ok(Some(text))
}

fn written<N: Node>(value: &N) -> Result<String, Decline> {
    value.display()?.text().map(Cow::into_owned).ok_or(Decline::LoneSurrogate)
}
