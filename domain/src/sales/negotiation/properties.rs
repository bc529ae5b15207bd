//! Whatever both sides do, what both have agreed on stays until both want otherwise, and an offer
//! ends in what both have agreed on or not at all.

use cqrs_es::Aggregate;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{
    fixtures::{self, day, line},
    kernel::{Destination, NegotiationId, PaymentTerm, VatRate},
    sales::{
        Offer,
        offer::{self, Acceptance, Inside, Stamp, Writing},
    },
};

/// An offer with its negotiation, as the command-service keeps the two together.
#[derive(Debug, Clone, Default)]
struct Model {
    offer: Offer,
    negotiation: Negotiation,
    /// What the negotiation recorded of what each side said itself.
    said: Vec<(Side, Moves)>,
}

/// What somebody says of the conditions.
#[derive(Debug, Clone)]
enum ConditionsAnswer {
    Nothing,
    Agree,
    Wants { days: u16 },
}

/// What somebody tries.
#[derive(Debug, Clone)]
enum Try {
    Speak { agree: Vec<u32>, wants: Vec<(u32, u32, u32)>, conditions: ConditionsAnswer },
    AgreeToAll,
    Reopen(Vec<u32>),
    BreakOff,
    GoOn,
    Accept { other_digest: bool },
    Reject,
    Withdraw,
    Revise(u32),
    Extend,
}

const NEGOTIATION: NegotiationId = NegotiationId(Uuid::from_u128(0x7A));
const TODAY: &str = "2026-03-02";

fn proposal(price: u32) -> Proposal {
    let line = |price: u32| OfferedLine::plain(line("10", &format!("{price}.00"), VatRate::Basic));
    fixtures::proposal(vec![line(price), line(price + 1), line(price + 2)])
}

fn actor(side: Side) -> ActorId {
    ActorId(Uuid::from_u128(match side {
        Side::Seller => 1,
        Side::Buyer => 2,
    }))
}

impl Model {
    /// An offer that was sent.
    fn open() -> Self {
        let mut model = Self::default();
        model.revise(3);
        model
    }

    fn decide_offer(&mut self, command: offer::Command) -> bool {
        let Ok(events) = self.offer.decide(command) else { return false };
        for event in events {
            self.offer.apply(event);
        }
        true
    }

    fn decide_negotiation(&mut self, command: Command) -> bool {
        let Ok(events) = self.negotiation.decide(command) else { return false };
        for event in events {
            if let Event::Proposed { side, round, .. } = &event {
                self.said.push((*side, round.moves.clone()));
            }
            self.negotiation.apply(event);
        }
        true
    }

    fn revise(&mut self, price: u32) {
        let (discount, representative, origin) = (None, None, None);
        let (proposal, inside) = (proposal(price), Inside::default());
        let writing = Writing { proposal, discount, representative, origin, inside };
        let before = self.offer.revision().map(|revision| revision.stamp.number);
        if self.decide_offer(offer::Command::Draft(Box::new(writing))) {
            self.decide_offer(offer::Command::Send { today: day(TODAY), approval: None });
        }
        // Another revision is talked about in another place.
        if self.offer.revision().map(|revision| revision.stamp.number) != before {
            self.negotiation = Negotiation::default();
        }
    }

    /// What one side tries; `false` where it was refused.
    fn tries(&mut self, side: Side, what: &Try) -> bool {
        let by = actor(side);
        match what {
            Try::Speak { agree, wants, conditions } => self.speaks(side, |_| {
                let yes = agree.iter().map(|line| (*line, Move::Agree {}));
                let other = wants.iter().map(|&(number, quantity, price)| {
                    let price = format!("{price}.50");
                    let line = line(&quantity.to_string(), &price, VatRate::Basic);
                    let line = Box::new(OfferedLine::plain(line));
                    (number, Move::Propose { proposed: Item::Line { line } })
                });
                let wanted = |days| Conditions {
                    payment_term: PaymentTerm::net(days),
                    delivery_terms: None,
                };
                let conditions = match conditions {
                    ConditionsAnswer::Nothing => None,
                    ConditionsAnswer::Agree => Some(Move::Agree {}),
                    ConditionsAnswer::Wants { days } => {
                        Some(Move::Propose { proposed: wanted(*days) })
                    }
                };
                Moves { lines: yes.chain(other).collect(), conditions }
            }),
            Try::AgreeToAll => self.speaks(side, |negotiation| negotiation.table.agreement(side)),
            Try::Reopen(lines) => {
                let topics = lines.iter().map(|&line| Topic::Line { line }).collect();
                self.decide_negotiation(Command::Reopen { side, by, topics })
            }
            Try::BreakOff => {
                self.decide_negotiation(Command::BreakOff { side, by, reason: None })
                    && self
                        .decide_offer(offer::Command::EndNegotiation { negotiation: NEGOTIATION })
            }
            Try::GoOn => self.decide_negotiation(Command::Resume { side, by }) && self.negotiates(),
            Try::Accept { other_digest } if side == Side::Buyer => {
                let Some(revision) = self.offer.revision() else { return false };
                let stamp = if *other_digest {
                    Stamp::of(revision.stamp.number, &proposal(99))
                } else {
                    revision.stamp
                };
                let acceptance = Acceptance {
                    by,
                    today: day(TODAY),
                    stamp,
                    chosen: None,
                    destination: Destination::default(),
                };
                self.decide_offer(offer::Command::Accept(Box::new(acceptance))) && self.closes()
            }
            Try::Reject if side == Side::Buyer => {
                self.decide_offer(offer::Command::Reject { by, reason: None }) && self.closes()
            }
            Try::Withdraw if side == Side::Seller => {
                self.decide_offer(offer::Command::Withdraw { reason: None }) && self.closes()
            }
            Try::Revise(price) if side == Side::Seller => {
                self.revise(*price);
                true
            }
            Try::Extend if side == Side::Seller => {
                let (until, today) = (day("2026-12-31"), day(TODAY));
                self.decide_offer(offer::Command::Extend { until, today })
            }
            Try::Accept { .. } | Try::Reject | Try::Withdraw | Try::Revise(_) | Try::Extend => {
                false
            }
        }
    }

    fn negotiates(&mut self) -> bool {
        let revision = self.offer.revision().map_or(0, |revision| revision.stamp.number);
        let command =
            offer::Command::Negotiate { negotiation: NEGOTIATION, revision, today: day(TODAY) };
        self.decide_offer(command)
    }

    fn closes(&mut self) -> bool {
        self.decide_negotiation(Command::Close) || self.negotiation == Negotiation::Unopened
    }

    fn speaks(&mut self, side: Side, moves: impl FnOnce(&ActiveNegotiation) -> Moves) -> bool {
        let by = actor(side);
        if let (Negotiation::Unopened, Offer::Open(open)) = (&self.negotiation, &self.offer) {
            let (revision, proposal) = (open.revision.stamp.number, &open.revision.proposal);
            let proposal = Box::new(proposal.clone());
            let offer = OfferId(Uuid::nil());
            self.decide_negotiation(Command::Open { offer, revision, proposal, side, by });
            self.negotiates();
        }
        let Ok(negotiation) = self.negotiation.open() else { return false };
        let (number, moves) = (negotiation.rounds + 1, moves(negotiation));
        let round = Round { by, moves, message: None, answer_by: None };
        let (today, approval) = (day(TODAY), None);
        let propose = Command::Propose { side, number, round, today, approval };
        let before = self.negotiation.clone();
        let Ok(events) = self.negotiation.decide(propose.clone()) else { return false };
        if let Some(Event::Agreed { lines, conditions }) = events.last().cloned() {
            let lines = Box::new(lines);
            let agree =
                offer::Command::Agree { negotiation: NEGOTIATION, lines, conditions, today };
            if !self.decide_offer(agree) {
                self.negotiation = before;
                return false;
            }
            self.decide_negotiation(propose);
            self.negotiation = Negotiation::default();
            return true;
        }
        self.decide_negotiation(propose)
    }

    /// What stands agreed on, by line.
    fn agreed(&self) -> Vec<(u32, Item)> {
        let Some(negotiation) = self.negotiation.active() else { return vec![] };
        let lines = negotiation.table.lines.iter().filter(|(_, point)| point.agreed);
        lines.map(|(number, point)| (*number, point.proposed.clone())).collect()
    }
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Seller), Just(Side::Buyer)]
}

fn attempt() -> impl Strategy<Value = Try> {
    let lines = || proptest::collection::vec(1_u32..4, 0..3);
    let wants = proptest::collection::vec((1_u32..4, 1_u32..4, 1_u32..3), 0..3);
    let conditions = prop_oneof![
        Just(ConditionsAnswer::Nothing),
        Just(ConditionsAnswer::Agree),
        (1_u16..3).prop_map(|days| ConditionsAnswer::Wants { days }),
    ];
    prop_oneof![
        12 => (lines(), wants, conditions)
            .prop_map(|(agree, wants, conditions)| Try::Speak { agree, wants, conditions }),
        3 => Just(Try::AgreeToAll),
        4 => lines().prop_map(Try::Reopen),
        1 => Just(Try::BreakOff),
        2 => Just(Try::GoOn),
        1 => any::<bool>().prop_map(|other_digest| Try::Accept { other_digest }),
        1 => Just(Try::Reject),
        1 => Just(Try::Withdraw),
        1 => (1_u32..5).prop_map(Try::Revise),
        1 => Just(Try::Extend),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// From any reachable state, nothing that one side does alone changes what the other agreed
    /// to: no agreed line, no accepted revision, and no order but at what was put before the buyer.
    #[test]
    fn one_side_alone_changes_nothing_that_the_other_agreed_to(
        history in proptest::collection::vec((side(), attempt()), 0..24),
        alone in side(),
        tries in proptest::collection::vec(attempt(), 1..16),
    ) {
        let mut model = Model::open();
        for (side, what) in &history {
            model.tries(*side, what);
        }
        let (before, agreed) = (model.offer.clone(), model.agreed());
        let asked_by_the_other: Vec<u32> = model.negotiation.active().map_or(vec![], |negotiation| {
            let asked = negotiation.table.lines.iter();
            asked.filter(|(_, p)| p.reopening == Some(alone.other())).map(|(n, _)| *n).collect()
        });
        let revision = model.negotiation.active().map(|negotiation| negotiation.revision);
        for what in &tries {
            model.tries(alone, what);
            // While the same revision is talked about: a new offer of the seller, or none at all,
            // ends the negotiation, and binds nobody to anything.
            if model.negotiation.active().map(|negotiation| negotiation.revision) == revision {
                for (number, item) in &agreed {
                    // The other side may have asked to reopen it: then both do.
                    if !asked_by_the_other.contains(number) {
                        let stands = model.agreed();
                        prop_assert!(stands.contains(&(*number, item.clone())), "{number}: {what:?}");
                    }
                }
            }
            match (&before, &model.offer, alone) {
                (Offer::Accepted { .. } | Offer::Closed { .. }, after, _) => {
                    prop_assert_eq!(&before, after);
                }
                // The seller alone never makes an order.
                (_, after, Side::Seller) => {
                    let is_accepted = matches!(after, Offer::Accepted { .. });
                    prop_assert!(!is_accepted);
                }
                // The buyer alone orders what the seller has put before it, or agreed to.
                (before, Offer::Accepted { revision, .. }, Side::Buyer) => {
                    let offered = before.revision().map(|revision| &revision.proposal.lines);
                    let is_offered = offered == Some(&revision.proposal.lines);
                    prop_assert!(is_offered || revision.negotiated);
                    if revision.negotiated {
                        for (_, line) in revision.proposal.lines.numbered() {
                            prop_assert!(was_proposed_by_the_seller(&model, before, line));
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// Each speaks in turn, and an agreement holds exactly what one side proposed last and the
    /// other said yes to.
    #[test]
    fn an_agreement_is_what_both_said(
        history in proptest::collection::vec((side(), attempt()), 0..60),
    ) {
        let mut model = Model::open();
        for (side, what) in &history {
            let turn = model.negotiation.open().ok().map(|negotiation| (negotiation.turn, negotiation.rounds));
            model.tries(*side, what);
            if let (Some((turn, rounds)), Ok(negotiation)) = (turn, model.negotiation.open())
                && negotiation.rounds > rounds
            {
                prop_assert_eq!(negotiation.rounds, rounds + 1);
                prop_assert_eq!(negotiation.turn, turn.other());
                prop_assert_eq!(turn, *side);
            }
            if let Some(negotiation) = model.negotiation.active() {
                prop_assert!(!negotiation.table.is_agreed(), "what is agreed on is not on the table");
            }
            if let Some(open) = model.offer.revision().filter(|revision| revision.negotiated) {
                prop_assert_eq!(open.stamp, Stamp::of(open.stamp.number, &open.proposal));
            }
        }
    }
}

/// Whether the seller has offered a line, proposed it or agreed to it.
fn was_proposed_by_the_seller(model: &Model, before: &Offer, line: &OfferedLine) -> bool {
    let offered = before.revision().is_some_and(|revision| revision.proposal.lines.contains(line));
    let is_it = |said: &Move<Item>| match said {
        Move::Propose { proposed } => proposed.line() == Some(line),
        Move::Agree {} => false,
    };
    let said = |side: Side| {
        model.said.iter().any(|(who, moves)| *who == side && moves.lines.values().any(is_it))
    };
    let agreed = model.said.iter().any(|(who, moves)| {
        *who == Side::Seller && moves.lines.values().any(|said| *said == Move::Agree {})
    });
    let basic = proposal(3).lines.contains(line);
    offered || basic || said(Side::Seller) || (said(Side::Buyer) && agreed)
}
