//! One request: who may, how large, how long, and that a panic stays an answer.

use std::convert::Infallible;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::FutureExt as _;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::Limited;
use hyper::body::Incoming;
use hyper::header::{
    AUTHORIZATION, CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use hyper::{Request, Response, StatusCode};
use tokio::time::timeout;
use tower_service::Service as _;

use super::Serving;
use super::phase::Phase;
use crate::exporter::web_config::{Admission, LetIn, WebConfig};

/// Octets of a request's body. Nothing here takes one.
const LARGEST_BODY: usize = 1 << 10;

/// Who is at the other end.
pub(super) struct Caller {
    pub(super) address: IpAddr,
    /// The rules by which the client was let in.
    pub(super) let_in: Option<LetIn>,
}

/// The body of an answer, which tells when it was handed over or given up.
pub(super) struct Handed {
    body: Body,
    phase: Arc<Phase>,
}

impl Serving {
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        caller: &Caller,
        phase: &Arc<Phase>,
    ) -> Result<Response<Handed>, Infallible> {
        phase.asked();
        let in_force = self.web.as_ref().map(WebConfig::in_force);
        let given = async {
            if let Some(in_force) = &in_force {
                let (path, user) = (request.uri().path(), request.headers().get(AUTHORIZATION));
                match in_force.admits(path, user, caller.address).await {
                    Admission::Admitted => {}
                    Admission::Unauthorized => return unauthorized(),
                    Admission::TooMany(wait) => return too_many(wait),
                }
            }
            self.routed(request).await
        };
        let in_time = timeout(self.bounds.request, given).await;
        let mut response = in_time.unwrap_or_else(|_| {
            plain(StatusCode::SERVICE_UNAVAILABLE, "the answer took too long\n")
        });
        if let Some(in_force) = in_force {
            in_force.add_headers(response.headers_mut());
            // Who was let in by rules of before has to come in again.
            if in_force.let_in() != caller.let_in {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
        }
        let phase = Arc::clone(phase);
        Ok(response.map(|body| Handed { body, phase }))
    }

    /// The router's answer, also where it panics.
    async fn routed(&self, request: Request<Incoming>) -> Response<Body> {
        if request.body().size_hint().lower() > LARGEST_BODY as u64 {
            let mut refused = plain(StatusCode::PAYLOAD_TOO_LARGE, "no request has a body here\n");
            refused.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            return refused;
        }
        let request = request.map(|body| Body::new(Limited::new(body, LARGEST_BODY)));
        let routed = async {
            let Ok(response) = self.router.clone().call(request).await;
            response
        };
        AssertUnwindSafe(routed).catch_unwind().await.unwrap_or_else(|_| {
            // The panic itself may tell a secret; the hook that prints it is the owner's.
            tracing::error!("a request was not answered: the program has a fault");
            plain(StatusCode::INTERNAL_SERVER_ERROR, "the program has a fault\n")
        })
    }
}

fn unauthorized() -> Response<Body> {
    let mut response = plain(StatusCode::UNAUTHORIZED, "Unauthorized\n");
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic"));
    response
}

fn too_many(wait: Duration) -> Response<Body> {
    let mut response = plain(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests\n");
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    response.headers_mut().insert(RETRY_AFTER, seconds.into());
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

impl http_body::Body for Handed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Handed {
    fn drop(&mut self) {
        self.phase.answered();
    }
}
