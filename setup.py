"""Package definition of psad-tf; the extras match how people install it."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
VERSION = re.search(
    r'__version__ = "(.+?)"', (ROOT / "psad_tf" / "__init__.py").read_text()
).group(1)

PACKAGES = ("psad_tf", "tfx_pipeline", "serving", "schemas")
MODEL = ["keras>=3.15,<4", "tensorflow>=2.21,<2.22"]
CLIENT = ["grpcio>=1.71,<2", "protobuf>=6.31,<7"]
SERVING = [*MODEL, *CLIENT, "grpcio-health-checking>=1.71,<2"]
SERVING += ["tensorflow-serving-api>=2.19.1,<2.21"]
LOADTEST = [*CLIENT, "hdrhistogram>=0.10.3", "tqdm>=4.66", "matplotlib>=3.9"]
LOADTEST += ["jinja2>=3.1", "psutil>=6"]
PIPELINE = [*SERVING, "tfx>=1.21,<1.22", "apache-beam>=2.77,<2.78"]
PIPELINE += ["tensorflow-model-analysis>=0.52,<0.53", "tqdm>=4.66"]
PIPELINE += ["platformdirs>=4.2", "matplotlib>=3.9", "jinja2>=3.1"]
PIPELINE += ["tensorboard>=2.19", "pip>=24", "threadpoolctl>=3.5"]
PIPELINE += ["pyarrow>=14", "pandas>=2", "lightgbm>=4.5", "google-crc32c>=1.5"]
PIPELINE += ["kfp-pipeline-spec>=2.16,<2.17"]
AIRFLOW = ["apache-airflow>=2.11.2,<3", "apache-airflow-providers-cncf-kubernetes>=10"]
FIRST_STAGE = ["tensorflow-recommenders>=0.7.7,<0.8", "tf-keras>=2.21,<2.22"]
FIRST_STAGE += ["tqdm>=4.66", "platformdirs>=4.2"]
TESTS = ["pytest>=8", "pytest-timeout>=2.3", "pytest-xdist>=3.6"]
TESTS += ["hypothesis>=6.100", "psutil>=6", "cryptography>=42", "pyyaml>=6"]
TESTS += ["kubernetes>=12"]
JAX = ["keras>=3.15,<4", "jax>=0.10,<0.12"]
ONNX = ["tf2onnx>=1.17,<2", "onnx>=1.23,<2", "onnxruntime>=1.32,<2"]
BENCH = [*JAX, "lightgbm>=4.5", "scipy>=1.15", "matplotlib>=3.9"]
BENCH += ["tqdm>=4.66", "jinja2>=3.1"]

setup(
    name="psad-tf",
    version=VERSION,
    description="Personalised semi-autoregressive reranking with online distillation, "
    "from raw logs to TensorFlow Serving",
    long_description=(ROOT / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11,<3.12",
    packages=find_packages(include=[f"{name}*" for name in PACKAGES]),
    package_data={
        "schemas": ["*.pbtxt"],
        "psad_tf.bench": ["templates/*"],
        "psad_tf.report_page": ["templates/*"],
        "tfx_pipeline": ["docker/*", "kubernetes/*", "templates/*"],
        "serving": [
            "config/*",
            "docker/*",
            "examples/*/*",
            "kubernetes/*",
            "monitoring/*",
        ],
        "serving.proto": ["*.proto"],
    },
    install_requires=["numpy>=1.26"],
    extras_require={
        "model": MODEL,
        "client": CLIENT,
        "serving": SERVING,
        "loadtest": LOADTEST,
        "pipeline": PIPELINE,
        "first-stage": FIRST_STAGE,
        "airflow": AIRFLOW,
        "jax": JAX,
        "onnx": [*MODEL, *ONNX],
        "bench": [*MODEL, *BENCH],
        "dev": [*TESTS, *ONNX, "ruff>=0.9"],
    },
    entry_points={"console_scripts": ["psad=psad_tf.cli:main"]},
)
