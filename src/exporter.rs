//! `trustprobe serve`: metrics and status pages over HTTP.

#![cfg_attr(not(test), expect(dead_code, reason = "nothing serves yet"))]

mod server;
mod web_config;
