//! Cutting a byte stream into frames.
