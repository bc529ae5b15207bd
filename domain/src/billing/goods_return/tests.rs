//! Histories of returns, and of returns beside credit notes on one invoice.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{
    billing::{
        Invoice, InvoiceReturns,
        invoice::{self, Sale},
        invoice_returns,
        series::Number,
    },
    fixtures::{TERM, answer, buyer, company, day, line, pln},
    kernel::{Currency, GoodsReturnId, Line, Money, ProductId, Quantity, UnitPrice, VatRate},
};

fn quantity(units: &str) -> Quantity {
    units.parse().unwrap()
}

fn requested_line(invoice_line: u32, units: &str, reason: Reason) -> RequestedLine {
    RequestedLine {
        invoice_line,
        product: ProductId(Uuid::from_u128(0x9)),
        sku: "HK-1".parse().unwrap(),
        name: "Kawa".parse().unwrap(),
        unit_price: "2.00".parse().unwrap(),
        quantity: quantity(units),
        reason,
        claimed_price: None,
        note: None,
        attachments: Attachments::default(),
    }
}

fn asked(kind: Kind, lines: Vec<RequestedLine>) -> Request {
    Request {
        company: company(),
        invoice: InvoiceId(Uuid::from_u128(0x1)),
        order: OrderId(Uuid::from_u128(0x2)),
        shipment: ShipmentId(Uuid::from_u128(0x3)),
        kind,
        lines: lines.try_into().unwrap(),
        note: None,
        by: buyer(),
        side: Side::Buyer,
        on: day("2026-03-25"),
    }
}

/// Ten damaged of line 1, and two and a half of line 2 that are not needed.
fn two_lines() -> Request {
    let lines =
        vec![requested_line(1, "10", Reason::Damaged), requested_line(2, "2.5", Reason::NotNeeded)];
    asked(Kind::Return, lines)
}

fn complaint() -> Request {
    asked(Kind::Complaint, vec![requested_line(1, "3", Reason::Shortage)])
}

fn wrong_price() -> Request {
    let claimed_price = Some("1.50".parse().unwrap());
    let line = RequestedLine { claimed_price, ..requested_line(1, "10", Reason::WrongPrice) };
    asked(Kind::Complaint, vec![line])
}

fn requested(request: Request) -> Event {
    Event::Requested { request }
}

fn request(request: Request) -> Command {
    Command::Request { request: Box::new(request), until: BTreeMap::new() }
}

fn answered(line: u32, units: Option<&str>, reason: Option<&str>) -> AuthorisedLine {
    AuthorisedLine {
        line,
        quantity: units.map(quantity),
        reason: reason.map(|reason| reason.parse().unwrap()),
        right_price: None,
    }
}

fn authorise(lines: &[AuthorisedLine]) -> Command {
    let lines = lines.to_vec();
    Command::Authorise { lines, transport: None, labels: Attachments::default(), note: None }
}

fn authorised(lines: &[AuthorisedLine]) -> Event {
    let lines = lines.to_vec();
    Event::Authorised { lines, transport: None, labels: Attachments::default(), note: None }
}

fn all() -> Event {
    authorised(&[answered(1, Some("10"), None), answered(2, Some("2.5"), None)])
}

fn items(items: &[(u32, &str)]) -> Vec<Item> {
    items.iter().map(|(line, units)| Item { line: *line, quantity: quantity(units) }).collect()
}

fn receive(came: &[(u32, &str)]) -> Command {
    Command::Receive { items: items(came), on: day("2026-03-30") }
}

fn received(came: &[(u32, &str)]) -> Event {
    Event::Received { items: items(came), on: day("2026-03-30") }
}

fn finding(line: u32, restock: Option<&str>, send_back: Option<&str>) -> Finding {
    let (restock, send_back) = (restock.map(quantity), send_back.map(quantity));
    Finding { line, restock, second_choice: None, scrap: None, send_back }
}

fn inspect(items: &[Finding]) -> Command {
    Command::Inspect { items: items.to_vec(), note: None }
}

fn inspected(items: &[Finding]) -> Event {
    Event::Inspected { items: items.to_vec(), note: None }
}

fn note() -> InvoiceId {
    InvoiceId(Uuid::from_u128(0xCE))
}

fn credit(credited: &[(u32, &str)]) -> Command {
    let items = items(credited);
    Command::Credit { credit_note: note(), items, replacement: None, on: day("2026-04-01") }
}

fn credited(credited: &[(u32, &str)]) -> Event {
    let items = items(credited);
    Event::Credited { credit_note: note(), items, replacement: None, on: day("2026-04-01") }
}

fn why() -> Note {
    "Uszkodzone przez klienta".parse().unwrap()
}

#[track_caller]
fn check(given: &[Event], when: Command, then: Result<Vec<Event>, Error>) {
    assert_eq!(answer::<GoodsReturn>(given, when), then);
}

#[test]
fn is_requested_once_for_reasons_of_its_kind() {
    check(&[], request(two_lines()), Ok(vec![requested(two_lines())]));
    check(&[requested(two_lines())], request(two_lines()), Err(Error::AlreadyRequested));
    for (kind, reason) in [
        (Kind::Complaint, Reason::NotNeeded),
        (Kind::Return, Reason::Shortage),
        (Kind::Return, Reason::WrongPrice),
    ] {
        let lines = vec![requested_line(1, "1", Reason::Other), requested_line(1, "1", reason)];
        let misfit = Err(Error::ReasonDoesNotFit { item: 1, kind });
        check(&[], request(asked(kind, lines)), misfit);
    }
}

#[test]
fn a_complaint_about_a_price_claims_a_lower_one() {
    let with = |reason, claimed: Option<&str>| {
        let claimed_price = claimed.map(|price| price.parse().unwrap());
        let line = RequestedLine { claimed_price, ..requested_line(1, "1", reason) };
        request(asked(Kind::Complaint, vec![line]))
    };
    assert!(answer::<GoodsReturn>(&[], with(Reason::WrongPrice, Some("1.9999"))).is_ok());
    check(&[], with(Reason::WrongPrice, None), Err(Error::PriceMissing { item: 0 }));
    let unit_price = "2.00".parse().unwrap();
    let high = Err(Error::PriceNotLower { item: 0, unit_price });
    check(&[], with(Reason::WrongPrice, Some("2.00")), high);
    check(&[], with(Reason::Damaged, Some("1.00")), Err(Error::NoPrice { item: 0, line: 1 }));
}

#[test]
fn a_company_returns_within_the_term_and_the_seller_takes_back_later() {
    let until = |text: &str| BTreeMap::from([(2, day(text))]);
    let late = |request: Request, last: &str| Command::Request {
        request: Box::new(request),
        until: until(last),
    };
    assert!(answer::<GoodsReturn>(&[], late(two_lines(), "2026-03-25")).is_ok());
    let refused = Err(Error::TooLate { item: 1, until: day("2026-03-24") });
    check(&[], late(two_lines(), "2026-03-24"), refused);
    let entered = Request { side: Side::Seller, ..two_lines() };
    assert!(answer::<GoodsReturn>(&[], late(entered, "2026-03-24")).is_ok());
    let damaged = asked(Kind::Complaint, vec![requested_line(2, "1", Reason::Damaged)]);
    assert!(answer::<GoodsReturn>(&[], late(damaged, "2026-03-24")).is_ok());
}

#[test]
fn is_authorised_by_line_and_the_company_is_told_why_not_all() {
    let given = [requested(two_lines())];
    check(&given, authorise(&[]), Ok(vec![all()]));
    let part = [answered(2, None, Some("Rozpakowane"))];
    let answers = [answered(1, Some("10"), None), answered(2, None, Some("Rozpakowane"))];
    check(&given, authorise(&part), Ok(vec![authorised(&answers)]));
    // The same answer once more, and another one.
    let authorised = [given[0].clone(), authorised(&answers)];
    check(&authorised, authorise(&part), Ok(vec![]));
    check(&authorised, authorise(&[]), Err(Error::AlreadyAuthorised));
    for (lines, error) in [
        (vec![answered(1, Some("9.999"), None)], Error::ReasonMissing { item: 0, line: 1 }),
        (
            vec![answered(1, Some("10.001"), None)],
            Error::MoreThanRequested { item: 0, line: 1, requested: 10.into() },
        ),
        (vec![answered(3, Some("1"), None)], Error::NoSuchLine { item: 0, line: 3 }),
        (
            vec![answered(1, Some("10"), None), answered(1, Some("10"), None)],
            Error::NamedTwice { item: 1, line: 1 },
        ),
        (
            vec![answered(1, None, Some("Nie")), answered(2, None, Some("Nie"))],
            Error::NothingAuthorised,
        ),
        (
            vec![AuthorisedLine {
                right_price: Some("1.00".parse().unwrap()),
                ..answered(1, Some("10"), None)
            }],
            Error::NoPrice { item: 0, line: 1 },
        ),
    ] {
        check(&given, authorise(&lines), Err(error));
    }
    check(&[], authorise(&[]), Err(Error::Unrequested));
}

#[test]
fn ends_when_it_is_refused_withdrawn_or_closed() {
    let given = [requested(two_lines())];
    let (refuse, close) = (Command::Refuse { reason: why() }, Command::Close { reason: why() });
    let withdraw = Command::Withdraw { reason: None };
    let refused = Event::Refused { reason: why() };
    check(&given, refuse.clone(), Ok(vec![refused.clone()]));
    let ended = [given[0].clone(), refused];
    check(&ended, refuse.clone(), Ok(vec![]));
    for command in [authorise(&[]), receive(&[(1, "1")]), withdraw.clone(), close.clone()] {
        check(&ended, command, Err(Error::Ended));
    }
    check(&given, withdraw.clone(), Ok(vec![Event::Withdrawn { reason: None }]));
    check(&given, close.clone(), Err(Error::NotAuthorised));
    let given = [given[0].clone(), all()];
    check(&given, refuse, Err(Error::AlreadyAuthorised));
    check(&given, withdraw.clone(), Ok(vec![Event::Withdrawn { reason: None }]));
    check(&given, close.clone(), Ok(vec![Event::Closed { reason: why() }]));
    let given = [given[0].clone(), given[1].clone(), received(&[(1, "1")])];
    check(&given, withdraw, Err(Error::UnderWay));
    check(&given, close, Err(Error::NotInspected));
}

#[test]
fn comes_back_in_parcels_and_is_inspected_as_it_comes() {
    let given = [requested(two_lines()), all()];
    check(&given, receive(&[(1, "4"), (2, "2.5")]), {
        Ok(vec![received(&[(1, "4"), (2, "2.5")])])
    });
    check(&given, receive(&[(1, "10.001")]), {
        Err(Error::MoreThanAuthorised { item: 0, line: 1, left: 10.into() })
    });
    check(&given, receive(&[]), Err(Error::NoItems));
    check(&given, receive(&[(1, "1"), (1, "1")]), Err(Error::NamedTwice { item: 1, line: 1 }));
    check(&given[..1], receive(&[(1, "1")]), Err(Error::NotAuthorised));

    let given = [given[0].clone(), given[1].clone(), received(&[(1, "4")])];
    let short = Err(Error::SumDiffers { item: 0, line: 1, waiting: 4.into() });
    check(&given, inspect(&[finding(1, Some("3"), None)]), short);
    let found = [finding(1, Some("3"), Some("1"))];
    check(&given, inspect(&found), Ok(vec![inspected(&found)]));
    let nothing = Err(Error::SumDiffers { item: 0, line: 2, waiting: Decimal::ZERO });
    check(&given, inspect(&[finding(2, None, None)]), nothing);
    let given = [&given[..], &[inspected(&found), received(&[(1, "6")])]].concat();
    check(&given, inspect(&[finding(1, Some("6"), None)]), {
        Ok(vec![inspected(&[finding(1, Some("6"), None)])])
    });
}

#[test]
fn is_credited_after_inspection_without_what_goes_back_and_then_settled() {
    let given = [
        requested(two_lines()),
        authorised(&[answered(1, Some("10"), None), answered(2, None, Some("Nie"))]),
        received(&[(1, "10")]),
    ];
    let left = Decimal::ZERO;
    check(&given, credit(&[(1, "1")]), Err(Error::MoreThanCreditable { item: 0, line: 1, left }));
    check(&given, credit(&[]), Err(Error::NothingToCredit));
    let given = [&given[..], &[inspected(&[finding(1, Some("8"), Some("2"))])]].concat();
    check(&given, credit(&[(1, "8.001")]), {
        Err(Error::MoreThanCreditable { item: 0, line: 1, left: 8.into() })
    });
    check(&given, credit(&[(1, "5")]), Ok(vec![credited(&[(1, "5")])]));
    let given = [&given[..], &[credited(&[(1, "5")])]].concat();
    check(&given, credit(&[(1, "3")]), Ok(vec![credited(&[(1, "3")]), Event::Settled {}]));
    let given = [&given[..], &[credited(&[(1, "3")]), Event::Settled {}]].concat();
    check(&given, credit(&[(1, "1")]), Err(Error::Ended));
}

#[test]
fn what_goes_back_whole_is_settled_by_the_inspection() {
    let answers = [answered(1, Some("10"), None), answered(2, None, Some("Nie"))];
    let given = [requested(two_lines()), authorised(&answers), received(&[(1, "10")])];
    let found = [finding(1, None, Some("10"))];
    check(&given, inspect(&found), Ok(vec![inspected(&found), Event::Settled {}]));
}

#[test]
fn a_complaint_is_credited_without_goods() {
    let given = [requested(complaint()), authorised(&[answered(1, Some("3"), None)])];
    check(&given, receive(&[(1, "1")]), Err(Error::NothingComesBack));
    check(&given, credit(&[(1, "1")]), Ok(vec![credited(&[(1, "1")])]));
    check(&given, credit(&[(1, "3")]), Ok(vec![credited(&[(1, "3")]), Event::Settled {}]));
    let label = Command::Authorise {
        lines: vec![],
        transport: Some(Transport::Label),
        labels: Attachments::default(),
        note: None,
    };
    check(&given[..1], label, Err(Error::NothingComesBack));
}

#[test]
fn a_wrong_price_is_credited_by_its_difference() {
    let right_price = |price: &str| {
        vec![AuthorisedLine {
            right_price: Some(price.parse().unwrap()),
            ..answered(1, Some("10"), None)
        }]
    };
    let given = [requested(wrong_price())];
    // As claimed, or as the seller says.
    check(&given, authorise(&[]), Ok(vec![authorised(&right_price("1.50"))]));
    check(&given, authorise(&right_price("1.80")), Ok(vec![authorised(&right_price("1.80"))]));
    let unit_price = "2.00".parse().unwrap();
    check(&given, authorise(&right_price("2.00")), {
        Err(Error::PriceNotLower { item: 0, unit_price })
    });
    let state = [requested(wrong_price()), authorised(&right_price("1.80"))]
        .into_iter()
        .fold(GoodsReturn::default(), GoodsReturn::evolve);
    let credits = state.authorised().unwrap().credits(&items(&[(1, "4")])).unwrap();
    let reduction = Some("0.20".parse().unwrap());
    assert_eq!(
        credits,
        [invoice::Item { line: 1, quantity: quantity("4"), price_reduction: reduction }]
    );
    let replace = Command::Credit {
        credit_note: note(),
        items: items(&[(1, "4")]),
        replacement: Some(OrderId(Uuid::from_u128(0x4))),
        on: day("2026-04-01"),
    };
    assert_eq!(state.decide(replace), Err(Error::NothingToReplace));
    let (_, held) = state.held().unwrap();
    assert!(held.values().all(Decimal::is_zero), "the goods stay sold: {held:?}");
}

#[test]
fn holds_what_is_neither_credited_nor_back_at_the_company() {
    let held = |events: &[Event]| {
        let state = events.iter().cloned().fold(GoodsReturn::default(), GoodsReturn::evolve);
        let (_, held) = state.held().unwrap();
        let shown = |units: &Decimal| units.normalize().to_string();
        held.values().map(shown).collect::<Vec<_>>()
    };
    let mut given = vec![requested(two_lines())];
    assert_eq!(held(&given), ["10", "2.5"]);
    given.push(authorised(&[answered(1, Some("9"), Some("Nie")), answered(2, None, None)]));
    assert_eq!(held(&given), ["9", "0"]);
    given.push(received(&[(1, "8")]));
    given.push(inspected(&[finding(1, Some("6"), Some("2"))]));
    assert_eq!(held(&given), ["9", "0"]);
    given.push(credited(&[(1, "5")]));
    assert_eq!(held(&given), ["4", "0"]);
    // One has not come, two go back, and one stays with the seller without a credit note.
    given.push(Event::Closed { reason: why() });
    assert_eq!(held(&given), ["1", "0"]);
    given.truncate(1);
    given.push(Event::Withdrawn { reason: None });
    assert_eq!(held(&given), ["0", "0"]);
}

/// What the use cases do with an invoice, its returns and their guard, without the log.
struct Books {
    invoice: Invoice,
    guard: InvoiceReturns,
    returns: Vec<GoodsReturn>,
    credited: Money,
    notes: u128,
}

impl Books {
    fn of(lines: Vec<Line>) -> Self {
        let on = day("2026-03-20");
        let sale = Sale {
            company: company(),
            order: OrderId(Uuid::from_u128(2)),
            shipment: ShipmentId(Uuid::from_u128(3)),
            currency: Currency::Pln,
            lines: lines.try_into().unwrap(),
            payment_term: TERM,
            annex_15: false,
            on,
        };
        let number = Number::try_from("FV/2026/03/0001".to_owned()).unwrap();
        let issue = invoice::Command::Issue { number, sale };
        let invoice = after(Invoice::default(), &Invoice::default().decide(issue).unwrap());
        let (guard, returns) = (InvoiceReturns::default(), Vec::new());
        Self { invoice, guard, returns, credited: pln("0.00"), notes: 0 }
    }

    /// Gives a command to a return and lets it hold what follows; nothing happens where one refuses.
    fn decide(&mut self, number: usize, command: Command) -> bool {
        let mut goods_return = self.returns.get(number).cloned().unwrap_or_default();
        let mut invoice = self.invoice.clone();
        let Ok(events) = goods_return.decide(command.clone()) else { return false };
        let mut gross = pln("0.00");
        if let Command::Credit { credit_note, items, on, .. } = command {
            let items = goods_return.authorised().unwrap().credits(&items).unwrap();
            let Some(credited) = correct(&mut invoice, credit_note, items, on) else {
                return false;
            };
            gross = credited;
        }
        goods_return = after(goods_return, &events);
        let (_, held) = goods_return.held().unwrap();
        let charged = invoice.charged().unwrap();
        let left = |(line, _): (u32, &Line)| (line, charged.quantity_left(line));
        let hold = invoice_returns::Command::Hold {
            company: company(),
            goods_return: GoodsReturnId(Uuid::from_u128(number.try_into().unwrap())),
            held,
            not_credited: charged.lines.numbered().map(left).collect(),
        };
        let Ok(events) = self.guard.decide(hold) else { return false };
        self.guard = after(std::mem::take(&mut self.guard), &events);
        self.credited = self.credited.plus(gross).unwrap();
        self.invoice = invoice;
        if number == self.returns.len() {
            self.returns.push(goods_return);
        } else {
            self.returns[number] = goods_return;
        }
        true
    }

    /// A credit note by hand.
    fn credit(&mut self, line: u32, quantity: Quantity, price_reduction: Option<&str>) -> bool {
        let price_reduction = price_reduction.map(|price| price.parse().unwrap());
        let items = vec![invoice::Item { line, quantity, price_reduction }];
        let note = self.note();
        let credited = correct(&mut self.invoice, note, items, day("2026-03-25"));
        self.credited = self.credited.plus(credited.unwrap_or(pln("0.00"))).unwrap();
        credited.is_some()
    }

    fn note(&mut self) -> InvoiceId {
        self.notes += 1;
        InvoiceId(Uuid::from_u128(self.notes))
    }

    fn check(&self) {
        let charged = self.invoice.charged().unwrap();
        assert!(self.credited.amount() <= charged.totals.gross.amount());
        for (number, line) in charged.lines.numbered() {
            let left = charged.quantity_left(number);
            assert!(left >= Decimal::ZERO && left <= line.quantity.units());
        }
    }
}

fn after<A: cqrs_es::Aggregate>(mut state: A, events: &[A::Event]) -> A {
    for event in events {
        state.apply(event.clone());
    }
    state
}

fn correct(
    invoice: &mut Invoice,
    credit_note: InvoiceId,
    items: Vec<invoice::Item>,
    on: Date,
) -> Option<Money> {
    let events = invoice.decide(invoice::Command::Correct { credit_note, items, on }).ok()?;
    let [invoice::Event::Corrected { totals, items, .. }] = &events[..] else { unreachable!() };
    let lines = invoice.charged().unwrap().lines_of(items);
    assert_eq!(lines.len(), items.len(), "the credit note has a line for each item");
    *invoice = after(std::mem::take(invoice), &events);
    Some(totals.gross)
}

fn thousandths(milli: i64) -> Quantity {
    Quantity::new(Decimal::new(milli, 3)).unwrap()
}

proptest! {
    /// Whatever is returned, complained about, and credited by hand in whatever parts: no more is
    /// credited than was charged, and when the rest is returned too, exactly all.
    #[test]
    fn returns_and_credit_notes_end_at_exactly_what_was_charged(
        lines in prop::collection::vec((1_i64..5_000, 0_i64..30_000, 0_usize..5), 1..4),
        steps in prop::collection::vec(
            (0_u8..6, any::<prop::sample::Index>(), 1_i64..2_000, 1_i64..1_000), 0..25),
    ) {
        let lines: Vec<Line> = lines
            .into_iter()
            .map(|(milli, price, rate)| {
                let (units, price) = (Decimal::new(milli, 3), Decimal::new(price, 4));
                line(&units.to_string(), &price.to_string(), VatRate::ALL[rate])
            })
            .collect();
        let prices: Vec<UnitPrice> = lines.iter().map(|line| line.unit_price).collect();
        let mut books = Books::of(lines);
        let request_of = |books: &Books, line: usize, units: Quantity, kind, reason| {
            let number = u32::try_from(line).unwrap() + 1;
            let unit_price = prices[line];
            let claimed_price =
                (reason == Reason::WrongPrice).then(|| UnitPrice::round_half_up(unit_price.amount() / Decimal::TWO));
            let line = RequestedLine {
                unit_price, claimed_price, quantity: units, ..requested_line(number, "1", reason)
            };
            (books.returns.len(), request(asked(kind, vec![line])))
        };
        for (what, line, milli, part) in steps {
            let line = line.index(prices.len());
            let number = u32::try_from(line).unwrap() + 1;
            let (units, part) = (thousandths(milli), thousandths(part.min(milli)));
            let one = |units| vec![Item { line: 1, quantity: units }];
            let price = (what == 2).then_some("0.01");
            match what {
                // By hand, and by hand at a lower price.
                0..=2 => { books.credit(number, part, price); }
                // A return that comes back, is inspected, and is credited in parts.
                3 | 4 => {
                    let (id, command) = request_of(&books, line, units, Kind::Return, Reason::Damaged);
                    if books.decide(id, command) {
                        prop_assert!(books.decide(id, authorise(&[])));
                        let receive = Command::Receive { items: one(units), on: day("2026-03-26") };
                        prop_assert!(books.decide(id, receive));
                        let mut found = finding(1, None, None);
                        found.scrap = Some(part);
                        found.send_back = units.less(part).unwrap();
                        prop_assert!(books.decide(id, inspect(&[found])));
                        let credit_note = books.note();
                        let on = day("2026-03-27");
                        let credit = Command::Credit { credit_note, items: one(part), replacement: None, on };
                        // A credit note by hand may have taken what the return held.
                        if !books.decide(id, credit) {
                            let close = Command::Close { reason: why() };
                            prop_assert!(books.decide(id, close));
                        }
                    }
                }
                // A complaint about the price.
                _ => {
                    let (id, command) =
                        request_of(&books, line, units, Kind::Complaint, Reason::WrongPrice);
                    if books.decide(id, command) {
                        prop_assert!(books.decide(id, authorise(&[])));
                        let credit_note = books.note();
                        let on = day("2026-03-27");
                        let credit = Command::Credit { credit_note, items: one(part), replacement: None, on };
                        books.decide(id, credit);
                    }
                }
            }
            books.check();
        }
        // The rest of every line, as a complaint in two parts.
        let rest: Vec<(u32, Decimal)> = {
            let charged = books.invoice.charged().unwrap();
            charged.lines.numbered().map(|(line, _)| (line, charged.quantity_left(line))).collect()
        };
        for (line, left) in rest.into_iter().filter(|(_, left)| !left.is_zero()) {
            let half = (left / Decimal::TWO).round_dp(3);
            for part in [half, left - half] {
                let Ok(part) = Quantity::new(part) else { continue };
                prop_assert!(books.credit(line, part, None));
                books.check();
            }
        }
        let charged = books.invoice.charged().unwrap();
        prop_assert_eq!(books.credited, charged.totals.gross);
    }
}
