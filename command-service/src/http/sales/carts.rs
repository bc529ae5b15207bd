//! `/v1/carts`: what companies are about to order.

mod given_rows;

use aide::axum::{
    ApiRouter,
    routing::{get_with, post_with},
};
use axum::{Json, extract::State};
use domain::CartId;
use service_kit::permissions::{Ordering, ReadCarts};
use service_kit::{
    input::{Body, PathId, Query},
    problem::Problem,
};

use self::given_rows::GivenRows;
use crate::{
    app::{
        Services,
        billing::reorder::{self, Source},
        sales::cart::{
            self, ChangeLines, Open, RemoveLines, Rename,
            adding::{self, AddOptions, AddedRows},
            combining::{self, Copy, KeepAsList, Merge},
            placing::{self, OrderCart, RequestQuotation},
            totals::{self, Ask, CartTotals},
        },
    },
    http::{Created, Done, Nothing, access::By},
};

pub(super) fn routes() -> ApiRouter<Services> {
    ApiRouter::new()
        .api_route("/v1/carts", post_with(open, |o| o.id("cart.open").summary("Open a cart")))
        .api_route(
            "/v1/carts/{id}/clear",
            post_with(clear, |o| o.id("cart.clear").summary("Remove all lines of a cart")),
        )
        .api_route(
            "/v1/carts/{id}/copy",
            post_with(copy, |o| o.id("cart.copy").summary("Copy a cart")),
        )
        .api_route(
            "/v1/carts/{id}/discard",
            post_with(discard, |o| {
                o.id("cart.discard").summary("Close a cart that is not wanted any more")
            }),
        )
        .api_route(
            "/v1/carts/{id}/lines",
            post_with(add_lines, |o| {
                o.id("cart.add_lines").summary("Add rows to a cart; each is answered")
            }),
        )
        .api_route(
            "/v1/carts/{id}/lines/change",
            post_with(change_lines, |o| {
                o.id("cart.change_lines").summary("Change lines of a cart")
            }),
        )
        .api_route(
            "/v1/carts/{id}/lines/from",
            post_with(add_lines_from, |o| {
                o.id("cart.add_lines_from")
                    .summary("Add what was ordered, invoiced or listed before to a cart")
            }),
        )
        .api_route(
            "/v1/carts/{id}/lines/remove",
            post_with(remove_lines, |o| {
                o.id("cart.remove_lines").summary("Remove lines of a cart")
            }),
        )
        .api_route(
            "/v1/carts/{id}/merge",
            post_with(merge, |o| {
                o.id("cart.merge").summary("Put the lines of a cart into another one, and close it")
            }),
        )
        .api_route(
            "/v1/carts/{id}/order",
            post_with(order, |o| o.id("cart.order").summary("Order a cart, or some of its lines")),
        )
        .api_route(
            "/v1/carts/{id}/order-list",
            post_with(keep_as_list, |o| {
                o.id("cart.keep_as_list").summary("Make an order list of the lines of a cart")
            }),
        )
        .api_route(
            "/v1/carts/{id}/quotation-request",
            post_with(request_quotation, |o| {
                o.id("cart.request_quotation")
                    .summary("Request a quotation for the lines of a cart")
            }),
        )
        .api_route(
            "/v1/carts/{id}/rename",
            post_with(rename, |o| o.id("cart.rename").summary("Rename a cart")),
        )
        .api_route(
            "/v1/carts/{id}/share",
            post_with(share, |o| {
                o.id("cart.share").summary("Show a cart to the others of its company")
            }),
        )
        .api_route(
            "/v1/carts/{id}/unshare",
            post_with(unshare, |o| {
                o.id("cart.unshare").summary("Hide a cart from everybody but its owner")
            }),
        )
        .api_route(
            "/v1/carts/{id}/totals",
            get_with(show_totals, |o| {
                o.id("cart.totals").summary("What a cart costs now, and what has changed")
            }),
        )
}

async fn open(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    Body { value, digest }: Body<Open>,
) -> Result<Created, Problem> {
    let outcome = cart::open(&services, &caller, digest, value).await?;
    Ok(Created::within("/v1/carts", outcome))
}

async fn clear(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    Ok(cart::clear(&services, &caller, digest, CartId(id)).await?.into())
}

async fn discard(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    Ok(cart::discard(&services, &caller, digest, CartId(id)).await?.into())
}

async fn share(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    Ok(cart::share(&services, &caller, digest, CartId(id)).await?.into())
}

async fn unshare(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value: Nothing {}, digest }: Body<Nothing>,
) -> Result<Done, Problem> {
    Ok(cart::unshare(&services, &caller, digest, CartId(id)).await?.into())
}

async fn copy(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value, digest }: Body<Copy>,
) -> Result<Created, Problem> {
    let outcome = combining::copy(&services, &caller, digest, CartId(id), value).await?;
    Ok(Created::within("/v1/carts", outcome))
}

async fn add_lines(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Query(options): Query<AddOptions>,
    rows: GivenRows,
) -> Result<Json<AddedRows>, Problem> {
    let id = CartId(id);
    let added = match rows {
        GivenRows::Json(Body { value, digest }) => {
            adding::add(&services, &caller, digest, id, value, options).await?
        }
        GivenRows::File { file, digest } => {
            let rows = file.rows(caller.key_id()).await?;
            adding::add_rows(&services, &caller, digest, id, rows, options).await?
        }
    };
    Ok(Json(added))
}

async fn add_lines_from(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Query(options): Query<AddOptions>,
    Body { value, digest }: Body<Source>,
) -> Result<Json<AddedRows>, Problem> {
    reorder::add(&services, &caller, digest, CartId(id), value, options).await.map(Json)
}

async fn change_lines(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value, digest }: Body<ChangeLines>,
) -> Result<Done, Problem> {
    Ok(cart::change_lines(&services, &caller, digest, CartId(id), value).await?.into())
}

async fn remove_lines(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value, digest }: Body<RemoveLines>,
) -> Result<Done, Problem> {
    Ok(cart::remove_lines(&services, &caller, digest, CartId(id), value).await?.into())
}

async fn merge(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value, digest }: Body<Merge>,
) -> Result<Done, Problem> {
    Ok(combining::merge(&services, &caller, digest, CartId(id), value).await?.into())
}

async fn order(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value, digest }: Body<OrderCart>,
) -> Result<Created, Problem> {
    let outcome = placing::order(&services, &caller, digest, CartId(id), value).await?;
    Ok(Created::within("/v1/orders", outcome))
}

async fn keep_as_list(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value, digest }: Body<KeepAsList>,
) -> Result<Created, Problem> {
    let outcome = combining::keep_as_list(&services, &caller, digest, CartId(id), value).await?;
    Ok(Created::within("/v1/order-lists", outcome))
}

async fn request_quotation(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value, digest }: Body<RequestQuotation>,
) -> Result<Created, Problem> {
    let outcome = placing::request_quotation(&services, &caller, digest, CartId(id), value).await?;
    Ok(Created::within("/v1/quotation-requests", outcome))
}

async fn rename(
    State(services): State<Services>,
    By { who: caller, .. }: By<Ordering>,
    PathId(id): PathId,
    Body { value, digest }: Body<Rename>,
) -> Result<Done, Problem> {
    Ok(cart::rename(&services, &caller, digest, CartId(id), value).await?.into())
}

async fn show_totals(
    State(services): State<Services>,
    By { who: caller, .. }: By<ReadCarts>,
    PathId(id): PathId,
    Query(ask): Query<Ask>,
) -> Result<Json<CartTotals>, Problem> {
    totals::totals(&services, &caller, CartId(id), ask).await.map(Json)
}
