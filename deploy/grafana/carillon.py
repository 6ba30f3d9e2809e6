#!/usr/bin/env python3
"""Writes carillon.json, Grafana's dashboard of Carillon, from the tables below: `make docs` runs it.

With --check it writes nothing, and fails if what is there differs.
"""

import json
import pathlib
import sys

OUTPUT = pathlib.Path(__file__).with_name("carillon.json")

# What every query is narrowed down to; "{$}" and "{$, …}" stand for it below.
SELECTOR = 'namespace=~"$namespace", job=~"$job", instance=~"$instance"'
RATE = "$__rate_interval"
WIDTH, HEIGHT, ACROSS = 6, 8, 24

OK = 'outcome="ok"'
SERVICES = ["auth", "notification", "chat", "ticket-presence", "metrics"]


def rate(metric, by="", more=""):
    selector = "{$, " + more + "}" if more else "{$}"
    grouped = f" by ({by})" if by else ""
    return f"sum{grouped} (rate({metric}{selector}[{RATE}]))"


def quantile(q, metric, by="", more=""):
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({q}, {rate(metric + '_bucket', labels, more)})"


def quantiles(metric, more=""):
    return [(quantile(q, metric, more=more), name) for q, name in [(0.5, "p50"), (0.9, "p90"), (0.99, "p99")]]


def panel(title, unit, *targets, kind="timeseries", about=""):
    return {"title": title, "unit": unit, "targets": list(targets), "kind": kind, "about": about}


OVERVIEW = [
    panel("Connections", "short", ("sum (carillon_gateway_connections{$})", "connections"), kind="stat"),
    panel("Processes that answer", "short", ('sum (up{$})', "up"), kind="stat"),
    panel("p99 from append to socket", "s", (quantile(0.99, "carillon_gateway_delivery_duration_seconds"), "p99"), kind="stat"),
    panel("Oldest message in an outbox", "s", ("max (carillon_store_outbox_oldest_seconds{$})", "oldest"), kind="stat"),
    panel("Frames to clients", "cps", (rate("carillon_gateway_frames_sent_total"), "frames")),
    panel("Databases and bus that answer", "short",
          ("min by (service) (carillon_store_up{$})", "database of {{service}}"),
          ("min by (job) (carillon_bus_connected{$})", "bus of {{job}}")),
    panel("Requests over the bus that failed", "percentunit",
          (f'1 - {rate("carillon_bus_requests_total", "to", OK)} / '
           f'{rate("carillon_bus_requests_total", "to")}', "to {{to}}")),
    panel("Versions", "short", ("count by (service, version) (carillon_build_info{$})", "{{service}} {{version}}")),
    panel("Memory", "bytes", ("sum by (job, instance) (process_resident_memory_bytes{$})", "{{job}} {{instance}}")),
    panel("CPU", "none", ("sum by (job, instance) (rate(process_cpu_seconds_total{$}[" + RATE + "]))", "{{job}} {{instance}}"),
          about="Cores in use."),
    panel("Event loop lag, p99", "s", (quantile(0.99, "carillon_event_loop_lag_seconds", "job, instance"), "{{job}} {{instance}}")),
    panel("File descriptors in use", "percentunit", ("max by (job, instance) (process_open_fds{$} / process_max_fds{$})", "{{job}} {{instance}}")),
]

GATEWAY = [
    panel("Connections by endpoint", "short", ("sum by (endpoint) (carillon_gateway_connections{$})", "{{endpoint}}")),
    panel("Connections by gateway", "short", ("sum by (instance) (carillon_gateway_connections{$})", "{{instance}}"),
          ("max by (instance) (carillon_gateway_max_connections{$})", "limit of {{instance}} (0: none)")),
    panel("Handshakes", "cps", (rate("carillon_gateway_handshakes_total", "outcome, reason"), "{{outcome}} {{reason}}")),
    panel("Closed connections", "cps", (rate("carillon_gateway_closes_total", "code, reason"), "{{code}} {{reason}}")),
    panel("From append to socket", "s", *quantiles("carillon_gateway_delivery_duration_seconds"),
          about="Until a worker has written an event to the sockets of all who listen there."),
    panel("Frames", "cps", (rate("carillon_gateway_frames_sent_total"), "sent"),
          (rate("carillon_gateway_frames_received_total"), "received")),
    panel("Bytes", "Bps", (rate("carillon_gateway_sent_bytes_total"), "sent"),
          (rate("carillon_gateway_received_bytes_total"), "received"),
          (rate("carillon_gateway_saved_bytes_total"), "saved by compression")),
    panel("Frames of clients by endpoint", "cps", (rate("carillon_gateway_frames_received_total", "endpoint"), "{{endpoint}}")),
    panel("Bytes that wait for clients", "bytes", ("sum by (instance) (carillon_gateway_queue_bytes{$})", "{{instance}}")),
    panel("Clients whose sockets are full", "short", ("sum by (instance) (carillon_gateway_blocked_connections{$})", "{{instance}}")),
    panel("Slow consumers", "cps", (rate("carillon_gateway_slow_consumers_total", "policy"), "{{policy}}"),
          (rate("carillon_gateway_dropped_events_total"), "events left out")),
    panel("Worker lag, p99", "s", (quantile(0.99, "carillon_gateway_worker_lag_seconds", "instance"), "{{instance}}")),
    panel("Recoveries", "cps", (rate("carillon_gateway_recoveries_total", "outcome"), "{{outcome}}")),
    panel("Pages of history", "cps", (rate("carillon_gateway_history_pages_total", "source"), "from {{source}}")),
    panel("Gaps", "cps", (rate("carillon_gateway_gaps_total", "outcome"), "{{outcome}}"),
          about="Events that the bus lost: filled from the log, or lost for good."),
    panel("TLS handshakes", "cps", (rate("carillon_gateway_tls_handshakes_total", "outcome"), "{{outcome}}")),
    panel("Limits that were met", "cps", (rate("carillon_gateway_limited_total", "limit"), "{{limit}}")),
    panel("HTTP requests", "cps", (rate("carillon_gateway_http_requests_total", "route, status"), "{{route}} {{status}}")),
    panel("HTTP requests, p99", "s", (quantile(0.99, "carillon_gateway_http_request_duration_seconds", "route"), "{{route}}")),
    panel("Channels", "short", ("sum by (instance) (carillon_gateway_channels{$})", "of {{instance}}"),
          ("sum (carillon_gateway_subscriptions{$})", "subscriptions of carillon.v1")),
    panel("Draining", "short", ("sum by (instance) (carillon_gateway_draining{$})", "{{instance}}"),
          (rate("carillon_gateway_drained_connections_total"), "sent elsewhere in a second")),
    panel("Requests over the bus, p99", "s", (quantile(0.99, "carillon_bus_request_duration_seconds", "to, method"), "{{to}} {{method}}")),
    panel("Requests over the bus", "cps", (rate("carillon_bus_requests_total", "to, outcome"), "{{to}} {{outcome}}")),
    panel("Connections of other gateways", "short", ("max by (by) (carillon_gateway_connections_elsewhere{$})", "by {{by}}")),
    panel("Bus", "cps", (rate("carillon_bus_disconnections_total"), "disconnections"),
          (rate("carillon_bus_dropped_messages_total"), "dropped messages")),
]

# What a service has beside what each of them has.
OWN = {
    "auth": [
        panel("Logins", "cps", (rate("carillon_auth_logins_total", "outcome"), "{{outcome}}")),
        panel("Tokens issued", "cps", (rate("carillon_auth_tokens_issued_total", "kind"), "{{kind}}")),
    ],
    "notification": [
        panel("Notifications", "cps", (rate("carillon_notification_sent_total", "recipient"), "to {{recipient}}"),
              (rate("carillon_notification_repeated_total"), "repeated"), (rate("carillon_org_events_total"), "organisation events")),
        panel("From request to publication", "s", *quantiles("carillon_notification_publish_duration_seconds")),
    ],
    "chat": [
        panel("Messages", "cps", (rate("carillon_chat_messages_total"), "messages"),
              (rate("carillon_chat_messages_repeated_total"), "repeated"),
              (rate("carillon_chat_collaboration_frames_total"), "collaboration"),
              (rate("carillon_chat_document_updates_total"), "document updates"),
              (rate("carillon_chat_counter_updates_total"), "counter updates")),
        panel("From a message's arrival to publication", "s", *quantiles("carillon_chat_message_duration_seconds")),
        panel("Presence", "short", ('max (carillon_presence_connections{$, service="chat"})', "connections"),
              (rate("carillon_presence_transitions_total", "kind", 'service="chat"'), "{{kind}} in a second"),
              (rate("carillon_presence_lapsed_leases_total", more='service="chat"'), "lapsed leases in a second")),
    ],
    "ticket-presence": [
        panel("Changes and events", "cps", (rate("carillon_projects_changes_total"), "changes"),
              (rate("carillon_projects_events_total"), "events of back ends")),
        panel("From a change's arrival to publication", "s", *quantiles("carillon_projects_change_duration_seconds")),
        panel("Presence", "short", ('max (carillon_presence_connections{$, service="ticket-presence"})', "connections"),
              (rate("carillon_presence_transitions_total", "kind", 'service="ticket-presence"'), "{{kind}} in a second"),
              (rate("carillon_presence_lapsed_leases_total", more='service="ticket-presence"'), "lapsed leases in a second")),
    ],
    "metrics": [
        panel("Reports of gateways", "cps", (rate("carillon_metrics_reports_total", "outcome"), "{{outcome}}")),
        panel("Gateways", "short", ("max by (state) (carillon_metrics_gateways{$})", "{{state}}"),
              (rate("carillon_metrics_folded_gateways_total"), "added to the totals in a second")),
        panel("Rounds of saving", "cps", (rate("carillon_metrics_saves_total", "outcome"), "{{outcome}}")),
    ],
}

OUTBOXES = ["auth", "chat", "ticket-presence"]
LOGS = ["auth", "notification", "chat", "ticket-presence"]
GROUPS = ["notification", "chat", "ticket-presence"]


def shared(mine):
    return [
        panel("Writes in a transaction", "short",
              (f'{rate("carillon_store_group_commit_items_sum", more=mine)} / {rate("carillon_store_group_commit_items_count", more=mine)}', "mean")),
        panel("Shared transactions", "s", *quantiles("carillon_store_group_commit_seconds", mine)),
    ]


def of_service(name):
    mine = f'service="{name}"'
    panels = [
        panel("Requests served", "cps", (rate("carillon_requests_total", "method, outcome", mine), "{{method}} {{outcome}}")),
        panel("Requests served, p99", "s", (quantile(0.99, "carillon_request_duration_seconds", "method", mine), "{{method}}")),
        *OWN[name],
        *([panel("Append to the log", "s", *quantiles("carillon_store_append_seconds", mine))] if name in LOGS else []),
        *(shared(mine) if name in GROUPS else []),
        panel("Connections to the database", "short",
              ("sum by (pool) (carillon_store_connections{$, " + mine + "})", "open, {{pool}}"),
              ("sum by (pool) (carillon_store_busy_connections{$, " + mine + "})", "in use, {{pool}}"),
              ("sum by (pool) (carillon_store_max_connections{$, " + mine + "})", "at most, {{pool}}"),
              ("sum (carillon_store_waiting{$, " + mine + "})", "wait for one")),
        panel("Beginning a transaction", "s", *quantiles("carillon_store_begin_seconds", mine)),
        panel("Transactions that failed", "cps", (rate("carillon_store_failures_total", "kind", mine), "{{kind}}")),
    ]
    if name in OUTBOXES:
        panels.append(panel("Outbox", "short", ("max (carillon_store_outbox_debts{$, " + mine + "})", "messages"),
                            ("max (carillon_store_outbox_oldest_seconds{$, " + mine + "})", "age of the oldest, s")))
    return panels


def grafana(number, described, x, y):
    def target(place, expression, legend):
        expression = expression.replace("{$}", "{" + SELECTOR + "}").replace("{$, ", "{" + SELECTOR + ", ")
        return {"datasource": SOURCE, "refId": chr(ord("A") + place), "expr": expression, "legendFormat": legend}

    made = {
        "id": number,
        "type": described["kind"],
        "title": described["title"],
        "description": described["about"],
        "datasource": SOURCE,
        "gridPos": {"x": x, "y": y, "w": WIDTH, "h": HEIGHT},
        "targets": [target(place, *given) for place, given in enumerate(described["targets"])],
        "fieldConfig": {"defaults": {"unit": described["unit"], "min": 0, "custom": {"fillOpacity": 8, "showPoints": "never"}}, "overrides": []},
    }
    if described["kind"] == "stat":
        made["fieldConfig"]["defaults"].pop("custom")
        made["options"] = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "colorMode": "none", "graphMode": "area"}
    else:
        made["options"] = {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True}, "tooltip": {"mode": "multi", "sort": "desc"}}
    return made


SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def variable(name, label):
    return {
        "type": "query", "name": name, "label": label, "datasource": SOURCE, "refresh": 2, "sort": 1,
        "query": {"query": f"label_values(carillon_build_info, {name})", "refId": name},
        "definition": f"label_values(carillon_build_info, {name})",
        # A deployment without that label is meant as well.
        "includeAll": True, "multi": True, "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }


def dashboard():
    rows = [("Overview", OVERVIEW), ("Gateway", GATEWAY)]
    rows += [(name.capitalize(), of_service(name)) for name in SERVICES]
    panels, number, y = [], 1, 0
    for title, described in rows:
        row = {"id": number, "type": "row", "title": title, "collapsed": title not in ("Overview", "Gateway"),
               "gridPos": {"x": 0, "y": y, "w": ACROSS, "h": 1}, "panels": []}
        number, y = number + 1, y + 1
        inside = []
        for place, one in enumerate(described):
            x = place * WIDTH % ACROSS
            inside.append(grafana(number, one, x, y + place * WIDTH // ACROSS * HEIGHT))
            number += 1
        panels.append(row)
        if row["collapsed"]:
            row["panels"] = inside
        else:
            panels += inside
            y += -(-len(described) * WIDTH // ACROSS) * HEIGHT
    return {
        "uid": "carillon", "title": "Carillon", "tags": ["carillon"], "schemaVersion": 39, "version": 1, "editable": True,
        "graphTooltip": 1, "refresh": "10s", "time": {"from": "now-1h", "to": "now"}, "timezone": "browser",
        "annotations": {"list": [{
            "name": "Alerts", "datasource": SOURCE, "enable": True, "iconColor": "red",
            "expr": 'ALERTS{alertstate="firing", alertname=~"Carillon.*"}', "titleFormat": "{{alertname}}",
        }]},
        "templating": {"list": [
            {"type": "datasource", "name": "datasource", "label": "Prometheus", "query": "prometheus"},
            variable("namespace", "Namespace"), variable("job", "Job"), variable("instance", "Instance"),
        ]},
        "panels": panels,
    }


def main():
    text = json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n"
    if sys.argv[1:] == ["--check"]:
        if not OUTPUT.exists() or OUTPUT.read_text(encoding="utf-8") != text:
            sys.exit("deploy/grafana/carillon.json is not what `make docs` writes")
        return
    OUTPUT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
