//! The exporter: trusts that are asked again and again, for Prometheus and for
//! whoever looks at the status pages.

pub mod pages;
