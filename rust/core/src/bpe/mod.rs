//! Exact token counts for tiktoken's encodings.
