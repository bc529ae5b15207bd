//! Tests of standing orders: given, when, then.

use uuid::Uuid;

use super::*;
use crate::{
    fixtures::{answer, company, day},
    kernel::{Currency, Destination, StandingOrderId, UnitPrice},
};

#[track_caller]
fn check(given: &[Event], when: Command, then: Result<Vec<Event>, Error>) {
    assert_eq!(answer::<StandingOrder>(given, when), then);
}

fn line(quantity: &str) -> StandingLine {
    StandingLine {
        product: ProductId(Uuid::from_u128(0x9)),
        sku: "HK-1".parse().unwrap(),
        name: "Kawa".parse().unwrap(),
        quantity: quantity.parse().unwrap(),
        unit_price: None,
    }
}

/// Every Thursday, which in 2026 is Christmas Eve too, on working days.
fn plan() -> Plan {
    Plan {
        name: None,
        currency: Currency::Pln,
        lines: vec![line("10")],
        schedule: Schedule {
            starts_on: day("2026-12-01"),
            recurrence: Recurrence::Weekdays { days: [Weekday::Thursday].into(), every: 1 },
            non_working_days: NonWorkingDays::Back,
            ends: None,
        },
        destination: Destination::default(),
        reference: None,
        placed_by: None,
        unavailable_lines: UnavailableLines::LeaveOut,
        notice_days: Some(3),
        prices_fixed_until: None,
    }
}

fn ending(ends: Ends) -> Plan {
    Plan { schedule: Schedule { ends: Some(ends), ..plan().schedule }, ..plan() }
}

fn next(date: &str, on: &str, notice_on: &str) -> Next {
    let notice_on = (!notice_on.is_empty()).then(|| day(notice_on));
    Next { date: day(date), on: day(on), notice_on }
}

fn start(plan: Plan) -> Command {
    Command::Start { company: company(), plan: Box::new(plan), today: day("2026-12-01") }
}

fn started(plan: Plan) -> Event {
    let notice_on = plan.notice_days.map(|_| day("2026-11-30"));
    let next = Next { date: day("2026-12-03"), on: day("2026-12-03"), notice_on };
    Event::Started { company: company(), plan, on: day("2026-12-01"), next }
}

fn skip(date: &str, today: &str) -> Command {
    Command::Skip { date: day(date), today: day(today) }
}

fn change_date(date: &str, on: &str, lines: Option<Vec<StandingLine>>, today: &str) -> Command {
    let on = (!on.is_empty()).then(|| day(on));
    Command::ChangeDate { date: day(date), on, lines, placed_by: None, today: day(today) }
}

fn on_day(on: &str) -> DateChange {
    DateChange::Changed { on: Some(day(on)), lines: None, placed_by: None }
}

fn order(date: &str) -> OrderId {
    OrderId::of_standing_order(StandingOrderId(Uuid::from_u128(0x50)), day(date))
}

fn place(date: &str, today: &str) -> Command {
    let outcome = Outcome::Placed { order: order(date), left_out: vec![] };
    Command::Record { date: day(date), outcome, today: day(today) }
}

fn placed(date: &str, on: &str, next: Option<Next>) -> Event {
    Event::RunPlaced { date: day(date), on: day(on), order: order(date), left_out: vec![], next }
}

fn after(events: &[Event]) -> StandingOrder {
    events.iter().cloned().fold(StandingOrder::default(), StandingOrder::evolve)
}

fn dates(events: &[Event], count: usize) -> Vec<(String, String)> {
    let state = after(events);
    let runs = state.ongoing().unwrap().upcoming().take(count);
    runs.map(|run| (run.date.to_string(), run.on.to_string())).collect()
}

fn pair(date: &str, on: &str) -> (String, String) {
    (date.to_owned(), on.to_owned())
}

const END: Event = Event::Ended { by: EndedBy::Schedule, reason: None };

#[test]
fn starts_with_a_date_to_come() {
    check(&[], start(plan()), Ok(vec![started(plan())]));
    check(&[started(plan())], start(plan()), Err(Error::AlreadyStarted));
    check(&[], Command::Pause { reason: None, today: day("2026-12-01") }, Err(Error::Unstarted));
    let over = Ends::AfterDay { day: day("2026-12-02") };
    check(&[], start(ending(over)), Err(Error::NoDates));
    let never = Recurrence::Rrule { rule: "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30".parse().unwrap() };
    let schedule = Schedule { recurrence: never, ..plan().schedule };
    check(&[], start(Plan { schedule, ..plan() }), Err(Error::NoDates));
}

#[test]
fn has_a_plan_that_can_be_followed() {
    let fixed = UnitPrice::new("1.00".parse().unwrap()).unwrap();
    let priced = || StandingLine { unit_price: Some(fixed), ..line("10") };
    let recurring =
        |recurrence| Plan { schedule: Schedule { recurrence, ..plan().schedule }, ..plan() };
    let weekdays = |days: &[Weekday], every| {
        recurring(Recurrence::Weekdays { days: days.iter().copied().collect(), every })
    };
    let month_days = |days: &[i8], every| {
        recurring(Recurrence::MonthDays { days: days.iter().copied().collect(), every })
    };
    let starting =
        |text| Plan { schedule: Schedule { starts_on: day(text), ..plan().schedule }, ..plan() };
    let schedule = |error: ScheduleError| Error::Schedule(error);
    let every = || schedule(RecurrenceError::Every.into());
    let month_day = || schedule(RecurrenceError::MonthDay.into());
    let no_days = || schedule(RecurrenceError::NoDays.into());
    for (plan, error) in [
        (Plan { lines: vec![], ..plan() }, Error::LineCount),
        (Plan { lines: vec![line("1"); 501], ..plan() }, Error::LineCount),
        (Plan { notice_days: Some(0), ..plan() }, Error::NoticeDays),
        (Plan { notice_days: Some(61), ..plan() }, Error::NoticeDays),
        (Plan { lines: vec![priced()], ..plan() }, Error::FixedPrices),
        (Plan { prices_fixed_until: Some(day("2027-01-01")), ..plan() }, Error::FixedPrices),
        (
            Plan { lines: vec![priced()], prices_fixed_until: Some(day("3000-01-01")), ..plan() },
            Error::Day(DayError),
        ),
        (recurring(Recurrence::EveryDays { days: 0 }), every()),
        (recurring(Recurrence::EveryDays { days: 367 }), every()),
        (weekdays(&[], 1), no_days()),
        (weekdays(&[Weekday::Monday], 0), every()),
        (weekdays(&[Weekday::Monday], 53), every()),
        (month_days(&[], 1), no_days()),
        (month_days(&[1], 25), every()),
        (month_days(&[0], 1), month_day()),
        (month_days(&[32], 1), month_day()),
        (month_days(&[-2], 1), month_day()),
        (month_days(&[-128], 1), month_day()),
        (starting("1899-12-31"), schedule(ScheduleError::Day(DayError))),
        (starting("9999-12-31"), schedule(ScheduleError::Day(DayError))),
        (ending(Ends::AfterOrders { count: 0 }), schedule(ScheduleError::OrderCount)),
        (ending(Ends::AfterOrders { count: 10_001 }), schedule(ScheduleError::OrderCount)),
        (ending(Ends::AfterDay { day: day("9999-12-31") }), schedule(ScheduleError::Day(DayError))),
    ] {
        check(&[], start(plan), Err(error));
    }
}

#[test]
fn places_each_date_once() {
    let second = next("2026-12-10", "2026-12-10", "2026-12-07");
    let first = placed("2026-12-03", "2026-12-03", Some(second));
    let given = [started(plan())];
    check(
        &given,
        place("2026-12-03", "2026-12-02"),
        Err(Error::NotDue { date: day("2026-12-03") }),
    );
    check(&given, place("2026-12-03", "2026-12-03"), Ok(vec![first.clone()]));
    let given = [started(plan()), first];
    check(&given, place("2026-12-03", "2026-12-03"), Ok(vec![]));
    let not_due = Err(Error::NotDue { date: day("2026-12-10") });
    check(&given, place("2026-12-10", "2026-12-09"), not_due);
}

#[test]
fn after_an_outage_places_the_newest_date_and_misses_the_others() {
    let missed = Event::RunsMissed { dates: vec![day("2026-12-03"), day("2026-12-10")] };
    let next = next("2026-12-23", "2026-12-23", "2026-12-20");
    let then = vec![missed, placed("2026-12-17", "2026-12-20", Some(next))];
    let given = [started(plan())];
    check(&given, place("2026-12-17", "2026-12-20"), Ok(then.clone()));
    let older = Err(Error::NotDue { date: day("2026-12-10") });
    check(&given, place("2026-12-10", "2026-12-20"), older);
    let given: Vec<Event> = given.into_iter().chain(then).collect();
    for date in ["2026-12-03", "2026-12-10", "2026-12-17"] {
        check(&given, place(date, "2026-12-20"), Ok(vec![]));
    }
}

#[test]
fn a_failure_blocks_no_later_date() {
    let reasons = vec![Reason { code: "company.suspended".parse().unwrap(), detail: None }];
    let outcome = Outcome::Failed { reasons: reasons.clone(), left_out: vec![] };
    let today = day("2026-12-03");
    let next = Some(next("2026-12-10", "2026-12-10", "2026-12-07"));
    let failed = Event::RunFailed { date: today, on: today, reasons, left_out: vec![], next };
    let record = Command::Record { date: today, outcome, today };
    check(&[started(plan())], record.clone(), Ok(vec![failed.clone()]));
    check(&[started(plan()), failed.clone()], record, Ok(vec![]));
    let given = [started(plan()), failed];
    assert_eq!(dates(&given, 1), [pair("2026-12-10", "2026-12-10")]);
}

#[test]
fn a_skipped_date_places_nothing() {
    let next_week = next("2026-12-10", "2026-12-10", "2026-12-07");
    let skipped = Event::DateSkipped { date: day("2026-12-03"), next: Some(next_week) };
    let given = [started(plan())];
    check(&given, skip("2026-12-03", "2026-12-01"), Ok(vec![skipped.clone()]));
    check(
        &given,
        skip("2026-12-04", "2026-12-01"),
        Err(Error::NoSuchDate { date: day("2026-12-04") }),
    );
    // Christmas Eve itself is moved to the day before.
    check(
        &given,
        skip("2026-12-24", "2026-12-01"),
        Err(Error::NoSuchDate { date: day("2026-12-24") }),
    );
    check(
        &given,
        skip("2026-11-26", "2026-12-01"),
        Err(Error::DatePassed { date: day("2026-11-26") }),
    );
    check(&given, skip("2029-12-06", "2026-12-01"), Err(Error::TooFarAhead));
    let given = [started(plan()), skipped];
    check(&given, skip("2026-12-03", "2026-12-01"), Ok(vec![]));
    assert_eq!(dates(&given, 1), [pair("2026-12-10", "2026-12-10")]);
    let restore = Command::Restore { date: day("2026-12-03"), today: day("2026-12-01") };
    let first = next("2026-12-03", "2026-12-03", "2026-11-30");
    let restored = Event::DateRestored { date: day("2026-12-03"), next: Some(first) };
    check(&given, restore.clone(), Ok(vec![restored.clone()]));
    let given = [given.to_vec(), vec![restored]].concat();
    check(&given, restore, Ok(vec![]));
    assert_eq!(dates(&given, 1), [pair("2026-12-03", "2026-12-03")]);
}

#[test]
fn one_date_is_ordered_on_another_day_or_with_other_lines() {
    let given = [started(plan())];
    let next_on = |on: &str, notice_on: &str| next("2026-12-03", on, notice_on);
    let changed = |on: &str, notice_on: &str| Event::DateChanged {
        date: day("2026-12-03"),
        change: on_day(on),
        next: Some(next_on(on, notice_on)),
    };
    let to = |on| change_date("2026-12-03", on, None, "2026-12-01");
    check(&given, to("2026-12-09"), Ok(vec![changed("2026-12-09", "2026-12-06")]));
    check(&given, to("2026-12-10"), Err(Error::PassesAnother { on: day("2026-12-10") }));
    check(&given, to("2026-12-05"), Err(Error::NotForOrders { on: day("2026-12-05") }));
    check(&given, to("2026-11-30"), Err(Error::DayPassed { on: day("2026-11-30") }));
    check(&given, to("2026-12-03"), Err(Error::NothingChanged));
    check(&given, to(""), Err(Error::NothingChanged));
    let given = [started(plan()), changed("2026-12-09", "2026-12-06")];
    check(&given, to("2026-12-09"), Ok(vec![]));
    // The next one must stay behind it.
    let closer = change_date("2026-12-10", "2026-12-08", None, "2026-12-01");
    check(&given, closer, Err(Error::PassesAnother { on: day("2026-12-08") }));
    check(
        &given,
        place("2026-12-03", "2026-12-08"),
        Err(Error::NotDue { date: day("2026-12-03") }),
    );
    let next_week = next("2026-12-10", "2026-12-10", "2026-12-07");
    check(
        &given,
        place("2026-12-03", "2026-12-09"),
        Ok(vec![placed("2026-12-03", "2026-12-09", Some(next_week))]),
    );
    let lines = change_date("2026-12-03", "", Some(vec![line("3")]), "2026-12-01");
    let then = answer::<StandingOrder>(&[started(plan())], lines).unwrap();
    let given = [vec![started(plan())], then].concat();
    let state = after(&given);
    let run = state.ongoing().unwrap().upcoming().next().unwrap();
    assert_eq!((run.lines, run.has_own_lines), (&[line("3")][..], true));
    let none = change_date("2026-12-10", "", Some(vec![]), "2026-12-01");
    check(&given, none, Err(Error::LineCount));
    let many = |date, count| change_date(date, "", Some(vec![line("3"); count]), "2026-12-01");
    let mut given = vec![started(plan())];
    for date in ["2026-12-03", "2026-12-10", "2026-12-17", "2026-12-23"] {
        let changed = answer::<StandingOrder>(&given, many(date, 500)).unwrap();
        given.extend(changed);
    }
    check(&given, many("2026-12-31", 1), Err(Error::TooManyChanges));
    assert!(answer::<StandingOrder>(&given, many("2026-12-23", 499)).is_ok());
}

#[test]
fn a_date_that_was_moved_survives_a_pause_and_a_change() {
    let today = |text| Command::Resume { today: day(text) };
    let later =
        Event::DateChanged { date: day("2026-12-03"), change: on_day("2026-12-09"), next: None };
    let earlier =
        Event::DateChanged { date: day("2026-12-10"), change: on_day("2026-12-04"), next: None };
    let paused = Event::Paused { reason: None };
    // Moved behind the day of the resumption: it is still to come.
    let given = [started(plan()), later.clone(), paused.clone()];
    let then = answer::<StandingOrder>(&given, today("2026-12-07")).unwrap();
    assert_eq!(
        dates(&[given.to_vec(), then].concat(), 2),
        [pair("2026-12-03", "2026-12-09"), pair("2026-12-10", "2026-12-10")]
    );
    // Moved before it: it is over.
    let given = [started(plan()), earlier, paused];
    let then = answer::<StandingOrder>(&given, today("2026-12-07")).unwrap();
    assert_eq!(dates(&[given.to_vec(), then].concat(), 1), [pair("2026-12-17", "2026-12-17")]);
    let given = [started(plan()), later];
    let plan = Box::new(Plan { lines: vec![line("11")], ..plan() });
    let change = Command::Change { plan, today: day("2026-12-07") };
    let then = answer::<StandingOrder>(&given, change).unwrap();
    assert_eq!(dates(&[given.to_vec(), then].concat(), 1), [pair("2026-12-03", "2026-12-09")]);
}

#[test]
fn places_nothing_while_it_is_paused() {
    let pause = |today| Command::Pause { reason: None, today: day(today) };
    let resume = |today| Command::Resume { today: day(today) };
    let paused = Event::Paused { reason: None };
    check(&[started(plan())], resume("2026-12-01"), Ok(vec![]));
    check(&[started(plan())], pause("2026-12-01"), Ok(vec![paused.clone()]));
    let given = [started(plan()), paused.clone()];
    check(&given, pause("2026-12-01"), Ok(vec![]));
    check(&given, place("2026-12-03", "2026-12-03"), Err(Error::Paused));
    check(&given, Command::Announce { today: day("2026-12-01") }, Ok(vec![]));
    // What is skipped meanwhile says nothing of what comes next.
    let skipped = Event::DateSkipped { date: day("2026-12-17"), next: None };
    check(&given, skip("2026-12-17", "2026-12-01"), Ok(vec![skipped]));
    // Dates that passed are over; a date on the day itself is not.
    let second = next("2026-12-10", "2026-12-10", "2026-12-07");
    let resumed = Event::Resumed { on: day("2026-12-10"), next: Some(second) };
    check(&given, resume("2026-12-10"), Ok(vec![resumed]));
    // What was due before was missed, not paused.
    let missed = Event::RunsMissed { dates: vec![day("2026-12-03")] };
    check(&[started(plan())], pause("2026-12-10"), Ok(vec![missed, paused]));
    let ends = ending(Ends::AfterDay { day: day("2026-12-11") });
    let given = [started(ends), Event::Paused { reason: None }];
    let resumed = Event::Resumed { on: day("2026-12-11"), next: None };
    check(&given, resume("2026-12-11"), Ok(vec![resumed, END]));
}

#[test]
fn ends_by_its_schedule_and_by_command() {
    let two = ending(Ends::AfterOrders { count: 2 });
    let second = next("2026-12-10", "2026-12-10", "2026-12-07");
    let given = [started(two), placed("2026-12-03", "2026-12-03", Some(second))];
    let last = placed("2026-12-10", "2026-12-10", None);
    check(&given, place("2026-12-10", "2026-12-10"), Ok(vec![last.clone(), END]));
    let ended = [given.to_vec(), vec![last, END]].concat();
    let end = Command::End { reason: None, today: day("2026-12-11") };
    check(&ended, end.clone(), Ok(vec![]));
    check(&ended, place("2026-12-17", "2026-12-17"), Err(Error::Ended));
    check(&ended, skip("2026-12-17", "2026-12-11"), Err(Error::Ended));
    check(&ended, Command::Resume { today: day("2026-12-11") }, Err(Error::Ended));
    let until = ending(Ends::AfterDay { day: day("2026-12-03") });
    let skipped = Event::DateSkipped { date: day("2026-12-03"), next: None };
    check(&[started(until)], skip("2026-12-03", "2026-12-01"), Ok(vec![skipped, END]));
    let by_command = Event::Ended { by: EndedBy::Command, reason: None };
    let missed = Event::RunsMissed { dates: vec![day("2026-12-03"), day("2026-12-10")] };
    check(&[started(plan())], end, Ok(vec![missed, by_command]));
    assert_eq!(after(&ended).company(), Some(company()));
}

#[test]
fn an_order_is_announced_once() {
    let announce = |today| Command::Announce { today: day(today) };
    let plan = || Plan { notice_days: Some(2), ..plan() };
    let first = Next { notice_on: Some(day("2026-12-01")), ..next("2026-12-03", "2026-12-03", "") };
    let started =
        Event::Started { company: company(), plan: plan(), on: day("2026-11-30"), next: first };
    let announced = Event::RunAnnounced {
        date: day("2026-12-03"),
        on: day("2026-12-03"),
        lines: vec![line("10")],
    };
    let given = [started.clone()];
    check(&given, announce("2026-11-30"), Ok(vec![]));
    check(&given, announce("2026-12-01"), Ok(vec![announced.clone()]));
    check(&given, announce("2026-12-02"), Ok(vec![announced.clone()]));
    check(&given, announce("2026-12-03"), Ok(vec![]));
    let given = [started, announced];
    check(&given, announce("2026-12-01"), Ok(vec![]));
    let next = after(&given).ongoing().unwrap().next().unwrap();
    assert_eq!(next.notice_on, None);
}

#[test]
fn a_changed_schedule_begins_with_the_day_of_the_change() {
    let daily = Plan {
        schedule: Schedule { recurrence: Recurrence::EveryDays { days: 1 }, ..plan().schedule },
        ..plan()
    };
    let change = |plan: Plan, today| Command::Change { plan: Box::new(plan), today: day(today) };
    let given = [started(plan()), Event::DateSkipped { date: day("2026-12-10"), next: None }];
    check(&given, change(plan(), "2026-12-02"), Ok(vec![]));
    let next_is = |date, notice| next(date, date, notice);
    let changed = |plan: &Plan, keeps_dates, on, next| Event::Changed {
        plan: plan.clone(),
        keeps_dates,
        on: day(on),
        next: Some(next),
    };
    let then = changed(&daily, false, "2026-12-02", next_is("2026-12-02", "2026-11-29"));
    check(&given, change(daily.clone(), "2026-12-02"), Ok(vec![then]));
    let more = Plan { lines: vec![line("20")], ..plan() };
    let then = changed(&more, true, "2026-12-09", next_is("2026-12-17", "2026-12-14"));
    let missed = Event::RunsMissed { dates: vec![day("2026-12-03")] };
    check(&given, change(more, "2026-12-09"), Ok(vec![missed, then]));
    // A date that was placed on its day is not placed again on that day.
    let second = next("2026-12-10", "2026-12-10", "2026-12-07");
    let given = [started(plan()), placed("2026-12-03", "2026-12-03", Some(second))];
    let then = changed(&daily, false, "2026-12-03", next_is("2026-12-04", "2026-12-01"));
    check(&given, change(daily, "2026-12-03"), Ok(vec![then]));
    let over = ending(Ends::AfterDay { day: day("2026-12-02") });
    check(&given, change(over, "2026-12-03"), Err(Error::NoDates));
}

#[test]
fn counts_only_orders_that_were_placed() {
    let today = day("2026-12-03");
    let one = ending(Ends::AfterOrders { count: 1 });
    let reasons = vec![Reason { code: "company.suspended".parse().unwrap(), detail: None }];
    let outcome = Outcome::Failed { reasons, left_out: vec![] };
    let record = Command::Record { date: today, outcome, today };
    let given = [started(one)];
    let then = answer::<StandingOrder>(&given, record).unwrap();
    assert_eq!(then.len(), 1, "it goes on: {then:?}");
    assert_eq!(dates(&[given.to_vec(), then].concat(), 9), [pair("2026-12-10", "2026-12-10")]);
}
