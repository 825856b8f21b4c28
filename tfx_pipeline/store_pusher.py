"""The stock Pusher's decisions, with a push that no server ever sees half done."""

from absl import logging
from tfx import types
from tfx.components import Pusher
from tfx.components.pusher import executor
from tfx.dsl.components.base import executor_spec
from tfx.proto import pusher_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import io_utils, proto_utils

from psad_tf.replay import replay
from tfx_pipeline.model_store import newest_if_same, publish


class Executor(executor.Executor):
    """Pushes a model that every given blessing allows, by one rename.

    A model that is the store's newest version already is not pushed again, so servers
    load nothing anew after a repeated run, or one that was killed after the push.
    """

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict,
    ) -> None:
        pushed = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.PUSHED_MODEL_KEY]
        )
        if not self.CheckBlessing(input_dict):
            self._MarkNotPushed(pushed)
            return
        destination = pusher_pb2.PushDestination()
        proto_utils.json_to_proto(
            exec_properties[standard_component_specs.PUSH_DESTINATION_KEY], destination
        )
        store = destination.filesystem.base_directory
        model = self.GetModelPath(input_dict)
        io_utils.copy_dir(model, pushed.uri)
        version = newest_if_same(model, store)
        if version is None:
            version = publish(model, store, replay)
        else:
            logging.info("Version %d in %s is this very model.", version, store)
        self._MarkPushed(pushed, f"{store}/{version}", str(version))


class StorePusher(Pusher):
    """Pusher into a folder of versions on a local file system."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
