use std::collections::BTreeSet;

use carillon_contract::messages::{DayTraffic, Telemetry, Traffic};

use super::*;
use crate::cluster::kept::KeptGateway;

const NOW: i64 = 20_000 * DAY + 7;

fn traffic(endpoint: &str, opened: u64, closed: u64, sent: u64) -> Traffic {
    Traffic {
        endpoint: endpoint.to_owned(),
        transport: "websocket".to_owned(),
        opened,
        closed,
        closed_milliseconds: 1_500 * closed,
        messages_sent: sent,
        recently_sent: 1,
        days: vec![DayTraffic { day: 20_000, opened }, DayTraffic { day: 19_999, opened: 7 }],
        ..Traffic::default()
    }
}

fn report(gateway: u64, number: u64, traffic: Vec<Traffic>) -> Report {
    let gateway = GatewayId::from(gateway).to_string();
    let telemetry = Telemetry { gateway, number, started_at: NOW, traffic, ..Telemetry::default() };
    Report::try_from(telemetry).expect("a report")
}

fn cluster() -> Cluster {
    Cluster::new(&SettingsArgs::default())
}

fn kept(gateways: &[(u64, u64, Vec<Traffic>)], totals: Vec<Traffic>, folded: &[u64]) -> Kept {
    let of = |(gateway, number, traffic): &(u64, u64, Vec<Traffic>)| {
        let pasts = report(*gateway, *number, traffic.clone()).pasts;
        (GatewayId::from(*gateway), KeptGateway { number: *number, pasts })
    };
    let folded: BTreeSet<_> = folded.iter().map(|gateway| GatewayId::from(*gateway)).collect();
    Kept { totals: report(0, 1, totals).pasts, gateways: gateways.iter().map(of).collect(), folded }
}

/// Active, today, ever, sent, and in the last minute; the parts come to the same, whichever way they are added.
fn figures(cluster: &Cluster, after: Duration) -> (u64, u64, u64, u64, u64) {
    let Breakdown { all, gateways, gone, entrances } = cluster.figures_at(Instant::now() + after, NOW);
    let mut sum = gone;
    gateways.iter().for_each(|(_, figures)| sum += *figures);
    assert_eq!(all, sum);
    let mut sum = Figures::default();
    entrances.values().for_each(|figures| sum += *figures);
    assert_eq!(all, sum);
    (all.active, all.today, all.counts.opened, all.counts.messages_sent, all.recent)
}

const AT_ONCE: Duration = Duration::ZERO;
const LATER: Duration = Duration::from_secs(6);

#[test]
fn the_latest_of_each_gateway_counts_and_its_connections_while_it_is_there() {
    let cluster = cluster();
    let hear = |report| cluster.hear(report, Instant::now());
    assert_eq!(figures(&cluster, AT_ONCE), (0, 0, 0, 0, 0));
    assert_eq!(
        hear(report(1, 2, vec![traffic("chat", 5, 2, 10), traffic("counter", 1, 0, 1)])),
        Taken::Latest
    );
    assert_eq!(hear(report(1, 1, vec![traffic("chat", 3, 0, 4)])), Taken::Old);
    assert_eq!(hear(report(2, 1, vec![traffic("chat", 2, 1, 3)])), Taken::Latest);
    assert_eq!(figures(&cluster, AT_ONCE), (5, 8, 8, 14, 3));
    assert_eq!(figures(&cluster, LATER), (0, 8, 8, 14, 0));
    let last = Report { is_last: true, ..report(2, 2, vec![traffic("chat", 2, 2, 4)]) };
    assert_eq!(hear(last), Taken::Latest);
    assert_eq!(figures(&cluster, AT_ONCE), (4, 8, 8, 15, 2));
    assert_eq!(cluster.gateways().len(), 1);
}

#[test]
fn what_is_kept_is_added_once_whether_it_was_heard_or_not() {
    let cluster = cluster();
    cluster.hear(report(1, 5, vec![traffic("chat", 5, 2, 10)]), Instant::now());
    let older = (1, 4, vec![traffic("chat", 4, 2, 8)]);
    let unheard = (2, 9, vec![traffic("chat", 2, 1, 3)]);
    cluster.keep(kept(&[older, unheard.clone()], vec![traffic("chat", 100, 100, 1_000)], &[]));
    assert_eq!(figures(&cluster, AT_ONCE), (3, 107, 107, 1_013, 1));
    let newer = (1, 6, vec![traffic("chat", 6, 2, 11)]);
    cluster.keep(kept(&[newer, unheard], vec![traffic("chat", 100, 100, 1_000)], &[]));
    assert_eq!(figures(&cluster, AT_ONCE), (3, 108, 108, 1_014, 1), "another replica has heard more");
}

#[test]
fn a_gateway_that_is_part_of_the_totals_counts_no_further_but_its_connections_are_there() {
    let cluster = cluster();
    cluster.hear(report(1, 5, vec![traffic("chat", 5, 2, 10)]), Instant::now());
    cluster.keep(kept(&[], vec![traffic("chat", 4, 2, 8)], &[1]));
    assert_eq!(figures(&cluster, AT_ONCE), (3, 4, 4, 8, 1));
}

#[test]
fn one_that_may_be_part_of_the_totals_waits_until_that_is_known() {
    let cluster = cluster();
    let old =
        Report { started_at: NOW - 2 * 3_600 * 1_000_000, ..report(1, 5, vec![traffic("chat", 5, 2, 10)]) };
    cluster.hear(old, Instant::now());
    assert_eq!(figures(&cluster, AT_ONCE), (3, 0, 0, 0, 1));
    cluster.keep(kept(&[(1, 5, vec![traffic("chat", 5, 2, 10)])], Vec::new(), &[]));
    assert_eq!(figures(&cluster, AT_ONCE), (3, 5, 5, 10, 1));
}

#[test]
fn who_is_gone_is_forgotten_once_all_of_it_is_kept() {
    let cluster = cluster();
    let long_ago = Instant::now().checked_sub(LATER).expect("a time");
    cluster.hear(report(1, 5, vec![traffic("chat", 5, 5, 10)]), long_ago);
    cluster.keep(kept(&[(1, 4, vec![traffic("chat", 4, 4, 8)])], Vec::new(), &[]));
    assert_eq!((cluster.heard().len(), figures(&cluster, AT_ONCE)), (1, (0, 5, 5, 10, 0)));
    cluster.keep(kept(&[(1, 5, vec![traffic("chat", 5, 5, 10)])], Vec::new(), &[]));
    assert_eq!((cluster.heard().len(), figures(&cluster, AT_ONCE)), (0, (0, 5, 5, 10, 0)));
}

#[test]
fn yesterday_is_not_today() {
    let cluster = cluster();
    cluster.keep(kept(&[], vec![traffic("chat", 100, 100, 1_000)], &[]));
    let today = |time| cluster.figures_at(Instant::now(), time).all.today;
    assert_eq!((today(NOW), today(NOW - DAY), today(NOW + DAY)), (100, 7, 0));
}
