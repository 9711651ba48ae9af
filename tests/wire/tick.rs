//! The scenario by `/tick`: what every other receiver is held against.

use crate::support::{House, Scenario};

#[test]
fn the_scenario_by_tick() {
    let (house, scenario) = (House::with(&[], &[]), Scenario::read());
    let body = serde_json::to_string(&scenario.events).expect("JSON");
    assert_eq!(house.server.post("/tick", &body).0, 202);
    scenario.assert_answers(&house);
}
