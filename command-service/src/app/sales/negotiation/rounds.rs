//! Rounds of a negotiation: proposals and agreements of the two sides.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use domain::{
    DeliveryTerms, Destination, Line, Message, Negotiation, NegotiationId, Offer, OfferId,
    PaymentTerm, Percent, Product, Quantity, Side, Sku, UnitPrice,
    negotiation::{self, ActiveNegotiation, Command, Item, Move, Moves, Round},
    offer::{self, Choice, OfferedLine},
};
use event_log::{Outcome, Work};
use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::Deserialize;
use service_kit::problem::{FieldError, Problem};

use crate::{
    app::{
        Services, deciding,
        parties::company_hierarchy,
        pricing::pricing_context::{Prices, Sale},
        sales::{
            lines::{self, LineRequest, below},
            negotiating::{self, may_negotiate},
            offer::must_know,
            offering::{self, Intent},
            ordering::{self, ProposedOrder},
        },
    },
    caller::Caller,
    failure::{Failure, refusal},
};

/// The content of a round.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RoundTerms")]
pub struct Say {
    /// The numbers of lines that are accepted as the other side proposed them.
    #[serde(default)]
    pub agree: BTreeSet<u32>,
    /// Lines with changes.
    #[serde(default)]
    pub lines: Vec<Want>,
    /// The numbers of lines to drop.
    #[serde(default)]
    pub drop: BTreeSet<u32>,
    /// Whether the conditions are accepted as the other side proposed them.
    #[serde(default)]
    pub agree_to_conditions: bool,
    /// A new payment term.
    #[serde(default)]
    pub payment_term: Option<PaymentTerm>,
    /// New delivery terms.
    #[serde(default)]
    pub delivery_terms: Option<DeliveryTerms>,
    /// A message to the other side.
    #[serde(default)]
    pub message: Option<Message>,
    /// The last day on which the other side may answer.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub answer_by: Option<Date>,
}

/// Changes of one line; omitted values stay unchanged.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WantedLine")]
pub struct Want {
    /// The number of the line.
    pub line: u32,
    /// A replacement product; without a price, at the listed price.
    #[serde(default)]
    pub sku: Option<Sku>,
    #[serde(default)]
    pub quantity: Option<Quantity>,
    #[serde(default)]
    pub unit_price: Option<UnitPrice>,
    /// The day of delivery.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub deliver_on: Option<Date>,
}

/// The first round.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "OpenNegotiation")]
pub struct Open {
    /// The revision of the offer to negotiate.
    pub revision: u32,
    /// The first round; it can also be proposed later.
    #[serde(default)]
    pub say: Option<Say>,
}

/// Opens a negotiation on a revision of an offer.
pub async fn open(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    offer: OfferId,
    Open { revision, say }: Open,
) -> Result<Outcome, Problem> {
    let (today, now) = (services.clock.today(), services.clock.now());
    let negotiation = NegotiationId::of(offer, revision);
    let say = &say;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let offered = work.load::<Offer>(offer).await?;
                must_know(caller, offered)?;
                let present = offered.revision().cloned();
                let command = offer::Command::Negotiate { negotiation, revision, today };
                work.decide::<Offer>(offer, command).await?;
                let (side, by) = (caller.side(), caller.actor());
                if let Some(present) = present {
                    let proposal = Box::new(present.proposal);
                    let open = negotiation::Command::Open { offer, revision, proposal, side, by };
                    work.decide::<Negotiation>(negotiation, open).await?;
                }
                if let Some(say) = say {
                    return speak(work, caller, negotiation, 1, say.clone(), (today, now)).await;
                }
                work.answer(negotiation);
                Ok(())
            })
        })
        .await
}

/// A further round.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ProposeRound")]
pub struct Propose {
    /// The number of the new round; refused if other rounds were proposed in the meantime.
    pub round: u32,
    pub say: Say,
}

/// Proposes a round: accepted lines and changes.
pub async fn propose(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: NegotiationId,
    Propose { round, say }: Propose,
) -> Result<Outcome, Problem> {
    let (today, now) = (services.clock.today(), services.clock.now());
    let say = &say;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                may_negotiate(work, caller, id).await?;
                speak(work, caller, id, round, say.clone(), (today, now)).await
            })
        })
        .await
}

/// Acceptance of everything.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AgreeToRound")]
pub struct Agree {
    /// The number of the new round; refused if other rounds were proposed in the meantime.
    pub round: u32,
    #[serde(default)]
    pub message: Option<Message>,
}

/// Agrees to the last proposal of the other side.
pub async fn agree(
    services: &Services,
    caller: &Caller,
    digest: [u8; 32],
    id: NegotiationId,
    Agree { round, message }: Agree,
) -> Result<Outcome, Problem> {
    let (today, now) = (services.clock.today(), services.clock.now());
    let message = &message;
    services
        .execute(caller, digest, &|work| {
            deciding(async move {
                let negotiation = may_negotiate(work, caller, id).await?;
                let moves =
                    negotiation.map(|negotiation| negotiation.table.agreement(caller.side()));
                let moves = moves.unwrap_or_default();
                let message = message.clone();
                let round = (round, Round { by: caller.actor(), moves, message, answer_by: None });
                say_it(work, caller, id, round, (today, now)).await
            })
        })
        .await
}

async fn speak(
    work: &mut Work,
    caller: &Caller,
    id: NegotiationId,
    number: u32,
    say: Say,
    (today, now): (Date, Timestamp),
) -> Result<(), Failure> {
    let negotiation = work.load::<Negotiation>(id).await?.open().map_err(|e| refusal(&e))?.clone();
    let (message, answer_by) = (say.message.clone(), say.answer_by);
    let moves = moves(work, &negotiation, caller.side(), say, today).await?;
    let round = (number, Round { by: caller.actor(), moves, message, answer_by });
    say_it(work, caller, id, round, (today, now)).await
}

/// Proposes the round, or requests the approval that the own side needs first.
async fn say_it(
    work: &mut Work,
    caller: &Caller,
    id: NegotiationId,
    (number, round): (u32, Round),
    (today, now): (Date, Timestamp),
) -> Result<(), Failure> {
    let negotiation = work.load::<Negotiation>(id).await?;
    let active = negotiation.open().map_err(|error| refusal(&error))?.clone();
    let side = caller.side();
    // Invalid rounds are refused before approval is requested.
    let said = Command::Propose { side, number, round: round.clone(), today, approval: None };
    negotiation.decide(said).map_err(|error| refusal(&error))?;
    company_hierarchy::buying_term(work, active.company).await?;
    let approval = match side {
        Side::Seller => {
            sellers_superiors(work, caller, &active, &round.moves, (today, now)).await?
        }
        Side::Buyer => {
            let (lines, net) = negotiating::orderable_lines(&active, side, &round.moves)?;
            let (company, by) = (active.company, caller.employee());
            let destination = &Destination::default();
            let proposed = ProposedOrder { company, by, lines: &lines, net, destination };
            ordering::approval_needed(work, proposed, (today, now)).await?
        }
    };
    let approval = approval.map(Box::new);
    let command = Command::Propose { side, number, round, today, approval };
    negotiating::decide(work, id, command, today).await
}

/// The approval that the seller's employee needs for the prices of a round.
async fn sellers_superiors(
    work: &mut Work,
    caller: &Caller,
    negotiation: &ActiveNegotiation,
    moves: &Moves,
    (today, now): (Date, Timestamp),
) -> Result<Option<domain::approval::Request>, Failure> {
    let (lines, net) = negotiating::orderable_lines(negotiation, Side::Seller, moves)?;
    let answered_for = negotiating::answered_for(negotiation, moves);
    let discount = discount(work, negotiation, &answered_for, today).await?;
    let intent = Intent { by: caller.employee(), lines, net, discount, now };
    offering::approval_needed(work, intent).await
}

/// The largest discount of the lines from the current listed prices.
async fn discount(
    work: &mut Work,
    negotiation: &ActiveNegotiation,
    lines: &[Line],
    today: Date,
) -> Result<Option<Percent>, Failure> {
    if lines.is_empty() {
        return Ok(None);
    }
    let sale = sale(negotiation, Prices::Agreed, today);
    work.load_many::<Product>(lines.iter().map(|line| line.product.0)).await?;
    let products = lines.iter().map(|line| line.product).collect();
    let pricing_context =
        crate::app::pricing::pricing_context::PricingContext::open(work, sale, products).await?;
    let below = |line: &Line| {
        below(lines::listed(work, &pricing_context, line.product, line.quantity), line.unit_price)
    };
    Ok(lines.iter().filter_map(below).max())
}

fn sale(negotiation: &ActiveNegotiation, prices: Prices, on: Date) -> Sale {
    Sale { company: negotiation.company, currency: negotiation.currency, prices, on }
}

/// Converts a request into the round of the domain.
async fn moves(
    work: &mut Work,
    negotiation: &ActiveNegotiation,
    side: Side,
    say: Say,
    today: Date,
) -> Result<Moves, Failure> {
    let Say { agree, lines, drop, agree_to_conditions, payment_term, delivery_terms, .. } = say;
    let proposed = proposed_lines(work, negotiation, side, &lines, today).await?;
    let agreed = agree.into_iter().map(|number| (number, Move::Agree {}));
    let dropped =
        drop.into_iter().map(|number| (number, Move::Propose { proposed: Item::Dropped {} }));
    let proposed = proposed.into_iter().map(|(number, line)| {
        (number, Move::Propose { proposed: Item::Line { line: Box::new(line) } })
    });
    let mut moves = BTreeMap::new();
    for (number, said) in agreed.chain(dropped).chain(proposed) {
        if moves.insert(number, said).is_some() {
            let detail = format!("line {number} is named twice");
            return Err(said_twice(detail).into());
        }
    }
    let says_conditions = payment_term.is_some() || delivery_terms.is_some();
    let conditions = match (agree_to_conditions, says_conditions) {
        (true, true) => {
            return Err(said_twice("the conditions are both accepted and changed").into());
        }
        (true, false) => Some(Move::Agree {}),
        (false, true) => Some(Move::Propose {
            proposed: negotiating::conditions(negotiation, payment_term, delivery_terms),
        }),
        (false, false) => None,
    };
    Ok(Moves { lines: moves, conditions })
}

fn said_twice(detail: impl Into<String>) -> Problem {
    let field = FieldError::at("/say", detail);
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "negotiation.said_twice").field(field)
}

/// The lines with changes, by number.
async fn proposed_lines(
    work: &mut Work,
    negotiation: &ActiveNegotiation,
    side: Side,
    wants: &[Want],
    today: Date,
) -> Result<Vec<(u32, OfferedLine)>, Failure> {
    if wants.is_empty() {
        return Ok(vec![]);
    }
    let mut requests = Vec::with_capacity(wants.len());
    let mut present_lines = Vec::with_capacity(wants.len());
    for (index, want) in wants.iter().enumerate() {
        offering::must_come(want.deliver_on, today, format!("/say/lines/{index}/deliver_on"))?;
        let present = match negotiating::proposed_item(negotiation, want.line) {
            Some(Item::Line { line }) => Some((**line).clone()),
            Some(Item::Dropped {}) => None,
            None => {
                let error = negotiation::Error::NoSuchLine { line: want.line };
                let field = FieldError::at(format!("/say/lines/{index}/line"), error.to_string());
                return Err(refusal(&error).field(field).into());
            }
        };
        let of_present = |read: fn(&Line) -> Option<UnitPrice>| {
            let present = present.as_ref().filter(|_| want.sku.is_none())?;
            read(&present.line)
        };
        requests.push(LineRequest {
            sku: want.sku.clone().or_else(|| Some(present.as_ref()?.line.sku.clone())),
            code: None,
            quantity: match (want.quantity, &present) {
                (Some(quantity), _) => quantity,
                (None, Some(present)) => present.line.quantity,
                (None, None) => return Err(says_nothing(index).into()),
            },
            packaging: None,
            unit_price: want.unit_price.or_else(|| of_present(|line| Some(line.unit_price))),
        });
        present_lines.push(present);
    }
    let prices = match side {
        Side::Seller => Prices::Agreed,
        Side::Buyer => Prices::Requested,
    };
    let at = |failure| match failure {
        Failure::Refused(problem) => Failure::from(problem.within("/say")),
        failure @ Failure::Log(_) => failure,
    };
    let priced =
        lines::with_pricing_context(work, &requests, sale(negotiation, prices, today)).await;
    let (priced, pricing_context) = priced.map_err(at)?;
    let lines = priced.into_iter().zip(wants).zip(present_lines).map(|((line, want), present)| {
        let of_present = present.as_ref().filter(|present| present.line.product == line.product);
        let kept = of_present.and_then(|present| present.line.deliver_on);
        let listed = pricing_context.as_ref().and_then(|pricing_context| {
            lines::listed(work, pricing_context, line.product, line.quantity)
        });
        let choice = present.as_ref().map_or(Choice::Needed, |present| present.choice);
        // The discounts and quantity prices of the offer apply to the previous price, so they are
        // removed.
        let (discount, breaks, at_most) = (None, Vec::new(), None);
        let line = Line { deliver_on: want.deliver_on.or(kept), ..line };
        let said = OfferedLine { line, listed, discount, breaks, at_most, choice };
        (
            want.line,
            of_present.filter(|present| is_the_same(present, &said)).cloned().unwrap_or(said),
        )
    });
    Ok(lines.collect())
}

/// Whether the line keeps the current price.
fn is_the_same(present: &OfferedLine, said: &OfferedLine) -> bool {
    let of = |line: &Line| (line.product, line.quantity, line.unit_price, line.deliver_on);
    of(&present.line) == of(&said.line)
}

/// A dropped line has no price to keep.
fn says_nothing(index: usize) -> Problem {
    let detail = "is required for a line that was dropped";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "lines.invalid")
        .field(FieldError::at(format!("/say/lines/{index}/quantity"), detail))
}
