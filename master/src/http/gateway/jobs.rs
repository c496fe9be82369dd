//! The jobs whose clients may still ask for them, in memory: a restart forgets them, and their results stay.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde::Serialize;
use tributary_sales::Counts;

use crate::sales::{Progress, Summary};

/// Jobs that are remembered, and for how long. The oldest is forgotten first.
const MAX_JOBS: usize = 10_000;
const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// A job, as its client gets it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Job {
    job_id: String,
    filename: String,
    file_size_bytes: u64,
    status: Stage,
    rows_processed: u64,
    created_at: f64,
    malformed_rows: u64,
    processed_percentage: f64,
    message: String,
    last_update: f64,
    #[serde(flatten)]
    end: Option<End>,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum Stage {
    Processing,
    Complete,
    Failed,
}

#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum End {
    Complete {
        total_sales: u64,
        unique_departments: u64,
        processing_time_seconds: f32,
        result_file_name: String,
        result_file_url: String,
        storage_result_file_url: Option<String>,
    },
    Failed {
        error: String,
    },
}

/// All jobs.
#[derive(Debug, Default)]
pub(super) struct Jobs(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    jobs: HashMap<String, Job>,
    /// In the order in which they began.
    order: VecDeque<(Instant, String)>,
}

impl Job {
    /// A job whose file has come.
    pub(super) fn new(job_id: String, (filename, file_size_bytes): (String, u64), progress: Progress) -> Self {
        let now = epoch();
        Self {
            job_id,
            filename,
            file_size_bytes,
            status: Stage::Processing,
            rows_processed: progress.counts.rows,
            created_at: now,
            malformed_rows: progress.counts.malformed,
            processed_percentage: progress.percent,
            message: progress.message,
            last_update: now,
            end: None,
        }
    }

    /// A job that ended before its file did.
    pub(super) fn failed(job_id: String, file: (String, u64), error: String) -> Self {
        let progress = Progress { counts: Counts::default(), percent: 0.0, message: String::new() };
        let mut job = Self::new(job_id, file, progress);
        job.end(Err(error));
        job
    }

    /// The name that its client gave the file.
    pub(super) fn filename(&self) -> &str {
        &self.filename
    }

    fn update(&mut self, Progress { counts, percent, message }: Progress) {
        self.rows_processed = counts.rows;
        self.malformed_rows = counts.malformed;
        self.processed_percentage = percent;
        self.message = message;
        self.last_update = epoch();
    }

    fn end(&mut self, ended: Result<Summary, String>) {
        self.last_update = epoch();
        match ended {
            Ok(Summary { result, link, counts, departments, seconds }) => {
                self.status = Stage::Complete;
                self.rows_processed = counts.rows;
                self.malformed_rows = counts.malformed;
                self.processed_percentage = 100.0;
                self.end = Some(End::Complete {
                    total_sales: counts.sales,
                    unique_departments: departments,
                    processing_time_seconds: seconds,
                    result_file_url: format!("/download/{result}"),
                    result_file_name: result,
                    storage_result_file_url: link,
                });
            }
            Err(error) => {
                self.status = Stage::Failed;
                self.end = Some(End::Failed { error });
            }
        }
    }
}

impl Jobs {
    pub(super) fn add(&self, job: Job) {
        let mut known = self.known();
        let now = Instant::now();
        let is_old = |began: &Instant| now.duration_since(*began) > MAX_AGE;
        while known.order.front().is_some_and(|(began, _)| known.jobs.len() >= MAX_JOBS || is_old(began)) {
            if let Some((_, oldest)) = known.order.pop_front() {
                known.jobs.remove(&oldest);
            }
        }
        known.order.push_back((now, job.job_id.clone()));
        known.jobs.insert(job.job_id.clone(), job);
    }

    pub(super) fn get(&self, id: &str) -> Option<Job> {
        self.known().jobs.get(id).cloned()
    }

    pub(super) fn update(&self, id: &str, progress: Progress) {
        if let Some(job) = self.known().jobs.get_mut(id) {
            job.update(progress);
        }
    }

    /// Ends a job, with its totals or the reason why it has none.
    pub(super) fn end(&self, id: &str, ended: Result<Summary, String>) {
        if let Some(job) = self.known().jobs.get_mut(id) {
            job.end(ended);
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Seconds since 1970.
pub(super) fn epoch() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn job(id: usize) -> Job {
        let progress = Progress { counts: Counts::default(), percent: 0.0, message: String::new() };
        Job::new(id.to_string(), ("a.csv".to_owned(), 0), progress)
    }

    #[test]
    fn the_oldest_job_is_forgotten_first() {
        let jobs = Jobs::default();
        (0..=MAX_JOBS).for_each(|id| jobs.add(job(id)));
        assert!(jobs.get("0").is_none() && jobs.get("1").is_some());
        assert_eq!(jobs.known().order.len(), MAX_JOBS);
    }

    #[test]
    fn a_job_has_the_members_of_its_stage() {
        let jobs = Jobs::default();
        jobs.add(job(1));
        let keys = || {
            let Value::Object(members) = serde_json::to_value(jobs.get("1").unwrap()).unwrap() else { panic!() };
            members
        };
        assert_eq!((keys().len(), &keys()["status"]), (10, &json!("processing")));
        let counts = Counts { rows: 3, malformed: 1, sales: 9 };
        jobs.end("1", Ok(Summary { result: "r.csv".to_owned(), link: None, counts, departments: 2, seconds: 0.5 }));
        let members = keys();
        assert_eq!((members.len(), &members["status"]), (16, &json!("complete")));
        assert_eq!(members["result_file_url"], json!("/download/r.csv"));
        assert_eq!(members["storage_result_file_url"], Value::Null);
        jobs.end("1", Err("why".to_owned()));
        assert_eq!((keys().len(), &keys()["error"]), (11, &json!("why")));
    }
}
