//! trustprobe: diagnoses server-to-server OAuth between Exchange on-premises
//! and Microsoft 365. It reads and never writes.
//!
//! Bytes become facts ([`evidence`], [`decode`]), facts become outcomes (the
//! crate `checks`), outcomes become text ([`output`]). One direction.

pub mod cli;
pub mod cloud;
pub mod collect;
pub mod commands;
pub mod config;
pub mod decode;
pub mod evidence;
pub mod exit;
pub mod exporter;
mod judgement;
mod material;
pub mod output;
mod pack;
pub mod redact;
pub mod stdout;
