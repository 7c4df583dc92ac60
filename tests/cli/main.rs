//! The built binary and the shape of the source, as a user and a newcomer meet them.

mod metrics;
mod wall;
