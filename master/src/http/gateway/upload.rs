//! `POST /upload`: a form with a file, whose sales are added up while it comes.

use std::sync::Arc;

use actix_multipart::{Field, Multipart};
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use serde_json::json;
use tributary_http_common::caller;
use tributary_pace::Pace;
use uuid::Uuid;

use super::{
    jobs::Job,
    parts::{Parts, broken},
    refusal::Refusal,
    serve::Gateway,
};
use crate::{
    http::api::upload::is_form,
    sales::{Failure, Stream},
};

/// Longest name of a file. It is remembered with its job.
const MAX_NAME_BYTES: usize = 1_024;

/// Receives a form, and answers with the id of its job once all of it has come.
pub(super) async fn post(
    request: HttpRequest,
    gateway: web::Data<Gateway>,
    payload: web::Payload,
) -> Result<HttpResponse, Refusal> {
    if !is_form(request.headers()) {
        return Err(no_file());
    }
    let form = Multipart::new(request.headers(), payload);
    let sent_by = caller(&request).name.map(|name| name.to_string());
    let gateway = gateway.into_inner();
    let reception = Reception { parts: Parts::new(form, Pace::new(gateway.patience)), gateway, sent_by };
    let job_id = reception.run().await?;
    Ok(HttpResponse::Accepted().json(json!({ "job_id": job_id })))
}

/// A form that is being received.
struct Reception {
    parts: Parts,
    gateway: Arc<Gateway>,
    sent_by: Option<String>,
}

/// The file of a form. One that failed has the reason instead of its stream.
struct Received {
    name: String,
    stream: Result<Stream, Failure>,
}

impl Reception {
    async fn run(mut self) -> Result<String, Refusal> {
        let (mut file, mut bytes) = (None, 0);
        while let Some(mut field) = self.parts.next().await? {
            match field.name() {
                Some("file") if file.is_none() => file = Some(self.file(&mut field).await?),
                Some("file_size_bytes") => bytes = size(&self.parts.text(&mut field).await?),
                _ => self.parts.skip(&mut field).await?,
            }
        }
        // Whoever sends a wrong form hears of it at its end: before it, many clients only see that the connection breaks.
        let received = file.unwrap_or_else(|| Err(no_file()))?;
        Ok(self.begin(received, bytes))
    }

    /// Adds up the sales of a file. The inner error is told at the end of the form.
    async fn file(&mut self, field: &mut Field) -> Result<Result<Received, Refusal>, Refusal> {
        let name = match checked_name(field) {
            Ok(name) => name,
            Err(refusal) => return self.parts.skip(field).await.map(|()| Err(refusal)),
        };
        let waiting = self.gateway.streams.enter(self.sent_by.clone()).map_err(busy)?;
        let mut stream = waiting.turn().await;
        let mut step = self.parts.step(field).await?;
        while let Some(data) = step {
            step = match stream {
                Ok(adding) => {
                    // The next bytes come while these are read.
                    let (next, added) = tokio::join!(self.parts.step(field), adding.push(data));
                    stream = added;
                    next?
                }
                Err(_) => self.parts.skip(field).await.map(|()| None)?,
            };
        }
        Ok(Ok(Received { name, stream }))
    }

    /// Makes a job of a file that has come, and returns its id. The totals are written behind it.
    fn begin(self, Received { name, stream }: Received, bytes: u64) -> String {
        let gateway = self.gateway;
        match stream {
            Err(failure) => {
                let id = Uuid::new_v4().to_string();
                gateway.jobs.add(Job::failed(id.clone(), (name, bytes), failure.to_string()));
                id
            }
            Ok(stream) => {
                let id = stream.id().to_string();
                gateway.jobs.add(Job::new(id.clone(), (name, bytes), stream.progress()));
                gateway.finishing.spawn_on(finish(Arc::clone(&gateway), stream), &gateway.runtime);
                id
            }
        }
    }
}

async fn finish(gateway: Arc<Gateway>, stream: Stream) {
    let id = stream.id().to_string();
    let finished = async {
        let stream = stream.finish().await?;
        gateway.jobs.update(&id, stream.progress());
        stream.write().await
    };
    let finished = finished.await.map_err(|failure: Failure| {
        tracing::warn!(job = %id, "a file of sales has no totals: {failure}");
        failure.to_string()
    });
    gateway.jobs.end(&id, finished);
}

/// The name of a file that can be taken.
fn checked_name(field: &Field) -> Result<String, Refusal> {
    let name = field.content_disposition().and_then(|disposition| disposition.get_filename());
    // Text, where a file was meant.
    match name.ok_or_else(broken)? {
        "" => Err(no_file()),
        name if name.len() > MAX_NAME_BYTES => {
            Err(Refusal::bad(format!("The name of the file is longer than {MAX_NAME_BYTES} bytes.")))
        }
        name if !name.to_lowercase().ends_with(".csv") => Err(Refusal::bad("Only CSV files are allowed.")),
        name => Ok(name.to_owned()),
    }
}

/// The length of a file as its client says it; 0 if that is no length.
fn size(text: &str) -> u64 {
    text.trim().parse().unwrap_or_default()
}

fn no_file() -> Refusal {
    Refusal::bad("Missing file in upload.")
}

fn busy(failure: Failure) -> Refusal {
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, failure.to_string())
}
