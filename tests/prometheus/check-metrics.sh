#!/usr/bin/env bash
# A real promtool reads /metrics of the running daemon, and a real Prometheus scrapes it.
# usage: check-metrics.sh MONITOR FLOW_EXPORTER
# Cloudflare and Telegram are ports of loopback where nobody listens. Exits 77 (skipped) without prometheus.
set -euo pipefail

monitor=$1
exporter=$2
for program in promtool prometheus curl jq; do
    if ! command -v "$program" > /dev/null; then
        echo "SKIPPED: $program is not installed"
        exit 77
    fi
done

folder=$(mktemp -d)
processes=()
finish() {
    for process in "${processes[@]}"; do
        kill "$process" 2> /dev/null || true
        wait "$process" 2> /dev/null || true
    done
    rm -rf "$folder"
}
trap finish EXIT

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
api=$(free_port)
flows=$(free_port)
scraper=$(free_port)

fail() {
    echo "FAILED: $*"
    tail -n 20 "$folder"/*.log
    exit 1
}

# until_true SECONDS COMMAND...
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        if ((SECONDS > end)); then return 1; fi
        sleep 0.2
    done
}

mkdir "$folder/config"
cat > "$folder/config/settings.json" << EOF
{"cloudflare": {"account_id": "0123456789abcdef0123456789abcdef", "api_token": "tokenOfNobody0000000000000000000000000001",
                "api_url": "http://127.0.0.1:9/client/v4"},
 "telegram": {"bot_token": "123456789:AAtokenOfNobody00000000000000000001", "chat_id": "-1001234567890",
              "api_url": "http://127.0.0.1:9"},
 "services": {},
 "api": {"listen": "127.0.0.1:$api"},
 "flow": {"enabled": true, "workers": 1, "listen": ["127.0.0.1:$flows"]}}
EOF
"$monitor" --config "$folder/config/settings.json" > "$folder/monitor.log" 2>&1 &
processes+=($!)
until_true 30 grep -q 'flow monitor listening' "$folder/monitor.log" || fail "the daemon does not listen"
curl -sSf -d '{"name": "web", "prefixes": ["185.54.80.0/22"], "type": "threshold", "packet_threshold": 1}' \
    "http://127.0.0.1:$api/rules" > /dev/null
for format in v5 v9 ipfix sflow5; do
    "$exporter" --to "127.0.0.1:$flows" --format "$format" --seconds 1
done

metrics() { curl -sSf "http://127.0.0.1:$api/metrics"; }
has_flows() { metrics | grep -q '^cam_flow_records_total{protocol="sflow5"} [1-9]'; }
until_true 15 has_flows || fail "no flows in /metrics"
# The exporters show a few seconds later.
shows_exporters() { metrics | grep -q '^cam_flow_templates [1-9]'; }
until_true 15 shows_exporters || fail "no templates in /metrics"
metrics > "$folder/metrics.txt"
promtool check metrics < "$folder/metrics.txt" || fail "promtool objects to /metrics"

# The names that the contract promises.
for name in cam_polls_total cam_events_total cam_outbox_messages cam_outbox_oldest_seconds cam_flow_datagrams_total \
    cam_flow_records_total cam_flow_dropped_total cam_flow_kernel_drops_total cam_flow_lost_records_total \
    cam_flow_templates cam_alerts_active cam_rule_evaluation_seconds cam_build_info; do
    grep -q "^# TYPE $name " "$folder/metrics.txt" || fail "/metrics has no $name"
done

cat > "$folder/prometheus.yml" << EOF
global: {scrape_interval: 1s}
scrape_configs: [{job_name: cam, static_configs: [{targets: ["127.0.0.1:$api"]}]}]
EOF
prometheus --config.file="$folder/prometheus.yml" --storage.tsdb.path="$folder/tsdb" \
    --web.listen-address="127.0.0.1:$scraper" > "$folder/prometheus.log" 2>&1 &
processes+=($!)
ask() { curl -sS --get --data-urlencode "query=$1" "http://127.0.0.1:$scraper/api/v1/query" 2> /dev/null | jq -r '.data.result[0].value[1]'; }
is_up() { [ "$(ask up)" = 1 ]; }
until_true 60 is_up || fail "Prometheus does not scrape"
records=$(ask 'sum(cam_flow_records_total)')
[ "$records" -gt 0 ] || fail "Prometheus sees $records flow records"
echo "promtool: $(grep -c '^# TYPE' "$folder/metrics.txt") metrics are well-formed; Prometheus scraped $records flow records"
