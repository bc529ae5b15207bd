//! Order lists: what companies order again and again.

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    CompanyId, Currency, Name, OfCompany, OrderList, OrderListId, ProductId,
    order_list::{Command, Contents, Head},
    purchase_lines::{Mode, Wanted},
};
use event_log::{Outcome, Work};
use futures::FutureExt;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};
use uuid::Uuid;

use crate::{
    app::{
        Services, deciding,
        parties::company_hierarchy,
        pricing::pricing_context::{Prices, Sale},
        sales::{
            cart::{self, ChangeLines, RemoveLines, adding::AddLines},
            offerings::{self, Meant},
            purchase_rows::PurchaseRow,
        },
    },
    caller::Caller,
    failure::{Failure, problem, refusal},
};

/// A new list.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "MakeOrderList")]
pub struct Make {
    /// For which company; a buyer's key knows it.
    #[serde(default)]
    pub company: Option<CompanyId>,
    /// What it is called.
    pub name: Name,
    /// Whether others of the company, and the seller, see and change it.
    #[serde(default)]
    pub shared: bool,
}

/// Makes an order list.
pub async fn make(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    Make { company, name, shared }: Make,
) -> Result<Outcome, Problem> {
    let company = cart::whose(caller, company, "order_list.company_missing")?;
    let id = OrderListId(Uuid::now_v7());
    let head = &Head { company, owner: caller.actor(), name, shared };
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                company_hierarchy::line_of(work, company).await?;
                work.decide::<OrderList>(id, Command::Make { head: head.clone() }).await?;
                Ok(())
            })
        })
        .await
}

/// A list that the caller sees.
async fn seen<'w>(
    work: &'w mut Work,
    caller: &Caller,
    id: OrderListId,
) -> Result<&'w OrderList, Failure> {
    let list = work.load::<OrderList>(id).await?;
    caller.must_see(list.company())?;
    if !list.is_shown_to(caller.actor()) {
        return Err(Problem::not_found().into());
    }
    Ok(list)
}

/// What is on a list that the caller sees.
pub(crate) async fn contents(
    work: &mut Work,
    caller: &Caller,
    id: OrderListId,
) -> Result<Contents, Failure> {
    let contents = seen(work, caller, id).await?.contents();
    Ok(contents.map_err(|error| refusal(&error))?.clone())
}

async fn decide(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OrderListId,
    command: Command,
) -> Result<Outcome, Problem> {
    let command = &command;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                seen(work, caller, id).await?;
                work.decide::<OrderList>(id, command.clone()).await?;
                Ok(())
            })
        })
        .await
}

/// Renames an order list.
pub async fn rename(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OrderListId,
    cart::Rename { name }: cart::Rename,
) -> Result<Outcome, Problem> {
    decide(services, caller, digest, id, Command::Rename { name }).await
}

/// Shows an order list to the others of its company, and to the seller.
pub async fn share(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OrderListId,
) -> Result<Outcome, Problem> {
    decide(services, caller, digest, id, Command::Share).await
}

/// Hides an order list from everybody but its owner.
pub async fn unshare(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OrderListId,
) -> Result<Outcome, Problem> {
    decide(services, caller, digest, id, Command::Unshare { by: caller.actor() }).await
}

/// Uses an order list no more.
pub async fn discard(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OrderListId,
) -> Result<Outcome, Problem> {
    decide(services, caller, digest, id, Command::Discard).await
}

/// Removes lines of an order list.
pub async fn remove_lines(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OrderListId,
    RemoveLines { lines }: RemoveLines,
) -> Result<Outcome, Problem> {
    decide(services, caller, digest, id, Command::Remove { lines }).await
}

/// How products are looked up: a list has no prices, so none is asked for.
fn sale(services: &Services, company: CompanyId) -> Sale {
    let on = services.clock.today();
    Sale { company, currency: Currency::Pln, prices: Prices::Given, on }
}

/// Adds products to an order list: all of them, or none when one cannot be ordered.
pub async fn add_lines(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OrderListId,
    AddLines { rows }: AddLines,
) -> Result<Outcome, Problem> {
    let rows = Arc::new(PurchaseRow::read_all(&rows));
    let found = services.log.rehearse(|work| {
        let (services, caller, rows) = (services.clone(), caller.clone(), rows.clone());
        async move {
            let company = contents(work, &caller, id).await?.head.company;
            let (sale, requester) = (sale(&services, company), cart::requester(&caller));
            let found = offerings::resolve(&services, work, &rows, sale, requester).await?;
            Ok::<_, Failure>(found)
        }
        .boxed()
    });
    let found = found.await.map_err(problem)?;
    let mut wanted: Vec<Wanted> = Vec::with_capacity(rows.len());
    let mut wrong = Vec::new();
    for (index, row) in found.rows.into_iter().enumerate() {
        match row {
            Ok(Meant { product, quantity, packaging, note }) => {
                let offering = &found.offerings[&product];
                let wish = offering.wanted(quantity, packaging, note);
                wanted.push(Wanted { prices: vec![], ..wish });
            }
            Err(refused) => {
                let detail = format!("{} ({})", refused.why.detail, refused.why.code);
                wrong.push((None, FieldError::at(format!("/rows/{index}"), detail)));
            }
        }
    }
    if !wrong.is_empty() {
        return Err(super::lines::refused(wrong));
    }
    decide(services, caller, digest, id, Command::Add { wanted, mode: Mode::Add }).await
}

/// Changes lines of an order list.
pub async fn change_lines(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: OrderListId,
    ChangeLines { lines: changes }: ChangeLines,
) -> Result<Outcome, Problem> {
    let changes = &changes;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let contents = contents(work, caller, id).await?;
                let olds = cart::named(&contents.lines, changes)?;
                let products: BTreeSet<ProductId> = olds.iter().map(|old| old.product).collect();
                let sale = sale(services, contents.head.company);
                let (products, requester) =
                    (products.into_iter().collect(), cart::requester(caller));
                let offered =
                    offerings::of_products(services, work, products, sale, requester).await?;
                let mut lines = Vec::with_capacity(changes.len());
                for (index, (change, old)) in changes.iter().zip(olds).enumerate() {
                    let offering = offered[&old.product].as_ref().ok();
                    let wish = cart::changed(work, offering, old, change, index)?;
                    lines.push((change.line, Wanted { prices: vec![], ..wish }));
                }
                work.decide::<OrderList>(id, Command::Change { lines }).await?;
                Ok(())
            })
        })
        .await
}
