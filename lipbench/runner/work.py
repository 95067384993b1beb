"""The work on one cell, from its folder's present state to its result.

``python -m lipbench.runner.work FOLDER`` does it in this process; every launcher does nothing else, many times.
"""

import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import torch
from threadpoolctl import threadpool_limits

from lipbench import cell as cells
from lipbench import terminal
from lipbench.cell import Cell
from lipbench.errors import Diverged, LipbenchError, StoreError
from lipbench.files import write_atomically
from lipbench.runner import BUSY, FAILED, FINISHED, checkpoint, environment
from lipbench.runner.command import command_line
from lipbench.runner.device import choose_device
from lipbench.runner.job import Job
from lipbench.runner.jobs import create
from lipbench.runner.meter import Meter
from lipbench.runner.stages import Stages
from lipbench.store import RunFolder
from lipbench.train.streams import EVALUATION, seed_globally, seeded

STRETCH = 25  # steps between two looks at the losses and the clock
CHECKPOINT_SECONDS = 60.0  # at the latest; every evaluation writes one anyway

Progress = Callable[[int], None]


def work(folder: RunFolder, device: str, progress: Progress, argv: list[str]) -> int:
    """Finish the cell in `folder`, going on from its checkpoint if it has one.

    Args:
        folder: holds ``cell.json``.
        device: ``auto``, ``cpu``, ``cuda``, …
        progress: is told the generator steps made so far.
        argv: the command line to record.

    Returns:
        FINISHED (a diverged run is finished), FAILED (``error.json`` says why), or BUSY: another process has it.
    """
    with folder.lock() as mine:
        if not mine:
            return BUSY
        if folder.read_json("result.json") is not None:
            return FINISHED
        try:
            _finish(folder, device, progress, argv)
        except Exception as error:  # whatever happens in a cell is recorded in its folder
            folder.record_failure(kind_of(error), _message(error), traceback.format_exc())
            return FAILED
        return FINISHED


def kind_of(error: Exception) -> str:
    """The word for a failure in ``error.json``."""
    starved = isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error)
    return "out of memory" if starved else "error"


def _message(error: Exception) -> str:
    return str(error) if isinstance(error, LipbenchError) else f"{type(error).__name__}: {error}"


@dataclass
class _Run:
    """A cell under way."""

    folder: RunFolder
    cell: Cell
    job: Job
    device: torch.device
    meter: Meter = field(default_factory=Meter)
    losses: dict[str, float] = field(default_factory=dict)  # sums since the last evaluation
    evaluations: int = 0
    saved: float = field(default_factory=time.monotonic)

    def save(self) -> None:
        state = {
            "run_id": self.folder.id,
            "trainer": self.job.training.state_dict(),
            "meter": self.meter.state_dict(),
            "losses": self.losses,
            "evaluations": self.evaluations,
        }
        checkpoint.save(self.folder, state)
        self.saved = time.monotonic()

    def restore(self) -> None:
        state = checkpoint.load(self.folder)
        step = 0
        if state is not None:
            self.job.training.load_state_dict(state["trainer"])
            self.meter = Meter(**state["meter"])
            self.losses, self.evaluations = state["losses"], state["evaluations"]
            step = self.job.training.step
        self.folder.rewind_trace(step)
        kept = len(self.folder.trace()[0])
        if kept != self.evaluations:
            raise StoreError(
                f"{str(self.folder.file('trace.jsonl'))!r} holds {kept} evaluations up to step {step}; expected "
                f"{self.evaluations}, as the checkpoint says. `lipbench run … --retry-failed` sets both aside and "
                f"starts the run over"
            )

    def advance(self, steps: int) -> None:
        """Train for `steps` steps."""
        with self.meter.training(steps, self.device):
            means = self.job.training.advance(steps)
        for name, mean in means.items():
            self.losses[name] = self.losses.get(name, 0.0) + steps * mean

    def evaluate(self, steps: int) -> None:
        """Measure, and add a line to the trace; `steps` were made since the last one."""
        step = self.job.training.step
        with self.meter.evaluating(self.device), seeded(self.cell.seed, EVALUATION):
            record, samples = self.job.evaluate(final=step == self.cell.protocol.train.steps)
        losses = {name: total / steps for name, total in self.losses.items()}
        self.losses = {}
        if samples is not None:
            write_atomically(self.folder.file("samples.png"), samples)
        self.folder.append_trace({"step": step, **record, **losses, **self.meter.costs()})
        self.evaluations += 1


def _finish(folder: RunFolder, device_name: str, progress: Progress, argv: list[str]) -> None:
    cell = cells.parse(folder.cell_text(), str(folder.file("cell.json")))
    train = cell.protocol.train
    torch.set_num_threads(train.threads)
    with threadpool_limits(train.threads):  # NumPy's sums, too, depend on the number of threads
        device = choose_device(device_name)
        folder.write_json("environment.json", environment.describe(device, train.threads, argv))
        job = create(cell, folder.file, device)
        own = [folder.file(name) for name in cell.copies]
        job.check(Stages(f"{cell.method} on {cell.dataset}", {path: path for path in own}))
        seed_globally(cell.seed, "training")  # for networks that draw numbers of their own (dropout)
        run = _Run(folder, cell, job, device)
        run.restore()
        try:
            _train(run, progress)
            outcome = {"status": "done", **folder.trace()[0][-1]}
            folder.file("error.json").unlink(missing_ok=True)  # of an earlier attempt
        except Diverged as diverged:
            outcome = {"status": "diverged", "diverged_at": diverged.step, "step": diverged.step}
            folder.record_failure("diverged", str(diverged))
        folder.write_json("result.json", outcome | _common(run))


def _train(run: _Run, progress: Progress) -> None:
    trainer, steps = run.job.training, run.cell.protocol.train.steps
    every = run.cell.protocol.evaluate.every
    progress(trainer.step)
    while trainer.step < steps:
        done = trainer.step % every
        run.advance(min(STRETCH, every - done, steps - trainer.step))
        progress(trainer.step)
        if trainer.step % every == 0 or trainer.step == steps:
            run.evaluate(steps=(trainer.step - 1) % every + 1)
            run.save()
        elif time.monotonic() - run.saved > CHECKPOINT_SECONDS:
            run.save()


def _common(run: _Run) -> dict[str, Any]:
    """What stands in every result: what was built, the best FID, costs and device."""
    scored = [record for record in run.folder.trace()[0] if record.get("fid") is not None]
    best = min(scored, key=lambda record: record["fid"], default=None)
    return {
        **run.job.describe(),
        "fid_best": best["fid"] if best else None,
        "best_step": best["step"] if best else None,
        **run.meter.costs(),
        "device": str(run.device),
    }


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--device", default="auto", show_default=True)
def main(folder: Path, device: str) -> None:
    """Finish the cell in FOLDER in this process."""
    terminal.write_anything()
    sys.exit(work(RunFolder(folder.resolve()), device, lambda step: click.echo(f"step {step}"), command_line()))


if __name__ == "__main__":
    main()
