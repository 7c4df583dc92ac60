//! `trustprobe serve`: metrics and status pages over HTTP.

#![expect(dead_code, reason = "nothing serves yet")]

mod server;
mod web_config;
