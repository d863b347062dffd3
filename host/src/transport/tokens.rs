//! Opaque stand-ins for secrets, for the guest to copy.
