"""Canaries on a running server, under clients whose every request is counted."""

import json
import threading
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from counted_load import CountedLoad
from embedded import free_port
from serving_lists import FEATURES

from psad_tf import cli
from serving.client_policy import CallPolicy
from serving.messages import AVAILABLE
from serving.options import Options
from serving.probe import model_status

ONCE = CallPolicy(retries=None, breaking=None)  # hides nothing
# Few requests tell: the verdict's own tests are tests/pipeline/test_canary.py.
BOUNDS = ["--max-error-increase=0.05", "--max-slow-increase=0.05"]
NAN, FAILS, SLOW = float("nan"), -1.0, 2e5


@pytest.fixture(scope="module")
def troubled(tmp_path_factory):
    """An export that fails with a negative scale, and is slow with a large one."""
    import tensorflow as tf
    import tiny_model

    class Troubled(tiny_model.TinyModel):
        def rank_items(self, ids, initial_scores, count):
            fails = tf.debugging.assert_none_equal(self.scale, FAILS)
            steps = tf.where(self.scale < SLOW, 0, int(SLOW))
            _, done = tf.while_loop(
                lambda i, x: i < steps, lambda i, x: (i + 1, tf.sin(x)), (0, self.scale)
            )
            with tf.control_dependencies([fails, done]):
                return super().rank_items(ids, tf.identity(initial_scores), count)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny_model, "TinyModel", Troubled)
        return tiny_model.save(tmp_path_factory.mktemp("troubled") / "up", FEATURES)


class Site:
    """A store, its server, clients of both labels, and the page server they have."""

    def __init__(self, export, base):
        self._export, self.base = export, base
        self.base.mkdir()
        self.config = base / "models.config"
        self.clicks, self._lists = base.parent / "clicks.json", 0
        self.publish(1, 1.0)
        assert self.psad("promote", 1) == 0
        self.servers, self.target = [], ""
        self.start()

    def publish(self, number, scale):
        import tiny_model

        hidden = tiny_model.rescaled(self._export, self.base / f"tmp-{number}", scale)
        return hidden.rename(self.base / str(number))

    def start(self, **options):
        """Starts the server, on the file alone."""
        from serving.server import Server

        server = Server(Options(port=0, model_config_file=self.config, **options))
        self.target = f"127.0.0.1:{server.start()}"
        self.servers.append(server)

    def psad(self, *words):
        command, *rest = map(str, words)
        return cli.main(["models", command, *rest, f"--store={self.base}"])

    def release(self, *flags):
        """`psad models release`, fed with the clients' pages over HTTP."""
        sides = {"stable": self.stable, "canary": self.canary}
        with page_server(sides, self._count_clicks) as url:
            for_clients = [
                word
                for side, load in sides.items()
                for word in (f"--{side}-metrics", *urls(f"{url}/{side}", load))
            ]
            pace = ["--looks=100", "--every=0.2", *BOUNDS]
            return self.psad("release", *self.told(), *for_clients, *pace, *flags)

    def told(self):
        return ["--server", self.target]

    def _count_clicks(self):
        """More clicks with every look: of stable one list in five, of canary half."""
        self._lists += 1000
        clicked = {"stable": self._lists // 5, "canary": self._lists // 10}
        told = {k: {"lists": self._lists, "clicked": n} for k, n in clicked.items()}
        self.clicks.write_text(json.dumps(told))

    def available(self):
        found = model_status(self.target)
        return sorted(s.version for s in found if s.state == AVAILABLE)


def urls(url, load):
    return [f"{url}/{number}" for number in range(len(load.pages()))]


class page_server:
    """Gives out metrics pages: `/SIDE/NUMBER`."""

    def __init__(self, sides, on_look):
        class Pages(BaseHTTPRequestHandler):
            def do_GET(self):
                on_look()
                _, side, number = self.path.split("/")
                self.send_response(200)
                self.end_headers()
                self.wfile.write(sides[side].pages()[int(number)].encode())

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self):
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def site(troubled, tmp_path):
    """Clients ask for both labels from before to after what a test does."""
    made = Site(troubled, tmp_path / "models")
    with ExitStack() as stack:
        given = {"clients": 2, "timeout": 30, "policy": ONCE}
        made.stable, made.canary = (
            stack.enter_context(
                CountedLoad(made.target, version=label, fallback=True, **given)
            )
            for label in ("stable", "canary")
        )
        made.stable.wait_for(1)
        made.canary.wait_for(1)  # without a canary, the label means the stable version
        yield made
    for server in made.servers:
        server.stop()
    assert_none_lost(made.stable)


def assert_none_lost(load):
    assert load.failures == [] and load.wrong == [] and not load.fell_back
    assert load.sent == load.accounted == load.answers.total() > 0
    assert load.counted("requests", code="OK") == load.sent


def test_a_good_canary_gets_all_clients_and_no_request_is_lost(site, capsys):
    site.publish(2, 2.0)
    assert site.release("--slow-seconds=2") == 0
    said = capsys.readouterr().out
    assert "stable: version 1\ncanary: version 2\n" in said
    assert said.endswith("promote\nstable: version 2\n")
    site.stable.wait_for(2)
    site.canary.wait_for(2)
    assert site.stable.answers.keys() == site.canary.answers.keys() == {1, 2}
    canary = site.canary
    assert canary.failures == [] and canary.wrong == [] and not canary.fell_back
    assert site.available() == [2]
    # A server that begins anew serves the same; released again, there is nothing to do.
    site.start()
    assert site.available() == [2]
    assert site.release() == 0


@pytest.mark.parametrize(
    ("scale", "flags", "measure"),
    [
        (NAN, ["--slow-seconds=2"], "failed requests"),
        (FAILS, ["--slow-seconds=2"], "failed requests"),
        (SLOW, [], "slow requests"),
        (2.0, ["--slow-seconds=2", "--clicks"], "lists without a click"),
    ],
    ids=["not a number", "graph fails", "slow", "fewer clicks"],
)
def test_a_bad_canary_is_taken_away_and_stable_clients_see_nothing(
    scale, flags, measure, site, capsys
):
    site._count_clicks()
    site.publish(2, scale)
    flags = [*flags, str(site.clicks)] if "--clicks" in flags else flags
    assert site.release(*flags) == cli.REFUSED
    said = capsys.readouterr().out
    guilty = [line for line in said.splitlines() if line.endswith(": roll back")]
    assert any(line.startswith(measure) for line in guilty), said
    assert "psad models restore 2" in said
    site.canary.wait_for(1)
    site.stable.wait_for(1)
    assert site.stable.answers.keys() == {1}
    assert site.available() == [1]
    assert not (site.base / "2").exists()


def test_a_server_that_follows_the_file_needs_no_telling(troubled, tmp_path):
    site = Site(troubled, tmp_path / "models")
    site.servers.pop().stop()
    site.start(model_config_file_poll_wait_seconds=1)
    site.publish(2, 2.0)
    with (
        CountedLoad(site.target, version="stable", timeout=30, policy=ONCE) as stable,
        CountedLoad(site.target, version="canary", timeout=30, policy=ONCE) as canary,
    ):
        assert site.psad("canary", 2) == 0
        canary.wait_for(2)
        stable.wait_for(1)
        assert site.psad("promote") == 0
        stable.wait_for(2)
    for load in (stable, canary):
        assert_none_lost(load)
    site.servers[0].stop()


def test_a_canary_that_does_not_load_changes_nothing(site, capsys):
    before = site.config.read_text()
    (site.publish(2, 2.0) / "variables" / "variables.index").unlink()
    assert site.psad("canary", 2, *site.told()) == cli.BAD_INPUT
    said = capsys.readouterr().err
    assert "not done by all servers" in said and "version 2" in said
    assert site.config.read_text() == before
    assert site.available() == [1]
    site.canary.wait_for(1)


def test_a_server_that_is_down_keeps_no_bad_version_at_the_others(site, capsys):
    site.publish(2, FAILS)
    assert site.psad("canary", 2, *site.told()) == 0
    nobody = f"127.0.0.1:{free_port()}"
    assert site.psad("withdraw", *site.told(), nobody) == cli.BAD_INPUT
    said = capsys.readouterr().err
    assert f"{nobody}: UNAVAILABLE" in said and "psad models promote 1" in said
    assert site.available() == [1]
    assert not (site.base / "2").exists()
    assert site.psad("promote", 1, *site.told()) == 0


def test_what_is_no_address_of_a_server_is_named(tmp_path, capsys):
    words = ["models", "promote", "1", f"--store={tmp_path}", "--server", "here"]
    assert cli.main(words) == cli.BAD_INPUT
    assert "--server=here: " in capsys.readouterr().err
