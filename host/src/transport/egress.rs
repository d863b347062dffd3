//! Where requests may go.

/// Where the requests of one provider may go.
#[derive(Debug)]
pub struct Policy {}
