# `make demo`: raw MovieLens logs to a gated, served reranker. `make test`: the tests.
# Both set up all they need in .venv first; a second run spends seconds on that.
export TF_USE_LEGACY_KERAS := 0
export TF_CPP_MIN_LOG_LEVEL := 2
# Else each process compiles the sources of TensorFlow and TFX anew: up to 15 s each.
unexport PYTHONDONTWRITEBYTECODE
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: setup demo test lint lock clean

setup:
	@tools/setup.sh

demo: setup
	@tools/demo.sh

test: setup
	@pytest -q -n 2 --no-loadscope-reorder $(PYTEST_ARGS)

lint: setup
	@ruff check . && ruff format --check .

# Resolves the versions anew; only for those who change setup.py.
lock: setup
	@.setup/bootstrap/bin/uv pip compile setup.py --quiet --python-version 3.11 \
	    --python-platform x86_64-manylinux_2_40 --generate-hashes --no-header \
	    --no-annotate --extra pipeline --extra first-stage --extra bench \
	    --extra loadtest --extra dev \
	    --output-file requirements.lock
	@.setup/bootstrap/bin/uv pip compile setup.py --quiet --python-version 3.11 \
	    --python-platform x86_64-manylinux_2_28 --generate-hashes --no-header \
	    --no-annotate --extra airflow --output-file requirements-airflow.lock

clean:
	rm -rf .venv .setup runs build dist *.egg-info
