#!/usr/bin/env bash
# The main job on MovieLens-100K: the pipeline, then one list from the served model.
# ROOT=DIR keeps its artifacts elsewhere than runs/demo.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly root=${ROOT:-runs/demo}
readonly latest="$root/report/latest"
started=$SECONDS

# 4: the gate refused the model, as it does with one that is no better than the last;
# the version before is served then, and none after a first run.
psad pipeline run --root "$root" || [ $? -eq 4 ]

echo
echo "Starting the model server on what was pushed ..."
port=$(python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
psad serve --model-base-path "$root/models" --port "$port" >"$root/logs/server.log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true' EXIT
for _ in $(seq 120); do
    python -m serving.probe --target "127.0.0.1:$port" >/dev/null 2>&1 && break
    kill -0 "$server" 2>/dev/null || { tail -n 20 "$root/logs/server.log" >&2; exit 1; }
    sleep 0.5
done
echo "One list, reranked over gRPC (place, score, item):"
psad rerank --target "127.0.0.1:$port" --request "$latest/request.json"

echo
echo "Done in $((SECONDS - started)) s. Figures: $latest/metrics.json"
echo "Look at the report: $latest/index.html"
