//! The built binary and the shape of the source, as a user and a newcomer meet them.

// Clippy lets a helper unwrap only below `cfg(test)`.
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod wall;
