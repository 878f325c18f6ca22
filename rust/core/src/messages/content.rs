//! The blocks of a content list.

use super::node::{Decline, Key, Kind, Node, needed};
use super::server_tools::server_tool;
use super::walk::{Call, MAX_DEPTH};

/// The start of a data URL whose pages LiteLLM reads.
const PDF: &str = "data:application/pdf";
/// The start of a data URL whose header LiteLLM reads from 1.109 on.
const IMAGE: &str = "data:image/";

/// Counts a list of blocks.
pub(super) fn count_blocks<N: Node>(call: &Call<'_, N>, blocks: &N, depth: usize) -> Result<i64, Decline> {
    if depth == MAX_DEPTH {
        return Err(Decline::Depth);
    }
    blocks.elements().into_iter().try_fold(0, |total, block| Ok(total + count_block(call, block, depth)?))
}

fn count_block<N: Node>(call: &Call<'_, N>, block: N, depth: usize) -> Result<i64, Decline> {
    if block.kind() == Kind::Text {
        return (call.count)(&block);
    }
    let block = block.only(Kind::Dict)?;
    let kind = needed(&block, Key::Type)?.only(Kind::Text)?;
    match kind.text().as_deref().unwrap_or_default() {
        "text" => block_text(call, &block, Key::Text),
        "thinking" => block_text(call, &block, Key::Thinking),
        "image_url" => image_url(call, &block),
        "tool_use" => fields(call, &block, &[Key::Name, Key::Input, Key::Caller], &[], depth),
        "tool_result" => fields(call, &block, &[Key::Content], &[Key::ToolUseId], depth),
        "search_result" if call.semantics.search_result_blocks => {
            let names = [Key::Source, Key::Title, Key::Content];
            fields(call, &block, &names, &names, depth)
        }
        kind if call.semantics.further_blocks => further_block(call, &block, kind, depth),
        _ => Err(Decline::Error),
    }
}

/// A block of one of the kinds that LiteLLM has counted since 1.106.
fn further_block<N: Node>(call: &Call<'_, N>, block: &N, kind: &str, depth: usize) -> Result<i64, Decline> {
    match kind {
        "redacted_thinking" => block_text(call, block, Key::Thinking),
        "compaction" if call.semantics.compaction => block_text(call, block, Key::Content),
        "tool_reference" => written_when_true(call, block, Key::ToolName),
        "image" => image_source(call, &needed(block, Key::Source)?),
        "document" => document(call, block, depth),
        "file" => file(call, block),
        kind if call.semantics.server_tools => server_tool(call, block, kind, depth),
        _ => Err(Decline::Error),
    }
}

/// The text of a block, written out as Python writes it when it is something else.
fn block_text<N: Node>(call: &Call<'_, N>, block: &N, key: Key) -> Result<i64, Decline> {
    if call.semantics.absent_text_is_empty {
        return written_when_true(call, block, key);
    }
    block.get(key).map_or(Ok(0), |text| (call.count)(&text.display()?))
}

fn written_when_true<N: Node>(call: &Call<'_, N>, block: &N, key: Key) -> Result<i64, Decline> {
    block.when_true(key)?.map_or(Ok(0), |text| (call.count)(&text.display()?))
}

/// The fields of an Anthropic block that hold text, blocks or a dictionary. `required` ones are asked for where the release does.
pub(super) fn fields<N: Node>(
    call: &Call<'_, N>,
    block: &N,
    names: &[Key],
    required: &[Key],
    depth: usize,
) -> Result<i64, Decline> {
    if call.semantics.required_fields && required.iter().any(|key| block.get(*key).is_none()) {
        return Err(Decline::Error);
    }
    names.iter().filter_map(|key| block.get(*key)).try_fold(0, |total, value| {
        let count = match value.kind() {
            Kind::Text => (call.count)(&value)?,
            Kind::List => count_blocks(call, &value, depth + 1)?,
            Kind::Dict => (call.count)(&value.display()?)?,
            Kind::None | Kind::Other => 0,
            Kind::Opaque => return Err(Decline::OpaqueValue),
        };
        Ok(total + count)
    })
}

fn image_url<N: Node>(call: &Call<'_, N>, block: &N) -> Result<i64, Decline> {
    let image = needed(block, Key::ImageUrl)?;
    if image.kind() == Kind::Text {
        let url = image.text().ok_or(Decline::LoneSurrogate)?;
        return if is_blank(&url) { Err(Decline::Error) } else { automatic_image(call, &url) };
    }
    let image = image.only(Kind::Dict)?;
    let detail = image.get(Key::Detail).map(|detail| detail.only(Kind::Text)).transpose()?;
    let url = image.when_true(Key::Url)?.ok_or(Decline::Error)?.only(Kind::Text)?;
    let url = url.text().ok_or(Decline::LoneSurrogate)?;
    match detail.as_ref().map(|detail| detail.text().unwrap_or_default()).as_deref() {
        None | Some("auto") => automatic_image(call, &url),
        Some("low") => Ok(call.fixed_image_tokens.unwrap_or(call.base_image_tokens)),
        Some("high") => call.fixed_image_tokens.ok_or(Decline::ImageDetail),
        Some(_) => Err(Decline::Error),
    }
}

/// An image at detail `auto`, which is `low` unless the release reads an inline image's header.
fn automatic_image<N>(call: &Call<'_, N>, url: &str) -> Result<i64, Decline> {
    match call.fixed_image_tokens {
        Some(tokens) => Ok(tokens),
        None if call.semantics.inline_images && url.starts_with(IMAGE) => Err(Decline::ImageDetail),
        None => Ok(call.base_image_tokens),
    }
}

fn image_source<N: Node>(call: &Call<'_, N>, source: &N) -> Result<i64, Decline> {
    automatic_image(call, &source_start(source)?)
}

/// As much of an Anthropic source's data URL as decides what it costs.
fn source_start<N: Node>(source: &N) -> Result<String, Decline> {
    let source = source.clone().only(Kind::Dict)?;
    let kind = needed(&source, Key::Type)?.known()?;
    let (value, inline) = match kind.text().as_deref() {
        Some("base64") => (source.when_true(Key::Data)?, true),
        Some("url") => (source.when_true(Key::Url)?, false),
        _ => (None, false),
    };
    let Some(value) = value else { return Ok(String::new()) };
    let value = value.only(Kind::Text)?;
    let value = value.text().ok_or(Decline::LoneSurrogate)?;
    if !inline {
        return Ok(value.chars().take(PDF.len()).collect());
    }
    let media_type = source.when_true(Key::MediaType)?.map(|media_type| media_type.only(Kind::Text)).transpose()?;
    let media_type =
        media_type.as_ref().map(|media_type| media_type.text().ok_or(Decline::LoneSurrogate)).transpose()?;
    Ok(format!("data:{}", media_type.as_deref().unwrap_or("image/png")))
}

/// A document or file whose content is not text: an image, unless its pages can be read.
fn opaque_document<N>(call: &Call<'_, N>, url: &str) -> Result<i64, Decline> {
    if url.starts_with(PDF) { Err(Decline::Pdf) } else { automatic_image(call, url) }
}

pub(super) fn document<N: Node>(call: &Call<'_, N>, block: &N, depth: usize) -> Result<i64, Decline> {
    let source = needed(block, Key::Source)?.only(Kind::Dict)?;
    let mut total = 0;
    for key in [Key::Title, Key::Context] {
        if let Some(text) = block.when_true(key)? {
            total += (call.count)(&text.only(Kind::Text)?)?;
        }
    }
    let kind = needed(&source, Key::Type)?.known()?;
    Ok(total
        + match kind.text().as_deref() {
            Some("text") => (call.count)(&needed(&source, Key::Data)?.only(Kind::Text)?)?,
            Some("content") => document_content(call, &needed(&source, Key::Content)?, depth)?,
            _ => opaque_document(call, &source_start(&source)?)?,
        })
}

fn document_content<N: Node>(call: &Call<'_, N>, content: &N, depth: usize) -> Result<i64, Decline> {
    match content.kind() {
        Kind::Text => (call.count)(content),
        _ => count_blocks(call, &content.clone().only(Kind::List)?, depth + 1),
    }
}

fn file<N: Node>(call: &Call<'_, N>, block: &N) -> Result<i64, Decline> {
    let Some(file) = block.get(Key::File).map(Node::known).transpose()? else { return Ok(0) };
    let name = file.get(Key::Filename).map(Node::known).transpose()?;
    let name_tokens = name.filter(|name| name.kind() == Kind::Text).map_or(Ok(0), |name| (call.count)(&name))?;
    let data = file.get(Key::FileData).map(Node::known).transpose()?;
    let Some(data) = data.filter(|data| data.kind() == Kind::Text && data.truthy()) else { return Ok(name_tokens) };
    let data = data.text().ok_or(Decline::LoneSurrogate)?;
    Ok(name_tokens + opaque_document(call, &data)?)
}

/// Whether Python's `str.strip` leaves nothing; wider than Rust's white space by four separators.
fn is_blank(text: &str) -> bool {
    text.chars().all(|character| character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character))
}
