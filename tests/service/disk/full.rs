//! A disk that fills up under load, and then has room: senders hear 503, then 202; readers never fail; nothing is lost.

use super::layer::Layer;
use super::ledger::{Ledger, Way, compare};
use super::users::{Reader, Sender, is_sound};
use super::{SITE, mix};
use crate::support::Server;
use std::time::Duration;

const ROOM: u64 = 1 << 20;
const EVENTS: u64 = 20_000;

#[test]
fn a_disk_that_fills_up_and_has_room_again_costs_nothing() {
    let Some(layer) = Layer::mount() else { return };
    let server = Server::start(layer.path(), &[("METRONOME_STORE_COMMIT_MS", "50")]);
    layer.room(Some(ROOM));
    let (reader, mut sender) = (Reader::start(server.address), Sender::new());
    let way = || Way { connections: 8, batch: 20, rate: Some(4000), time_max: Duration::from_secs(20) };
    let before = Ledger::new(mix(1, 0, 3, EVENTS));
    let load = before.send(server.address, way());
    while !load.is_finished() {
        sender.send(&server);
        std::thread::sleep(Duration::from_millis(20));
    }
    let full = load.join().expect("the load").expect("a report");
    assert!(full.acknowledged > 0 && full.unknown == 0, "{full}");
    assert_eq!(full.refused.keys().collect::<Vec<_>>(), [&503], "{full}");
    assert!(!sender.send(&server), "it is full");

    layer.room(None);
    let healed = sender.wait_healed(&server);
    let after = Ledger::new(mix(1, 1, 3, EVENTS / 4));
    let taken = after.send(server.address, way()).join().expect("the load").expect("a report");
    assert_eq!((taken.acknowledged, taken.unknown), (EVENTS / 4, 0), "{taken}");
    let answers = reader.finish();
    println!("{full}\nwith room again after {healed:?}; {answers} answers to readers meanwhile");
    compare(&server, SITE, &[before, after], "");
    sender.compare(&server);
    is_sound(&layer);
}
