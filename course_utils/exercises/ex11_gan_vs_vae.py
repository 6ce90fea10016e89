"""The exercises of notebook 11: four families of generators, held against each other."""

import copy
import math

import torch
from torch import nn
from torch.nn.functional import softplus

from course_utils.checks import (
    Wrong,
    as_tensor,
    call_unchanged,
    choose,
    exercise,
    expect_like,
    expect_shape,
    expect_trainable,
    expect_varied,
    matches,
    moved,
    shown,
    weights_of,
)
from course_utils.checks.devices import call_anywhere
from course_utils.exercises.chance import go_together

# --- 11.1: a table without names ---------------------------------------------------------------------------

BLIND = {"A": "flow matching", "B": "GAN", "C": "Gaussian mixture", "D": "VAE"}  # the columns, as drawn
NAMES = {  # what a family may be called
    "gan": "GAN",
    "vae": "VAE",
    "flow": "flow matching",
    "flow matching": "flow matching",
    "mixture": "Gaussian mixture",
    "gaussian mixture": "Gaussian mixture",
    "gmm": "Gaussian mixture",
}
CLUES = {  # what gives a family away
    "flow matching": "it asks a network again and again for each sample, and what it draws are principal "
    "components, as the mixture's are. Which rows show that?",
    "GAN": "it draws with the network of the VAE, at the same price; but nobody asked it for averages. Which "
    "row shows that?",
    "Gaussian mixture": "a sample of it is a matrix times noise, no network. Which row shows that?",
    "VAE": "it draws with the network of the GAN, at the same price; but what it draws is an average. Which "
    "row shows what an average loses?",
}


@exercise(
    "11.1",
    title="Which column is which?",
    difficulty=2,
    minutes=8,
    hints=[
        "Begin with what a sample costs. Two families draw with the same network, in one pass. One has no "
        "network, one asks its own many times.",
        "Of the two that cost the same, one draws averages. What do averages lose?",
    ],
)
def which_is_which(answer):
    if not isinstance(answer, dict):
        raise Wrong('answer with a dictionary: {"A": "GAN", …}, a family for each column.')
    if len(answer) == len(BLIND) and set(map(str, answer.values())) == set(BLIND):
        raise Wrong("the dictionary is the wrong way round: its keys are the columns, its values families.")
    if set(answer) != set(BLIND):
        raise Wrong(f"the columns are A, B, C and D; you named {shown(sorted(map(str, answer)))}.")
    named = {}
    for column, family in answer.items():
        found = NAMES.get(family.strip().lower()) if isinstance(family, str) else None
        if found is None:
            raise Wrong(
                f"column {column} is called {shown(family)}; the families are {', '.join(BLIND.values())}."
            )
        named[column] = found
    twice = sorted({family for family in named.values() if [*named.values()].count(family) > 1})
    if twice:
        raise Wrong(f"{twice[0]} stands in more than one column. Each family has one.")
    wrong = [column for column in sorted(BLIND) if named[column] != BLIND[column]]
    if wrong:
        right = len(BLIND) - len(wrong)
        column = wrong[0]
        raise Wrong(
            f"{right} of four. Look at column {column} again, which you call {named[column]}: "
            f"{CLUES[named[column]]}"
        )
    return "the next table has the names, and the spread over the seeds."


@exercise("11.2", title="Predict where the detail is lost", difficulty=1, minutes=3)
def where_detail_is_lost(answer):
    choose(
        answer,
        right="b",
        wrong={
            "a": "a reconstruction has the best latent that the encoder can give, and yet it is shown as "
            "E[x|z]. Would that average keep what the latent does not tell?",
            "c": "a draw takes each pixel by itself. Do neighbours in a stroke go their own ways?",
            "d": "an average over slightly shifted strokes: does it blur a broad shape as much as an edge?",
        },
    )
    return "run the next cell to see how much, and where."


# --- 11.3: the latents that the encoder uses ---------------------------------------------------------------

APART = 100.0  # between neighbouring codes of the check, in each dimension: it shows whose code was drawn


def _codes(images: int, dims: int, seed: int):
    """Codes far apart: coordinate d of image i is APART times a number that names i."""
    rng = torch.Generator().manual_seed(seed)
    places = torch.stack([torch.randperm(images, generator=rng) for _ in range(dims)], 1)
    log_variance = 2 * torch.rand(images, dims, generator=rng) - 1.4  # standard deviations from 0.5 to 1.35
    return APART * (1 + places.float()), log_variance  # no code is near 0, where the prior is


@exercise(
    "11.3",
    title="Latents where the encoder goes",
    difficulty=2,
    minutes=12,
    hints=[
        "Two draws for each latent: first whose code, then a point of that code's Gaussian.",
        "`torch.randint(len(mean), (n,), generator=rng)` names n images, some of them more than once; "
        "`mean[chosen]` has their rows.",
        "The standard deviation is `(0.5 * log_variance).exp()`, of the same images as the means; new noise "
        "for each latent.",
    ],
)
def aggregate_posterior(answer):
    name = "`aggregate_posterior`"
    for images, dims, n, seed in ((40, 3, 2_000, 0), (25, 2, 2_500, 1)):
        mean, log_variance = _codes(images, dims, seed)
        rng = torch.Generator().manual_seed(seed)
        result = call_unchanged(answer, mean, log_variance, n, rng, name="aggregate_posterior")
        later = call_unchanged(answer, mean, log_variance, n, rng, name="aggregate_posterior")
        rng.manual_seed(seed)
        again = call_unchanged(answer, mean, log_variance, n, rng, name="aggregate_posterior")
        found = as_tensor(result, "the latents")
        _expect_latents(found, mean, n)
        chosen = _whose(found, mean, log_variance)
        _expect_every_image(chosen, images)
        noise = _expect_noise(found, mean, log_variance, chosen)
        if not matches(as_tensor(again), found):
            raise Wrong(
                f"two calls of {name} with `rng` in the same state differ. All that is drawn in it has to "
                "come from `rng`: pass `generator=rng` to each function that draws."
            )
        later = as_tensor(later)
        if matches(later, found):
            raise Wrong(
                "each call gives the same latents, though `rng` has moved on. Is it seeded anew, or is an "
                "earlier result kept?"
            )
        if matches(
            _noise_of(later, mean, log_variance, _whose(later, mean, log_variance)), noise, tolerance=0.05
        ):
            raise Wrong("each call has the same noise ε. Draw it anew, from `rng`.")
        expect_like(result, dtype=torch.float32, requires_grad=False, name=name)
    mean, log_variance = _codes(60, 4, 2)
    rng = torch.Generator().manual_seed(2)
    few = as_tensor(call_unchanged(answer, mean, log_variance, 10, rng, name="aggregate_posterior"))
    expect_shape(few, (10, 4), "the latents, ten of them from sixty images,")
    if _whose(few, mean, log_variance).tolist() == [*range(10)]:
        raise Wrong("the first n images are taken, in their order. Which image it is, chance decides.")
    return "these are the latents that the decoder was trained on."


def _expect_latents(found, mean, n: int) -> None:
    """Raises Wrong where the shape is not (n, D)."""
    images, dims = mean.shape
    shape = tuple(found.shape)
    if shape == (images, dims):
        raise Wrong(
            f"that is one latent for each of the {images} images, and {n} are asked for: an image may be "
            "drawn more than once."
        )
    if shape in ((n, images, dims), (images, n, dims)):
        raise Wrong(f"that is {n} latents for each image. Each latent is of *one* image, drawn by chance.")
    if shape == (dims, n):
        raise Wrong("rows and columns are exchanged: a latent is a row.")
    if shape == (n,):
        raise Wrong("that is one number for each latent. Is it the image that was drawn? Its code is wanted.")
    expect_shape(
        found, (n, dims), message=f"the latents have shape {shape}; return {n} of them, {(n, dims)}."
    )


def _whose(found, mean, log_variance):
    """The image whose code each latent was drawn from, (n,); raises Wrong where there is no such image."""
    place = (found / APART).round()
    off = (found - APART * place).abs() > 20
    if off.double().mean() > 0.01 or place.min() < 1 or place.max() > len(mean):
        _not_codes(found, mean)
    by_place = (mean / APART).long().argsort(0)  # row p, column d: whose coordinate d is at place p + 1
    owners = by_place.gather(0, place.long() - 1)
    if (owners != owners[:, :1]).any():
        raise Wrong(
            "the coordinates of one latent come from several images. Draw one image for a latent, and "
            "take all coordinates of its code."
        )
    return owners[:, 0]


def _not_codes(found, mean) -> None:
    """Raises Wrong: what latents that lie near no code are."""
    mean = mean.double()
    if found.abs().max() < 8:
        raise Wrong("that is N(0, I), the prior. The codes of the images have no part in it.")
    if not found.std(0).any():
        raise Wrong("all latents are the same. Each is drawn anew.")
    centre, spread = mean.mean(0), mean.std(0)
    near = ((found.mean(0) - centre).abs() < 0.2 * spread).all()
    if near and ((found.std(0) / spread - 1).abs() < 0.2).all():
        raise Wrong(
            "that is *one* Gaussian, with the mean and the spread of all codes. The aggregate posterior "
            "has a hump for each image, and nothing in between."
        )
    if near and (found.std(0) < 0.2 * spread).all():
        raise Wrong("the means of all images are averaged. Each latent belongs to one image.")
    raise Wrong(
        "many of these latents lie far from every code. Each should be within a few standard deviations "
        "of the mean of some image: μ of that image, plus its σ times noise."
    )


def _expect_every_image(chosen, images: int) -> None:
    """Raises Wrong unless each image is drawn as often as any other."""
    n = len(chosen)
    counts = torch.bincount(chosen, minlength=images).double()
    missing = (counts == 0).nonzero().flatten().tolist()
    if len(missing) == 1:
        where = {0: "the first", images - 1: "the last"}.get(missing[0], "one")
        raise Wrong(f"{where} of the {images} images is never drawn. From where to where do the draws go?")
    if missing:
        raise Wrong(f"of the {images} images only {images - len(missing)} are ever drawn.")
    if torch.equal(chosen, torch.arange(n) % images) or (chosen[1:] >= chosen[:-1]).all():
        raise Wrong("the images are taken in turn. Which one it is, chance decides, for each latent anew.")
    expected = n / images
    surplus = ((counts - expected).square() / expected).sum()  # χ² with images − 1 degrees of freedom
    if surplus > images - 1 + 7 * math.sqrt(2 * (images - 1)):
        raise Wrong("some images are drawn more often than others. All have the same chance, 1/N.")


def _noise_of(found, mean, log_variance, chosen):
    """ε of each latent, as it would be for z = μ + σ·ε."""
    return (found - mean.double()[chosen]) / (0.5 * log_variance.double()[chosen]).exp()


def _expect_noise(found, mean, log_variance, chosen):
    """Raises Wrong unless z − μ is σ·ε with new ε ~ N(0, I); returns ε."""
    noise = _noise_of(found, mean, log_variance, chosen)
    log_variance = log_variance.double()[chosen]
    if noise.abs().max() < 1e-2:
        raise Wrong("those are the means. A latent of q(z|x) has noise: μ + σ·ε.")
    if len(found.unique(dim=0)) < 0.99 * len(found):
        raise Wrong("two latents of one image are the same. Draw the noise after the image, for each latent.")
    scales = {
        "": (0.5 * log_variance).exp(),
        "the noise is multiplied by the variance. The standard deviation is its root.": log_variance.exp(),
        "the noise is multiplied by log σ². The standard deviation is exp(½ log σ²).": log_variance.abs(),
        "the noise has the same spread for every image. Each has its own σ.": torch.ones_like(log_variance),
        "the root is taken twice: exp(½ log σ²) is the standard deviation already.": (
            0.25 * log_variance
        ).exp(),
        "the noise is multiplied by σ⁴: exp(log σ²) is the variance already, and σ its root.": (
            2 * log_variance
        ).exp(),
        "the noise is multiplied by σ³: a variance and a standard deviation.": (1.5 * log_variance).exp(),
        "the noise is multiplied by √|log σ²|. First the exponential, then the root.": (
            log_variance.abs().sqrt()
        ),
        "the noise is multiplied by 1/σ²: look at the sign in the exponential.": (-log_variance).exp(),
        "the noise is multiplied by exp(−½ log σ²), which is 1/σ.": (-0.5 * log_variance).exp(),
        "the noise is multiplied by ½ log σ². The standard deviation is its exponential.": 0.5
        * log_variance.abs(),
        "σ is taken from other images than μ: index both with the images drawn.": None,
    }
    for message, scale in scales.items():
        if scale is None:  # right on average, and wrong for narrow and wide codes
            scale = log_variance.exp().mean(0).sqrt()
        if _is_standard((found - mean.double()[chosen]) / scale, log_variance):
            if not message:
                break
            raise Wrong(message)
    else:
        if noise.min() >= 0:
            raise Wrong(
                "no noise is ever negative: `torch.rand` draws from [0, 1), `torch.randn` from N(0, 1)."
            )
        raise Wrong(
            f"the noise, (z − μ)/σ, has the mean {noise.mean():.2f} and the deviation {noise.std():.2f}; "
            "N(0, 1) has 0 and 1, for narrow codes and for wide ones."
        )
    if noise.shape[1] > 1 and (noise[:, 0] - noise[:, 1]).abs().max() < 0.05:
        raise Wrong("one ε serves all coordinates of a latent. Each has its own.")
    if (noise - noise[:1]).abs().max() < 0.05:
        raise Wrong("one ε serves all latents. Each has its own.")
    tails = noise.pow(4).mean().item()
    if abs(tails - 3) > 0.7:  # of 5,000 normal numbers it is 3, give or take 0.14
        raise Wrong(
            f"the noise has the mean 0 and the deviation 1, and is not normal: its fourth powers average "
            f"{tails:.2g}, and should 3. `torch.randn` draws from N(0, 1)."
        )
    if any(go_together(column) for column in noise.T):
        raise Wrong(
            "the noise of two latents goes together, such as ε and −ε. Each latent has noise of its own."
        )
    return noise


def _is_standard(noise, log_variance) -> bool:
    """Whether it has mean 0 and deviation 1, for the narrow half of the codes and for the wide half."""
    wide = log_variance > log_variance.median()
    return all(abs(part.mean()) < 0.1 and abs(part.std() - 1) < 0.1 for part in (noise[wide], noise[~wide]))


# --- 11.4: an encoder by search ----------------------------------------------------------------------------


def _small_generator(latent_dim: int, seed: int) -> nn.Sequential:
    """Latents → images (1, 4, 4), one to one; in evaluation mode, as an average is."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        first = nn.Linear(latent_dim, 16)
        nn.init.orthogonal_(first.weight, 1.6)
        generator = nn.Sequential(first, nn.Unflatten(1, (1, 4, 4)), nn.BatchNorm2d(1), nn.Tanh())
        generator(torch.randn(64, latent_dim))  # running statistics that are not the initial ones
    generator.latent_dim = latent_dim
    return generator.eval()


def _errors(generator, latents, images):
    """‖G(z) − x‖² of each image, (N,)."""
    with torch.no_grad():
        return (generator(latents.float()) - images).square().flatten(1).sum(1).double()


STEPS = 100  # enough for the check's small generator
SLOW = 0.002  # a learning rate with which a single step shows what it follows


def _search(generator, images, start, steps: int, lr: float, change: str = ""):
    """The descent that is asked for, or what a typical mistake makes of it."""
    latents = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([latents], lr)
    for step in range(steps):
        if change == "a new Adam":
            optimizer = torch.optim.Adam([latents], lr)
        if change != "gradients added up" or step == 0:
            optimizer.zero_grad()
        made = generator(latents)
        error = (made - images).square().sum()
        if change == "mean images":
            error = (made.mean(0) - images.mean(0)).square().sum()
        elif change == "absolute":
            error = (made - images).abs().sum()
        elif change == "length":
            error = (made - images).flatten(1).norm(dim=1).sum()
        elif change.startswith("prior"):
            error = error + float(change.split()[1]) * latents.square().sum()
        error.backward(inputs=[latents])
        optimizer.step()
        if change.startswith("bounded"):
            with torch.no_grad():
                latents.clamp_(-float(change.split()[1]), float(change.split()[1]))
    return latents.detach()


SEARCHES = {
    "a new Adam": "a new Adam is made in each step, and has forgotten what the steps before it measured: "
    "make "
    "it once, before the loop.",
    "gradients added up": "the gradients of all earlier steps are added up: `zero_grad` in each step, before "
    "its `backward`.",
    "mean images": "the *mean* images of the batch are compared. Each image is to be found by its own "
    "latent: "
    "square first, then sum.",
    "absolute": "that makes the *absolute* error small. ‖G(z) − x‖² adds up squares.",
    "length": "that makes the length ‖G(z) − x‖ small, each image's root. The squared error has none.",
    **{
        f"prior {weight}": "‖z‖² is added to the error, as if z should be likely, too. Here the squared "
        "error "
        "of the pixels is all that counts."
        for weight in (1.0, 0.5, 0.1, 0.01)
    },
    **{
        f"bounded {end}": f"the latents are cut off at ±{end:g}. N(0, 1) has no such bound: let them go "
        "where the error is small."
        for end in (1.0, 2.0, 0.5)
    },
}


@exercise(
    "11.4",
    title="Search for a latent",
    difficulty=2,
    minutes=15,
    seconds=60,  # the first optimiser of a kernel is slow to load
    hints=[
        "It is a training loop in which the latents are the weights: they go into the optimiser, and "
        "nothing else does.",
        "Begin with `latents = start.clone().requires_grad_()` and `torch.optim.Adam([latents], lr)`. "
        "`start` itself stays as it was.",
        "In the loop: `zero_grad`, the squared error summed over everything, `backward`, `step`. Return "
        "`latents.detach()`.",
    ],
)
def find_latents(answer):
    for latent_dim, n, seed, blur in ((3, 6, 0, 0.0), (5, 4, 1, 0.3)):
        rng = torch.Generator().manual_seed(seed)
        generator = _small_generator(latent_dim, seed)
        with torch.no_grad():
            images = generator(0.7 * torch.randn(n, latent_dim, generator=rng))
        images = (images + blur * torch.randn(images.shape, generator=rng)).clamp(-1, 1)
        start = 0.7 * torch.randn(n, latent_dim, generator=rng)
        before = _errors(generator, start, images)
        reached = _errors(generator, _search(generator, images, start, STEPS, 0.1), images)
        results = {}
        slope = torch.autograd.grad(*_error_of(generator, images, 2.5 * start))[0]
        for steps, lr in ((STEPS, 0.1), (0, 0.1), (2, 0.1), (2, SLOW), (1, SLOW)):
            handed = _as_it_comes(generator)
            begin = 2.5 * start if steps == 1 else start  # far out, where a bound would show
            result = _take(answer, handed, images, begin, steps, lr)
            _expect_same_generator(handed, _as_it_comes(generator))
            found = results[steps, lr] = as_tensor(result, "the latents")
            if found.shape == images.shape:
                raise Wrong("those are images, G(z). The latents are asked for.")
            expect_shape(found, tuple(start.shape), "what `find_latents` returns")
            if steps == STEPS and (_errors(generator, found, images) > 1.15 * reached + 0.02 * before).any():
                _other_search(found, generator, images, start)
                _expect_low(_errors(generator, found, images), before, reached, found)
                one = as_tensor(_take(answer, _as_it_comes(generator), images, 2.5 * start, 1, SLOW))
                _expect_first_step(one, 2.5 * start, slope)
                _not_low(_errors(generator, found, images), before, reached)
            if steps == 0 and matches(found, results[STEPS, 0.1]):
                raise Wrong("no steps lead where many do. Is `steps` used, or an earlier result kept?")
            if steps == 0 and not matches(found, start):
                raise Wrong(
                    "with 0 steps the latents should still be those of `start`. Where does yours begin?"
                )
            if steps == 1:
                _expect_first_step(found, begin, slope)
            expect_like(result, dtype=torch.float32, requires_grad=False, name="what `find_latents` returns")
        if matches(results[2, 0.1], results[2, SLOW]):
            raise Wrong("a fiftieth of the learning rate makes no difference. Is `lr` used?")
        if matches(results[2, 0.1], results[STEPS, 0.1]):
            raise Wrong("two steps lead where many do. Is `steps` used?")
    return "so any generator has an encoder, if you are ready to wait for it."


def _take(answer, generator, images, start, steps: int, lr: float):
    """Let the answer search; some errors are mistakes with a name."""
    try:
        return call_unchanged(answer, generator, images, start, steps, lr, name="find_latents")
    except NotImplementedError:
        raise
    except (RuntimeError, ValueError) as error:
        if "does not require grad" in str(error):
            raise Wrong(
                "the error has no way back to the latents: ask for their gradient with "
                "`requires_grad_()`, and cut "
                "nothing off by `detach` or `no_grad`."
            ) from None
        if "non-leaf" in str(error):
            raise Wrong(
                "the optimiser wants a tensor that is not itself the result of a computation: "
                "`start.clone().requires_grad_()`."
            ) from None
        if "leaf Variable that requires grad" in str(error) or "second time" in str(error):
            raise Wrong(
                "compute G(z) and its error anew in each step, and leave the step to the optimiser."
            ) from None
        raise


def _as_it_comes(generator):
    """A copy of which a weight is frozen, and another has a gradient of an earlier round."""
    copied = copy.deepcopy(generator)
    copied[0].bias.requires_grad_(False)
    copied[0].weight.grad = torch.full_like(copied[0].weight, 0.5)
    return copied


def _error_of(generator, images, start):
    """The squared error at `start`, and a leaf to differentiate it by."""
    latents = start.clone().requires_grad_()
    return (generator(latents) - images).square().sum(), latents


def _other_search(found, generator, images, start) -> None:
    """Raises Wrong: which other search leads to the same latents."""
    for change, message in SEARCHES.items():
        if matches(found, _search(generator, images, start, STEPS, 0.1, change), tolerance=1e-2):
            raise Wrong(message)


def _expect_first_step(found, start, slope) -> None:
    """Raises Wrong unless each coordinate went `lr` down the slope, as in Adam's first step."""
    clear = slope.abs() > max(1e-3 * slope.abs().max().item(), 1e-3)
    step, wanted = (found - start)[clear] / SLOW, -slope.sign()[clear]
    if matches(step, wanted, tolerance=0.03):
        return
    end = found.abs().max().item()
    if end < start.abs().max() - 2 * SLOW and (found.abs() > end - 1e-6).sum() > 1:
        raise Wrong(
            f"the latents are cut off at ±{end:.3g}. N(0, 1) has no such bound: let them go where the error "
            "is "
            "small."
        )
    if not moved(found.float(), start.float()):
        raise Wrong(
            "after one step the latents are still those of `start`: what the last step found is not looked "
            "at. With `steps` steps there are `steps` + 1 latents to compare, or just take the last."
        )
    if matches(step, -wanted, tolerance=0.03):
        raise Wrong("the squared error rises in the first step. In which direction do you step?")
    right_way = (step.sign() == wanted).double().mean().item()
    if matches(step.abs(), step.abs().mean().expand_as(step), tolerance=0.05 * step.abs().mean().item()):
        if right_way > 0.999:
            raise Wrong(
                f"the first step of Adam goes as far as `lr` in each coordinate, and yours "
                f"{step.abs().mean():.3g} "
                "times as far. Is `lr` used as it is handed in, and is it Adam?"
            )
        raise Wrong(
            f"{1 - right_way:.0%} of the coordinates go the wrong way in the first step: it is not the "
            "slope of "
            "the squared error of each image, and of nothing else. What more is in your error, or is it "
            "averaged before it is squared?"
        )
    raise Wrong(
        "that is no step of Adam, whose first one goes exactly `lr` in each coordinate, whatever the slope's "
        f"size. Yours go between {step.abs().min():.2g} and {step.abs().max():.2g} times `lr`: "
        "`torch.optim.Adam([latents], lr)`."
    )


def _expect_same_generator(after, before) -> None:
    """Raises Wrong where the generator's weights, statistics, mode or type are not what they were."""
    if any(parameter.dtype != torch.float32 for parameter in after.parameters()):
        raise Wrong("the generator is left with weights of another type, and goes on with float32 latents.")
    if moved(weights_of(before), weights_of(after)):
        raise Wrong("the generator's weights have changed. The latents move, and nothing else.")
    for was, now in zip(before.parameters(), after.parameters(), strict=True):
        if was.requires_grad and not now.requires_grad:
            raise Wrong("the generator is left frozen: set `requires_grad_(True)` again, or do without.")
        if now.requires_grad and not was.requires_grad:
            raise Wrong(
                "weights of the generator that came frozen are left trainable. It comes back exactly as it "
                "was: keep each weight's own `requires_grad`, or do without freezing."
            )
        if was.grad is not None and (now.grad is None or not now.grad.any()):
            raise Wrong(
                "the generator came with gradients of its own, and they have been cleared. It comes back "
                "exactly as it was: ask for the latents' gradient alone, `backward(inputs=[latents])`."
            )
        left_over = now.grad is not None and (was.grad is None or not torch.equal(now.grad, was.grad))
        if left_over and now.grad.any():
            raise Wrong(
                "the search leaves gradients in the generator's weights, and whoever trains it next would "
                "step along them. It comes back exactly as it was: ask for the latents' gradient alone, "
                "`backward(inputs=[latents])`."
            )
    if any(module.training for module in after.modules()):
        raise Wrong("the generator is left in training mode. It came in evaluation mode: leave it there.")
    if any(moved(*pair) for pair in zip(before.buffers(), after.buffers(), strict=True)):
        raise Wrong(
            "the running statistics of the generator's batch normalisation have moved: it was called in "
            "training mode. Leave the mode as it is."
        )


def _expect_low(errors, before, reached, found) -> None:
    """Raises Wrong unless each image's error is about as low as a search can make it."""
    low = errors <= 1.15 * reached + 0.02 * before
    if low.all():
        return
    if len(found) > 1 and (found - found[:1]).abs().max() < 1e-4:
        raise Wrong(
            "all images get the same latent. Each has one of its own; and do `images` take part in the error?"
        )
    if low.any() and not low[1:].any():
        raise Wrong("only the first image is found. All of them can be searched for at once.")
    total, start = errors.sum().item(), before.sum().item()
    if abs(total - start) <= 0.02 * start:
        raise Wrong(
            "the error is what it was at the start. Do the latents move, and are the moved ones returned?"
        )


def _not_low(errors, before, reached) -> None:
    """Raises Wrong: the first step is right, and where the search ends is not."""
    total, start, best = errors.sum().item(), before.sum().item(), reached.sum().item()
    raise Wrong(
        f"the first step is right, and yet after {STEPS} steps the squared error has gone from {start:.3g} "
        f"to {total:.3g}; it can be "
        f"{best:.3g}. Is something done to the latents after a step, is the rate changed on the way, or is "
        "the "
        "same slope taken again?"
    )


# --- 11.5: an encoder that is learnt -----------------------------------------------------------------------

RATE = 0.1  # of plain gradient descent: a step then shows which gradient it took


class _PairDiscriminator(nn.Module):
    """D(x, z): small, smooth, and with a different opinion of every pair."""

    def __init__(self, pixels: int, latent_dim: int):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(pixels + latent_dim, 12), nn.Tanh(), nn.Linear(12, 1))

    def forward(self, images, latents):
        if not (images.dim() == 4 and latents.dim() == 2):
            raise Wrong(
                f"D is called with shapes {tuple(images.shape)} and {tuple(latents.shape)}. It takes "
                "images first, then latents."
            )
        return self.layers(torch.cat([images.flatten(1), latents], 1)).flatten()


def _trio(latent_dim: int):
    """A generator, an encoder and a discriminator, the same ones at each call."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(latent_dim)
        generator = nn.Sequential(nn.Linear(latent_dim, 16), nn.Unflatten(1, (1, 4, 4)), nn.Tanh())
        encoder = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, latent_dim))
        discriminator = _PairDiscriminator(16, latent_dim)
        for network in (generator, encoder, discriminator):
            for parameter in network.parameters():
                parameter.data.mul_(1.5)
    return generator, encoder, discriminator


def _logits(trio, images, latents):
    """D's logits of the pairs (x, E(x)) and (G(z), z)."""
    generator, encoder, discriminator = trio
    return discriminator(images, encoder(images)), discriminator(generator(latents), latents)


def _judge(real, fake):
    """D's loss of two sets of logits: −log D(real) − log(1 − D(fake))."""
    return softplus(-real).mean() + softplus(fake).mean()


def _crossed(trio, images, latents):
    generator, encoder, discriminator = trio
    return discriminator(images, latents), discriminator(generator(latents), encoder(images))


def _encoded_again(trio, images, latents):
    generator, encoder, discriminator = trio
    fakes = generator(latents)
    return discriminator(images, encoder(images)), discriminator(fakes, encoder(fakes))


def _reconstructed(trio, images, latents):
    generator, encoder, discriminator = trio
    codes = encoder(images)
    return discriminator(images, codes), discriminator(generator(codes), codes)


PAIRED = {  # other pairs than the ones asked for → what to say
    "the pairs are crossed: an image belongs with *its* code, and z with the image made from it.": _crossed,
    "the fake pair holds E(G(z)). The latent that G(z) was made from is z itself.": _encoded_again,
    "the fake pair is a reconstruction, (G(E(x)), E(x)). G is asked to draw from N(0, I).": _reconstructed,
}
D_MISTAKES = {  # what to say → loss of (real, fake) logits
    "D is taught the wrong way round: it calls (x, E(x)) fake, and (G(z), z) real.": (
        lambda r, f: _judge(f, r)
    ),
    "D learns of the real pairs alone. What about (G(z), z)?": lambda r, f: softplus(-r).mean(),
    "D learns of the fake pairs alone. What about (x, E(x))?": lambda r, f: softplus(f).mean(),
    "D's loss is summed over the batch: average it.": lambda r, f: softplus(-r).sum() + softplus(f).sum(),
    "D's loss is a difference of logits. −log D is the softplus of minus the logit.": (
        lambda r, f: f.mean() - r.mean()
    ),
    "a sigmoid too many: D returns logits, and this loss takes logits.": (
        lambda r, f: _judge(r.sigmoid(), f.sigmoid())
    ),
}
PLAYERS_MISTAKES = {
    "G moves, E does not. Is E(x) detached, or is D(x, E(x)) left out of the loss? Who else than E can make "
    "that pair look fake?": (lambda r, f: softplus(-f).mean()),
    "E moves, G does not. Is G(z) detached, or is D(G(z), z) left out of the loss? Who else than G can make "
    "that pair look real?": (lambda r, f: softplus(r).mean()),
    "the players *help* D: that is D's own loss. They want the opposite on both sides.": _judge,
    "that is minus D's loss. Its gradient dies where D is sure; exchange real and fake in D's loss instead, "
    "as the non-saturating loss does.": (lambda r, f: -_judge(r, f)),
    "E pulls the wrong way: it should make (x, E(x)) look *fake*, as G makes (G(z), z) look real.": (
        lambda r, f: softplus(-f).mean() + softplus(-r).mean()
    ),
    "G pulls the wrong way: it should make (G(z), z) look *real*.": (
        lambda r, f: softplus(r).mean() + softplus(f).mean()
    ),
    "the players' loss is summed over the batch: average it.": (
        lambda r, f: softplus(r).sum() + softplus(-f).sum()
    ),
    "the players' loss is a difference of logits. −log(1 − D) is the softplus of the logit.": (
        lambda r, f: r.mean() - f.mean()
    ),
    "a sigmoid too many in the players' loss: D returns logits.": (
        lambda r, f: _judge(f.sigmoid(), r.sigmoid())
    ),
}


def _gradient(loss, networks):
    """The gradient with respect to all weights of the networks, one after another."""
    weights = [weight for network in networks for weight in network.parameters()]
    slopes = torch.autograd.grad(loss, weights, allow_unused=True)
    return torch.cat(
        [
            (torch.zeros_like(weight) if slope is None else slope).flatten()
            for weight, slope in zip(weights, slopes, strict=True)
        ]
    )


def _all_weights(networks):
    return torch.cat([weights_of(network) for network in networks])


@exercise(
    "11.5",
    title="A round with an encoder in it",
    difficulty=3,
    minutes=30,
    seconds=60,
    hints=[
        "Two blocks, as in notebook 05: a loss, `zero_grad`, `backward`, `step`. First for D, on the "
        "detached pairs; then for G and E, on pairs with their history, against the D that has just "
        "moved.",
        "D's loss: F.softplus(-D(x, E(x))).mean() + F.softplus(D(G(z), z)).mean(). Detach what comes from E "
        "and G.",
        "The players want D to be wrong on *both* sides: exchange the two in D's loss. Then E is asked "
        "for, too.",
    ],
)
def bidirectional_round(answer):
    for latent_dim, n in ((3, 6), (2, 5)):
        rng = torch.Generator().manual_seed(n)
        images = 2 * torch.rand(n, 1, 4, 4, generator=rng) - 1
        latents = torch.randn(n, latent_dim, generator=rng)
        start = _trio(latent_dim)
        trio, returned = _play(answer, start, images, latents)
        for network, name in zip(trio, ("the generator", "the encoder", "the discriminator"), strict=True):
            expect_trainable(network, name)
        d_loss = _judge(*_logits(start, images, latents))
        d_slope = _gradient(d_loss, start[2:])
        d_change = (_all_weights(trio[2:]) - _all_weights(start[2:])) / -RATE
        change = (_all_weights(trio[:2]) - _all_weights(start[:2])) / -RATE
        if not matches(d_change, d_slope, tolerance=1e-3):
            _d_mistake(d_change, d_slope, change, start, images, latents, answer)
        real, fake = _logits((*start[:2], trio[2]), images, latents)  # against the D that has just moved
        loss = _judge(fake, real)
        slope = _gradient(loss, start[:2])
        if not matches(change, slope, tolerance=1e-3):
            _players_mistake(change, slope, start, trio[2], images, latents, answer)
        _check_losses(returned, d_loss.detach(), loss.detach())
    _check_where_d_is_sure(answer)
    return "at its optimum E is the inverse of G. How near this comes, the next cells measure."


def _check_where_d_is_sure(answer) -> None:
    """Raises Wrong unless a round is right at logits of ±60 and beyond, where a probability is 0 or 1."""
    rng = torch.Generator().manual_seed(3)
    images = 2 * torch.rand(6, 1, 4, 4, generator=rng) - 1
    latents, start = torch.randn(6, 3, generator=rng), _trio(3)
    with torch.no_grad():
        start[2].layers[2].weight *= 150
    trio, returned = _play(answer, start, images, latents)
    losses = _judge(*_logits(start, images, latents)), None
    real, fake = _logits((*start[:2], trio[2]), images, latents)
    losses = losses[0], _judge(fake, real)
    slopes = _gradient(losses[0], start[2:]), _gradient(losses[1], start[:2])
    changes = [(_all_weights(trio[part]) - _all_weights(start[part])) / -RATE for part in _PARTS]
    names = ("D's loss", "the players' loss")
    for loss, slope, change, value, name in zip(losses, slopes, changes, returned, names, strict=True):
        off = not matches(as_tensor(value, name), loss.detach(), tolerance=1e-2)
        if off or not matches(change, slope, tolerance=1e-2 * max(1.0, slope.abs().max().item())):
            raise Wrong(
                f"right for moderate logits, but where D is sure, at logits beyond ±50, {name} is "
                f"{float(value):.4g} and should be {loss.item():.4g}, with a slope: a probability is 0 or 1 "
                "there to a computer. Work with the logits, by `softplus`, without sigmoid, epsilon or clamp."
            )


_PARTS = slice(2, 3), slice(0, 2)  # of a trio: the discriminator; the generator and the encoder


def _play(answer, start, images, latents):
    """Let the answer play a round between copies; returns the copies and what came back."""
    trio = copy.deepcopy(start)
    generator, encoder, discriminator = trio
    players = [*generator.parameters(), *encoder.parameters()]
    for parameter in [*players, *discriminator.parameters()]:
        parameter.grad = torch.ones_like(parameter)  # left over from an earlier round
    optimizers = torch.optim.SGD(players, RATE), torch.optim.SGD(discriminator.parameters(), RATE)
    steps = [0, 0]

    def counted(place):
        def count(optimizer, arguments, keywords):
            steps[place] += 1

        return count

    for place, optimizer in enumerate(optimizers):
        optimizer.register_step_post_hook(counted(place))
    try:
        returned = call_unchanged(
            answer, generator, encoder, discriminator, *optimizers, images, latents, name="play_round"
        )
    except NotImplementedError:
        raise
    except RuntimeError as error:
        if "does not require grad" in str(error):
            raise Wrong(
                "a loss has no way back to the weights it should move: is something detached, or under "
                "`no_grad`, that should not be?"
            ) from None
        if "second time" in str(error):
            raise Wrong(
                "D's step has used up the graph of the pairs, so nothing is left for the players. Detach "
                "them in D's step: `encoder(images).detach()`, `fakes.detach()`."
            ) from None
        if "inplace operation" in str(error) and steps[0] > 0:
            raise Wrong(
                "`players_optimizer` steps between the two players' `backward`. One step of both together is "
                "asked for, down the sum of their losses: add them, and go back once."
            ) from None
        if "inplace operation" in str(error):
            raise Wrong(
                "the players' loss uses logits from before D's step, and D has changed since: show D the "
                "pairs again after it."
            ) from None
        raise
    if steps[1] > 1:
        raise Wrong(f"D takes {steps[1]} steps. One round has one, down both parts of its loss together.")
    if steps[0] > 1:
        raise Wrong(
            f"`players_optimizer` takes {steps[0]} steps. One step of both players together is asked for, "
            "down "
            "the sum of their losses: with Adam's memory even a step without gradients moves the weights."
        )
    return trio, returned


def _named(change, mistakes, networks, *settings, tolerance: float = 1e-3) -> None:
    """Raises Wrong with the message of the mistake whose gradient the change follows."""
    for message, loss in mistakes.items():
        if matches(change, _gradient(loss(*_logits(*settings)), networks), tolerance=tolerance):
            raise Wrong(message)


def _d_mistake(d_change, d_slope, change, start, images, latents, answer) -> None:
    """Raises Wrong: why D's step is not the one asked for."""
    still, ones = torch.zeros_like(d_change), torch.ones_like(d_change)
    if matches(d_change, still):
        raise Wrong("D has not moved. Is there a step of `discriminator_optimizer`, after its `backward`?")
    if matches(d_change, ones):
        raise Wrong("D moved along an *old* gradient: first `backward`, then `step`.")
    if matches(d_change - 1, d_slope, tolerance=1e-3):
        raise Wrong(
            "gradients of an earlier round are still in D's step: clear them right before its `backward`."
        )
    if matches(d_change, -d_slope, tolerance=1e-3):
        raise Wrong("D climbs its loss: the optimiser minimises.")
    _named(d_change, D_MISTAKES, start[2:], start, images, latents)
    for message, pairs in PAIRED.items():
        if matches(d_change, _gradient(_judge(*pairs(start, images, latents)), start[2:]), tolerance=1e-3):
            raise Wrong(message)
    real, fake = _logits(start, images, latents)
    both = d_slope + _gradient(_judge(fake, real), start[2:])
    if matches(d_change, both, tolerance=1e-2):
        raise Wrong(
            "the players' loss is in D's step, too: its `backward` runs through D and leaves gradients "
            "there. Two losses, two `backward`, and `zero_grad` before each."
        )
    if moved(change, torch.zeros_like(change)):
        # The players may have gone first: D's step is then right for the players that have moved.
        moved_on = _after_players(start, images, latents)
        if matches(
            d_change, _gradient(_judge(*_logits(moved_on, images, latents)), moved_on[2:]), tolerance=1e-3
        ):
            raise Wrong(
                "G and E go first. D's step comes first, so that they play against a D that has learnt."
            )
    again, _ = _play(answer, start, images, latents)
    if not matches((_all_weights(again[2:]) - _all_weights(start[2:])) / -RATE, d_change):
        raise Wrong(
            "two rounds from the same start end differently. Does your round draw latents of its own? Use "
            "`latents`."
        )
    times = ((d_change @ d_slope) / (d_slope @ d_slope)).item()
    if matches(d_change, times * d_slope, tolerance=1e-3):
        if abs(times - 0.5) < 1e-3:
            raise Wrong(
                "D goes in the right direction, but 0.5 times as far as one step down its loss: is one mean "
                "taken over both kinds of pairs, or the sum halved? Average each kind by itself, then add."
            )
        raise Wrong(f"D goes in the right direction, but {times:.3g} times as far as one step down its loss.")
    raise Wrong(
        "D moved, but not down −log D(x, E(x)) − log(1 − D(G(z), z)), each averaged over the batch, with "
        "these images and latents."
    )


def _after_players(start, images, latents):
    """The trio after a step of G and E against the D of the beginning."""
    trio = copy.deepcopy(start)
    real, fake = _logits(trio, images, latents)
    slope = _gradient(_judge(fake, real), trio[:2])
    place = 0
    with torch.no_grad():
        for network in trio[:2]:
            for weight in network.parameters():
                weight -= RATE * slope[place : place + weight.numel()].view_as(weight)
                place += weight.numel()
    return trio


OTHER_BATCHES = {  # what a pair may hold in the wrong order → its logits
    "the samples are paired with the latents of *other* samples: (G(z), z) has z twice.": (
        lambda trio, x, z: (trio[2](x, trio[1](x)), trio[2](trio[0](z), z.flip(0)))
    ),
    "E's codes are paired with other images than they were made of.": (
        lambda trio, x, z: (trio[2](x, trio[1](x).flip(0)), trio[2](trio[0](z), z))
    ),
}


def _players_mistake(change, slope, start, discriminator, images, latents, answer) -> None:
    """Raises Wrong: D's step is right, and why that of G and E is not."""
    still, ones = torch.zeros_like(change), torch.ones_like(change)
    if matches(change, still):
        raise Wrong("D's step is right; G and E have not moved. Is there a step of `players_optimizer`?")
    if matches(change, ones):
        raise Wrong("G and E moved along an *old* gradient: first `backward`, then `step`.")
    if matches(change - 1, slope, tolerance=1e-3):
        raise Wrong(
            "gradients of an earlier round are still in the players' step: clear them right before its "
            "`backward`."
        )
    playing = (*start[:2], discriminator)
    _named(change, PLAYERS_MISTAKES, start[:2], playing, images, latents)
    real, fake = _logits(start, images, latents)
    if matches(change, _gradient(_judge(fake, real), start[:2]), tolerance=1e-3):
        raise Wrong(
            "G and E play against the D of before its step. Take D's step first, then show the *new* D "
            "the pairs again."
        )
    d_part = _gradient(_judge(*_logits(start, images, latents)), start[:2])
    if matches(change, slope + d_part, tolerance=1e-3):
        raise Wrong(
            "D's loss is in the players' step: the pairs of D's step were not detached, and the gradients "
            "not cleared before the players' `backward`."
        )
    for message, pairs in PAIRED.items():
        real, fake = pairs(playing, images, latents)
        if matches(change, _gradient(_judge(fake, real), start[:2]), tolerance=1e-3):
            raise Wrong(f"D's step is right, but in the players' step {message}")
    generator, encoder = start[:2]
    for squares in ("mean", "sum"):
        error = getattr((generator(encoder(images)) - images).square(), squares)()
        if matches(change, slope + _gradient(error, start[:2]), tolerance=1e-3):
            raise Wrong(
                "there is a squared error of the reconstruction in the loss. This game does without one."
            )
    again, _ = _play(answer, start, images, latents)
    if not matches((_all_weights(again[:2]) - _all_weights(start[:2])) / -RATE, change):
        raise Wrong(
            "two rounds from the same start move the players differently: there is new noise in their step. "
            "G makes its samples of the same `latents` that they are paired with."
        )
    for message, draw in OTHER_BATCHES.items():
        pairs = draw(playing, images, latents)
        if matches(change, _gradient(_judge(pairs[1], pairs[0]), start[:2]), tolerance=1e-3):
            raise Wrong(f"D's step is right, but in the players' step {message}")
    split = len(weights_of(generator))
    for part, name, other in ((slice(split), "G", "E"), (slice(split, None), "E", "G")):
        rest = change[split:] if name == "G" else change[:split]
        other_slope = slope[split:] if name == "G" else slope[:split]
        far = ((rest @ other_slope) / (other_slope @ other_slope)).item()
        if (
            matches(change[part], slope[part], tolerance=1e-3)
            and rest.any()
            and matches(rest, far * other_slope, tolerance=1e-3)
        ):
            raise Wrong(
                f"D's step is right, and that of {name}; {other} goes in the right direction, but {far:.3g} "
                "times "
                "as far. Both terms of the players' loss have the weight 1."
            )
        if matches(change[part], slope[part], tolerance=1e-3):
            fault = "has not moved: is it detached, or under `no_grad`?" if not rest.any() else "is not."
            raise Wrong(f"D's step is right, and that of {name}; that of {other} {fault}")
    times = ((change @ slope) / (slope @ slope)).item()
    if matches(change, times * slope, tolerance=1e-3):
        raise Wrong(
            f"D's step is right; G and E go in the right direction, but {times:.3g} times as far as one "
            "step goes."
        )
    raise Wrong(
        "D's step is right, but that of G and E is not down −log(1 − D(x, E(x))) − log D(G(z), z), each "
        "averaged, against the new D."
    )


def _check_losses(returned, d_loss, loss) -> None:
    """Raises Wrong unless D's loss and the players' came back."""
    if isinstance(returned, torch.Tensor) and returned.shape == (2,):
        returned = [*returned]
    if not isinstance(returned, (tuple, list)) or len(returned) != 2:
        raise Wrong("all three move as they should. Return two numbers: D's loss, then the players'.")
    names = ("D's loss", "the players' loss")
    found = [as_tensor(one, name) for one, name in zip(returned, names, strict=True)]
    for one, name in zip(found, names, strict=True):
        expect_shape(one, (), message=f"return {name} as one number, a mean over the batch.")
    if matches(found[0], loss) and matches(found[1], d_loss):
        raise Wrong("all three move as they should; return D's loss first, then the players'.")
    for one, right, name in zip(found, (d_loss, loss), names, strict=True):
        if not matches(one, right, tolerance=1e-3):
            raise Wrong(
                f"all three move as they should, but {name} is given as {one.item():.4g}, and before its "
                f"step it was {right.item():.4g}."
            )


# --- 11.6: what a likelihood forgives ----------------------------------------------------------------------


@exercise(
    "11.6",
    title="What noise costs a likelihood",
    difficulty=2,
    minutes=6,
    hints=[
        "The density of the mixture is 0.01·p(x) + 0.99·n(x), with n the density of the noise. What can "
        "you say of the second term?",
        "It is not negative. So the density is at least 0.01·p(x); take the logarithm.",
    ],
)
def nats_of_noise(answer):
    found = as_tensor(answer, "the number of nats")
    expect_shape(found, (), message="one number is asked for: the most that log p(x) can lose, in nats.")
    typical = [
        (-math.log(100), "right but for the sign: a *loss* of so many nats is a positive number."),
        (-math.log(0.99), "that is what 1 % of noise would cost. Here 99 % of the samples are noise."),
        (math.log10(100), "that is a logarithm to base 10. Nats have the natural one."),
        (math.log2(100), "those are bits. How many nats is a bit?"),
        (
            99.0,
            "that is a share, in percent. What becomes of a *logarithm* when its argument falls to 1/100?",
        ),
        (100.0, "the *probability* falls to 1/100. What does its logarithm do?"),
        (
            math.log(99),
            "that is a log *odds*, log(0.99/0.01). The mixture's density is at least 0.01·p: no quotient of "
            "the two shares is in it.",
        ),
        (
            -0.01 * math.log(0.01) - 0.99 * math.log(0.99),
            "that is the entropy of the choice between model and noise, an average of something else. How "
            "far "
            "can log p of *one* digit fall?",
        ),
        (-0.01 * math.log(0.01), "−p log p: why times the share? log p of one digit falls by the whole."),
        (0.99 * math.log(100), "that is weighted with the share of noise. How far can log p of *one* fall?"),
        *(
            (
                pixels * math.log(100),
                "that counts the share once for every pixel. It is whole images that are drawn from the one "
                "or from the other, so the share stands there once.",
            )
            for pixels in (784, 28, 3_072)
        ),
        (math.log(100) / 784, "that is per pixel. The log p of a whole digit is asked for."),
        (math.log(101), "0.01·p + 0.99·n is at least 0.01·p: a hundredth, not one of 101."),
        (2 * math.log(100), "twice what it should be."),
        (math.log(1_000), "a thousandth is 0.1 %. Here 1 % of the samples are the model's."),
        (0.99, "that is a share. What becomes of a *logarithm* when its argument falls to 1/100?"),
    ]
    if abs(found - 0.01) < 1e-6:  # before −log 0.99, which is nearly the same
        raise Wrong("that is what is left of the probability. What has its logarithm lost?")
    for mistake, message in typical:
        if matches(found, mistake, tolerance=1e-3):
            raise Wrong(message)
    if not matches(found, math.log(100), tolerance=2e-3):
        raise Wrong(
            "put a bound on the mixture's density: at least which multiple of the model's is it, whatever "
            "the noise? Then take the logarithm."
        )
    return "a few nats, of about a hundred: the likelihood hardly notices."


# --- 11.7: from noise to a sample --------------------------------------------------------------------------


def _field(seed: int):
    """A velocity of place and time, that says what it is called with wrongly; and the times it was asked "
    "at."""
    asked = []

    def velocity(points, times):
        if not (isinstance(times, torch.Tensor) and times.shape == (len(points),)):
            got = (
                f"shape {tuple(times.shape)}"
                if isinstance(times, torch.Tensor)
                else f"a `{type(times).__name__}`"
            )
            raise Wrong(
                f"the velocity is asked with times of {got}; it wants a tensor with a time for each "
                "point, (N,)."
            )
        asked.append(times.detach().double().mean().item())
        time = times.to(points.dtype).view(-1, *[1] * (points.dim() - 1))
        if seed % 2:
            return torch.sin(2 * points) + (3 * time).cos()
        return (1 + 2 * time) * points - 3 * time.square() + 0.5

    return velocity, asked


def _stepped(velocity, start, steps: int, change: str = ""):
    """Heun's rule from 0 to 1, or what a typical mistake makes of it."""
    points, length, second = start, 1 / steps, None
    for step in range(steps):
        time = step / steps
        if change == "backwards":
            time = 1 - step / steps
        if change == "one too few":
            length = 1 / (steps - 1) if steps > 1 else 1.0
            time = step * length
        if change == "time stands still":
            time = 0.0

        def at(points, time):
            return velocity(points, points.new_full((len(points),), time))

        sign = -1 if change == "backwards" else 1
        if change == "last is euler" and step == steps - 1:
            return points + length * at(points, time)
        reused = change == "looks once" and step > 0
        first = second if reused else at(points, time)
        tried = points + sign * length * first
        after = time if change == "same time" else time + sign * length
        if change == "never at the end":
            after, time = min(after, 1 - length), min(time, 1 - length)
        elif change == "half a step on":
            after = time + length / 2
        elif change == "two steps on":
            after = time + 2 * length
        elif change == "from the old times":
            after = time + 1.0
        second = at(points if change == "not tried" else tried, after)
        if change == "euler":
            mean = first
        elif change == "end":
            mean = second
        elif change == "midpoint":
            mean = at(points + 0.5 * length * first, time + 0.5 * length)
        elif change == "sum":
            mean = first + second
        elif change == "two thirds":
            mean = (first + 2 * second) / 3
        elif change == "one third":
            mean = (2 * first + second) / 3
        elif change == "ralston":
            mean = first / 4 + 3 / 4 * at(points + 2 / 3 * length * first, time + 2 / 3 * length)
        elif change == "four looks":
            k2 = at(points + 0.5 * length * first, time + 0.5 * length)
            k3 = at(points + 0.5 * length * k2, time + 0.5 * length)
            mean = (first + 2 * k2 + 2 * k3 + at(points + length * k3, time + length)) / 6
        elif change == "mean point":
            mean = at((points + tried) / 2, after)
        elif change == "tried twice":
            mean = (first + at(points + length * (first + second) / 2, after)) / 2
        elif change == "half tried":
            mean = (first + at(points + 0.5 * length * first, after)) / 2
        elif change == "trial without length":
            mean = (first + at(points + first, after)) / 2
        else:
            mean = (first + second) / 2
        if change == "from the trial":
            points = tried + length * mean
        elif change == "minus":
            points = points - length * mean
        elif change == "no length":
            points = points + mean
        else:
            points = points + sign * length * mean
    return points


RULES = {
    "looks once": "the second velocity is kept as the next step's first one. It was asked at the *trial* "
    "point; "
    "the step ended elsewhere: ask anew, where you are.",
    "last is euler": "the last step is Euler's, without a second look, as some samplers do where the end has "
    "no velocity. Here it has one: the rule is the same in all steps.",
    "never at the end": "the time never gets to 1: it is cut off before, so that the last look is at an old "
    "time. The trial step of the last one arrives at t = 1.",
    "half a step on": "the second look is at t + h/2. The whole trial step has arrived at t + h.",
    "two steps on": "the second look is at t + 2h. The trial step has arrived at t + h.",
    "from the old times": "the second look is at t + 1. The trial step has arrived at t + h.",
    "two thirds": "the two velocities do not weigh the same. Take their plain mean.",
    "one third": "the two velocities do not weigh the same. Take their plain mean.",
    "ralston": "that is Ralston's rule, as good a rule as this one, and another: look at the *end* of a "
    "whole "
    "trial step, and take the mean of the two velocities.",
    "four looks": "that is the rule of Runge and Kutta with four looks, a better rule, and another: two "
    "looks "
    "are asked for.",
    "mean point": "the velocity is asked once, at the mean of two places. Ask at both, and take the mean of "
    "the "
    "*velocities*.",
    "tried twice": "the trial is corrected, and looked at once more. One trial step is enough: two looks.",
    "half tried": "the trial is half a step long. Take a whole one, and look where it ends.",
    "trial without length": "the trial step is not multiplied by 1/steps.",
    "euler": "that is Euler's rule: the velocity at the start of the step, and no second look.",
    "end": "the velocity at the *end* of the trial step is taken alone. The mean of both is asked for.",
    "midpoint": "that is the midpoint rule, as good a rule as this one, and another: look at the *end* of "
    "a whole trial step, and take the mean of the two velocities.",
    "sum": "the two velocities are added. Their mean is wanted: half of that.",
    "from the trial": "the step begins where the trial ended. It begins where you *were*.",
    "same time": "the second look is at the old time. The trial step has arrived at t + h.",
    "not tried": "the second look is at the old place. Look where the trial step has led.",
    "minus": "the steps go against the velocity: add, do not subtract.",
    "backwards": "that goes from t = 1 to t = 0, from data to noise. Noise is at t = 0.",
    "no length": "the velocity is not multiplied by the length of a step, 1/steps.",
    "one too few": "the steps are too long: `steps` of them lie between `steps` + 1 times. With "
    "`linspace(0, 1, steps)` there is one less.",
    "time stands still": "the time stays at 0: it has to move on with each step.",
}


FIELDS = {  # a velocity in words → the velocity, the steps, where points from 2 and −1 end
    "1 everywhere": (lambda x, t: torch.ones_like(x), 2, (3.0, 0.0)),
    "t, at all places": (lambda x, t: t.view(-1, 1).expand_as(x), 1, (2.5, -0.5)),
    "t, at all places, in 2 steps": (lambda x, t: t.view(-1, 1).expand_as(x), 2, (2.5, -0.5)),
    "x, at all times": (lambda x, t: x, 1, (5.0, -2.5)),
    "x², at all times": (lambda x, t: x.square(), 1, (22.0, -0.5)),
    "t², at all places, in 2 steps": (lambda x, t: t.view(-1, 1).square().expand_as(x), 2, (2.375, -0.625)),
}


def _tell_by_simple_fields(answer) -> None:
    """Raise Wrong: the first simple velocity with which the points end elsewhere."""
    for words, (velocity, steps, ends) in FIELDS.items():
        try:
            found = answer(velocity, torch.tensor([[2.0], [-1.0]]), steps).flatten().tolist()
        except Exception:  # an answer may fail on fields so simple
            return
        if not matches(found, list(ends)):
            in_steps = "" if "steps" in words else f", in {steps} step{'s' if steps > 1 else ''}"
            raise Wrong(
                f"with the velocity {words}{in_steps}, points from 2 and −1 should end at {ends[0]:g} and "
                f"{ends[1]:g}, and yours at {found[0]:.4g} and {found[1]:.4g}. In each step: the velocity "
                "where "
                "you are, and that at t + h where a whole step would lead; then a step with the mean of both."
            )


@exercise(
    "11.7",
    title="From noise to a digit",
    difficulty=2,
    minutes=12,
    hints=[
        "Write Euler's rule first: `points = points + h * velocity(points, times)`, with h = 1/steps and "
        "the times 0, h, 2h, …",
        "Then, in each step: where would Euler lead? Ask for the velocity there, at the time t + h.",
        "The step itself: from where you were, with the mean of the two velocities. A time for each point: "
        "`start.new_full((len(start),), t)`.",
    ],
)
def from_noise(answer):
    notes = ""
    for shape, steps, seed in (((5, 2), 3, 0), ((3, 1, 2, 2), 4, 1), ((4, 3), 1, 2)):
        start = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
        velocity, asked = _field(seed)
        right = _stepped(velocity, start, steps)
        asked.clear()
        result = call_unchanged(answer, velocity, start, steps, name="from_noise")
        calls = len(asked)
        found = as_tensor(result, "where the points end")
        if found.shape == (steps + 1, *shape):
            raise Wrong("that is the whole way. Return where the points end.")
        expect_shape(found, shape, "what `from_noise` returns")
        if not matches(found, right):
            if matches(found, start):
                raise Wrong("the points are still where they started.")
            for change, message in RULES.items():
                if matches(found, _stepped(velocity, start, steps, change)):
                    raise Wrong(message)
            if steps > 1 and matches(found, _stepped(velocity, start, 1)):
                raise Wrong("that is a single step. `steps` of them lead from 0 to 1.")
            for other in (steps - 1, steps + 1, 2 * steps):
                if other > 0 and matches(found, _stepped(velocity, start, other)):
                    raise Wrong(
                        f"that is {other} steps, and {steps} are asked for. How many times do so many "
                        "steps lie between, both ends counted?"
                    )
            _tell_by_simple_fields(answer)
            expect_varied("what `from_noise` returns")
            raise Wrong(
                "the points end somewhere else. In each step of length h = 1/steps: the velocity where "
                "you are; where a whole step with it would lead; the velocity there, at t + h; and then, "
                "from where you were, a step with the mean of both."
            )
        expect_like(result, dtype=torch.float32, name="what `from_noise` returns")
        if calls > 2 * steps:
            notes = f" (The velocity is asked {calls} times, and {2 * steps} would do.)"
    velocity, _ = _field(0)
    elsewhere = call_anywhere(
        answer, velocity, torch.randn(5, 2), 2, name="`from_noise`", hint="`device=start.device`"
    )
    return (
        f"two looks a step, and an error that falls with the square of the number of steps.{notes}{elsewhere}"
    )
