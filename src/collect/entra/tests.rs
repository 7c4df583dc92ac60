//! The sources of the tenant, against the simulated cloud.
