//! Effects of a negotiation on its offer: an agreement creates a revision; without agreement the
//! offer stays unchanged.

use domain::{
    Line, Money, Negotiation, NegotiationId, OfCompany, Offer, Side,
    negotiation::{self, ActiveNegotiation, Item, Moves},
    offer::{self, OfferedLine},
    terms::Conditions,
};
use event_log::Work;
use jiff::civil::Date;
use service_kit::problem::Problem;

use crate::{
    app::sales::offering::too_large,
    caller::Caller,
    failure::{Failure, refusal},
};

/// The negotiation that the caller may see, or `None` if it has ended.
pub(crate) async fn may_negotiate<'w>(
    work: &'w mut Work,
    caller: &Caller,
    id: NegotiationId,
) -> Result<Option<&'w ActiveNegotiation>, Failure> {
    let negotiation = work.load::<Negotiation>(id).await?;
    caller.must_see(negotiation.company())?;
    if *negotiation == Negotiation::Unopened {
        return Err(Problem::not_found().into());
    }
    Ok(negotiation.active())
}

/// Gives a command to a negotiation, and updates its offer.
pub(crate) async fn decide(
    work: &mut Work,
    id: NegotiationId,
    command: negotiation::Command,
    today: Date,
) -> Result<(), Failure> {
    let before = work.load::<Negotiation>(id).await?.active().cloned();
    // Read before the decision, because the state afterwards does not keep the agreed terms.
    let events = work.get::<Negotiation>(id).map(|negotiation| negotiation.decide(command.clone()));
    let agreed = match events {
        Some(Ok(events)) => events.into_iter().find_map(|event| match event {
            negotiation::Event::Agreed { lines, conditions } => Some((lines, conditions)),
            _ => None,
        }),
        Some(Err(error)) => return Err(refusal(&error).into()),
        None => None,
    };
    work.decide::<Negotiation>(id, command).await?;
    if let Some(ActiveNegotiation { offer, .. }) = before {
        let follows = match (agreed, work.get::<Negotiation>(id)) {
            (Some((lines, conditions)), _) => {
                let lines = Box::new(lines);
                Some(offer::Command::Agree { negotiation: id, lines, conditions, today })
            }
            (None, Some(Negotiation::Stopped { .. })) => {
                Some(offer::Command::EndNegotiation { negotiation: id })
            }
            (None, _) => None,
        };
        if let Some(command) = follows {
            work.decide::<Offer>(offer, command).await?;
        }
    }
    work.answer(id);
    Ok(())
}

/// The lines and the largest net sum that could be ordered if the other side agreed to everything,
/// after one side has proposed.
pub(crate) fn orderable_lines(
    negotiation: &ActiveNegotiation,
    side: Side,
    moves: &Moves,
) -> Result<(Vec<Line>, Money), Failure> {
    let table = negotiation.table.after(side, moves).map_err(|error| refusal(&error))?;
    let lines: Vec<(u32, &OfferedLine)> = table
        .lines
        .iter()
        .filter_map(|(number, point)| Some((*number, point.proposed.line()?)))
        .collect();
    let net = offer::most_net(lines.iter().copied(), negotiation.currency).map_err(too_large)?;
    Ok((lines.into_iter().map(|(_, line)| line.line.clone()).collect(), net))
}

/// The lines that one side accepts or proposes in a round: it is responsible for these prices.
/// answers.
pub(crate) fn answered_for(negotiation: &ActiveNegotiation, moves: &Moves) -> Vec<Line> {
    let stands = |number: &u32| negotiation.table.lines.get(number)?.proposed.line();
    let said = moves.lines.iter().filter_map(|(number, said)| match said {
        negotiation::Move::Agree {} => stands(number),
        negotiation::Move::Propose { proposed } => proposed.line(),
    });
    said.map(|line| line.line.clone()).collect()
}

/// The conditions of a proposal, completed with the current ones.
pub(crate) fn conditions(
    negotiation: &ActiveNegotiation,
    payment_term: Option<domain::PaymentTerm>,
    delivery_terms: Option<domain::DeliveryTerms>,
) -> Conditions {
    let present = negotiation.table.conditions.proposed.clone();
    Conditions {
        payment_term: payment_term.unwrap_or(present.payment_term),
        delivery_terms: delivery_terms.or(present.delivery_terms),
    }
}

/// A line of the current proposal.
pub(crate) fn proposed_item(negotiation: &ActiveNegotiation, number: u32) -> Option<&Item> {
    Some(&negotiation.table.lines.get(&number)?.proposed)
}
