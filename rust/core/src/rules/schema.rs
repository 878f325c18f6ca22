//! The tables as a JSON schema (draft 2020-12), for editors.
//!
//! Editors check with it what a schema can express; what hangs together across the file (percentages that add up, names that
//! exist, circles) is left to `fast-litellm validate`.

use serde_json::{Map, Value as Json, json};

use super::fields::NAME_WANTED;
use super::table::{FILE, FORMS, Field, NEGATION, Shape, TESTS, Table};

const NAME: &str = "^[a-z_][a-z0-9_]*$";
const PERCENT: &str = "^([0-9]{1,2}(\\.[0-9]{1,4}0*)?|100(\\.0+)?)%$";
const DAY: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$";
const MOMENT: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ].*([Zz]|[+-][0-9]{2}:?[0-9]{2}))?$";
const DURATION: &str = "^[0-9]+(ms|s|m|h|d)$";
const MEMORY: &str = "^[0-9]+(KiB|MiB|GiB)$";
const SLOT: &str = "^([0-9]+ ?- ?[0-9]+|[0-9.]+% ?- ?[0-9.]+%)$";
const ATTRIBUTE: &str = "^[^.]+(\\.[^.]+)*$";

/// The schema of a rule file.
#[must_use]
pub fn schema() -> Json {
    let mut root = mapping(&FILE);
    root["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    root["title"] = json!("Rules of fast-litellm");
    root["$defs"] = json!({"condition": condition()});
    root
}

fn mapping(table: &Table) -> Json {
    let mut object = json!({"type": "object", "properties": properties(table.fields), "additionalProperties": false});
    if !table.required.is_empty() {
        object["required"] = json!(table.required);
    }
    if !table.one_of.is_empty() {
        object["oneOf"] = table.one_of.iter().map(|form| json!({"required": [form]})).collect();
    }
    object
}

fn properties(fields: &[Field]) -> Map<String, Json> {
    fields.iter().map(|field| (field.name.to_owned(), described(&field.shape, field.about))).collect()
}

fn described(shape: &Shape, about: &str) -> Json {
    let mut schema = shaped(shape);
    schema["description"] = json!(about);
    schema
}

fn shaped(shape: &Shape) -> Json {
    match shape {
        Shape::Text => json!({"type": "string", "minLength": 1}),
        Shape::Scalar => json!({"type": ["string", "number", "boolean"]}),
        Shape::Number => json!({"type": "number"}),
        Shape::Count(least) => json!({"type": "integer", "minimum": least}),
        Shape::From(least) => json!({"type": "number", "minimum": least}),
        Shape::Boolean => json!({"type": "boolean"}),
        Shape::True => json!({"const": true}),
        Shape::One => json!({"const": 1}),
        Shape::Percent => json!({"anyOf": [{"type": "number", "minimum": 0, "maximum": 100}, pattern(PERCENT)]}),
        Shape::Duration => pattern(DURATION),
        Shape::Memory => pattern(MEMORY),
        Shape::Share => json!({"anyOf": [{"enum": ["shadow", "on"]}, pattern(PERCENT)]}),
        Shape::Date => pattern(DAY),
        Shape::Time => pattern(MOMENT),
        Shape::Attribute => pattern(ATTRIBUTE),
        Shape::Name => pattern(NAME),
        Shape::Slot => pattern(SLOT),
        Shape::Word(words) => json!({"enum": words}),
        Shape::List(item) => json!({"type": "array", "items": shaped(item), "minItems": 1}),
        Shape::Named(value) => named(value),
        Shape::Mapping(table) => mapping(table),
        Shape::Condition => json!({"$ref": "#/$defs/condition"}),
        Shape::Either(shapes) => json!({"anyOf": shapes.iter().map(shaped).collect::<Vec<_>>()}),
    }
}

fn pattern(pattern: &str) -> Json {
    json!({"type": "string", "pattern": pattern})
}

fn named(value: &Shape) -> Json {
    json!({
        "type": "object",
        "propertyNames": {"pattern": NAME, "description": NAME_WANTED},
        "additionalProperties": shaped(value),
    })
}

/// A condition: one of the composed forms alone, or an attribute with tests.
fn condition() -> Json {
    let mut tests = properties(TESTS.fields);
    for field in TESTS.fields {
        let about = format!("The exact opposite of {}, also true for a missing attribute.", field.name);
        tests.insert(format!("{NEGATION}{}", field.name), described(&field.shape, &about));
    }
    let forms = FORMS.fields.iter().map(|form| {
        let mut keys = if form.name == "attr" { tests.clone() } else { Map::new() };
        keys.insert(form.name.to_owned(), described(&form.shape, form.about));
        let least = if form.name == "attr" { 2 } else { 1 };
        json!({"type": "object", "properties": keys, "required": [form.name], "minProperties": least, "additionalProperties": false})
    });
    json!({"oneOf": forms.collect::<Vec<_>>()})
}
