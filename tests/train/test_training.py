"""One update of a critic."""

import pytest
import torch
from torch import Tensor, nn

from lipbench import Method
from lipbench.data.shells import Shells
from lipbench.losses.wasserstein import Wasserstein
from lipbench.request.protocol import check, read
from lipbench.train.alone import CriticAlone
from lipbench.train.composition import Composition
from lipbench.train.gradients.double_backward import DoubleBackward


class Small(Method):
    def regulariser(self, critic: nn.Module, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
        return sum(weight.square().sum() for weight in critic.parameters()) * torch.ones(())


@pytest.mark.parametrize("passes", [1, 2])
@pytest.mark.parametrize("methods", [(), (Small(),)])
def test_in_two_passes_real_and_fake_have_statistics_of_their_own(passes: int, methods: tuple[Method, ...]) -> None:
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 1))
    real, fake = torch.randn(8, 1, 2, 2), 3 + torch.randn(8, 1, 2, 2)
    settings = check(read("w1"), {}).train
    composition = Composition((*methods, Method()))
    training = CriticAlone(critic, composition, Wasserstein(), Shells().load(), settings, DoubleBackward(), 0)
    training.passes = passes

    def expected() -> Tensor:
        if passes == 1:
            of_real, of_fake = critic(torch.cat([real, fake])).split(8)
        else:
            of_real, of_fake = critic(real), critic(fake)
        decay = sum((weight.square().sum() for weight in critic.parameters()), torch.zeros(()))
        return of_fake.mean() - of_real.mean() + (decay if methods else 0)

    start = {key: value.clone() for key, value in critic.state_dict().items()}
    wanted = expected()
    gradients = torch.autograd.grad(wanted, list(critic.parameters()))
    statistics = critic[2].running_var.clone()
    critic.load_state_dict(start)
    loss = training.update_critic(real, fake)
    torch.testing.assert_close(loss, wanted.detach())
    torch.testing.assert_close([weight.grad for weight in critic.parameters()], list(gradients))
    torch.testing.assert_close(critic[2].running_var, statistics)
    assert int(critic[2].num_batches_tracked) == passes
