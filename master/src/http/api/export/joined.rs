//! Lists that many want at once: while one waits for its turn to be read, all who ask for the same one join it, and it is read once for all
//! of them. So clients that take lists slowly, and ask for them again and again, do not make others wait for one list each.

use std::{
    collections::BTreeMap,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

use actix_web::{HttpRequest, HttpResponse, rt};
use futures_util::StreamExt;
use tokio::sync::{Semaphore, oneshot, watch};
use tributary_http_common::{Shared, shared};

use super::{Export, Table, csv};
use crate::http::server::error::ApiError;

/// Lists that are read at a time, as by the database.
const MAX_LISTS: usize = 4;
/// Requests for lists that wait. Further ones are refused.
const MAX_WAITING: usize = 512;

/// The number of lists that wait for their turn.
static LISTS: LazyLock<watch::Sender<usize>> = LazyLock::new(watch::Sender::default);
static TURNS: Semaphore = Semaphore::const_new(MAX_LISTS);
/// Those who wait for each list. Held for one change only.
static WAITING: Mutex<BTreeMap<String, Vec<Joined>>> = Mutex::new(BTreeMap::new());

/// One who waits: it gets the name of a list and its text.
type Joined = oneshot::Sender<Result<(String, Shared), ApiError>>;

/// Answers with the list that `read` begins to read: from one snapshot that is not older than the request.
///
/// # Errors
/// Those of `read`; too many wait for lists.
pub(crate) async fn joined<R: Send + 'static>(
    request: &HttpRequest,
    export: Export,
    read: impl Future<Output = Result<Table<R>, ApiError>> + 'static,
) -> Result<HttpResponse, ApiError> {
    if export == Export::Xlsx {
        return read.await?.answer(export).await;
    }
    if let Ok(turn) = TURNS.try_acquire() {
        let Table { name, header, rows, cells } = read.await?;
        let rows = rows.inspect(move |_| _ = &turn).boxed();
        return Table { name, header, rows, cells }.answer(export).await;
    }
    let key = format!("{export:?} {}", request.uri());
    let (joined, list) = oneshot::channel();
    if join(&key, joined)? {
        rt::spawn(lead(key, export, read));
    }
    let (name, list) = list.await.map_err(|_| ApiError::Busy)??;
    Ok(csv::response(&name, list.stream()))
}

/// Joins those who wait for a list. Returns whether nobody did before.
fn join(key: &str, joined: Joined) -> Result<bool, ApiError> {
    let mut all = waiting();
    all.values_mut().for_each(|waiting| waiting.retain(|one| !one.is_closed()));
    if all.values().map(Vec::len).sum::<usize>() >= MAX_WAITING {
        return Err(ApiError::Busy);
    }
    let is_first = !all.contains_key(key);
    all.entry(key.to_owned()).or_default().push(joined);
    Ok(is_first)
}

/// Reads a list for all who wait for it, once it is its turn.
async fn lead<R: Send + 'static>(
    key: String,
    export: Export,
    read: impl Future<Output = Result<Table<R>, ApiError>> + 'static,
) {
    LISTS.send_modify(|lists| *lists += 1);
    let turn = TURNS.acquire().await;
    LISTS.send_modify(|lists| *lists -= 1);
    // Who asks from now on must not get what is older than the request.
    let mut all = waiting().remove(&key).unwrap_or_default();
    all.retain(|one| !one.is_closed());
    if all.is_empty() {
        return;
    }
    match read.await {
        Ok(table) => {
            let name = table.name.clone();
            let list = shared(csv::body(table, export).inspect(move |_| _ = &turn));
            // Fails for those who have gone.
            all.into_iter().for_each(|one| drop(one.send(Ok((name.clone(), list.clone())))));
        }
        // The others hear that they may ask again.
        Err(error) => drop(all.remove(0).send(Err(error))),
    }
}

/// Is ready once a list waits for its turn: then none is held as long as its client takes.
pub(super) async fn others_wait() {
    // Fails only without a sender.
    let _ = LISTS.subscribe().wait_for(|lists| *lists > 0).await;
}

fn waiting() -> MutexGuard<'static, BTreeMap<String, Vec<Joined>>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell as Count, rc::Rc};

    use actix_web::{body::to_bytes, test::TestRequest};
    use futures_util::{future::join_all, stream};

    use super::*;
    use crate::http::api::export::Cell;

    fn list(reads: &Rc<Count<i64>>) -> impl Future<Output = Result<Table<i64>, ApiError>> + 'static {
        let reads = Rc::clone(reads);
        async move {
            reads.set(reads.get() + 1);
            // Whoever asks now would get what is older than the request.
            assert!(waiting().keys().all(|key| !key.contains("/list?a")));
            let rows = stream::iter([Ok(vec![reads.get(); 1000])]).boxed();
            let cells = |row: &i64| vec![Cell::Number(row.to_string().into())];
            Ok(Table { name: "list".to_owned(), header: vec!["number".to_owned()], rows, cells })
        }
    }

    /// Sixteen clients that took a list slowly used to make everybody wait for sixteen lists.
    #[actix_web::test]
    async fn a_list_is_read_once_for_all_who_wait_for_it() {
        let reads = Rc::new(Count::new(0));
        let turns = TURNS.acquire_many(MAX_LISTS as u32).await.unwrap();
        let ask = async |path: &str| {
            let request = TestRequest::with_uri(path).to_http_request();
            let answer = joined(&request, Export::ExactCsv, list(&reads)).await.unwrap();
            String::from_utf8(to_bytes(answer.into_body()).await.unwrap().to_vec()).unwrap()
        };
        let paths = ["/list?a", "/list?a", "/list?b", "/list?a"];
        let release = async {
            while waiting().values().map(Vec::len).sum::<usize>() < paths.len() {
                tokio::task::yield_now().await;
            }
            drop(turns);
        };
        let (answers, ()) = tokio::join!(join_all(paths.map(&ask)), release);
        assert_eq!(reads.get(), 2);
        let whole = |text: &str| text.lines().count() == 1001 && text.starts_with("number");
        assert!(answers.iter().all(|text| whole(text)), "{answers:?}");
        assert!(answers[0] == answers[1] && answers[1] == answers[3] && answers[0] != answers[2]);
        ask("/list?a").await;
        assert_eq!(reads.get(), 3, "a free turn reads at once");
    }
}
