#!/bin/sh
# Starts the model server with what `psad serve config` wrote; further flags are passed
# on, and win over those of the file.
set -eu

config="${PSAD_CONFIG:-/etc/psad}"
set -a
. "$config/environment.txt"
set +a
# One flag a line, without spaces in them.
# shellcheck disable=SC2046
set -- $(cat "$config/flags.txt") "$@"
# exec: the server is process 1 and gets the signals of the engine.
exec tensorflow_model_server "$@"
