//! Connections of an address and of a user, and how often they come back.

use carillon_contract::{
    Channel,
    messages::{Dismissal, Event},
};

use super::{BEHIND, PATH, from, gets_in, greeted, knows, knows_by, let_in, limited, over};
use crate::{
    bed::{Bed, token, until, with_gateway},
    client::Client,
};

const LAPTOP: &str = "192.0.2.1";

fn options<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&BEHIND, more].concat()
}

#[test]
fn s0_07_five_connections_of_an_address_in_production_and_the_sixth_is_told_to_come_back() {
    let options = options(&["--mode", "production", "--reconnections-per-hour", "0"]);
    with_gateway(&options, async |bed| {
        let mut clients = Vec::new();
        for _ in 0..5 {
            clients.push(greeted(LAPTOP, bed.address).await);
        }
        let (after, reason) = over(from(LAPTOP, bed.address, PATH).await).await;
        assert_eq!((after, &*reason), (30_000, "too many connections from this address"));
        assert_eq!(limited(bed, "connections_per_address"), 1.0);
        until("its end is counted", || bed.metric("carillon_gateway_closes_total", "limit") == 1.0).await;
        // It costs nobody else anything, nor those that are there.
        greeted("192.0.2.2", bed.address).await;
        bed.services.emit(&Channel::everyone(), "{}").await;
        assert_eq!(clients[0].offset().await, 1);
        drop(clients.pop());
        clients.push(let_in(LAPTOP, bed.address).await);
        assert!(gets_in(LAPTOP, bed.address).await.is_none());
    });
}

#[test]
fn an_address_of_ipv6_is_its_network_of_64_bits() {
    with_gateway(&options(&["--connections-per-address", "2"]), async |bed| {
        let _one = greeted("2001:db8:1:2::1", bed.address).await;
        let _two = greeted("2001:db8:1:2:ffff::1", bed.address).await;
        over(from("2001:db8:1:2:3::", bed.address, PATH).await).await;
        greeted("2001:db8:1:3::1", bed.address).await;
    });
}

#[test]
fn a_forged_header_is_nobodys_other_address() {
    with_gateway(&["--connections-per-address", "1"], async |bed| {
        let _one = greeted("192.0.2.1", bed.address).await;
        over(from("192.0.2.2", bed.address, PATH).await).await;
    });
}

#[test]
fn who_is_refused_for_another_reason_holds_a_place_only_until_it_is_closed() {
    with_gateway(&options(&["--connections-per-address", "1"]), async |bed| {
        for _ in 0..3 {
            let path = "/ws/notifications/?token=nonsense";
            let mut refused = from(LAPTOP, bed.address, path).await;
            assert_eq!(refused.closed_at_once().await.0, 4001);
            drop(refused);
            drop(let_in(LAPTOP, bed.address).await);
            // Its own place is free as soon as its end was seen.
            drop(let_in(LAPTOP, bed.address).await);
            until("its place is free", || bed.metric("carillon_gateway_connections", "notifications") == 0.0)
                .await;
        }
    });
}

#[test]
fn s4_10_a_user_has_so_many_connections_wherever_they_come_from() {
    with_gateway(&options(&["--connections-per-user", "2"]), async |bed| {
        let path = |user| format!("{PATH}?token={}", token(user, 3600));
        let one = from("192.0.2.1", bed.address, &path("1")).await;
        let mut two = from("192.0.2.2", bed.address, &path("1")).await;
        assert_eq!(two.json().await["type"], "greeting");
        let (after, reason) = over(from("192.0.2.3", bed.address, &path("1")).await).await;
        assert_eq!((after, &*reason), (30_000, "too many connections of this user"));
        assert_eq!(limited(bed, "connections_per_user"), 1.0);
        let mut other = from("192.0.2.3", bed.address, &path("2")).await;
        assert_eq!(other.json().await["type"], "greeting");
        greeted("192.0.2.3", bed.address).await;
        drop(one);
        crate::client::within(async {
            while from("192.0.2.3", bed.address, &path("1")).await.json().await["type"] != "greeting" {}
        })
        .await;
    });
}

#[test]
fn s0_09_an_address_comes_back_ten_times_an_hour_in_production() {
    let options = options(&["--mode", "production"]);
    with_gateway(&options, async |bed| {
        for _ in 0..11 {
            drop(let_in(LAPTOP, bed.address).await);
        }
        let (after, reason) = over(from(LAPTOP, bed.address, PATH).await).await;
        assert_eq!(reason, "too many reconnections from this address");
        // The slots of an hour are of ten minutes.
        assert!((3_500_000 - 600_000..=3_600_000 + 600_000).contains(&after), "{after}");
        assert_eq!(limited(bed, "reconnections"), 1.0);
        greeted("192.0.2.2", bed.address).await;
    });
}

#[test]
fn an_hour_is_as_long_as_it_is_said_to_be() {
    let options = options(&["--reconnections-per-hour", "1", "--reconnection-window-seconds", "2"]);
    with_gateway(&options, async |bed| {
        greeted(LAPTOP, bed.address).await;
        greeted(LAPTOP, bed.address).await;
        let (after, _) = over(from(LAPTOP, bed.address, PATH).await).await;
        assert!(after <= 2_334, "{after}");
        let since = std::time::Instant::now();
        let_in(LAPTOP, bed.address).await;
        let waited = u64::try_from(since.elapsed().as_millis()).expect("milliseconds");
        assert!(waited + 50 >= after, "not before the time that it was told: {waited} of {after}");
    });
}

#[test]
fn who_is_closed_by_the_server_comes_back_for_nothing() {
    with_gateway(&options(&["--reconnections-per-hour", "1"]), async |bed| {
        let path = "/ws/chat/general/";
        let room = Channel::new("room", &["general"]).expect("a channel");
        let dismissal = |code| Event {
            dismissal: Some(Dismissal { user: String::new(), code, reason: "x".into() }),
            ..Event::default()
        };
        let enter = async || -> Client {
            let mut client = from(LAPTOP, bed.address, path).await;
            assert_eq!(client.json().await["type"], "greeting");
            client
        };
        for _ in 0..5 {
            let mut client = enter().await;
            bed.services.emit_event(&room, dismissal(1012)).await;
            assert_eq!(client.closed().await.0, 1012);
        }
        // Being thrown out is one's own fault.
        let mut client = enter().await;
        bed.services.emit_event(&room, dismissal(4004)).await;
        assert_eq!(client.closed().await.0, 4004);
        enter().await;
        over(from(LAPTOP, bed.address, path).await).await;
    });
}

/// Two gateways on one bus.
fn with_two(more: &[&str], test: impl AsyncFnOnce(&Bed, &Bed)) {
    let options = options(more);
    with_gateway(&options, async |one| {
        let two = one.another(&options).await;
        test(one, &two).await;
        two.shell.shutdown.cancel();
    });
}

#[test]
fn the_connections_of_an_address_count_over_all_gateways() {
    with_two(&["--connections-per-address", "3"], async |one, two| {
        let first = greeted(LAPTOP, one.address).await;
        let second = greeted(LAPTOP, one.address).await;
        knows(two, 2.0).await;
        let third = greeted(LAPTOP, two.address).await;
        over(from(LAPTOP, two.address, PATH).await).await;
        knows(one, 1.0).await;
        over(from(LAPTOP, one.address, PATH).await).await;
        drop(first);
        knows(two, 1.0).await;
        let again = greeted(LAPTOP, two.address).await;
        over(from(LAPTOP, two.address, PATH).await).await;
        drop((third, again));
        knows(one, 0.0).await;
        let _new = [greeted(LAPTOP, one.address).await, greeted(LAPTOP, one.address).await];
        over(from(LAPTOP, one.address, PATH).await).await;
        drop(second);
    });
}

#[test]
fn s4_10_the_connections_of_a_user_count_over_all_gateways() {
    with_two(&["--connections-per-user", "1"], async |one, two| {
        let path = format!("{PATH}?token={}", token("1", 3600));
        let mut first = from(LAPTOP, one.address, &path).await;
        assert_eq!(first.json().await["type"], "greeting");
        knows_by("user", two, 1.0).await;
        over(from("192.0.2.2", two.address, &path).await).await;
        drop(first);
        knows_by("user", two, 0.0).await;
        assert_eq!(from("192.0.2.2", two.address, &path).await.json().await["type"], "greeting");
    });
}

#[test]
fn a_gateway_that_starts_is_told_and_one_that_stops_is_forgotten() {
    let limit = ["--connections-per-address", "2"];
    with_two(&limit, async |one, two| {
        let _clients = [greeted(LAPTOP, one.address).await, greeted(LAPTOP, two.address).await];
        let three = one.another(&options(&limit)).await;
        knows(&three, 2.0).await;
        over(from(LAPTOP, three.address, PATH).await).await;
        two.shell.shutdown.cancel();
        knows(&three, 1.0).await;
        let _instead = greeted(LAPTOP, three.address).await;
        over(from(LAPTOP, three.address, PATH).await).await;
        three.shell.shutdown.cancel();
    });
}

#[test]
fn a_burst_overshoots_by_no_more_than_a_limit_for_each_gateway() {
    with_two(&["--connections-per-address", "3"], async |one, two| {
        let attempts = (0..40).map(|number| {
            let gateway = if number % 2 == 0 { one.address } else { two.address };
            gets_in(LAPTOP, gateway)
        });
        let clients: Vec<_> = futures_util::future::join_all(attempts).await.into_iter().flatten().collect();
        assert!((3..=6).contains(&clients.len()), "{}", clients.len());
        // What was too much is let be, but nobody is added to it.
        for bed in [one, two] {
            over(from(LAPTOP, bed.address, PATH).await).await;
        }
    });
}

#[test]
fn s0_09_reconnections_count_over_all_gateways_and_who_is_sent_to_another_is_excused() {
    with_two(&["--reconnections-per-hour", "2"], async |one, two| {
        let mut sent = greeted(LAPTOP, one.address).await;
        let stays = greeted(LAPTOP, one.address).await;
        knows(two, 2.0).await;
        let _here = greeted(LAPTOP, two.address).await;
        over(from(LAPTOP, two.address, PATH).await).await;
        knows(one, 1.0).await;
        over(from(LAPTOP, one.address, PATH).await).await;
        drop(stays);
        knows(two, 1.0).await;
        one.shell.shutdown.cancel();
        assert_eq!(sent.closed().await.0, 1012);
        knows(two, 0.0).await;
        let _elsewhere = greeted(LAPTOP, two.address).await;
        over(from(LAPTOP, two.address, PATH).await).await;
    });
}
