//! `trustprobe serve` with those for whom it is made: Prometheus scrapes it, and
//! Chromium shows its pages.

mod deployed;
mod pages;
mod scraped;
mod scraper;
mod secured;
#[path = "../live/exporter/service.rs"]
#[allow(dead_code, reason = "the live tests use the rest of it")]
mod service;
