//! The walk over chat messages and tool definitions that token counting needs.
