"""A real Slurm that a test starts: munged, slurmctld and a slurmd for each node, in a folder and on ports of its own.

    with Cluster() as cluster:
        subprocess.run(["sbatch", ...])

Nothing outside the folder is read or written. A guard, `python -m tests.slurm FOLDER`, ends every process that knows
the folder as soon as the block ends or the testing process dies, however it dies.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self
from unittest import mock

DAEMONS = ("munged", "slurmctld", "slurmd")
COMMANDS = ("sbatch", "scancel", "scontrol", "sinfo", "squeue")
# Daemons are seldom on the path of a user.
PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/sbin"
# Ports below those that Linux gives to outgoing connections, so that a slurmd finds its own free when it comes back.
PORTS = range(20000, 32768)
CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdPidFile={folder}/%n.pid
SlurmdLogFile={folder}/%n.log
SlurmdSpoolDir={folder}/%n
StateSaveLocation={folder}/state
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire={requeue_delay}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MpiDefault=none
MailProg=/bin/true
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
KillWait={kill_wait}
SlurmdTimeout={slurmd_timeout}
ReturnToService=2
{nodes}
PartitionName=short Nodes=ALL Default=YES MaxTime=60 PreemptMode=OFF PriorityTier=5
PartitionName=low Nodes=ALL MaxTime=60 PriorityTier=1 GraceTime={grace}
PartitionName=high Nodes=ALL MaxTime=60 PriorityTier=10 PreemptMode=OFF
{more}
"""


def available() -> str | None:
    """Why no cluster can be started here; None if one can."""
    missing = [name for name in (*DAEMONS, *COMMANDS) if shutil.which(name, path=PATH) is None]
    if missing:
        return f"Slurm is not installed: {', '.join(missing)} not found"
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "Slurm's daemons are started by root on Linux alone"
    return None


class Cluster:
    """Slurm on this machine, for a `with` block; SLURM_CONF points to it meanwhile.

    Partitions: `short` (the default); `low`, whose jobs those of `high` requeue. Slurm looks at time limits and at
    `--signal` every 30 seconds, and for jobs to start every second.

    Args:
        nodes: how many, `node1` to `nodeN`.
        cpus: of each node, whatever the machine has.
        grace: seconds that a pre-empted job is given (GraceTime).
        kill_wait: seconds between SIGTERM and SIGKILL (KillWait); Slurm takes almost 5 at least.
        slurmd_timeout: seconds until a silent node is down (SlurmdTimeout).
        requeue_delay: seconds until a requeued job may start again (cred_expire; Slurm wants 5 at least).
        more: lines of slurm.conf.
    """

    def __init__(
        self,
        nodes: int = 2,
        cpus: int = 4,
        *,
        grace: int = 5,
        kill_wait: int = 1,
        slurmd_timeout: int = 5,
        requeue_delay: int = 5,
        more: str = "",
    ) -> None:
        self.nodes = [f"node{number}" for number in range(1, nodes + 1)]
        self._cpus = cpus
        self._values = {
            "grace": grace,
            "kill_wait": kill_wait,
            "slurmd_timeout": slurmd_timeout,
            "requeue_delay": requeue_delay,
            "more": more,
        }
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        """Start all, and wait until every node is idle."""
        with ExitStack() as undone:
            self.folder = Path(
                tempfile.mkdtemp(prefix="slurm-", dir="/tmp")
            )  # a socket's path is 107 characters at most
            undone.callback(self._end, _guard(self.folder))
            # What the surroundings say to sbatch would count more than a script's own lines.
            outside = {name: value for name, value in os.environ.items() if not name.startswith(("SLURM_", "SBATCH_"))}
            inside = {"PATH": PATH, "SLURM_CONF": str(self.folder / "slurm.conf")}
            undone.enter_context(mock.patch.dict(os.environ, outside | inside, clear=True))
            self._configure()
            files = {"key-file": "key", "socket": "socket", "log-file": "log", "pid-file": "pid", "seed-file": "seed"}
            self._start(
                "munged", "-F", "--force", *(f"--{key}={self.folder}/munge.{file}" for key, file in files.items())
            )
            self.wait((self.folder / "munge.socket").exists, "munged")
            self._start("slurmctld", "-D")
            for node in self.nodes:
                self.start_slurmd(node)
            self.wait(lambda: set(self.states().values()) == {"idle"}, "idle nodes")
            self._undone = undone.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """End every process of the cluster and of its jobs, and remove its folder."""
        self._undone.close()

    def start_slurmd(self, node: str = "node1") -> None:
        """Start a node's slurmd."""
        self._start("slurmd", "-D", "-N", node, name=node)

    def kill_slurmd(self, node: str = "node1") -> None:
        """Kill a node's slurmd (SIGKILL); what it has started goes on."""
        self._daemons[node].kill()
        self._daemons[node].wait()

    def states(self) -> dict[str, str]:
        """Every node's state, as sinfo says; empty while there is no answer."""
        said = subprocess.run(["sinfo", "-h", "-N", "-o", "%N %t"], capture_output=True, text=True).stdout
        return dict(line.split() for line in said.splitlines())

    def jobs(self) -> list[dict[str, str]]:
        """Every job that Slurm remembers, tasks of arrays one by one: its id, name, state, node and reason."""
        columns = {"id": "%i", "name": "%j", "state": "%T", "node": "%N", "reason": "%r"}
        said = _output("squeue", "-a", "-r", "-h", "-t", "all", "-o", "|".join(columns.values()))
        return [dict(zip(columns, line.split("|"), strict=True)) for line in said.splitlines()]

    def wait(self, until: Callable[[], bool], what: str, seconds: float = 60) -> None:
        """Wait for a condition; raises TimeoutError with the end of the logs."""
        deadline = time.monotonic() + seconds
        while not until():
            if time.monotonic() > deadline:
                logs = [f"{log.name}: {log.read_text(errors='replace')[-2000:]}" for log in self.folder.glob("*.log")]
                raise TimeoutError("\n".join([f"waited {seconds} s for {what}", *logs]))
            time.sleep(0.05)

    def _configure(self) -> None:
        (self.folder / "state").mkdir()
        (self.folder / "munge.key").touch(mode=0o600)
        (self.folder / "munge.key").write_bytes(secrets.token_bytes(128))
        port, *ports = _free_ports(1 + len(self.nodes))
        nodes = [
            f"NodeName={node} NodeAddr=127.0.0.1 Port={port} CPUs={self._cpus} RealMemory=1000"
            for node, port in zip(self.nodes, ports, strict=True)
        ]
        host = socket.gethostname().partition(".")[0]
        text = CONFIGURATION.format(host=host, port=port, folder=self.folder, nodes="\n".join(nodes), **self._values)
        (self.folder / "slurm.conf").write_text(text)
        major, minor, *_ = _output("slurmctld", "-V").split()[-1].split(".")
        if (int(major), int(minor)) >= (24, 5):
            (self.folder / "cgroup.conf").write_text("CgroupPlugin=disabled\n")

    def _start(self, *command: str, name: str = "") -> None:
        with (self.folder / f"{name or command[0]}.printed.log").open("ab") as printed:
            self._daemons[name or command[0]] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=printed, stderr=printed, start_new_session=True
            )

    def _end(self, guard: subprocess.Popen[bytes]) -> None:
        guard.communicate()
        if guard.returncode != 0:
            raise RuntimeError(f"processes of {self.folder} are left behind: its guard ended with {guard.returncode}")
        for daemon in self._daemons.values():
            daemon.wait()


def _guard(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.slurm", str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, cwd=Path(__file__).parents[1])


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _free_ports(count: int) -> list[int]:
    found: set[int] = set()
    while len(found) < count:
        port = secrets.choice(PORTS)
        with socket.socket() as tried, suppress(OSError):
            tried.bind(("127.0.0.1", port))
            found.add(port)
    return [*found]


def _processes(folder: str) -> list[int]:
    # Daemons have the folder in their environment, and so have jobs and what these start.
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.fsencode(folder) in (process / "environ").read_bytes() + (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return [process for process in found if process != os.getpid()]


def main(folder: str) -> None:
    """Wait for the end of the input, then leave nothing of the cluster."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.stdin.read()
    while found := _processes(folder):
        for process in found:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.01)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main(sys.argv[1])
