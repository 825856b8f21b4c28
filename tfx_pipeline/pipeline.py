"""The pipeline, read aloud: a component after a component in the order of the data."""

import json
from dataclasses import asdict
from pathlib import Path

# Not `tfx.v1`: it imports all of Google Cloud's AI platform, for two seconds a start.
from tfx.components import ExampleValidator, StatisticsGen, Trainer, Transform
from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
from tfx.orchestration import metadata
from tfx.orchestration import pipeline as pipeline_lib
from tfx.proto.pusher_pb2 import PushDestination
from tfx.proto.trainer_pb2 import EvalArgs, TrainArgs
from tfx.proto.transform_pb2 import SplitsConfig

from psad_tf.feature_sets import feature_set
from schemas import schema_path
from tfx_pipeline.beam_options import give_beam_args
from tfx_pipeline.config import PipelineConfig
from tfx_pipeline.data_gate.component import DataGate
from tfx_pipeline.evaluation import eval_config
from tfx_pipeline.example_gen import ListExampleGen
from tfx_pipeline.fingerprint import code_fingerprint, folder_fingerprint
from tfx_pipeline.gated_evaluator import GatedEvaluator
from tfx_pipeline.keep_origin import KeepOrigin
from tfx_pipeline.last_blessed import LastBlessed
from tfx_pipeline.prepare import PrepareLog
from tfx_pipeline.report.component import Report
from tfx_pipeline.serving_check import ServingCheck
from tfx_pipeline.store_pusher import StorePusher
from tfx_pipeline.warm_start import WarmStart


def create_pipeline(config: PipelineConfig) -> pipeline_lib.Pipeline:
    """From a folder of raw logs to a pushed model and a report."""
    features = feature_set(config.dataset)
    # Code behind a dotted path is invisible to the cache, so its hash is an argument.
    code = code_fingerprint()

    log = PrepareLog(
        raw=config.raw,
        fingerprint=folder_fingerprint(Path(config.raw)) + code,
        dataset=config.dataset,
        seed=config.seed,
        max_bad_share=config.max_bad_share,
        settings=json.dumps(config.logs, sort_keys=True),
        spans=config.spans,
    )
    examples = ListExampleGen(
        log=log.outputs["log"], raw=config.raw, dataset=config.dataset
    )
    statistics = StatisticsGen(examples=examples.outputs["examples"])
    schema = ImportSchemaGen(schema_file=str(schema_path(config.dataset)))
    anomalies = ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    data_gate = DataGate(
        examples=examples.outputs["examples"],
        statistics=statistics.outputs["statistics"],
        schema=schema.outputs["schema"],
        dataset=config.dataset,
        spans=config.spans,
        bounds=json.dumps(asdict(config.data_gate), sort_keys=True),
        model_store=config.model_store,
        root=config.root,
        code=code,
    )
    warm_start = WarmStart(
        verdict=data_gate.outputs["verdict"],
        model_store=config.model_store,
        spans=config.spans,
        is_wanted=int(config.warm_start),
    )
    transform = Transform(
        examples=examples.outputs["examples"],
        schema=schema.outputs["schema"],
        preprocessing_fn="tfx_pipeline.preprocessing.preprocessing_fn",
        splits_config=SplitsConfig(
            analyze=["train"], transform=["train", "validation"]
        ),
        # StatisticsGen has those of the raw lists; these would be another pass or two.
        disable_statistics=True,
        custom_config={"dataset": config.dataset, "code": code},
    )
    # Data that is refused is not worth the transform either.
    transform.add_upstream_node(data_gate)
    trainer = Trainer(
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=schema.outputs["schema"],
        base_model=warm_start.outputs["model"],
        run_fn="tfx_pipeline.trainer.run_fn",
        train_args=TrainArgs(splits=["train"]),
        eval_args=EvalArgs(splits=["validation"]),
        custom_config={
            "settings": _training_settings(config),
            "serving": json.dumps(config.serving, sort_keys=True),
            "code": code,
        },
    )
    baseline = LastBlessed(model_store=config.model_store)
    gate = json.dumps(asdict(config.gate), sort_keys=True)
    evaluator = GatedEvaluator(
        examples=examples.outputs["examples"],
        split="test",
        model=trainer.outputs["model"],
        model_run=trainer.outputs["model_run"],
        baseline_model=baseline.outputs["model"],
        schema=schema.outputs["schema"],
        eval_config=eval_config(features),
        gate=gate,
        dataset=config.dataset,
        code=code,
    )
    serving_check = ServingCheck(
        model=trainer.outputs["model"],
        examples=examples.outputs["examples"],
        dataset=config.dataset,
        gate=json.dumps(config.gate.of_serving(), sort_keys=True),
        code=code,
    )
    pusher = StorePusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        infra_blessing=serving_check.outputs["infra_blessing"],
        push_destination=PushDestination(
            filesystem=PushDestination.Filesystem(base_directory=config.model_store)
        ),
    )
    origin = KeepOrigin(
        pushed_model=pusher.outputs["pushed_model"],
        model_run=trainer.outputs["model_run"],
        transform_graph=transform.outputs["transform_graph"],
        statistics=statistics.outputs["statistics"],
        verdict=data_gate.outputs["verdict"],
        model_store=config.model_store,
        spans=config.spans,
    )
    report = Report(
        examples=examples.outputs["examples"],
        log=log.outputs["log"],
        statistics=statistics.outputs["statistics"],
        anomalies=anomalies.outputs["anomalies"],
        verdict=data_gate.outputs["verdict"],
        model=trainer.outputs["model"],
        model_run=trainer.outputs["model_run"],
        evaluation=evaluator.outputs["evaluation"],
        model_blessing=evaluator.outputs["blessing"],
        infra_blessing=serving_check.outputs["infra_blessing"],
        pushed_model=pusher.outputs["pushed_model"],
        settings=config.to_json(),
    )
    components = [
        log,
        examples,
        statistics,
        schema,
        anomalies,
        data_gate,
        warm_start,
        transform,
        trainer,
        baseline,
        evaluator,
        serving_check,
        pusher,
        origin,
        report,
    ]
    give_beam_args(components, config.beam_args_by_component)
    return pipeline_lib.Pipeline(
        pipeline_name=f"psad_{config.dataset}",
        pipeline_root=config.path("artifacts"),
        components=components,
        enable_cache=True,
        metadata_connection_config=metadata.sqlite_metadata_connection_config(
            config.path("metadata.sqlite")
        ),
        beam_pipeline_args=list(config.beam_args),
    )


def _training_settings(config: PipelineConfig) -> str:
    """What a training is made of."""
    return json.dumps(
        {
            "dataset": config.dataset,
            "seed": config.seed,
            "model": config.model_choices(),
            "training": config.training_choices(),
        },
        sort_keys=True,
    )
