"""Beam options of single components: each on the runner that its data needs."""

from collections.abc import Mapping, Sequence

from tfx.dsl.components.base.base_beam_component import BaseBeamComponent
from tfx.dsl.components.base.base_component import BaseComponent

from psad_tf.errors import ConfigError


def give_beam_args(
    components: Sequence[BaseComponent], by_component: Mapping[str, Sequence[str]]
) -> None:
    """Adds options to components; they come after, and win over, the pipeline's.

    Args:
        components: Of the pipeline.
        by_component: Component id to its options, each `--name=value`.

    Raises:
        ConfigError: A name is none of a component that runs on Beam, or the options
            aren't a list of flags.
    """
    on_beam = {c.id: c for c in components if isinstance(c, BaseBeamComponent)}
    for name, options in by_component.items():
        where = f"beam_args_by_component: {name}"
        if name not in on_beam:
            raise ConfigError(f"{where}: give one of {', '.join(on_beam)}")
        if isinstance(options, str) or not all(o.startswith("--") for o in options):
            raise ConfigError(
                f"{where}: {options!r} must be a list of flags, as in "
                '["--runner=DataflowRunner"]'
            )
        on_beam[name].with_beam_pipeline_args(list(options))
