"""Every codec: what is trained on is what crosses, and the bytes are what the codec says."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from placid.errors import InputError, UnknownNameError  # noqa: E402
from placid.splitting.codecs import CODECS, Codec, Entropic, Floats, Uniform, Variational  # noqa: E402

SHAPE = (3, 4, 4)


def latents(n: int = 64, seed: int = 0) -> torch.Tensor:
    drawn = torch.randn(n, *SHAPE, generator=torch.Generator().manual_seed(seed))
    return drawn * torch.tensor([0.5, 1.0, 2.0]).view(1, 3, 1, 1) + 0.3


MADE = {
    "floats-32": lambda: Floats(32),
    "floats-16": lambda: Floats(16),
    "uniform-8": lambda: Uniform(3, 8),
    "uniform-4": lambda: Uniform(3, 4),
    "uniform-1": lambda: Uniform(3, 1),
    "entropic": lambda: Entropic(3),
    "variational": lambda: Variational(SHAPE, 5),
}


@pytest.fixture(params=sorted(MADE))
def codec(request: pytest.FixtureRequest) -> Codec:
    pytest.importorskip("constriction")
    made: Codec = MADE[request.param]()
    made.start(latents())
    return made


def test_every_codec_is_tried_here() -> None:
    assert {type(make()) for make in MADE.values()} == set(CODECS.values())


def test_what_arrives_is_what_evaluation_sees(codec: Codec) -> None:
    codec.eval()
    sent = latents(8, seed=1)
    with torch.no_grad():
        symbols = codec.symbols(sent)
        received, _ = codec(sent)
    wire = codec.wire(SHAPE, tag=5)
    for i in range(len(sent)):
        over = torch.from_numpy(wire.decode(wire.encode(symbols[i].numpy())))
        assert over.dtype == symbols.dtype
        torch.testing.assert_close(codec.restore(over[None])[0], received[i], rtol=0, atol=0)


def test_training_lets_gradients_through_and_stays_near_what_arrives(codec: Codec) -> None:
    sent = latents(256, seed=2).requires_grad_(True)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        trained, bits = codec.train()(sent)
    (trained.square().sum() + bits.sum()).backward()
    assert sent.grad is not None
    assert float((sent.grad != 0).float().mean()) > 0.5
    with torch.no_grad():
        evaluated, _ = codec.eval()(sent)
    # noise stands for rounding: as large an error, not the same one
    error = [(x - sent).detach().square().mean() for x in (trained, evaluated)]
    if not isinstance(codec, Variational):  # whose noise is learned, not that of its rounding
        assert float(error[0]) == pytest.approx(float(error[1]), rel=0.35, abs=1e-6)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_ranges_are_chosen_for_less_error_than_the_extremes_give(bits: int) -> None:
    values = latents(512)
    codec = Uniform(3, bits).eval()
    codec.start(values)
    flat = values.transpose(0, 1).flatten(1)
    low, high = flat.amin(1), flat.amax(1)
    naive = Uniform(3, bits).eval()
    naive.load_state_dict({"low": low, "step": (high - low) / naive.top})
    with torch.no_grad():
        error = [float((c(values)[0] - values).square().mean()) for c in (codec, naive)]
    assert error[0] <= error[1] * (1.0001 if bits == 8 else 0.9)


def test_steps_are_learned() -> None:
    """From a range far too wide, gradients on the error alone bring the step down."""
    values = latents(512)
    codec = Uniform(3, 3)
    codec.load_state_dict({"low": torch.full((3,), -20.0), "step": torch.full((3,), 6.0)})
    optimiser = torch.optim.Adam(codec.parameters(), lr=0.05)
    before = (codec(values)[0] - values).square().mean().item()
    for _ in range(400):
        optimiser.zero_grad()
        loss = (codec.train()(values)[0] - values).square().mean()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.1 * before


def test_the_bits_that_entropic_promises_are_those_that_it_sends() -> None:
    pytest.importorskip("constriction")
    codec = Entropic(3)
    values = latents(400)
    codec.start(values)
    with torch.no_grad():
        codec.centre += 4.0  # a prior that expects something else
    optimiser = torch.optim.Adam([p for n, p in codec.named_parameters() if n != "gain"], lr=0.05)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        first = None
        for _ in range(150):
            optimiser.zero_grad()
            loss = codec.train()(values)[1].mean()
            first = loss.item() if first is None else first
            loss.backward()
            optimiser.step()
    assert loss.item() < first  # the prior learned what is likely
    codec.eval()
    with torch.no_grad():
        symbols, promised = codec.symbols(values), codec(values)[1] / 8
    wire = codec.wire(SHAPE)
    sizes = np.array([len(wire.encode(s.numpy())) - 2 for s in symbols])
    # a word of four bytes ends each input: a little above the promise, never below it on average
    assert promised.mean() <= sizes.mean() <= promised.mean() + 5
    np.testing.assert_allclose(wire.probabilities.sum(1), 1, atol=1e-4)


def test_saving_bits_costs_error() -> None:
    """A larger weight on bits ends with fewer bits and more error, within the steps and at the rate of a short training."""
    ends = []
    for beta in (1e-3, 1e-1):
        codec, values = Entropic(3), latents(400)
        codec.start(values)
        optimiser = torch.optim.Adam(codec.parameters(), lr=0.0025)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            for _ in range(300):
                optimiser.zero_grad()
                sent, bits = codec.train()(values)
                ((sent - values).square().mean() + beta * bits.mean() / 48).backward()
                optimiser.step()
        with torch.no_grad():
            sent, bits = codec.eval()(values)
        ends.append((float(bits.mean()), float((sent - values).square().mean())))
    assert ends[1][0] < 0.6 * ends[0][0]
    assert ends[1][1] > ends[0][1]


def test_divergence_is_that_of_two_gaussians() -> None:
    codec = Variational(SHAPE)
    with torch.no_grad():
        codec.spread.copy_(torch.randn(SHAPE, generator=torch.Generator().manual_seed(3)) * 0.3)
    mean, centre = latents(5), latents(5, seed=4)
    normal = torch.distributions.Normal
    wanted = torch.distributions.kl_divergence(
        normal(mean, codec.spread.detach().exp().expand_as(mean)), normal(centre, torch.ones_like(centre))
    )
    torch.testing.assert_close(codec.divergence(mean, centre).detach(), wanted.flatten(1).sum(1))


def test_widths_that_do_not_exist_are_refused() -> None:
    with pytest.raises(UnknownNameError):
        Floats(8)
    with pytest.raises(InputError, match="1 to 8"):
        Uniform(3, 9)
    with pytest.raises(InputError, match="1 to 8"):
        Variational(SHAPE, 0)
