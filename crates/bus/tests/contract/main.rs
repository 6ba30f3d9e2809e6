//! What every bus promises, tested against each of them: the one inside a process, and a real
//! NATS server that every test starts for itself.

mod bed;
mod nats_server;
mod outage;
mod publish;
mod request;
mod serve;
mod trace;

/// Runs each case against both kinds of bus.
macro_rules! contract {
    ($($module:ident: $($case:ident)*;)*) => {
        mod in_process {
            $($(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$module::$case(super::bed::Kind::InProcess).await;
            })*)*
        }

        mod nats {
            $($(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$module::$case(super::bed::Kind::Nats).await;
            })*)*
        }
    };
}

contract! {
    publish:
        a_confirmed_subscription_hears_what_follows
        a_subscription_does_not_hear_what_came_before
        each_publishers_order_is_kept
        what_was_published_outlives_its_bus
        wildcards_match
        a_dropped_subscription_is_gone
        many_subscriptions_at_once
        a_payload_has_a_limit
        an_overflow_is_told_of;
    request:
        a_typed_call_is_answered
        a_group_shares_requests_exactly_once
        a_request_that_times_out_is_sent_twice
        the_second_attempt_can_succeed
        nobody_there_is_known_at_once
        refusals_arrive_as_they_were_sent
        payloads_of_requests_and_replies_have_a_limit
        a_reply_that_cannot_be_decoded_is_malformed;
    serve:
        a_panic_is_refused_and_survived
        concurrency_is_bounded
        stopping_finishes_what_runs
        stopping_finishes_what_waits
        a_replica_that_stops_costs_no_request
        one_gateway_is_asked_and_no_other;
    trace:
        a_trace_travels_with_a_message
        a_trace_travels_with_a_request;
}
