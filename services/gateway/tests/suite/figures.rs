//! What a gateway tells of deliveries, of what waits, and of its going.

use carillon_contract::Channel;

use crate::{
    bed::{Bed, until, with_gateway},
    client::Client,
};

fn deliveries(bed: &Bed) -> u64 {
    let families = bed.shell.metrics.gather();
    let family = families.iter().find(|family| family.name() == "carillon_gateway_delivery_duration_seconds");
    family.expect("the metric").get_metric()[0].get_histogram().get_sample_count()
}

#[test]
fn each_event_is_timed_once_and_its_bytes_are_counted() {
    with_gateway(&["--workers", "1"], async |bed| {
        let mut clients = [bed.listener().await, bed.listener().await];
        for _ in 0..5 {
            bed.services.emit(&Channel::everyone(), "{\"x\":1}".to_owned()).await;
        }
        for client in &mut clients {
            for offset in 1..=5 {
                assert_eq!(client.offset().await, offset);
            }
        }
        until("each is timed", || deliveries(bed) == 5).await;
        let figure = |name: &str| bed.metric(&format!("carillon_gateway_{name}_total"), "");
        assert!(figure("frames_sent") >= 12.0 && figure("sent_bytes") > 12.0 * 7.0);
        clients[0].send("{\"type\":\"ping\"}").await;
        assert_eq!(clients[0].json().await["type"], "pong");
        until("what it said is counted", || figure("received_bytes") >= 15.0).await;
        assert_eq!(bed.metric("carillon_gateway_handshakes_total", "accepted"), 2.0);
    });
}

#[test]
fn without_instrumentation_deliveries_are_made_and_not_timed() {
    with_gateway(&["--instrumentation", "false"], async |bed| {
        let mut client = bed.listener().await;
        bed.services.emit(&Channel::everyone(), "{\"x\":1}".to_owned()).await;
        assert_eq!((client.offset().await, deliveries(bed)), (1, 0));
    });
}

#[test]
fn what_waits_for_a_client_that_does_not_read_is_seen() {
    // More than a socket takes, and less than makes a client slow.
    with_gateway(&["--workers", "1", "--queue-bytes", "67108864"], async |bed| {
        let mut slow = Client::connect_narrow(bed.address, "/ws/notifications/").await;
        assert_eq!(slow.json().await["type"], "greeting");
        let large = format!("{{\"text\":\"{}\"}}", "x".repeat(900_000));
        assert_eq!(bed.metric("carillon_gateway_blocked_connections", ""), 0.0);
        for _ in 0..12 {
            bed.services.emit(&Channel::everyone(), large.clone()).await;
        }
        until("somebody is blocked", || bed.metric("carillon_gateway_blocked_connections", "") == 1.0).await;
        assert!(bed.metric("carillon_gateway_queue_bytes", "") > 1_000_000.0);
    });
}

#[test]
fn a_gateway_that_goes_tells_how_far_it_is() {
    with_gateway(&[], async |bed| {
        let mut clients = [bed.listener().await, bed.listener().await];
        assert_eq!(bed.metric("carillon_gateway_draining", ""), 0.0);
        bed.shell.shutdown.cancel();
        for client in &mut clients {
            assert_eq!(client.closed().await.0, 1012);
        }
        assert_eq!(bed.metric("carillon_gateway_draining", ""), 1.0);
        assert_eq!(bed.metric("carillon_gateway_drained_connections_total", ""), 2.0);
        assert!(bed.metric("carillon_gateway_drain_started_timestamp_seconds", "") > 1e9);
        assert!(bed.metric("carillon_gateway_drain_window_seconds", "") > 0.0);
    });
}
