"""What is seen of a training from outside."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_utils.checks.watching import watching


def network():
    return nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))


def test_every_step_knows_the_backward_passes_in_its_gradients():
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with watching() as seen:
        model(torch.ones(4, 2)).sum().backward()
        model(torch.ones(4, 2)).mean().backward()
        optimizer.step()
        model(torch.ones(4, 2)).mean().backward()  # nothing was cleared
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)
        model(torch.ones(4, 2)).mean().backward()
        optimizer.step()
    bias = id(model[2].bias)
    assert [step.sources[bias] for step in seen.steps] == [{1, 2}, {1, 2, 3}, {4}]
    assert [bias in step.stale for step in seen.steps] == [False, True, False]


def test_backward_into_some_inputs_reaches_only_these():
    model = network()
    with watching() as seen:
        model(torch.ones(4, 2)).sum().backward(inputs=[model[0].weight])
    assert seen.reached == [{id(model[0].weight)}]


@pytest.mark.parametrize(
    "loss", [F.softplus, F.logsigmoid, lambda t: F.binary_cross_entropy_with_logits(t, t.detach())]
)
def test_a_sigmoid_before_a_loss_with_its_own_is_noticed(loss):
    for twice in (False, True):
        with watching() as seen:
            logits = network()(torch.ones(4, 2)).squeeze(1)
            loss(logits.sigmoid().view(-1) if twice else logits).mean().backward()
        assert seen.sigmoid_twice is twice


def test_calls_know_mode_and_graph():
    model = network()
    with watching() as seen:
        model(torch.ones(1, 2))
        model.eval()
        with torch.no_grad():
            model(torch.ones(1, 2))
    assert [(call.training, call.graph) for call in seen.calls_of(model)] == [(True, True), (False, False)]


def test_nothing_is_left_behind_by_an_error():
    original, model = torch.autograd.backward, network()
    with pytest.raises(RuntimeError), watching() as seen:
        model(torch.ones(1, 3))  # another size
    assert torch.autograd.backward is original
    before = len(seen.calls)
    model(torch.ones(1, 2))
    assert len(seen.calls) == before
