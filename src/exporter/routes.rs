//! What is answered at which path.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use checks::Procedure;
use checks::procedure::PROCEDURES;
use flate2::read::GzDecoder;
use jiff::Timestamp;
use serde::Deserialize;

use super::Exporter;
use super::own::Answered;
use super::pages;
use super::probe::NoAnswer;
use super::publication::Text;
use crate::config::value;
use crate::output::escape;

/// How long Prometheus waits, as it tells.
const PATIENCE: &str = "x-prometheus-scrape-timeout-seconds";
/// What is left of that for the way back.
const MARGIN: Duration = Duration::from_millis(500);
/// The text format, as every Prometheus reads it.
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) fn router(exporter: Arc<Exporter>) -> Router {
    Router::new()
        .route("/", get(overview))
        .route("/trust/{name}", get(trust))
        .route("/check/{id}", get(check))
        .route(pages::STYLE_PATH, get(style))
        .route("/metrics", get(metrics))
        .route("/probe", get(probe))
        .route("/-/healthy", get(healthy))
        .route("/-/ready", get(ready))
        .route("/-/reload", post(reload))
        .fallback(nothing)
        .with_state(exporter)
}

#[derive(Deserialize)]
struct Turned {
    page: Option<String>,
}

async fn overview(State(exporter): State<Arc<Exporter>>, Query(turned): Query<Turned>) -> Response {
    let (fleet, now) = (exporter.fleet(), Timestamp::now());
    let refused = exporter.own.reloaded.get() < 0.5;
    let notice = "The configuration that was read last cannot be used; the one before is in use.";
    let page = turned.page.and_then(|page| page.parse().ok()).unwrap_or(1);
    shown(pages::overview(&pages::Overview {
        rows: &fleet.rows(now),
        now,
        page,
        notice: refused.then_some(notice),
    }))
}

async fn trust(
    State(exporter): State<Arc<Exporter>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    let fleet = exporter.fleet();
    if let Some(packed) = exporter.page(&fleet, &name).await {
        return page(StatusCode::OK, unpacked(&packed, &headers));
    }
    if fleet.config.trusts.contains_key(&name) {
        return shown(pages::waiting(&name));
    }
    let near = fleet.names().filter(|it| value::nearest(&name, [*it]).is_some()).take(5);
    absent(&format!("trust {name:?}"), &near.collect::<Vec<_>>())
}

async fn check(State(exporter): State<Arc<Exporter>>, Path(id): Path<String>) -> Response {
    match pages::check(&exporter.fleet().config.checks, &id).transpose() {
        Some(text) => shown(text),
        None => absent(&format!("check {id:?}"), &[]),
    }
}

async fn style() -> Response {
    let kind = [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "max-age=300")];
    (kind, pages::HEADERS, pages::STYLE).into_response()
}

async fn nothing() -> Response {
    absent("page", &[])
}

fn absent(what: &str, near: &[&str]) -> Response {
    match pages::not_found(what, near) {
        Ok(text) => page(StatusCode::NOT_FOUND, text.into_response()),
        Err(error) => broken(&error),
    }
}

fn shown(text: anyhow::Result<String>) -> Response {
    match text {
        Ok(text) => page(StatusCode::OK, text.into_response()),
        Err(error) => broken(&error),
    }
}

fn broken(error: &anyhow::Error) -> Response {
    tracing::error!(error = %escape(&format!("{error:#}")), "a page broke");
    told(StatusCode::INTERNAL_SERVER_ERROR, "the page broke; the log tells more")
}

/// A page tells of now, and is nobody's to keep.
fn page(status: StatusCode, body: Response) -> Response {
    let kind = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CACHE_CONTROL, "no-store")];
    (status, kind, pages::HEADERS, body).into_response()
}

/// A compressed page, unpacked for those who cannot.
fn unpacked(packed: &Bytes, headers: &HeaderMap) -> Response {
    let vary = [(VARY, "accept-encoding")];
    if reads_gzip(headers) {
        return (vary, [(CONTENT_ENCODING, "gzip")], packed.clone()).into_response();
    }
    let mut text = Vec::new();
    // What was packed here is whole.
    let _ = GzDecoder::new(packed.as_ref()).read_to_end(&mut text);
    (vary, text).into_response()
}

async fn metrics(State(exporter): State<Arc<Exporter>>, headers: HeaderMap) -> Response {
    answer(&exporter.published(), METRICS, &headers)
}

#[derive(Deserialize)]
struct Asked {
    trust: Option<String>,
    procedure: Option<String>,
}

async fn probe(
    State(exporter): State<Arc<Exporter>>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let fleet = exporter.fleet();
    let refused = |status: StatusCode, why: &str| {
        exporter.own.answered(Answered::Refused);
        told(status, why)
    };
    let Some(name) = asked.trust else {
        return refused(StatusCode::BAD_REQUEST, "no trust is named; ask for /probe?trust=NAME");
    };
    let procedure = match asked.procedure.as_deref().map(procedure).transpose() {
        Ok(procedure) => procedure,
        Err(why) => return refused(StatusCode::BAD_REQUEST, &why),
    };
    let target = match fleet.target(&name, procedure) {
        Ok(target) => target,
        Err(why) => return refused(StatusCode::BAD_REQUEST, &why),
    };
    let deadline = fleet.config.defaults.deadline;
    let patience = patience(&headers).unwrap_or(Duration::MAX).min(deadline.saturating_mul(2));
    match exporter.probe(target, patience.min(deadline), patience).await {
        Ok(told) => answer(&told.text, METRICS, &headers),
        Err(NoAnswer::Busy) => {
            told(StatusCode::SERVICE_UNAVAILABLE, "too many trusts are being looked at")
        }
        Err(NoAnswer::Broke) => {
            told(StatusCode::INTERNAL_SERVER_ERROR, "the look broke; the log tells more")
        }
    }
}

fn procedure(id: &str) -> Result<&'static Procedure, String> {
    let known: Vec<&str> = PROCEDURES.iter().map(|it| it.id).collect();
    let none = || format!("no procedure {id:?}; there are {}", known.join(", "));
    Procedure::named(id).ok_or_else(none)
}

/// How long the one who asks will wait, less what the answer takes to arrive.
fn patience(headers: &HeaderMap) -> Option<Duration> {
    let seconds: f64 = headers.get(PATIENCE)?.to_str().ok()?.parse().ok()?;
    let whole = Duration::try_from_secs_f64(seconds).ok()?;
    // Whoever waits for less than the margin is given half of it.
    Some(whole.checked_sub(MARGIN).filter(|it| MARGIN < *it).unwrap_or(whole / 2))
}

async fn healthy() -> Response {
    told(StatusCode::OK, "healthy")
}

/// Ready when there is something to tell: each trust was looked at, or none is
/// before somebody asks.
async fn ready(State(exporter): State<Arc<Exporter>>) -> Response {
    let fleet = exporter.fleet();
    if !fleet.config.exporter.background || fleet.is_known() {
        told(StatusCode::OK, "ready")
    } else {
        told(StatusCode::SERVICE_UNAVAILABLE, "not every trust was looked at yet")
    }
}

async fn reload(State(exporter): State<Arc<Exporter>>) -> Response {
    if !exporter.options.reload {
        return told(StatusCode::FORBIDDEN, "start with --enable-reload to permit this");
    }
    match exporter.reload().await {
        Ok(()) => told(StatusCode::OK, "the configuration was read again"),
        Err(why) => told(StatusCode::UNPROCESSABLE_ENTITY, &why),
    }
}

fn told(status: StatusCode, text: &str) -> Response {
    let kind = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
    (status, kind, format!("{}\n", escape(text))).into_response()
}

/// The text in the form that the one who asks can read.
fn answer(text: &Text, kind: &'static str, headers: &HeaderMap) -> Response {
    let common = [(CONTENT_TYPE, kind), (VARY, "accept-encoding")];
    if reads_gzip(headers) {
        return (common, [(CONTENT_ENCODING, "gzip")], text.gzip()).into_response();
    }
    (common, text.plain()).into_response()
}

fn reads_gzip(headers: &HeaderMap) -> bool {
    let stated = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|it| it.to_str().ok());
    let mut all = stated.flat_map(|it| it.split(','));
    all.any(|it| {
        let (name, weight) = it.split_once(';').unwrap_or((it, ""));
        let weight: f64 = weight.trim().trim_start_matches("q=").parse().unwrap_or(1.0);
        name.trim().eq_ignore_ascii_case("gzip") && 0.0 < weight
    })
}
