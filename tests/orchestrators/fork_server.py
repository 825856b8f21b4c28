"""One process that has TFX imported and runs command lines in forks of itself.

Importing TFX takes half a minute, and an orchestrator starts a process for each of the
pipeline's components. Here each task still is a process of its own, with its own
arguments, environment and exit code, but it begins as a fork.

As a program: `fork_server.py SOCKET` serves; `fork_server.py SOCKET PROGRAM WORD...` is
what an orchestrator runs in place of `PROGRAM WORD...`, and ends as that does.
"""

import array
import json
import os
import runpy
import signal
import socket
import sys
import traceback
from pathlib import Path

# A program here is the module that the installed command runs.
MODULES = {"psad": "psad_tf.cli"}


def call(address: str, words: list[str]) -> int:
    """Has the server run a command line with this process's streams; its exit code."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        asked = json.dumps([words, dict(os.environ), os.getcwd()]).encode()
        streams = array.array("i", [1, 2])
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)]
        connection.sendmsg([len(asked).to_bytes(8, "big")], rights)
        connection.sendall(asked)
        code = int(connection.makefile().readline())
    return code if code >= 0 else 128 - code  # as a shell tells a signal


def serve(address: str) -> None:
    """Until killed; says `ready` on standard output."""
    sys.path.append(str(Path(__file__).parents[1]))
    import quick_beam  # noqa: F401
    from quick_graphs import quick_graphs

    import tfx_pipeline.local_runner  # noqa: F401 - the slow part
    import tfx_pipeline.runners.step  # noqa: F401

    with quick_graphs(), socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        print("ready", flush=True)
        while True:
            connection, _ = listening.accept()
            with connection:
                _answer(connection)


def _answer(connection: socket.socket) -> None:
    size, rights, *_ = connection.recvmsg(8, socket.CMSG_SPACE(8))
    length = int.from_bytes(size, "big")
    text = b""
    while len(text) < length:
        text += connection.recv(length - len(text))
    words, environment, folder = json.loads(text)
    streams = array.array("i", rights[0][2])
    child = os.fork()
    if not child:
        _become(words, environment, folder, streams)
    for stream in streams:
        os.close(stream)
    _, status = os.waitpid(child, 0)
    connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _become(words, environment, folder, streams) -> None:
    """Runs the program in this fork, and ends."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for number, stream in enumerate(streams, start=1):
        os.dup2(stream, number)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    code = 1
    try:
        code = _run(words)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else bool(end.code)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code or 0)


def _run(words: list[str]) -> int:
    program, *rest = words
    if os.path.basename(program) == "python":
        flag, module, *rest = rest
        assert flag == "-m", words
    else:
        module = MODULES[program]
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    if len(sys.argv) == 2:
        serve(sys.argv[1])
    sys.exit(call(sys.argv[1], sys.argv[2:]))
