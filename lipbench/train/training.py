"""What every training has in common: a critic that is updated from real and fake samples, whoever made them."""

from abc import abstractmethod
from collections.abc import Callable, Hashable
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer

from lipbench.errors import Diverged
from lipbench.interfaces.loss import Loss
from lipbench.request.schema import CriticTrain, PointsTrain, Train
from lipbench.train import host, optimiser
from lipbench.train.composition import Composition
from lipbench.train.gradients.call import UnsupportedOperation
from lipbench.train.gradients.double_backward import DoubleBackward
from lipbench.train.gradients.terms import Engine, Term, values
from lipbench.train.graph import Cuda, Graphs
from lipbench.train.moment import Graphed
from lipbench.train.precision import autocast
from lipbench.train.streams import Streams, global_state, restore_global_state

ADAMS = ("exp_avg_sq", "step")  # of what Adam keeps, besides the mean of the gradients


class Training(Graphed):
    """Makes steps, and can be put down and taken up again.

    Args:
        critic: (n, c, h, w) → (n,) or (n, 1), already constrained, on the device of the training.
        composition: how it is kept Lipschitz.
        loss: on scores.
        settings: the protocol's ``train`` table.
        engine: how the critic is differentiated.
        seed: from which all random streams are derived.
        others: what else is optimised, by name, with its learning rate.

    Attributes:
        losses: what a step gives, for people.
        critic_steps: how often a step updates the critic.
        step: the steps made so far.
        updates: those of the critic.
        streams: the random numbers.
        optimisers: that of each network, by its name.
        graphs: what makes steps as CUDA graphs; None where they are made one by one.
        passes: 1 where real and fake samples go through the critic together; 2 where each has a pass of its own, as
            the statistics of a critic that mixes samples need. No method that uses gradient norms has such a critic.
        mixer: the layer by which the critic mixes samples in eval mode, too, so that nothing of it is measured.
    """

    losses: ClassVar[tuple[str, ...]]
    critic_steps = 1

    def __init__(
        self,
        critic: nn.Module,
        composition: Composition,
        loss: Loss,
        settings: Train | CriticTrain | PointsTrain,
        engine: Engine,
        seed: int,
        **others: tuple[nn.Module, float],
    ) -> None:
        self.critic = critic
        self.composition = composition
        self.loss = loss
        self.settings = settings
        self.engine = engine
        self.device = next(critic.parameters()).device
        self.streams = Streams(seed, self.device)
        self.step = self.updates = 0
        self.passes = 1
        self.mixer: str | None = None
        self.graphs = Graphs(self, Cuda(self.device)) if self.device.type == "cuda" else None
        networks = {"critic": (critic, settings.learning_rate), **others}
        self._rates = {name: rate for name, (_, rate) in networks.items()}
        kind = getattr(settings, "optimiser", "adam")
        self.optimisers: dict[str, Optimizer] = {
            name: optimiser.make(network.parameters(), rate, settings.betas, kind)
            for name, (network, rate) in networks.items()
        }

    @property
    def engine_name(self) -> str:
        """How gradients come about: ``three-sweep``, ``double-backward``, or ``plain`` where no norm is needed."""
        return self.engine.name if self.composition.needs_grad_norm else "plain"

    def advance(self, steps: int, pause: Callable[[], bool] = lambda: False) -> dict[str, list[float]]:
        """Make `steps` steps and give the losses of each.

        Numbers are read from the device once, at the end, so that a step never waits for it.

        Args:
            steps: at least 1.
            pause: is asked after each step whether to make no more for now.

        Raises:
            Diverged: a loss was not finite; the step of the first is named.
        """
        made = [self._make_step()]
        while len(made) < steps and not pause():
            made.append(self._make_step())
        losses = torch.stack(made)
        finite = losses.isfinite().cpu()
        if not finite.all():
            row, column = (int(index) for index in (~finite).nonzero()[0])
            raise Diverged(self.step - len(made) + row + 1, self.losses[column])
        return {name.replace(" ", "_"): each for name, each in zip(self.losses, losses.T.tolist(), strict=True)}

    def _make_step(self) -> Float[Tensor, " k"]:
        if self.settings.decay == "linear":
            left = max(0.0, 1 - self.step / self.settings.steps)
            for name, own in self.optimisers.items():
                optimiser.set_rate(own, left * self._rates[name])
        given = self._given()
        losses = self.work(*given) if self.graphs is None else self.graphs.step(self._pattern(), given)
        self.step += 1
        return losses

    def _pattern(self) -> Hashable:
        """What the next step does on the device besides what every step does: the penalties that are due."""
        return tuple(self.composition.due(self.updates + ahead) for ahead in range(self.critic_steps))

    @abstractmethod
    def _given(self) -> tuple[Tensor, ...]:
        """What a step works on that the host chooses or a plugin draws, on the device."""

    @abstractmethod
    def work(self, *given: Tensor) -> Float[Tensor, " k"]:
        """See `Graphed.work`."""

    @property
    def counts(self) -> tuple[int, ...]:
        """See `Graphed.counts`."""
        return (self.updates,)

    @counts.setter
    def counts(self, values: tuple[int, ...]) -> None:
        (self.updates,) = values

    @property
    def networks(self) -> dict[str, nn.Module]:
        """Everything that a step changes, by its name."""
        return {"critic": self.critic}

    def state(self) -> dict[str, Tensor]:
        """See `Graphed.state`."""
        found: dict[str, Tensor] = {}
        for name, network in self.networks.items():
            numbers = {"": network.named_parameters(), "buffers of the ": network.named_buffers()}
            for kind, tensors in numbers.items():
                there = [(path, each) for path, each in tensors if each.device == self.device]
                found |= {f"{kind}{name}:{path}": each.detach() for path, each in there}
        for name, own in self.optimisers.items():
            for row, state in enumerate(own.state.values()):
                # Plain gradient descent keeps nothing without momentum, and weights tell as much.
                for key in state.keys() & {"exp_avg", "momentum_buffer"}:
                    found[f"gradients of the {name}:{row}"] = state[key]
                found |= {f"moments of the {name}:{key} {row}": state[key] for key in ADAMS if key in state}
        return found

    def draws(self) -> list[torch.Generator]:
        """See `Graphed.draws`."""
        own = [torch.cuda.default_generators[self.device.index or 0]] if self.device.type == "cuda" else []
        return self.streams.generators + own

    def kept(self) -> dict[str, object]:
        """See `Graphed.kept`."""
        return {
            "the way of differentiating": id(self.engine),
            **host.of_networks(self.networks),
            **host.of_random_numbers(),
        }

    def update_critic(self, real: Float[Tensor, "n c h w"], fake: Float[Tensor, "n c h w"]) -> Float[Tensor, ""]:
        """Update the critic's weights once.

        Args:
            real: samples on the critic's device.
            fake: as many.

        Returns:
            What was minimised, penalties included, detached.
        """
        batch, count = torch.cat([real, fake]), len(real)
        composition, step, rng = self.composition, self.updates, self.streams["penalty"]

        def objective(value: Tensor, norm: Tensor) -> Tensor:
            score = composition.score(value, norm)
            return self.loss.critic(score[:count], score[count:])

        terms = [Term(batch, objective, composition.score_needs_grad_norm)] if self.passes == 1 else []
        terms += composition.penalties(batch, count, step, rng)

        def plain() -> Tensor:
            total = composition.regulariser(self.critic, batch, count, step, rng)
            if self.passes == 1:
                return total
            return total + self.loss.critic(*(values(self.critic, part) for part in (real, fake)))

        self.optimisers["critic"].zero_grad(set_to_none=True)
        extra = plain if composition.has_regulariser or self.passes > 1 else None
        with autocast(self.settings.precision, self.device):
            try:
                losses = self.engine.accumulate(self.critic, terms, extra)
            except UnsupportedOperation as unknown:  # a critic that does another thing than when it was proven
                self.engine = DoubleBackward(f"at critic step {step + 1} the three sweeps did not know {unknown}")
                losses = self.engine.accumulate(self.critic, terms, extra)
        optimiser.step(self.optimisers["critic"])
        composition.project(self.critic)
        self.updates += 1
        return torch.stack(losses).sum()

    def state_dict(self) -> dict[str, Any]:
        """Everything that decides how training goes on, the global random states included."""
        return {
            "step": self.step,
            "critic_steps": self.updates,
            "critic": self.critic.state_dict(),
            "streams": self.streams.state_dict(),
            "optimisers": {name: own.state_dict() for name, own in self.optimisers.items()},
            **global_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state that `state_dict` gave."""
        self.step, self.updates = state["step"], state["critic_steps"]
        self.critic.load_state_dict(state["critic"])
        self.streams.load_state_dict(state["streams"])
        for name, own in self.optimisers.items():
            optimiser.load(own, state["optimisers"][name])
        restore_global_state(state)
        if self.graphs is not None:
            self.graphs.forget()
