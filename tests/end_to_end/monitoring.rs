//! The monitoring API of document 0: figures over all gateways, and who is connected.

mod clients;
mod connections;
mod figures;
mod restarts;
mod shown;

use carillon_testkit::Options;

use crate::suite::{Suite, both};
use connections::{
    s0_06_an_admin_ends_connections, s0_06_connections_are_listed_as_they_are_wanted,
    s1_13_connected_clients_can_be_seen,
};

pub(crate) fn register(suite: &mut Suite) {
    both!(
        suite,
        s0_06_connections_are_listed_as_they_are_wanted,
        s0_06_an_admin_ends_connections,
        s1_13_connected_clients_can_be_seen,
    );
    suite.own_process("s0_10_figures_are_what_clients_did", Options::default, async |process| {
        figures::are_what_clients_did(process.deployment()).await
    });
    suite.own_cluster("s0_10_figures_are_what_clients_did", Options::default, async |cluster| {
        figures::are_what_clients_did(cluster.deployment()).await
    });
    suite.own_process("s0_10_figures_survive_restarts", Options::default, restarts::of_one_process);
    suite.own_cluster("s0_10_figures_survive_restarts", Options::default, restarts::of_a_cluster);
    suite.own_cluster("s0_10_a_killed_gateway_counts_once", Options::default, restarts::on_the_way);
}
