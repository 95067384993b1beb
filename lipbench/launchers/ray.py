"""A Ray cluster: each run goes to a node with its folder, comes back at each checkpoint, and survives lost nodes.

Example: ray[address=auto,num_gpus=0.25]
Manual: docs/clusters.md says what each parameter is; pip install ray
"""

from lipbench.errors import RequestError
from lipbench.interfaces.launcher import Launcher
from lipbench.launch.local import Local
from lipbench.launch.sweep import Sweep
from lipbench.launchers._ray_cluster import Wanted, connected, described, usable
from lipbench.launchers._ray_work import Work


class Ray(Launcher):
    """See above.

    Attributes:
        address: of the cluster, such as ``10.0.0.1:6379``; ``auto`` is that of ``RAY_ADDRESS`` or of this machine,
            ``local`` starts Ray on this machine for the time of the sweep.
        num_cpus: of each run.
        num_gpus: of each run, such as 0.25: four share one.
        retries: how often a run may be lost with its node or process without a new checkpoint in between.
        autoscale: whether to wait for nodes with what a run needs, where there are none as yet.
    """

    address: str = "auto"
    num_cpus: float = 1.0
    num_gpus: float = 0.0
    retries: int = 3
    autoscale: bool = False

    def __post_init__(self) -> None:
        """See `Plugin.__post_init__`."""
        if not self.address:
            raise ValueError("address is empty; expected auto, local, or such as 10.0.0.1:6379")
        if self.address.startswith("ray://"):
            raise ValueError(f"address is {self.address!r}, of a Ray Client; expected that of the cluster: HOST:6379")
        if self.num_cpus <= 0:
            raise ValueError(f"num_cpus is {self.num_cpus:g}; expected more than 0")
        if self.num_gpus < 0 or (self.num_gpus > 1 and self.num_gpus % 1):
            raise ValueError(f"num_gpus is {self.num_gpus:g}; expected 0, a part of one, or a whole number")
        if self.retries < 0:
            raise ValueError(f"retries is {self.retries}; expected 0 or more")

    def launch(self, sweep: Sweep) -> None:
        """See `Launcher.launch`."""
        device = self._device(sweep.device)
        with connected(self.address) as ray:
            self._capacity(ray, sweep)
            Work(ray, sweep, self._wanted, device, self.retries, autoscale=self.autoscale).run()

    def check(self, sweep: Sweep) -> None:
        """See `Launcher.check`: says what the cluster has, and rehearses on this machine."""
        self._device(sweep.device)
        with connected(self.address) as ray:
            capacity = self._capacity(ray, sweep)
            sweep.listener.noted(
                f"{len(sweep.waiting)} runs would go to Ray, each with {self._wanted}; {described(ray)} take "
                f"{capacity} at a time. What follows is of this machine."
            )
        sweep.jobs, sweep.device = min(sweep.jobs or capacity, capacity) or 1, "auto"
        Local(sweep).check()

    @property
    def _wanted(self) -> Wanted:
        return Wanted(self.num_cpus, self.num_gpus)

    def _device(self, asked: str) -> str:
        """The device of every run: a GPU of Ray's choice where one is asked for, else the CPU."""
        if asked.startswith("cuda") and not self.num_gpus:
            raise RequestError(
                f"--device {asked} needs a GPU, and runs ask Ray for none; expected such as ray[num_gpus=0.25]"
            )
        if asked == "auto":
            return "cuda" if self.num_gpus else "cpu"
        return asked

    def _capacity(self, ray: object, sweep: Sweep) -> int:
        """How many runs go at a time; notes what people overlook.

        Raises:
            RequestError: no node has what a run needs.
        """
        taking = usable(ray, self._wanted, {})
        if not taking and not self.autoscale:
            raise RequestError(
                f"no node of the Ray cluster has the {self._wanted} that a run asks for; there is {described(ray)}: "
                f"ask for less, or with ray[autoscale=true] wait for such a node"
            )
        if not self.num_gpus and sweep.device == "auto" and usable(ray, Wanted(1, 1), {}):
            sweep.listener.noted("The cluster has GPUs, and runs ask for none: ray[num_gpus=1] gives each one of them.")
        return sum(taking.values())
