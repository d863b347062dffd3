//! Providers that speak the API the client speaks.
