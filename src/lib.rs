//! trustprobe: diagnoses server-to-server OAuth between Exchange on-premises
//! and Microsoft 365. It reads and never writes.

pub mod decode;
