//! Loading adapters, and loading them again.
