"""What the embedded server makes of the flags of `tensorflow_model_server` 2.19.

Those in `serving.options.Options` it heeds. Those here it does not: some are accepted
with the value that describes what it does anyway, so that one command line starts both
servers; everything else is refused with the reason.
"""

from serving.option_error import OptionError

_ONE_THREAD = "versions are loaded by one thread, beside those of requests"
_COMPILED = "a signature exported with jit_compile is compiled here in any case"
_NO_BATCHING = (
    "batches are made inside the exported graph (see docs/serving.md), not by the "
    "server; leave the flag out"
)
_NO_LITE = "TensorFlow Lite models are not served"
_ONE_TRY = (
    "a version that failed is tried again when its files change, and at no other time"
)
_ANY = None

# Flag → (accepted values, why no other).
DESCRIBED = {
    "num_load_threads": (("0", "1"), _ONE_THREAD),
    "num_unload_threads": (("0", "1"), _ONE_THREAD),
    "xla_cpu_compilation_enabled": (_ANY, _COMPILED),
    "xla_gpu_compilation_enabled": (_ANY, _COMPILED),
    "flush_filesystem_caches": (("false",), "the system's caches are left alone"),
    "saved_model_tags": (("serve",), "models are exported under the tag `serve`"),
    "enable_batching": (("false",), _NO_BATCHING),
    "enable_per_model_batching_parameters": (("false",), _NO_BATCHING),
    "prefer_tflite_model": (("false",), _NO_LITE),
    "enable_signature_method_name_check": (("false",), "Predict alone is answered"),
    "rest_api_enable_cors_support": (("false",), "put a proxy in front for browsers"),
    "force_allow_any_version_labels_for_unavailable_models": (
        ("false",),
        "a label of a served version is not moved to one that is not served",
    ),
    "enable_profiler": (("false",), "profile with TensorFlow's own tools"),
    "mixed_precision": (("",), "choose the precision when the model is exported"),
    "skip_initialize_tpu": (("true", "false"), "there are no TPUs"),
}
REFUSED = {
    "grpc_socket_path": "listen on a port of this machine (--host=127.0.0.1)",
    "rest_api_num_threads": "REST requests share --grpc_max_threads",
    "batching_parameters_file": _NO_BATCHING,
    "max_num_load_retries": _ONE_TRY,
    "load_retry_interval_micros": _ONE_TRY,
    "tensorflow_session_config_file": "use the parallelism flags",
    "platform_config_file": "one platform is served, tensorflow",
    "per_process_gpu_memory_fraction": "set TF_FORCE_GPU_ALLOW_GROWTH=true instead",
    "remove_unused_fields_from_bundle_metagraph": "the graph is kept whole",
    "num_tflite_interpreters_per_pool": _NO_LITE,
    "num_tflite_pools": _NO_LITE,
    "thread_pool_factory_config_file": "use the parallelism flags",
    "version": "ask `psad --version`",
}


def check_described(given: dict[str, str]) -> None:
    """Refuses a flag whose value is not what the embedded server does.

    Raises:
        OptionError: It names the flag, the value and the reason.
    """
    for name, value in given.items():
        if name in REFUSED:
            raise OptionError(f"--{name} is not supported: {REFUSED[name]}")
        accepted, why = DESCRIBED[name]
        if accepted is not _ANY and value.lower() not in accepted:
            allowed = " or ".join(repr(one) for one in accepted)
            raise OptionError(
                f"--{name}={value} is not supported, only {allowed}: {why}"
            )
