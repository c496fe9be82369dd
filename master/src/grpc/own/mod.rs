//! `tributary.v1`: the service of Tributary's own, over the same engine as the HTTP API.

mod aggregate;
mod follow;
mod products;
mod status;
mod upload;

use std::{sync::Arc, time::Duration};

use futures_util::stream::BoxStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Request, Response, Status, Streaming};
use tributary_config::Config;
use tributary_engine::Engine;
use tributary_grpc::tributary_v1::{
    AggregateRequest, AggregateResponse, EditProductRequest, EditProductResponse, Event, FollowRequest,
    GetProductRequest, ListProductsRequest, ListProductsResponse, Product, UploadRequest, UploadState,
    tributary_server::Tributary,
};

use self::aggregate::Aggregations;
use super::call::Call;

/// Followers of events and of uploads at a time.
const MAX_FOLLOWERS: usize = 1_000;

/// The service.
pub(super) struct Own {
    engine: Engine,
    aggregations: Arc<Aggregations>,
    /// The time over which a client must keep the least speed on average.
    patience: Duration,
    followers: Arc<Semaphore>,
}

impl Own {
    pub(super) fn new(engine: Engine, config: &Config) -> Self {
        let aggregations = Arc::new(Aggregations::new(config, engine.shutdown().clone()));
        let followers = Arc::new(Semaphore::new(MAX_FOLLOWERS));
        Self { engine, aggregations, patience: config.patience, followers }
    }

    /// A place among those who follow.
    fn follower(&self) -> Result<OwnedSemaphorePermit, Status> {
        let place = Arc::clone(&self.followers).try_acquire_owned();
        place.map_err(|_| Status::resource_exhausted("too many clients follow; try again later"))
    }
}

#[tonic::async_trait]
impl Tributary for Own {
    type UploadStream = BoxStream<'static, Result<UploadState, Status>>;
    type AggregateStream = BoxStream<'static, Result<AggregateResponse, Status>>;
    type FollowStream = BoxStream<'static, Result<Event, Status>>;

    async fn upload(&self, request: Request<Streaming<UploadRequest>>) -> Result<Response<Self::UploadStream>, Status> {
        status::only_active(&self.engine)?;
        let (call, place) = (Call::of(&request), self.follower()?);
        upload::upload(&self.engine, request.into_inner(), call, (self.patience, place)).await.map(Response::new)
    }

    async fn aggregate(
        &self,
        request: Request<Streaming<AggregateRequest>>,
    ) -> Result<Response<Self::AggregateStream>, Status> {
        let call = Call::of(&request);
        self.aggregations.aggregate(request.into_inner(), call).await.map(Response::new)
    }

    async fn follow(&self, request: Request<FollowRequest>) -> Result<Response<Self::FollowStream>, Status> {
        status::readable(&self.engine)?;
        let (call, place) = (Call::of(&request), self.follower()?);
        follow::follow(&self.engine, request.into_inner(), call, place).await.map(Response::new)
    }

    async fn get_product(&self, request: Request<GetProductRequest>) -> Result<Response<Product>, Status> {
        status::readable(&self.engine)?;
        products::get(&self.engine, request.into_inner()).await.map(Response::new)
    }

    async fn list_products(
        &self,
        request: Request<ListProductsRequest>,
    ) -> Result<Response<ListProductsResponse>, Status> {
        status::readable(&self.engine)?;
        products::list(&self.engine, request.into_inner()).await.map(Response::new)
    }

    async fn edit_product(
        &self,
        request: Request<EditProductRequest>,
    ) -> Result<Response<EditProductResponse>, Status> {
        status::only_active(&self.engine)?;
        let call = Call::of(&request);
        products::edit(&self.engine, request.into_inner(), call).await.map(Response::new)
    }
}
