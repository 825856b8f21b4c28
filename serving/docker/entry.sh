#!/bin/sh
# Starts the model server with the project's settings; further flags are passed on.
# PSAD_BATCHING=1 batches across requests (see batching_parameters.txt).
set -eu

set -- --port=8500 \
  --rest_api_port=8501 \
  --model_config_file=/etc/psad/models.config \
  --monitoring_config_file=/etc/psad/monitoring.config \
  --file_system_poll_wait_seconds=1 \
  --num_load_threads=1 \
  --num_unload_threads=1 \
  --grpc_max_threads="${PSAD_GRPC_THREADS:-256}" \
  --xla_gpu_compilation_enabled=true \
  --enable_serialization_as_tensor_content=true \
  "$@"
if [ "${PSAD_BATCHING:-0}" = 1 ]; then
  set -- --enable_batching=true \
    --batching_parameters_file=/etc/psad/batching_parameters.txt "$@"
fi
# exec: the server is process 1 and gets the signals of the engine.
exec tensorflow_model_server "$@"
