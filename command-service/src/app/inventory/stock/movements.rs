//! Movements of goods in a warehouse, and what is expected there.

use domain::{
    Claim, Note, OrderId, Product, ProductId, Quantity, Reference, Stock, StockId, WarehouseId,
    claim,
    stock::{
        self, AdjustmentReason, Available, Balance, Command, Disposition, Expected, Lot, Settings,
    },
};
use event_log::{Outcome, Work};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};
use uuid::Uuid;

use crate::{
    app::{Services, deciding, inventory::warehouse},
    caller::Caller,
    failure::{Failure, refusal, refusal_at},
};

/// Goods that arrived.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReceiveStock")]
pub struct Receive {
    pub warehouse: WarehouseId,
    pub quantity: Quantity,
    #[serde(default)]
    pub lot: Option<Lot>,
    /// The announced receipt that comes with it.
    #[serde(default)]
    pub receipt: Option<Reference>,
    /// The number of the warehouse's document. A number is recorded once per product: the same
    /// movement again changes nothing, another one is refused.
    #[serde(default)]
    pub reference: Option<Reference>,
}

/// A correction of the balance.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AdjustStock")]
pub struct Adjust {
    pub warehouse: WarehouseId,
    /// By how much; less than zero for goods that are gone.
    pub change: Balance,
    #[serde(default)]
    pub lot: Option<Lot>,
    pub reason: AdjustmentReason,
    #[serde(default)]
    pub note: Option<Note>,
    /// The number of the warehouse's document, recorded once per product.
    #[serde(default)]
    pub reference: Option<Reference>,
}

/// A stock-taking.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CountStock")]
pub struct Count {
    pub warehouse: WarehouseId,
    /// How much there is.
    pub counted: Available,
    /// Of this lot; of all lots together when not given.
    #[serde(default)]
    pub lot: Option<Lot>,
    /// The number of the warehouse's document, recorded once per product.
    #[serde(default)]
    pub reference: Option<Reference>,
}

/// Goods that go to another warehouse.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TransferStock")]
pub struct Transfer {
    pub from: WarehouseId,
    pub to: WarehouseId,
    pub quantity: Quantity,
    /// The code of the lot; what expires first when not given.
    #[serde(default)]
    pub lot: Option<Reference>,
    /// The number of the warehouse's document, recorded once per product.
    #[serde(default)]
    pub reference: Option<Reference>,
}

/// Goods that left without an order in Kontor.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WithdrawStock")]
pub struct Withdraw {
    pub warehouse: WarehouseId,
    pub quantity: Quantity,
    /// The code of the lot; what expires first when not given.
    #[serde(default)]
    pub lot: Option<Reference>,
    /// The number of the warehouse's document, recorded once per product.
    #[serde(default)]
    pub reference: Option<Reference>,
}

/// Goods that came back.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TakeBackStock")]
pub struct TakeBack {
    pub warehouse: WarehouseId,
    pub quantity: Quantity,
    #[serde(default)]
    pub lot: Option<Lot>,
    pub disposition: Disposition,
    /// Of which order.
    #[serde(default)]
    pub order: Option<OrderId>,
    /// The number of the warehouse's document, recorded once per product.
    #[serde(default)]
    pub reference: Option<Reference>,
}

/// A movement, however it is asked for.
#[derive(Debug, Clone)]
pub enum Movement {
    Receive(Receive),
    Adjust(Adjust),
    Count(Count),
    Transfer(Transfer),
    Withdraw(Withdraw),
    TakeBack(TakeBack),
}

/// Records a movement.
pub async fn record(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    product: ProductId,
    movement: Movement,
) -> Result<Outcome, Problem> {
    let movement = &movement;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                work.load::<Product>(product).await?.item().map_err(|error| refusal(&error))?;
                work.answer(StockId::of(product));
                record_in(work, product, movement).await?;
                Ok(())
            })
        })
        .await
}

/// Records a movement of a product that is loaded. `false` when its reference was recorded before.
pub(crate) async fn record_in(
    work: &mut Work,
    product: ProductId,
    movement: &Movement,
) -> Result<bool, Failure> {
    if !is_first(work, product, movement).await? {
        return Ok(false);
    }
    movement.warehouses(work).await?;
    movement.is_whole(work, product)?;
    let command = movement.command(product);
    work.decide::<Stock>(StockId::of(product), command)
        .await
        .map_err(|error| refusal_at(error, |error| Some(format!("/{}", movement.field(error)?))))?;
    Ok(true)
}

/// A reference is recorded once per product: the same movement again changes nothing, another one is
/// refused.
async fn is_first(
    work: &mut Work,
    product: ProductId,
    movement: &Movement,
) -> Result<bool, Failure> {
    let Some(reference) = movement.reference() else { return Ok(true) };
    let value = claim::Value::StockMovement { product, reference: reference.clone() };
    let before = work.load::<Claim>(value.id()).await?.holder();
    let by = movement.digest(product);
    let take = claim::Command::Take { value: value.clone(), by };
    let taken = work.decide::<Claim>(value.id(), take).await;
    taken.map_err(|error| refusal_at(error, |_| Some("/reference".to_owned())))?;
    Ok(before.is_none())
}

impl Movement {
    /// The number of the warehouse's document.
    pub(crate) fn reference(&self) -> Option<&Reference> {
        match self {
            Self::Receive(Receive { reference, .. })
            | Self::Adjust(Adjust { reference, .. })
            | Self::Count(Count { reference, .. })
            | Self::Transfer(Transfer { reference, .. })
            | Self::Withdraw(Withdraw { reference, .. })
            | Self::TakeBack(TakeBack { reference, .. }) => reference.as_ref(),
        }
    }

    /// Tells movements apart that have the same reference.
    fn digest(&self, product: ProductId) -> Uuid {
        let lot =
            |lot: &Option<Lot>| lot.as_ref().map_or(String::new(), |lot| lot.code.to_string());
        let code =
            |lot: &Option<Reference>| lot.as_ref().map_or(String::new(), ToString::to_string);
        let name = match self {
            Self::Receive(Receive { warehouse, quantity, lot: of, .. }) => {
                format!("receive/{warehouse}/{quantity}/{}", lot(of))
            }
            Self::Adjust(Adjust { warehouse, change, lot: of, .. }) => {
                format!("adjust/{warehouse}/{change}/{}", lot(of))
            }
            Self::Count(Count { warehouse, counted, lot: of, .. }) => {
                format!("count/{warehouse}/{counted}/{}", lot(of))
            }
            Self::Transfer(Transfer { from, to, quantity, lot: of, .. }) => {
                format!("transfer/{from}/{to}/{quantity}/{}", code(of))
            }
            Self::Withdraw(Withdraw { warehouse, quantity, lot: of, .. }) => {
                format!("withdraw/{warehouse}/{quantity}/{}", code(of))
            }
            Self::TakeBack(TakeBack { warehouse, quantity, lot: of, disposition, .. }) => {
                format!("take_back/{warehouse}/{quantity}/{}/{disposition:?}", lot(of))
            }
        };
        Uuid::new_v5(&product.0, name.as_bytes())
    }

    /// Refuses warehouses that do not exist, and goods that come into one that is closed.
    async fn warehouses(&self, work: &mut Work) -> Result<(), Failure> {
        match self {
            Self::Receive(Receive { warehouse, .. })
            | Self::TakeBack(TakeBack { warehouse, .. }) => {
                warehouse::must_receive(work, "/warehouse", *warehouse).await
            }
            Self::Adjust(Adjust { warehouse, .. })
            | Self::Count(Count { warehouse, .. })
            | Self::Withdraw(Withdraw { warehouse, .. }) => {
                warehouse::must_exist(work, "/warehouse", *warehouse).await
            }
            Self::Transfer(Transfer { from, to, .. }) => {
                warehouse::must_exist(work, "/from", *from).await?;
                warehouse::must_receive(work, "/to", *to).await
            }
        }
    }

    /// Refuses half of what is sold by the piece.
    fn is_whole(&self, work: &Work, product: ProductId) -> Result<(), Failure> {
        let quantity = match self {
            Self::Receive(Receive { quantity, .. })
            | Self::Transfer(Transfer { quantity, .. })
            | Self::Withdraw(Withdraw { quantity, .. })
            | Self::TakeBack(TakeBack { quantity, .. }) => Some(*quantity),
            Self::Adjust(Adjust { change, .. }) => Quantity::new(change.units().abs()).ok(),
            Self::Count(Count { counted, .. }) => counted.0,
        };
        let Some((product, quantity)) = work.get::<Product>(product).zip(quantity) else {
            return Ok(());
        };
        product.can_leave(quantity).map_err(|error| {
            let at = format!("/{}", self.quantity());
            refusal(&error).field(FieldError::at(at, error.to_string())).into()
        })
    }

    const fn quantity(&self) -> &'static str {
        match self {
            Self::Receive(_) | Self::Transfer(_) | Self::Withdraw(_) | Self::TakeBack(_) => {
                "quantity"
            }
            Self::Adjust(_) => "change",
            Self::Count(_) => "counted",
        }
    }

    /// The field that a rule of stock is about.
    fn field(&self, error: &stock::Error) -> Option<&'static str> {
        use stock::Error as E;
        match error {
            E::LotRequired | E::LotDiffers { .. } | E::TooManyLots | E::Day(_) => Some("lot"),
            E::NotOnHand { .. } | E::TooMuch | E::NoChange | E::Expired { .. } => {
                Some(self.quantity())
            }
            E::SameWarehouse => Some("to"),
            E::NotExpected => Some("receipt"),
            E::Tracked | E::NotAllocated { .. } | E::TooManyExpected | E::NegativeLots => None,
        }
    }

    fn command(&self, product: ProductId) -> Command {
        match self.clone() {
            Self::Receive(Receive { warehouse, quantity, lot, receipt, reference }) => {
                Command::Receive { product, warehouse, quantity, lot, receipt, reference }
            }
            Self::Adjust(Adjust { warehouse, change, lot, reason, note, reference }) => {
                Command::Adjust { product, warehouse, change, lot, reason, note, reference }
            }
            Self::Count(Count { warehouse, counted, lot, reference }) => {
                Command::Count { product, warehouse, counted, lot, reference }
            }
            Self::Transfer(Transfer { from, to, quantity, lot, reference }) => {
                Command::Transfer { product, from, to, quantity, lot, reference }
            }
            Self::Withdraw(Withdraw { warehouse, quantity, lot, reference }) => {
                Command::Withdraw { product, warehouse, quantity, lot, reference }
            }
            Self::TakeBack(TakeBack {
                warehouse,
                quantity,
                lot,
                disposition,
                order,
                reference,
            }) => Command::TakeBack {
                product,
                warehouse,
                quantity,
                lot,
                disposition,
                order,
                reference,
            },
        }
    }
}

/// Changes how the stock of a product is kept.
pub async fn configure(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    product: ProductId,
    settings: Settings,
) -> Result<Outcome, Problem> {
    decide(services, caller, digest, product, Command::Configure { product, settings }).await
}

/// A receipt that is announced.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ExpectStock")]
pub struct Expect {
    /// The number by which it is known, such as that of the purchase order. The same number again
    /// changes the announcement.
    pub receipt: Reference,
    pub warehouse: WarehouseId,
    pub quantity: Quantity,
    /// The day.
    pub on: Date,
}

/// Announces a receipt, or changes one that was announced.
pub async fn expect(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    product: ProductId,
    request: Expect,
) -> Result<Outcome, Problem> {
    let Expect { receipt, warehouse, quantity, on } = request;
    let expected = Expected { warehouse, quantity, on };
    decide(services, caller, digest, product, Command::Expect { product, receipt, expected }).await
}

/// A receipt that will not come.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CancelExpectedStock")]
pub struct CancelExpected {
    /// The number by which it is known.
    pub receipt: Reference,
}

/// Expects a receipt no more.
pub async fn cancel_expected(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    product: ProductId,
    CancelExpected { receipt }: CancelExpected,
) -> Result<Outcome, Problem> {
    let command = Command::CancelExpected { product, receipt };
    decide(services, caller, digest, product, command).await
}

async fn decide(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    product: ProductId,
    command: Command,
) -> Result<Outcome, Problem> {
    let command = &command;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                work.load::<Product>(product).await?.item().map_err(|error| refusal(&error))?;
                if let Command::Expect { expected, .. } = command {
                    warehouse::must_receive(work, "/warehouse", expected.warehouse).await?;
                }
                work.answer(StockId::of(product));
                let decided = work.decide::<Stock>(StockId::of(product), command.clone()).await;
                decided.map_err(|error| refusal_at(error, place_of))
            })
        })
        .await
}

fn place_of(error: &stock::Error) -> Option<String> {
    match error {
        stock::Error::Day(_) => Some("/on".to_owned()),
        stock::Error::NegativeLots => Some("/negative_allowed".to_owned()),
        _ => None,
    }
}
