//! Item tables: how fast and small they are made, and how fast a hot and a cold item are read, from days and from a month.
//! `cargo bench --bench items -- [events a day] [items] [days]`; 1,000,000, 100,000 and 30 where nothing is said.

use metronome::event::{Day, Event, Known, Value};
use metronome::store::StoreError;
use metronome::store::embedded::items::{Builder, DayTable, Gathering, Months, Source, busiest};
use metronome::store::plan::{Bots, Counting, Items, Limits, Tally, UsagePlan};
use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// June 2015 begins here.
const FIRST: i32 = 16_587;
/// Memory of a builder, in bytes.
const BUILDER_BYTES: usize = 48 * 1024 * 1024;
const ROUNDS: usize = 1_000;
/// Events made before they are added, so that making them is not measured.
const BATCH: usize = 10_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let number = |at: usize, default| numbers.get(at).copied().unwrap_or(default);
    let (events, items, days) = (number(0, 1_000_000), number(1, 100_000), number(2, 30));
    let folder = tempfile::tempdir()?;
    let days: Vec<_> =
        (0..days).map(|day| make_day(folder.path(), (events, items), day as i32)).collect::<Result<_, _>>()?;
    let months = Months::open(&folder.path().join("months"))?;
    println!("\nread of {} day tables", days.len());
    ask(&months, &days, items)?;
    let start = Instant::now();
    months.make(&days)?;
    let size: u64 = std::fs::read_dir(folder.path().join("months"))?
        .flatten()
        .flat_map(|entry| entry.metadata())
        .map(|file| file.len())
        .sum();
    println!("\nread of the month's table (made in {:.1?}, {:.1} MB)", start.elapsed(), size as f64 / 1e6);
    ask(&months, &days, items)?;
    Ok(())
}

fn make_day(folder: &Path, (events, items): (u64, u64), number: i32) -> Result<DayTable, StoreError> {
    let path = folder.join(format!("{number}.items.tbl"));
    let mut builder = Builder::new(&path, BUILDER_BYTES);
    let mut dice = Dice(number as u64);
    let mut adding = Duration::ZERO;
    let mut batch = vec![Event::default(); BATCH];
    for first in (0..events).step_by(BATCH) {
        for (at, event) in (first..events).zip(&mut batch) {
            set_event(event, &mut dice, items, (number, at));
        }
        let start = Instant::now();
        for (_, event) in (first..events).zip(&batch) {
            builder.add(event)?;
        }
        adding += start.elapsed();
    }
    let start = Instant::now();
    let written = builder.finish()?;
    if number < 3 {
        println!(
            "day of {events} events: added in {adding:.1?}, finished in {:.1?}, {} cells, {:.2} B an event",
            start.elapsed(),
            written.cells,
            written.bytes as f64 / events as f64
        );
    }
    Ok(DayTable { source: Source { day: Day(FIRST + number), identity: written.identity }, path })
}

/// Views and downloads by visits of about four events; items by a steep law, the first gets a twelfth of all.
fn set_event(event: &mut Event, dice: &mut Dice, items: u64, (day, at): (i32, u64)) {
    let first = at % 4 == 0;
    let item = ((items as f64).powf(dice.below(1 << 30) as f64 / f64::from(1 << 30)) - 1.0) as u64;
    event.set(Known::Day, Value::Int((FIRST + day).into()));
    event.set(Known::Site, Value::text("opendata"));
    event.set(Known::Id, Value::text(id_of(item)));
    event.set(Known::Visit, Value::hash(at / 4));
    event.set(Known::Counted, Value::Int(1));
    match dice.below(10) {
        0 => {
            event.set(Known::Action, Value::text("download"));
            event.set(Known::Format, Value::text(["csv", "kml", "shp", "geojson"][dice.below(4) as usize]));
        }
        _ => event.set(Known::Action, Value::text("view")),
    }
    match first {
        true => event.set(Known::VisitStart, Value::Int(1)),
        false => drop(event.remove(&Known::VisitStart.into())),
    }
    match dice.below(3) {
        0 => {
            let bits = 1 + dice.below(11);
            let referer = dice.below(1 << bits);
            event.set(Known::Referer, Value::text(format!("host{}.example/articles/{referer}", referer % 97)));
        }
        _ => drop(event.remove(&Known::Referer.into())),
    }
}

fn id_of(item: u64) -> String {
    format!("/datasets/{:08x}/{item}", item.wrapping_mul(0x9E37_79B9) as u32)
}

fn ask(months: &Months, days: &[DayTable], items: u64) -> Result<(), StoreError> {
    time(months, days, "hot item", |_| vec![id_of(0)])?;
    time(months, days, "cold items", |round| vec![id_of(items / 2 + round as u64)])?;
    time(months, days, "never seen", |round| vec![format!("/never/{round}")])?;
    let start = Instant::now();
    let plan = plan(Items::Busiest(Tally::Views, 100));
    busiest(&plan, (Tally::Views, 100), &months.tables_of(days)?, HashMap::new())?;
    println!("  busiest 100: {:.1?}", start.elapsed());
    let start = Instant::now();
    let ids = (0..1000).map(|item| id_of(item * items / 1000)).collect();
    let mut gathering = Gathering::new(&plan, ids);
    gathering.add_tables(&months.tables_of(days)?)?;
    println!("  1,000 items at once: {:.1?}", start.elapsed());
    Ok(())
}

fn time(months: &Months, days: &[DayTable], what: &str, ids: impl Fn(usize) -> Vec<String>) -> Result<(), StoreError> {
    let mut times = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS {
        let plan = plan(Items::Ids(ids(round)));
        let start = Instant::now();
        let mut gathering = Gathering::new(&plan, ids(round));
        gathering.add_tables(&months.tables_of(days)?)?;
        std::hint::black_box(gathering.answer());
        times.push(start.elapsed());
    }
    times.sort();
    println!("  {what}: p50 {:.0?}, p99 {:.0?}", times[ROUNDS / 2], times[ROUNDS * 99 / 100]);
    Ok(())
}

fn plan(items: Items) -> UsagePlan {
    let days = (Day(FIRST), Day(FIRST + 400));
    UsagePlan {
        site: "opendata".to_owned(),
        items,
        days,
        bots: Bots::Exclude,
        counting: Counting::Raw,
        limits: Limits::default(),
    }
}

/// Numbers that look random and are the same in every run (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }
}
