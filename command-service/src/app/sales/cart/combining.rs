//! Carts made of others: copies, merged carts, and lists of their lines.

use axum::http::StatusCode;
use domain::{
    Cart, CartId, Name, OrderList, OrderListId,
    cart::{Command, Contents, Error, Head},
    order_list,
    purchase_lines::{Mode, Wanted},
};
use event_log::Outcome;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};
use uuid::Uuid;

use super::{contents, kept, room};
use crate::{
    app::{Services, deciding},
    caller::Caller,
    failure::refusal,
};

/// What the copy is called.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CopyCart")]
pub struct Copy {
    pub name: Name,
    /// Whether others of the company, and the seller, see and change it.
    #[serde(default)]
    pub shared: bool,
}

/// Copies a cart: the new one has the same lines and belongs to who copied it.
pub async fn copy(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CartId,
    request: Copy,
) -> Result<Outcome, Problem> {
    let (new, request) = (CartId(Uuid::now_v7()), &request);
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let Contents { head, lines } = contents(work, caller, id).await?;
                room(services, head.company).await?;
                let Copy { name, shared } = request.clone();
                let head = Head { owner: caller.actor(), name, shared, ..head };
                work.begin::<Cart>(new);
                work.decide::<Cart>(new, Command::Open { head }).await?;
                let wanted = lines.iter().cloned().map(kept).collect();
                work.decide::<Cart>(new, Command::Add { wanted, mode: Mode::Add }).await?;
                work.answer(new);
                Ok(())
            })
        })
        .await
}

/// Into which cart.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "MergeCart")]
pub struct Merge {
    pub into: CartId,
}

/// Puts the lines of a cart into another one of the same company and currency, and closes it.
pub async fn merge(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CartId,
    Merge { into }: Merge,
) -> Result<Outcome, Problem> {
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                if into == id {
                    return Err(refusal(&Error::Itself).into());
                }
                let Contents { head, lines } = contents(work, caller, id).await?;
                let target = contents(work, caller, into).await?.head;
                if target.company != head.company || target.currency != head.currency {
                    let code = "cart.other_company_or_currency";
                    return Err(Problem::new(StatusCode::CONFLICT, code)
                        .detail("only carts of one company and currency are merged")
                        .field(FieldError::at("/into", "is of another company or currency"))
                        .into());
                }
                let wanted = lines.iter().cloned().map(kept).collect();
                work.decide::<Cart>(into, Command::Add { wanted, mode: Mode::Add }).await?;
                work.decide::<Cart>(id, Command::Merge { into }).await?;
                work.answer(into);
                Ok(())
            })
        })
        .await
}

/// What the list is called.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "KeepCartAsList")]
pub struct KeepAsList {
    pub name: Name,
    /// Whether others of the company, and the seller, see and change it.
    #[serde(default)]
    pub shared: bool,
}

/// Makes an order list of the lines of a cart, which stays as it is.
pub async fn keep_as_list(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: CartId,
    request: KeepAsList,
) -> Result<Outcome, Problem> {
    let (new, request) = (OrderListId(Uuid::now_v7()), &request);
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let Contents { head, lines } = contents(work, caller, id).await?;
                let KeepAsList { name, shared } = request.clone();
                let head =
                    order_list::Head { company: head.company, owner: caller.actor(), name, shared };
                work.begin::<OrderList>(new);
                work.decide::<OrderList>(new, order_list::Command::Make { head }).await?;
                let without_price = |line| Wanted { prices: vec![], ..kept(line) };
                let wanted = lines.iter().cloned().map(without_price).collect();
                let add = order_list::Command::Add { wanted, mode: Mode::Add };
                work.decide::<OrderList>(new, add).await?;
                work.answer(new);
                Ok(())
            })
        })
        .await
}
