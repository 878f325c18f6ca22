//! The blocks of tools that Anthropic's servers run: what was asked of a tool, and what came back.

use super::content::{document, fields};
use super::node::{Decline, Key, Kind, Node, needed};
use super::walk::{Call, MAX_DEPTH};

/// The fields of a block that are counted, or `None` for a kind of block that is not one of these.
fn counted_fields(kind: &str) -> Option<&'static [Key]> {
    Some(match kind {
        "server_tool_use" | "mcp_tool_use" => &[Key::Name, Key::Input],
        "web_search_tool_result"
        | "web_fetch_tool_result"
        | "code_execution_tool_result"
        | "bash_code_execution_tool_result"
        | "text_editor_code_execution_tool_result"
        | "mcp_tool_result"
        | "text_editor_code_execution_view_result" => &[Key::Content],
        "web_search_result" => &[Key::Url, Key::Title, Key::Snippet],
        "web_fetch_result" => &[Key::Url, Key::Content],
        "code_execution_result" | "bash_code_execution_result" => &[Key::Stdout, Key::Stderr, Key::Content],
        "text_editor_code_execution_str_replace_result" => &[Key::Lines],
        "encrypted_code_execution_result" => &[Key::Stderr, Key::Content],
        "text_editor_code_execution_create_result" | "code_execution_output" | "bash_code_execution_output" => &[],
        "web_search_tool_result_error"
        | "web_fetch_tool_result_error"
        | "code_execution_tool_result_error"
        | "bash_code_execution_tool_result_error" => &[Key::ErrorCode],
        "text_editor_code_execution_tool_result_error" => &[Key::ErrorCode, Key::ErrorMessage],
        _ => return None,
    })
}

/// Counts a block; a dictionary under `content` is a block itself, one under another name is written out.
pub(super) fn server_tool<N: Node>(call: &Call<'_, N>, block: &N, kind: &str, depth: usize) -> Result<i64, Decline> {
    let names = counted_fields(kind).ok_or(Decline::Error)?;
    let nested = block.get(Key::Content).filter(|content| content.kind() == Kind::Dict);
    match nested.filter(|_| names.contains(&Key::Content)) {
        None => fields(call, block, names, &[], depth),
        Some(content) => {
            let plain: Vec<Key> = names.iter().copied().filter(|name| *name != Key::Content).collect();
            Ok(fields(call, block, &plain, &[], depth)? + nested_block(call, &content, depth + 1)?)
        }
    }
}

fn nested_block<N: Node>(call: &Call<'_, N>, block: &N, depth: usize) -> Result<i64, Decline> {
    if depth == MAX_DEPTH {
        return Err(Decline::Depth);
    }
    let kind = needed(block, Key::Type)?.only(Kind::Text)?;
    match kind.text().as_deref().unwrap_or_default() {
        "document" => validated_document(call, block, depth),
        "tool_use" => fields(call, block, &[Key::Name, Key::Input, Key::Caller], &[], depth),
        "tool_result" => fields(call, block, &[Key::Content], &[], depth),
        "search_result" => fields(call, block, &[Key::Source, Key::Title, Key::Content], &[], depth),
        kind => server_tool(call, block, kind, depth),
    }
}

/// A document that the control validates before it counts it. Forms that are seldom sent are left to it.
fn validated_document<N: Node>(call: &Call<'_, N>, block: &N, depth: usize) -> Result<i64, Decline> {
    for key in [Key::Title, Key::Context] {
        block.get(key).map_or(Ok(()), |value| whole_text(&value).map(drop))?;
    }
    if [Key::CacheControl, Key::Citations].into_iter().any(|key| block.present(key).is_some()) {
        return Err(Decline::UnusualDocument);
    }
    validate_source(&needed(block, Key::Source)?.only(Kind::Dict)?)?;
    document(call, block, depth)
}

fn validate_source<N: Node>(source: &N) -> Result<(), Decline> {
    let kind = whole_text(&needed(source, Key::Type)?)?;
    let needs: &[Key] = match kind.as_str() {
        "text" if needed(source, Key::MediaType)?.is("text/plain") => &[Key::Data],
        "base64" => &[Key::MediaType, Key::Data],
        "url" => &[Key::Url],
        "content" => &[Key::Content],
        _ => return Err(Decline::UnusualDocument),
    };
    needs.iter().try_for_each(|key| whole_text(&needed(source, *key)?).map(drop))
}

/// A text with a UTF-8 form, which is what validation takes.
fn whole_text<N: Node>(value: &N) -> Result<String, Decline> {
    let text = value.text().map(std::borrow::Cow::into_owned);
    text.ok_or(Decline::UnusualDocument)
}
