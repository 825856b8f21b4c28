"""The fixture world with all its users and logs, made once."""

from functools import cache

from psad_tf.data.click_world.config import world_config
from psad_tf.data.click_world.logs import make_log
from psad_tf.data.click_world.users import make_user
from psad_tf.data.click_world.world import World


@cache
def small_world(**changes):
    """The world, its users and their logs, by number."""
    world = World.make(world_config("fixture", **changes))
    users = [make_user(world, number) for number in range(world.config.users)]
    logs = [make_log(world, user, number) for number, user in enumerate(users)]
    return world, users, logs
