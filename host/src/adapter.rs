//! The adapter runtime.
