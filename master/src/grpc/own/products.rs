//! `GetProduct`, `ListProducts` and `EditProduct`.

use tonic::Status;
use tributary_engine::{
    Author, EditRequest, EditTerms, Engine, Entrance, Expected, ProductFilter, ProductOrder, ProductQuery, checked_sku,
    checked_text,
};
use tributary_grpc::tributary_v1::{
    EditProductRequest, EditProductResponse, GetProductRequest, ListProductsRequest, ListProductsResponse, Product,
    Texts, edit_product_request::Change,
};

use super::status;
use crate::grpc::call::Call;

/// Products of a page, and the most of them.
const PAGE: i32 = 100;
const MAX_PAGE: i32 = 10_000;

pub(super) async fn get(engine: &Engine, GetProductRequest { sku }: GetProductRequest) -> Result<Product, Status> {
    let sku = checked_sku(&sku).map_err(status::text)?;
    shown(engine, sku).await?.ok_or_else(|| Status::not_found(format!("no product is shown for the sku `{sku}`")))
}

/// The product as it is shown, with its version.
async fn shown(engine: &Engine, sku: &str) -> Result<Option<Product>, Status> {
    let detail = engine.product(sku).await.map_err(status::failed)?;
    let version = detail.version();
    Ok(detail.product.map(|shown| Product { version, ..product(shown) }))
}

fn product(product: tributary_engine::Product) -> Product {
    let columns = product.own.iter().map(|(column, text)| (column.to_owned(), text.clone())).collect();
    let tributary_engine::Product { sku, name, description, source, file, edited, first_seen, changed_at, .. } =
        product;
    Product {
        sku,
        name,
        description,
        columns,
        source: source.unwrap_or_default(),
        file: file.unwrap_or_default(),
        edited,
        first_seen: first_seen.unwrap_or_default(),
        changed_at: changed_at.unwrap_or_default(),
        version: String::new(),
    }
}

pub(super) async fn list(engine: &Engine, asked: ListProductsRequest) -> Result<ListProductsResponse, Status> {
    let limit = match asked.page_size {
        0 => PAGE,
        size @ 1..=MAX_PAGE => size,
        other => {
            return Err(Status::invalid_argument(format!("`page_size` must be from 1 to {MAX_PAGE}, not {other}")));
        }
    };
    let unless_blank = |text: String| Some(text).filter(|text| !text.is_empty());
    let order = |text: String| match text.strip_prefix('-') {
        Some(column) => ProductOrder { column: column.to_owned(), descending: true },
        None => ProductOrder { column: text, descending: false },
    };
    let query = ProductQuery {
        filter: ProductFilter {
            part: unless_blank(asked.query),
            name: asked.name,
            source: unless_blank(asked.source),
            edited: asked.edited,
            ..ProductFilter::default()
        },
        order: unless_blank(asked.order_by).map(order),
        after: unless_blank(asked.page_token),
        before: None,
    };
    let page = engine.products(query, limit.into()).await.map_err(status::list)?;
    let products = page.products.into_iter().map(product).collect();
    Ok(ListProductsResponse { products, next_page_token: page.next.unwrap_or_default() })
}

pub(super) async fn edit(
    engine: &Engine,
    EditProductRequest { sku, version, change }: EditProductRequest,
    call: Call,
) -> Result<EditProductResponse, Status> {
    let sku = checked_sku(&sku).map_err(status::text)?;
    let change = change.ok_or_else(|| {
        Status::invalid_argument("the edit changes nothing: set `correct`, `replace`, `hide` or `clear`")
    })?;
    let only_if_shown = matches!(change, Change::Correct(_));
    let change = match change {
        Change::Correct(Texts { columns, take_back }) => {
            let set = texts(columns)?.into_iter().map(|(column, text)| (column, Some(text)));
            let set: Vec<_> = set.chain(take_back.into_iter().map(|column| (column, None))).collect();
            refuse_sku_and_twins(set.iter().map(|(column, _)| column.as_str()))?;
            EditRequest::Patch(set)
        }
        Change::Replace(Texts { columns, take_back }) => {
            if !take_back.is_empty() {
                return Err(Status::invalid_argument(
                    "`replace` has no `take_back`: columns that it leaves out are taken back",
                ));
            }
            for column in ["name", "description"] {
                if !columns.contains_key(column) {
                    return Err(Status::invalid_argument(format!("`replace` needs the column `{column}`")));
                }
            }
            refuse_sku_and_twins(columns.keys().map(String::as_str))?;
            EditRequest::Replace(texts(columns)?)
        }
        Change::Hide(_) => EditRequest::Hide,
        Change::Clear(_) => EditRequest::Clear,
    };
    let expected = if version.is_empty() { Expected::Anything } else { Expected::Versions(vec![version]) };
    let author = Author { entrance: Entrance::Grpc, user: call.sender };
    let was_shown =
        engine.change_edit(sku, change, EditTerms { author, expected, only_if_shown }).await.map_err(status::edit)?;
    if only_if_shown && !was_shown {
        return Err(Status::not_found(format!("no product is shown for the sku `{sku}`; `replace` makes one")));
    }
    Ok(EditProductResponse { product: shown(engine, sku).await? })
}

/// Texts as their columns have them.
fn texts(columns: impl IntoIterator<Item = (String, String)>) -> Result<Vec<(String, String)>, Status> {
    let checked = |(column, text): (String, String)| {
        let text = checked_text(&column, &text).map_err(status::text)?.to_owned();
        Ok((column, text))
    };
    columns.into_iter().map(checked).collect()
}

fn refuse_sku_and_twins<'c>(columns: impl Iterator<Item = &'c str>) -> Result<(), Status> {
    let mut seen = Vec::new();
    for column in columns {
        if column == "sku" {
            return Err(Status::invalid_argument("`sku` cannot be changed; it is the one of the request"));
        }
        if seen.contains(&column) {
            return Err(Status::invalid_argument(format!("the column `{column}` stands there twice")));
        }
        seen.push(column);
    }
    Ok(())
}
