//! What holds of every schedule and of every history of a standing order.

use std::collections::BTreeSet;

use cqrs_es::Aggregate;
use jiff::{
    ToSpan,
    civil::{Date, date},
};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{
    fixtures::company,
    kernel::{Currency, Destination, working_days::is_working_day},
};

fn any_day() -> impl Strategy<Value = Date> {
    (0_i32..2_000).prop_map(|days| date(2024, 1, 1).saturating_add(days.days()))
}

fn any_rule() -> impl Strategy<Value = Recurrence> {
    let frequency = prop::sample::select(vec!["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]);
    let part = |texts: &[&'static str]| prop::option::of(prop::sample::select(texts.to_vec()));
    (
        frequency,
        1_u16..=5,
        part(&["BYMONTH=2", "BYMONTH=1,6,12"]),
        part(&["BYMONTHDAY=29", "BYMONTHDAY=30", "BYMONTHDAY=-1,1,15", "BYMONTHDAY=31"]),
        part(&["BYDAY=MO", "BYDAY=1MO,-1FR", "BYDAY=5SA", "BYDAY=SA,SU", "BYDAY=MO,TU,WE,TH,FR"]),
        part(&["BYSETPOS=1", "BYSETPOS=-1,3"]),
        part(&["WKST=SU"]),
    )
        .prop_filter_map("parts that do not go together", |parts| {
            let (frequency, interval, month, month_day, weekday, position, week_start) = parts;
            let (frequency, interval) =
                (format!("FREQ={frequency}"), format!("INTERVAL={interval}"));
            let mut rule = vec![&frequency[..], &interval];
            rule.extend([month, month_day, weekday, position, week_start].into_iter().flatten());
            let rule = rule.join(";");
            Some(Recurrence::Rrule { rule: rule.parse().ok()? })
        })
}

fn any_recurrence() -> impl Strategy<Value = Recurrence> {
    use Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};
    let week = vec![Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday];
    let weekdays = prop::sample::subsequence(week, 1..=7);
    let month_days = prop::collection::btree_set(prop_oneof![Just(-1_i8), 1_i8..=31], 1..5);
    prop_oneof![
        (1_u16..=366).prop_map(|days| Recurrence::EveryDays { days }),
        (weekdays, 1_u8..=52).prop_map(|(days, every)| Recurrence::Weekdays {
            days: days.into_iter().collect(),
            every
        }),
        (month_days, 1_u8..=24).prop_map(|(days, every)| Recurrence::MonthDays { days, every }),
        any_rule(),
    ]
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    use NonWorkingDays::{Back, Forward, Keep};
    let ends = prop_oneof![
        Just(None),
        any_day().prop_map(|day| Some(Ends::AfterDay { day })),
        (1_u32..12).prop_map(|count| Some(Ends::AfterOrders { count })),
    ];
    let moved = prop::sample::select(vec![Keep, Forward, Back]);
    (any_day(), any_recurrence(), moved, ends).prop_map(
        |(starts_on, recurrence, non_working_days, ends)| Schedule {
            starts_on,
            recurrence,
            non_working_days,
            ends,
        },
    )
}

fn plan(schedule: Schedule, lines: usize) -> Plan {
    let line = StandingLine {
        product: ProductId(Uuid::from_u128(0x9)),
        sku: "HK-1".parse().unwrap(),
        name: "Kawa".parse().unwrap(),
        quantity: "10".parse().unwrap(),
        unit_price: None,
    };
    Plan {
        name: None,
        currency: Currency::Pln,
        lines: vec![line; lines],
        schedule,
        destination: Destination::default(),
        reference: None,
        placed_by: None,
        unavailable_lines: UnavailableLines::LeaveOut,
        notice_days: Some(5),
        prices_fixed_until: None,
    }
}

/// What may be done on a day; numbers choose among the dates to come.
#[derive(Debug, Clone)]
enum Act {
    Wait(u8),
    Run,
    Fail,
    Skip(usize),
    Move(usize, i8),
    Restore(usize),
    Pause,
    Resume,
    Reline(usize),
    Reschedule(Schedule),
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0_u8..40).prop_map(Act::Wait),
        4 => Just(Act::Run),
        1 => Just(Act::Fail),
        2 => (0_usize..5).prop_map(Act::Skip),
        3 => (0_usize..5, -20_i8..20).prop_map(|(place, days)| Act::Move(place, days)),
        1 => (0_usize..5).prop_map(Act::Restore),
        1 => Just(Act::Pause),
        2 => Just(Act::Resume),
        1 => (1_usize..4).prop_map(Act::Reline),
        1 => any_schedule().prop_map(Act::Reschedule),
    ]
}

proptest! {
    /// No schedule hangs; its dates increase, lie within it, and are working days where it says so.
    #[test]
    fn dates_increase_and_respect_the_schedule(
        schedule in any_schedule(),
        after in any_day(),
    ) {
        let found: Vec<Date> = schedule.dates_after(after).take(40).collect();
        prop_assert!(found.iter().all(|date| *date > after && *date >= schedule.starts_on));
        prop_assert!(found.windows(2).all(|pair| pair[0] < pair[1]));
        if let Some(Ends::AfterDay { day }) = schedule.ends {
            prop_assert!(found.iter().all(|date| *date <= day));
        }
        if schedule.non_working_days != NonWorkingDays::Keep {
            prop_assert!(found.iter().all(|date| is_working_day(*date)));
        }
    }

    /// From wherever it is asked, the dates to come are the same.
    #[test]
    fn dates_do_not_depend_on_from_where_they_are_asked(
        schedule in any_schedule(),
        after in any_day(),
        later in 0_i32..60,
    ) {
        let later = after.saturating_add(later.days());
        let all: Vec<Date> = schedule.dates_after(after).take(30).collect();
        let rest: Vec<Date> = schedule.dates_after(later).take(10).collect();
        let expected = all.iter().filter(|date| **date > later).take(10);
        prop_assert!(expected.zip(&rest).all(|(one, other)| one == other));
    }

    #[test]
    fn rules_survive_their_text(recurrence in any_rule()) {
        let json = serde_json::to_string(&recurrence).unwrap();
        prop_assert_eq!(serde_json::from_str::<Recurrence>(&json).unwrap(), recurrence);
    }

    /// Whatever is done when: no date gets two orders, days of orders increase, an active standing order
    /// has a date to come, its end is respected, and nothing is due that was dealt with.
    #[test]
    fn every_date_is_dealt_with_once(
        schedule in any_schedule(),
        acts in prop::collection::vec(any_act(), 1..60),
    ) {
        let mut today = schedule.starts_on;
        let mut state = StandingOrder::default();
        let start = Command::Start {
            company: company(),
            plan: Box::new(plan(schedule, 1)),
            today,
        };
        let Ok(events) = state.decide(start) else { return Ok(()) };
        for event in events {
            state.apply(event);
        }
        let (mut placed, mut dealt_with) = (Vec::<Date>::new(), BTreeSet::new());
        for act in acts {
            let Ok(ongoing) = state.ongoing().cloned() else { break };
            let of_place = |place: usize| {
                let mut dates = ongoing.plan.schedule.dates_after(ongoing.after);
                dates.nth(place).unwrap_or(today)
            };
            let outcome = match act {
                Act::Fail => Outcome::Failed { reasons: vec![], left_out: vec![] },
                _ => Outcome::Placed { order: OrderId(Uuid::nil()), left_out: vec![] },
            };
            let command = match act {
                Act::Wait(days) => {
                    today = today.saturating_add(i32::from(days).days());
                    Command::Announce { today }
                }
                Act::Run | Act::Fail => {
                    let Some((run, missed)) = ongoing.due(today) else { continue };
                    prop_assert!(missed.iter().all(|date| *date < run.date));
                    Command::Record { date: run.date, outcome, today }
                }
                Act::Skip(place) => Command::Skip { date: of_place(place), today },
                Act::Move(place, days) => {
                    let date = of_place(place);
                    let on = Some(date.saturating_add(i32::from(days).days()));
                    Command::ChangeDate { date, on, lines: None, placed_by: None, today }
                }
                Act::Restore(place) => Command::Restore { date: of_place(place), today },
                Act::Pause => Command::Pause { reason: None, today },
                Act::Resume => Command::Resume { today },
                Act::Reline(lines) => {
                    let plan = Box::new(plan(ongoing.plan.schedule.clone(), lines));
                    Command::Change { plan, today }
                }
                Act::Reschedule(schedule) => {
                    Command::Change { plan: Box::new(plan(schedule, 1)), today }
                }
            };
            let Ok(events) = state.decide(command.clone()) else { continue };
            for event in &events {
                match event {
                    Event::RunPlaced { date, on, .. } => {
                        prop_assert!(dealt_with.insert(*date), "{date} again");
                        prop_assert!(placed.last().is_none_or(|last| last <= on));
                        placed.push(*on);
                        if let Some(Ends::AfterOrders { count }) = ongoing.plan.schedule.ends {
                            prop_assert!(ongoing.orders < count);
                        }
                    }
                    Event::RunFailed { date, .. } => prop_assert!(dealt_with.insert(*date)),
                    Event::RunsMissed { dates } => {
                        for date in dates {
                            prop_assert!(dealt_with.insert(*date), "{date} again");
                        }
                    }
                    _ => {}
                }
            }
            for event in events {
                state.apply(event);
            }
            let Ok(ongoing) = state.ongoing() else { break };
            // The same again does nothing more, or nothing at all.
            let again = state.decide(command.clone());
            prop_assert!(again.as_ref().is_ok_and(Vec::is_empty), "{command:?}: {again:?}");
            let runs: Vec<_> = ongoing.upcoming().take(10).map(|run| (run.date, run.on)).collect();
            prop_assert!(runs.windows(2).all(|pair| pair[0] < pair[1] && pair[0].1 < pair[1].1));
            prop_assert!(runs.iter().all(|(date, _)| !dealt_with.contains(date)));
            if let StandingOrder::Active(_) = state {
                prop_assert!(!runs.is_empty());
            }
        }
    }
}
