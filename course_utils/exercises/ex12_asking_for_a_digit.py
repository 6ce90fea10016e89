"""The exercises of notebook 12: generators and discriminators that are told what to draw."""

import math
import time

import torch
from torch import nn

from course_utils.checks import (
    Wrong,
    as_tensor,
    call,
    call_unchanged,
    choose,
    exercise,
    expect_like,
    expect_shape,
    expect_trainable,
    expect_varied,
    matches,
    shown,
)
from course_utils.checks.devices import try_elsewhere

# --- 12.1: the two questions in one logit ------------------------------------------------------------------


def _tables(points: int, classes: int, scale: float, seed: int):
    """log p(x, y) and log q(x, y) at some points; at a large scale most densities are 0 in float64."""
    rng = torch.Generator().manual_seed(seed)
    return [
        scale * (torch.randn(points, classes, generator=rng, dtype=torch.float64) - 1.5) for _ in range(2)
    ]


def _sum_of(log):
    return log.logsumexp(1)


PARTS = {  # how one of the two parts goes wrong: (log_data, log_model) -> the part
    "the first part": [
        (
            lambda p, q: _sum_of(q) - _sum_of(p),
            "the first part has the wrong sign: it should be large where the *data* are.",
        ),
        (
            lambda p, q: (_sum_of(p) - _sum_of(q)).exp(),
            "the first part is the ratio p(x)/q(x). A logit is its logarithm.",
        ),
        (
            lambda p, q: p.sum(1) - q.sum(1),
            "the first part adds up *logarithms*. Probabilities are what adds up to p(x).",
        ),
        (
            lambda p, q: p.mean(1) - q.mean(1),
            "the first part averages *logarithms*. Probabilities are what adds up to p(x).",
        ),
        (
            lambda p, q: p.max(1).values - q.max(1).values,
            "the first part takes the likeliest label alone. All labels together make p(x).",
        ),
        (lambda p, q: _sum_of(p - q), "the first part adds up ratios. Add up each density first."),
        (lambda p, q: _sum_of(p), "the first part is log p(x). The generator's density has no part in it."),
        (
            lambda p, q: _sum_of(p) - _sum_of(q) - torch.tensor(float(p.shape[1])).log(),
            "the first part is off by log K. The tables hold the *joint* densities already.",
        ),
        (
            lambda p, q: (_sum_of(p) - _sum_of(q)) / math.log(2),
            "the first part is a logarithm to the base 2. σ(t) wants the natural one.",
        ),
        (
            lambda p, q: (_sum_of(p) - _sum_of(q)).sigmoid(),
            "the first part went through the sigmoid already. The two *logits* add up to t*.",
        ),
    ],
    "the second part": [
        (
            lambda p, q: p - q,
            "the second part is the whole logit, log p(x, y)/q(x, y). What is left of it when the first "
            "question is answered?",
        ),
        (
            lambda p, q: q.log_softmax(1) - p.log_softmax(1),
            "the second part has the wrong sign: it should be large where the *data's* labels fit.",
        ),
        (
            lambda p, q: p.softmax(1) - q.softmax(1),
            "the second part is a difference of *probabilities*. A log-ratio is a difference of logarithms.",
        ),
        (
            lambda p, q: (p.log_softmax(1) - q.log_softmax(1)).exp(),
            "the second part is the ratio itself. A logit is its logarithm.",
        ),
        (
            lambda p, q: p.log_softmax(0) - q.log_softmax(0),
            "the second part compares points with each other. p(y|x) compares the *labels* of one point: "
            "along which axis do they lie?",
        ),
        (
            lambda p, q: p.log_softmax(1),
            "the second part is log p(y|x). The generator's labels have no part in it.",
        ),
        (
            lambda p, q: p.softmax(1) / q.softmax(1),
            "the second part is the ratio itself. A logit is its logarithm.",
        ),
        (
            lambda p, q: p.log_softmax(1) + math.log(p.shape[1]),
            "the second part supposes that the generator's labels fit equally often. Its own p(y|x) is in "
            "the other table.",
        ),
        (
            lambda p, q: (p - q).log_softmax(1),
            "the second part is a softmax of ratios. Turn each density by itself into the chances of the "
            "labels.",
        ),
        (
            lambda p, q: (p - q) - (p - q).mean(1, keepdim=True),
            "the second part takes away the average of the logarithms over the labels. What is "
            "log p(x)/q(x) in place of that?",
        ),
    ],
}


@exercise(
    "12.1",
    title="Two questions in one logit",
    difficulty=2,
    minutes=12,
    hints=[
        "Start from p(x, y) = p(x)·p(y|x), for p and for q, and take the logarithm of the ratio.",
        "p(x) is the sum of p(x, y) over all labels. From logarithms: `torch.logsumexp`, which does not "
        "underflow.",
        "log p(y|x) is log p(x, y) − log p(x): a log-softmax over the labels.",
    ],
)
def two_questions(answer):
    name = "`two_questions`"
    for points, classes, scale, seed in ((6, 3, 1.0, 0), (4, 5, 2.0, 1), (5, 4, 900.0, 2)):
        p, q = _tables(points, classes, scale, seed)
        result = call_unchanged(answer, p, q, name="two_questions")
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise Wrong(f"{name} should return two things: the first part (N,) and the second (N, K).")
        right = {
            "the first part": _sum_of(p) - _sum_of(q),
            "the second part": p.log_softmax(1) - q.log_softmax(1),
        }
        parts = dict(zip(right, result, strict=True))
        if scale > 100 and any(
            isinstance(part, torch.Tensor) and part.is_floating_point() and not part.isfinite().all()
            for part in result
        ):
            raise Wrong(
                "right for moderate densities, but far from all clouds they are 0 in floating point, and the "
                "logarithm of that is −inf. Stay with logarithms: `logsumexp` adds up without leaving them."
            )
        shapes = [tuple(as_tensor(part, which).shape) for which, part in parts.items()]
        if shapes == [(points, classes), (points,)]:
            raise Wrong("the two parts are exchanged: first p(x)/q(x), which knows no label.")
        if shapes[0] == (classes,):
            raise Wrong("the first part adds up over the points. p(x) is a sum over the *labels*.")
        if shapes[0] == (points, 1):
            raise Wrong(f"the first part has shape {shapes[0]}; one number a point is {(points,)}.")
        for which, part in parts.items():
            found = as_tensor(part, which)
            expect_shape(found, tuple(right[which].shape), which)
            if not matches(found, right[which]):
                for mistake, message in PARTS[which]:
                    wrong = mistake(p, q)
                    if wrong.isfinite().all() and matches(found, wrong):
                        raise Wrong(message)
                expect_varied(which)
                if scale > 100:  # right for the cases before
                    raise Wrong(
                        "right for moderate densities, but far from all clouds they are 0 in floating "
                        "point. What is added lest the logarithm be infinite, cut off, or put in its place, "
                        "is all that is left there. Stay with logarithms: `logsumexp` adds up without "
                        "leaving them."
                    )
                total = as_tensor(parts["the first part"]).reshape(-1, 1) + as_tensor(
                    parts["the second part"]
                )
                if total.shape == p.shape and matches(total, p - q):
                    raise Wrong(
                        "the two parts add up to the whole logit, but they are divided otherwise: the first "
                        "is log p(x)/q(x), with p(x) the sum of p(x, y) over the labels."
                    )
                raise Wrong(
                    f"{which} is another one. Write p(x, y) = p(x)·p(y|x) for both densities, and take the "
                    "logarithm of their ratio."
                )
            expect_like(part, dtype=torch.float64, name=which)
    return "one asks whether it is real, the other whether it fits its label."


# --- 12.2: how often is the best D right? ------------------------------------------------------------------


def _expect_number(answer, right: float, typical, otherwise: str, *, tolerance: float, what: str) -> None:
    """Raises Wrong with the message of the typical mistake that a number is, or with `otherwise`."""
    found = as_tensor(answer, what)
    expect_shape(found, (), message=f"one number is asked for: {what}.")
    for mistake, message in typical:
        if matches(found, mistake, tolerance=tolerance):
            raise Wrong(message)
    if not matches(found, right, tolerance=tolerance):
        raise Wrong(otherwise)


@exercise(
    "12.2",
    title="How often is the best D right?",
    difficulty=1,
    minutes=5,
    hints=[
        "The points themselves tell nothing: both sides have the same. Which pairs give a fake away?",
        "A pair whose point lies at another mode than its label says is a fake, for sure. What share of the "
        "fakes is that?",
        "And a pair that fits? The real ones all do, one in eight of the fakes does. What is the better bet?",
    ],
)
def best_accuracy(answer):
    _expect_number(
        answer,
        15 / 16,
        [
            (
                0.5,
                "that would be right of a D that sees the points alone. This one sees the label, too: which "
                "pairs can only be fakes?",
            ),
            (
                8 / 9,
                "that is what the best D answers where a pair fits. Which share of all pairs does it "
                "judge rightly?",
            ),
            (7 / 8, "that is the share of the *fakes* that give themselves away. How about the real pairs?"),
            (1.0, "one fake in eight has the right label by chance. Could any D tell it?"),
            (1 / 8, "that is the share of the fakes that fit by chance. What does D do about them?"),
            (1 / 16, "that is how often D is wrong. How often is it right?"),
            (9 / 16, "D would call every pair that fits a fake, then. Which is more frequent there?"),
            (93.75, "in percent, that is right; answer with a fraction between 0 and 1."),
        ],
        "take real and fake pairs, equally many. Which of them fit their label? Where they do, D bets on the "
        "more frequent side; where they do not, it is sure.",
        tolerance=4e-3,
        what="the share of all pairs that D judges rightly",
    )
    return "the next cell trains a D on these pairs and counts."


# --- 12.3: the projection discriminator --------------------------------------------------------------------


class _Features(nn.Module):
    """φ: samples (N, ...) → (N, width), and how often it was asked."""

    def __init__(self, inputs: int, width: int):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(inputs, width), nn.Tanh())
        self.asked = 0

    def forward(self, samples):
        if samples.dim() != 4:
            raise Wrong(
                f"the features are handed samples of shape {shown(tuple(samples.shape))}. These samples are "
                "images, which may be what the features are made for: hand them on as they come."
            )
        self.asked += 1
        return self.layers(samples)


def _built(answer, features, width: int, classes: int):
    network = call(answer, features, width, classes, name="ProjectionDiscriminator")
    if not isinstance(network, nn.Module):
        raise Wrong(
            "`ProjectionDiscriminator(features, width, classes)` should make a network, an `nn.Module`; "
            f"it makes {shown(network)}."
        )
    own = {id(weight) for weight in network.parameters()}
    if not all(id(weight) in own for weight in features.parameters()):
        raise Wrong(
            "the weights of the `features` that were handed over are not among the network's. Keep them as "
            "`self.features = features`: no copy, no network remembered from before, no list."
        )
    return network


def _head_of(network, features) -> list:
    held = {id(weight) for weight in features.parameters()}
    return [weight for weight in network.parameters() if id(weight) not in held]


def _logits(network, samples, labels, shape_of_features: tuple[int, int], classes: int):
    """The network's logits, (N,); raises Wrong where they are none."""
    n, width = shape_of_features
    try:
        found = network(samples, labels)
    except TypeError as error:
        if "positional argument" in str(error):
            raise Wrong("`forward` takes two things, samples and labels, and returns logits.") from None
        raise
    except (IndexError, RuntimeError) as error:
        if any(words in str(error) for words in ("out of range", "out of bounds", "num_classes")):
            raise Wrong(
                f"the largest label, {classes - 1} of {classes} classes, has no vector. How many are there?"
            ) from None
        raise
    except ValueError as error:
        if "more than 1 value per channel" in str(error):
            raise Wrong(
                "something is normalised over the batch, so a sample's logit depends on the others. After "
                "the features there are two inner products, and nothing else."
            ) from None
        raise
    if not isinstance(found, torch.Tensor):
        raise Wrong(f"called with samples and labels the network returns {shown(found)}; return the logits.")
    wrong_shapes = {
        (n, 1): f"the logits have shape {(n, 1)}; `train` wants {(n,)}: flatten the last axis away.",
        (n, n): f"the logits have shape {(n, n)}: a column (N, 1) and a row (N,) were added, and broadcast.",
        (n, classes): "that is a logit for every class. D is told the label: only that one's is asked for.",
        (n, width): "that is one number for each feature. An inner product adds them up.",
        (): "that is one number for the whole batch. Each sample has a logit of its own.",
        (width,): "that adds up over the samples. An inner product adds up over the features.",
    }
    shape = tuple(found.shape)
    if n == 1 and shape == ():
        raise Wrong(
            "of a batch of one sample the logits have shape (), not (1,). Does a `squeeze()` without an "
            "axis take that of the batch away, too?"
        )
    if shape != (n,):
        raise Wrong(wrong_shapes.get(shape, f"the logits have shape {shape}; one a sample is {(n,)}."))
    return found


def _lines(phi, logits):
    """The weights and the constant of logits (N,) as a linear function of φ (N, width), and what is left."""
    design = torch.cat([phi, phi.new_ones(len(phi), 1)], 1).double()
    fitted = torch.linalg.lstsq(design, logits.double()[:, None]).solution
    return fitted[:-1, 0], fitted[-1, 0], (design @ fitted)[:, 0] - logits.double()


def _expect_lines(network, features, samples, width: int, classes: int):
    """Raises Wrong unless the logit is linear in φ for every label; returns the labels' constants."""
    n = len(samples)
    many, labels = samples.repeat(classes, 1, 1, 1), torch.arange(classes).repeat_interleave(n)
    kept = many.clone()
    features.asked = 0
    with torch.no_grad():
        logits = _logits(network, many, labels, (len(many), width), classes).reshape(classes, n)
        if features.asked == 0:
            raise Wrong("the `features` are never asked: the logit has to come from φ(x).")
        if not torch.equal(many, kept):
            raise Wrong("`forward` changes the samples that it is handed, in place. Make something new.")
        if not matches(network(many, labels), logits.flatten(), tolerance=1e-3):
            raise Wrong(
                "the same samples with the same labels get other logits the second time. Something is drawn "
                "by chance, as in dropout, or remembered."
            )
        phi = features(samples)
        shuffled = torch.randperm(len(many), generator=torch.Generator().manual_seed(0))
        again = network(many[shuffled], labels[shuffled])
        alone = [_logits(network, many[[i]], labels[[i]], (1, width), classes) for i in (0, n, len(many) - 1)]
    flat = logits.flatten()
    if not flat.isfinite().all():
        raise Wrong("some logits are not finite. What is divided, or whose logarithm is taken?")
    if not matches(again, flat[shuffled], tolerance=1e-3):
        raise Wrong(
            "a sample's logit depends on where in the batch it stands. Its own label's vector and its own "
            "features are all that it is made of."
        )
    if not matches(torch.cat(alone), flat[[0, n, len(many) - 1]], tolerance=1e-3):
        raise Wrong("a sample has another logit alone than among others. Which axis is summed over?")
    if (logits - logits[:1]).abs().max() < 1e-5:
        raise Wrong("the logit is the same whatever the label is: it never reaches the result.")
    fits = [_lines(phi, one) for one in logits]
    slopes = torch.stack([slope for slope, _, _ in fits])
    constants = torch.stack([constant for _, constant, _ in fits])
    if max(rest.abs().max() for _, _, rest in fits) > 1e-3 * max(1.0, flat.abs().max().item()):
        raise Wrong(_why_curved(logits, phi))
    if (slopes - slopes[:1]).abs().max() < 1e-4:
        raise Wrong(
            "a label adds a number to the logit, the same for every sample: is that D's question, whether "
            "*this* sample fits *this* label? The label's vector has to meet the features."
        )
    return constants


def _why_curved(logits, phi) -> str:
    if logits.min() >= 0 and logits.max() <= 1:
        return "those are probabilities. D returns logits: leave the sigmoid or the softmax to the loss."
    if logits.max() <= 0:
        return "all logits are negative: is there a log-softmax or a log-sigmoid? D's loss has one already."
    if logits.min() >= 0:
        return "no logit is negative: is a square, an absolute value or a ReLU at the end?"
    return (
        "for one label, the logit is no linear function of φ(x). After the features there are two inner "
        "products, of w and of the label's vector, and no further layer, activation or normalisation."
    )


def _expect_gradients(network, features, samples, width: int, classes: int) -> None:
    """Raises Wrong unless φ, a part of all labels and a vector of each label learn."""
    labels = torch.zeros(len(samples), dtype=torch.long)
    logits = _logits(network, samples, labels, (len(samples), width), classes)
    if not logits.requires_grad:
        raise Wrong("the logits have lost their history, so nothing learns: leave out `no_grad`, `detach`.")
    weights = [*features.parameters()]
    slopes = torch.autograd.grad(logits.sum(), weights, allow_unused=True)
    if any(slope is None or not slope.any() for slope in slopes):
        raise Wrong(
            "no gradient reaches the features: φ is cut off, so that D cannot learn what to look at, and G "
            "gets no direction from it."
        )
    _expect_whole_gradient(network, features, samples)
    head = _head_of(network, features)
    with torch.no_grad():
        phi = features(samples[:1])[0]
    touched = []
    for label in (0, classes - 1):
        one = network(samples[:1], torch.full((1,), label)).sum()
        if not head:
            raise Wrong("all weights are those of the features: w, b and the labels' vectors learn, too.")
        found = torch.autograd.grad(one, head, allow_unused=True)
        if any(slope is not None and slope.is_sparse for slope in found):
            raise Wrong(
                "the labels' vectors have *sparse* gradients, and Adam, which trains D here, takes none. "
                "Leave out `sparse=True`."
            )
        touched.append(
            torch.cat(
                [
                    torch.zeros(weight.numel()) if slope is None else slope.flatten()
                    for weight, slope in zip(head, found, strict=True)
                ]
            )
        )
    with torch.no_grad():  # the first and the last label, and not the features: what depends on the label?
        both = (touched[0] != 0) & (touched[1] != 0)
        only = (touched[0] != 0) & (touched[1] == 0)
    if only.sum() < width and not ((touched[0] - touched[1]).abs() > 1e-8).any():
        raise Wrong(
            "the labels' vectors do not learn: no gradient reaches them. Make them `nn.Embedding`, "
            "`nn.Linear` or `nn.Parameter`."
        )
    if only.sum() < width <= ((touched[0] == 0) & (touched[1] != 0)).sum():
        raise Wrong(
            "the vector of label 0 does not learn, that of the last does. Is it left out, as padding?"
        )
    if only.sum() < width:
        raise Wrong("the labels share their vectors: a step for one label moves those of the others.")
    by_vector = touched[0][only][:width].sort().values  # φ itself, where the product is a sum
    if matches(by_vector, (phi / width).sort().values, tolerance=1e-5):
        raise Wrong("the products are averaged over the features. An inner product is their sum.")
    factor = (by_vector.norm() / phi.norm()).item()
    if abs(factor - 1) > 1e-3 and matches(
        by_vector.abs().sort().values, factor * phi.abs().sort().values, tolerance=1e-5
    ):
        raise Wrong(
            f"the inner product of the label's vector with φ is multiplied by a number, {factor:.3g} here. "
            "The formula has none."
        )
    if both.sum() < width:
        raise Wrong(
            "no vector is shared by all labels. What makes an image real, whatever it shows, would have to "
            "be learnt once for every label: where is w·φ(x) + b?"
        )
    if not matches(touched[0][both], touched[1][both], tolerance=1e-5):
        raise Wrong(
            "what a step does to w depends on the label. The logit is a sum of two terms: w·φ(x) + b knows "
            "no label, and v_y·φ(x) is added to it."
        )


def _expect_whole_gradient(network, features, samples) -> None:
    """Raises Wrong where a part of the logit reaches the samples by its value, and not by its gradient."""
    samples = samples.clone().requires_grad_()
    logits = network(samples, torch.zeros(len(samples), dtype=torch.long))
    phi = features(samples)
    slope, _, _ = _lines(phi.detach(), logits.detach())
    (found,) = torch.autograd.grad(logits.sum(), samples)
    (wanted,) = torch.autograd.grad((phi.double() @ slope).sum(), samples)
    if not matches(found, wanted, tolerance=1e-3):
        raise Wrong(
            "a part of the gradient is missing: the logit depends on φ in both of its terms, and one of "
            "them is cut off. Leave out `detach` and `no_grad`."
        )


@exercise(
    "12.3",
    title="Build the projection discriminator",
    difficulty=3,
    minutes=25,
    hints=[
        "Three things are kept in `__init__`: the features, a linear layer from them to one number, and a "
        "table with a vector of `width` numbers for each class (`nn.Embedding`).",
        "Call the features once, `h = self.features(samples)`, (N, width). `self.table(labels)` is (N, "
        "width), too: row i is the vector of sample i's label.",
        "An inner product of rows: multiply the two tensors, and sum over the last axis.",
        "`nn.Linear(width, 1)` returns (N, 1). Flatten it before you add: (N, 1) + (N,) is (N, N).",
    ],
)
def projection(answer):
    constant_of_labels = wasteful = False
    note = ""
    for shape, width, classes, seed in (((1, 2, 2), 3, 4, 0), ((2, 3, 3), 5, 12, 1)):
        rng = torch.Generator().manual_seed(seed)
        inputs = shape[0] * shape[1] * shape[2]
        features = _Features(inputs, width)
        with torch.no_grad():
            for weight in features.parameters():
                weight.copy_(0.7 * torch.randn(weight.shape, generator=rng))
        before = [weight.detach().clone() for weight in features.parameters()]
        network = _built(answer, features, width, classes)
        if any(
            not torch.equal(old.double(), new.detach().double())
            for old, new in zip(before, features.parameters(), strict=True)
        ):
            raise Wrong(
                "the features come with weights of their own, and these have changed. Use them as they are."
            )
        expect_trainable(network, "the discriminator")
        with torch.no_grad():  # whatever it starts from: a table of zeros would hide what the label does
            for weight in _head_of(network, features):
                weight.copy_(torch.randn(weight.shape, generator=rng))
        samples = torch.randn(40, *shape, generator=rng)
        constants = _expect_lines(network, features, samples, width, classes)
        _expect_gradients(network, features, samples, width, classes)
        if constants.abs().max() < 1e-3:  # all weights are random, see above
            raise Wrong("the logit is 0 wherever the features are 0: where is b?")
        constant_of_labels |= bool((constants - constants[0]).abs().max() > 1e-3)
        features.asked = 0
        with torch.no_grad():
            network(samples, torch.zeros(40, dtype=torch.long))
        wasteful |= features.asked > 1
        note = note or try_elsewhere(network, samples[:2], torch.tensor([0, 1]), name="your discriminator")
    if constant_of_labels:
        note += " (A label of yours has a constant of its own, too: it learns how frequent the label is.)"
    if wasteful:
        note += " (It asks the features more than once for each sample, and once would do.)"
    return f"the two questions of exercise 12.1, with one look at the image.{note}"


# --- 12.4: what the auxiliary classifier wants -------------------------------------------------------------


@exercise(
    "12.4",
    title="Predict what the classifier pays for",
    difficulty=2,
    minutes=5,
    hints=[
        "Where is the classifier sure of the middle class? Where of an outer one?",
        "The adversarial loss asks that all points *together* look like the data. Who asks that the points "
        "of one label look like the data's of that label?",
    ],
)
def what_it_pays_for(answer):
    choose(
        answer,
        right="c",
        wrong={
            "a": "the classifier's loss is not at its least there: in the overlap it is unsure. Where could "
            "G move a point to be read more surely?",
            "b": "a point that is wide of its hump is more easily taken for a neighbour. Would the "
            "classifier pay for that?",
            "d": "who would lose by it? D still asks that all points together look like the data.",
        },
    )
    return "run the next cell."


# --- 12.5: diversity within a class ------------------------------------------------------------------------


def _spread(rows):
    return rows.var(0, unbiased=False).sum()


def _unbiased(rows):
    return rows.var(0).sum()


def _by_class(features, labels, real, real_labels):
    return [(features[labels == one], real[real_labels == one]) for one in labels.unique()]


def _within_all(rows, labels, classes):
    """Mean squared distance from the mean of the own class, over all samples of these classes."""
    squares = [(rows[labels == one] - rows[labels == one].mean(0)).square().sum() for one in classes]
    return torch.stack(squares).sum() / torch.isin(labels, classes).sum()


def _about(features, labels, real, real_labels, centre, real_centre):
    """Mean over the classes of the squared distances from other points than the class's own mean."""
    return torch.stack(
        [
            (made - centre(made, true)).square().sum(1).mean()
            / (true - real_centre(made, true)).square().sum(1).mean()
            for made, true in _by_class(features, labels, real, real_labels)
        ]
    ).mean()


def _ratios(features, labels, real, real_labels, spread):
    """Of each class."""
    ratios = [spread(made) / spread(true) for made, true in _by_class(features, labels, real, real_labels)]
    return torch.stack(ratios)


def _diversity(features, labels, real, real_labels, spread):
    return _ratios(features, labels, real, real_labels, spread).mean()


WITHIN = [  # (features, labels, real, real_labels, spread) -> a typical mistake
    (
        lambda f, y, r, ry, spread: spread(f) / spread(r),
        "that is the spread of all samples together, whatever their class. One image of each class would "
        "have nearly as much of it as real digits.",
    ),
    (
        lambda f, y, r, ry, spread: _diversity(f, y, r, ry, lambda rows: rows.std(0).sum()),
        "that compares standard deviations. The mean *squared* distance from the mean is asked for.",
    ),
    (
        lambda f, y, r, ry, spread: _diversity(f, y, r, ry, lambda rows: rows.std(0, unbiased=False).sum()),
        "that compares standard deviations. The mean *squared* distance from the mean is asked for.",
    ),
    (
        lambda f, y, r, ry, spread: _diversity(f, y, r, ry, lambda rows: spread(rows).sqrt()),
        "that compares roots. The mean *squared* distance from the mean is asked for.",
    ),
    (
        lambda f, y, r, ry, spread: _diversity(
            f, y, r, ry, lambda rows: (rows - rows.mean(0)).square().sum(1).sqrt().mean()
        ),
        "that compares mean distances. The mean *squared* distance is asked for.",
    ),
    (
        lambda f, y, r, ry, spread: _diversity(f, y, r, ry, lambda rows: rows.square().sum(1).mean()),
        "the squares are of the features themselves. The class's mean is to be subtracted first.",
    ),
    (
        lambda f, y, r, ry, spread: _diversity(
            f, y, r, ry, lambda rows: (rows - rows.mean(0)).square().sum()
        ),
        "the squared distances are added up, not averaged: a class with more samples would count as more "
        "diverse.",
    ),
    (
        lambda f, y, r, ry, spread: (
            torch.stack([spread(a) for a, _ in _by_class(f, y, r, ry)]).mean()
            / torch.stack([spread(b) for _, b in _by_class(f, y, r, ry)]).mean()
        ),
        "that is a ratio of averages. Divide within each class, then average: a class that is narrow in the "
        "data counts as much as a wide one.",
    ),
    (
        lambda f, y, r, ry, spread: torch.stack([spread(a) for a, _ in _by_class(f, y, r, ry)]).mean(),
        "that is the spread of the samples alone. That of the *real* samples of the class is its scale.",
    ),
    (
        lambda f, y, r, ry, spread: torch.stack(
            [spread(b) / spread(a) for a, b in _by_class(f, y, r, ry)]
        ).mean(),
        "the ratio is upside down: it should be 0 where every class is one image.",
    ),
    (
        lambda f, y, r, ry, spread: _ratios(f, y, r, ry, spread).sum(),
        "that is the sum over the classes. Their mean is asked for.",
    ),
    (
        lambda f, y, r, ry, spread: torch.stack(
            [spread(a) / spread(r) for a, _ in _by_class(f, y, r, ry)]
        ).mean(),
        "each class is compared with *all* real samples. Compare it with the real ones of the same class.",
    ),
    (
        lambda f, y, r, ry, spread: _ratios(f, y, r, ry, spread).min(),
        "that is the least diverse class. The mean over the classes is asked for.",
    ),
    (
        lambda f, y, r, ry, spread: _ratios(f, y, r, ry, spread).max(),
        "that is the most diverse class. The mean over the classes is asked for.",
    ),
    (
        lambda f, y, r, ry, spread: _ratios(f, y, r, ry, spread).median(),
        "that is the median over the classes. Their mean is asked for.",
    ),
    (
        lambda f, y, r, ry, spread: _within_all(f, y, y.unique()) / _within_all(r, ry, y.unique()),
        "the classes count by how many samples they have. Divide within each class, then take the plain "
        "mean.",
    ),
    (
        lambda f, y, r, ry, spread: sum(
            len(a) / len(f) * spread(a) / spread(b) for a, b in _by_class(f, y, r, ry)
        ),
        "the classes count by how many samples they have. The plain mean over the classes is asked for.",
    ),
    (
        lambda f, y, r, ry, spread: _about(f, y, r, ry, lambda a, b: f.mean(0), lambda a, b: b.mean(0)),
        "the distances are from the mean of all generated samples. Each class has a mean of its own.",
    ),
    (
        lambda f, y, r, ry, spread: _about(f, y, r, ry, lambda a, b: f.mean(0), lambda a, b: r.mean(0)),
        "the distances are from the mean of all samples. Each class has a mean of its own.",
    ),
    (
        lambda f, y, r, ry, spread: _about(f, y, r, ry, lambda a, b: b.mean(0), lambda a, b: b.mean(0)),
        "the generated samples' distances are from the mean of the *real* ones. How varied they are is seen "
        "from their own.",
    ),
    (
        lambda f, y, r, ry, spread: _about(f, y, r, ry, lambda a, b: a.mean(), lambda a, b: b.mean()),
        "all features of a class have one number as their mean. Average over the samples, each feature by "
        "itself.",
    ),
    (
        lambda f, y, r, ry, spread: _diversity(f, y, r, ry, lambda rows: rows.var()),
        "all features of a class have one number as their mean. Average over the samples, each feature by "
        "itself.",
    ),
    (
        lambda f, y, r, ry, spread: _diversity(f, y, r, ry, lambda rows: rows.var(1).mean()),
        "that is how much the features of a sample differ from each other. How much do the samples?",
    ),
    *(
        (
            lambda f, y, r, ry, spread, correction=correction: torch.stack(
                [
                    (a.var(0, correction=correction) / b.var(0, correction=correction)).mean()
                    for a, b in _by_class(f, y, r, ry)
                ]
            ).mean(),
            "that is a ratio for each feature. The squared *distance* has all features in it: sum over them "
            "before you divide.",
        )
        for correction in (0, 1)
    ),
]


@exercise(
    "12.5",
    title="Diversity within a class",
    difficulty=2,
    minutes=12,
    hints=[
        "A mask chooses a class: `features[labels == k]`, (n_k, d).",
        "The mean squared distance from the mean is the sum of the variances of the features: "
        "`rows.var(0, correction=0).sum()`.",
        "Divide within each class, then take the mean of the ratios.",
    ],
)
def within(answer):
    name, note = "`spread_of_classes`", ""
    for classes, width, seed, all_occur in ((3, 4, 0, True), (5, 2, 1, True), (5, 2, 1, False)):
        rng = torch.Generator().manual_seed(seed)
        centres = 3 * torch.randn(classes, width, generator=rng)
        scales = 0.3 + 2 * torch.rand(classes, width, generator=rng)
        narrow = 0.2 + torch.rand(classes, 1, generator=rng)
        labels = torch.arange(classes).repeat(30)
        labels = torch.cat([labels, labels[labels == 0]])  # the classes are not equally frequent
        if not all_occur:
            labels = labels[labels != 2]  # of one there are real samples alone
        real_labels = torch.arange(classes).repeat(50).flip(0)
        features, real = (
            moved_by + centres[y] + scales[y] * factor[y] * torch.randn(len(y), width, generator=rng)
            for y, factor, moved_by in ((labels, narrow, 1.0), (real_labels, torch.ones_like(narrow), 0.0))
        )
        arguments = features, labels, real, real_labels
        try:
            result = call_unchanged(answer, *arguments, name="spread_of_classes")
        except IndexError as error:
            if "shape of the mask" in str(error):
                raise Wrong(
                    "features are chosen by the labels of others. The generated ones have `labels`, the real "
                    "ones `real_labels`."
                ) from None
            raise
        if isinstance(result, (float, torch.Tensor)) and torch.as_tensor(result).isnan().any():
            if not all_occur:
                note = (
                    " (Of a class without generated samples, yours makes NaN of all. `labels.unique()` names "
                    "those that occur.)"
                )
                continue
            raise Wrong(
                f"{name} is NaN, not a number. These labels are of {len(labels.unique())} classes; does "
                "yours look for one that has no sample? `labels.unique()` names those that there are."
            )
        found = as_tensor(result, name)
        expect_shape(found, (), message=f"{name} returns one number, the mean over the classes.")
        right, unbiased = (_diversity(*arguments, spread) for spread in (_spread, _unbiased))
        if matches(found, unbiased) and not matches(found, right):
            note = note or (
                " (Yours divides by n − 1, which estimates the spread of all that could be drawn; the mean "
                "over these samples divides by n.)"
            )
        elif not matches(found, right):
            for mistake, message in WITHIN:
                for spread in (_spread, _unbiased):
                    wrong = mistake(*arguments, spread)
                    if matches(found, wrong, tolerance=1e-5):  # of so many, some come near
                        raise Wrong(message)
            expect_varied(name)
            raise Wrong(
                "that is another number. For each class: the mean squared distance of the generated "
                "features from their mean, divided by that of the real ones; then the mean over the classes."
            )
    return f"1 for samples as varied as real ones, 0 for one image of each class.{note}"


# --- 12.6: wrong labels ------------------------------------------------------------------------------------


@exercise(
    "12.6",
    title="What do wrong labels teach?",
    difficulty=1,
    minutes=5,
    hints=[
        "A perfect G draws what the *training set* has under each label. What has it under “7”?",
        "Half of the labels were left alone. Of the other half, some are right by chance.",
    ],
)
def wrong_labels(answer):
    _expect_number(
        answer,
        0.55,
        [
            (
                0.5,
                "half of the labels were left alone. A label drawn from all ten is right now and then.",
            ),
            (0.05, "that is the share that is right by *chance*. And those that were left alone?"),
            (0.95, "only a tenth of the half is wrong by chance? A tenth of it is right by chance."),
            (0.45, "that is the share of labels that are wrong. Which share is right?"),
            (1.0, "then G would have to know which labels are wrong. Does anything in the game tell it?"),
            (
                5 / 9,
                "nearly: the new label is drawn from all *ten* classes, the old one among them.",
            ),
            (0.1, "that would be labels that say nothing at all. Half of them say the truth."),
            (0.6, "one in ten of *all* labels is right by chance? Only the half that was drawn anew can be."),
            (55.0, "in percent, that is right; answer with a fraction between 0 and 1."),
        ],
        "take all training digits labelled 7. Which share of them is a 7, when half of the labels have been "
        "drawn anew from all ten classes?",
        tolerance=4e-3,
        what="the share of samples that show the digit asked for",
    )
    return "compare with the recorded trainings in the next cell."


# --- 12.7: names for codes ---------------------------------------------------------------------------------


def _counts(codes, digits, classes: int):
    counts = torch.zeros(classes, classes, dtype=torch.long)
    counts.index_put_((codes, digits), torch.ones_like(codes), accumulate=True)
    return counts


def _greedy(counts):
    """The largest count first, then the largest of what is left."""
    counts, names = counts.clone(), torch.zeros(len(counts), dtype=torch.long)
    for _ in range(len(counts)):
        code, digit = divmod(int(counts.argmax()), len(counts))
        names[code] = digit
        counts[code], counts[:, digit] = -1, -1
    return names


def _in_turn(counts):
    """Code after code takes the digit that it likes best of those that are left."""
    left, names = counts.clone(), []
    for code in range(len(counts)):
        names.append(int(left[code].argmax()))
        left[:, names[-1]] = -1
    return torch.tensor(names)


def _random_table(classes: int, seed: int) -> list[list[int]]:
    rng = torch.Generator().manual_seed(seed)
    return torch.randint(0, 10, (classes, classes), generator=rng).tolist()


TABLES = [  # counts of (code, digit) in which greedy choices lose
    [[9, 8, 0], [9, 1, 0], [0, 2, 6]],
    [[2, 7, 5, 0], [6, 8, 1, 1], [0, 3, 9, 9], [4, 0, 8, 2]],
    [[0, 0, 3, 9, 0], [0, 7, 0, 0, 1], [5, 5, 0, 0, 0], [0, 0, 0, 8, 4], [0, 1, 6, 9, 0]],
    [[60, 50, 0], [3, 1, 0], [0, 0, 9]],  # codes of unequal frequency: shares choose otherwise
    [[5, 2, 0, 0], [6, 1, 0, 0], [0, 0, 3, 0], [0, 0, 0, 0]],  # a code that never occurs, a digit never read
    _random_table(8, seed=6),  # here exchanges of two names lose, too,
    _random_table(10, seed=1),  # and here the best of some thousand tries
]
PATIENCE = 20.0  # seconds: as long as a check of the notebook's ten digits may take


@exercise(
    "12.7",
    title="Names for nameless codes",
    difficulty=2,
    minutes=12,
    seconds=120,  # all orders of eight names take a second; on a busy machine they should be told of, too
    hints=[
        "Count first: a table with a row for each code and a column for each digit.",
        "Choosing the best digit for each code by itself may give two codes one name. Which choice of K "
        "cells, one in each row and each column, has the largest sum?",
        "`scipy.optimize.linear_sum_assignment(table, maximize=True)` finds it, and returns rows and "
        "columns.",
    ],
)
def names_of_codes(answer):
    from scipy.optimize import linear_sum_assignment

    name = "`names_of_codes`"
    for table in TABLES:
        counts = torch.tensor(table)
        classes = len(counts)
        grid = torch.cartesian_prod(torch.arange(classes), torch.arange(classes))
        pairs = grid.repeat_interleave(counts.flatten(), dim=0)
        pairs = pairs[torch.randperm(len(pairs), generator=torch.Generator().manual_seed(classes))]
        codes, digits = pairs.T
        began = time.process_time()
        result = call_unchanged(answer, codes, digits, classes, name="names_of_codes")
        took = time.process_time() - began
        if classes == 8 and took * 9 * 10 > PATIENCE:  # ten have 9 · 10 times as many orders as eight
            raise Wrong(
                f"right so far, but it takes {took:.1f} s for eight codes. Does it try all orders? Of ten "
                "there are millions, ninety times as many. Such a choice is called an *assignment*, and "
                "there is a way to find the best without trying."
            )
        found = as_tensor(result, name)
        right = torch.from_numpy(linear_sum_assignment(counts.numpy(), maximize=True)[1])
        best = counts[torch.arange(classes), right].sum()
        if found.shape == (len(codes),):
            raise Wrong("that is a name for each *sample*. Return one for each code.")
        if found.shape == () and matches(found, best / len(codes), tolerance=1e-3):
            raise Wrong("that is the share that agrees. Return the names themselves, a digit for each code.")
        if found.dim() == 1 and len(found) < classes:
            raise Wrong(
                f"that is {len(found)} names for {classes} codes. One that never occurs among the samples "
                "has a name, too: `count` says how many there are."
            )
        expect_shape(found, (classes,), f"what {name} returns")
        if not torch.equal(found, found.round()) or found.min() < 0 or found.max() >= classes:
            expect_varied(f"what {name} returns")
            raise Wrong(f"a name is a digit, a whole number from 0 to {classes - 1}.")
        names = found.long()
        if len(names.unique()) < classes:
            if torch.equal(names, counts.argmax(1)):
                raise Wrong(
                    "each code takes the digit that it shows most often, and two codes have one name. Each "
                    "digit is to be used once."
                )
            expect_varied(f"what {name} returns")
            raise Wrong("two codes have one name. Each digit is to be used once.")
        reached = counts[torch.arange(classes), names].sum()
        if reached < best:
            if torch.equal(names.argsort(), right):
                raise Wrong(
                    "that is the code of each digit. The other way round is asked for: at place c stands the "
                    "digit that code c is called."
                )
            if torch.equal(names, _greedy(counts)) or torch.equal(names, _in_turn(counts)):
                raise Wrong(
                    "each digit is used once, but the choice is greedy: who takes the best cell first may "
                    f"leave bad ones to the others. {int(reached)} of {len(codes)} samples agree, and more "
                    "could."
                )
            for axis in (0, 1):
                shares = counts / counts.sum(axis, keepdim=True).clamp(min=1)
                by_shares = linear_sum_assignment(shares.numpy(), maximize=True)[1]
                if torch.equal(names, torch.from_numpy(by_shares)):
                    raise Wrong(
                        "that is best for *shares*, as if all codes, or all digits, were equally frequent; "
                        "but they are not equally frequent. Count samples."
                    )
            least = torch.from_numpy(linear_sum_assignment(counts.numpy())[1])
            if torch.equal(names, least):
                raise Wrong("that is the *worst* naming. Which way does the assignment go by default?")
            expect_varied(f"what {name} returns")
            raise Wrong(
                f"with these names {int(reached)} of {len(codes)} samples agree, and more could. Look at the "
                "table of counts for the best choice, one cell in each row and column."
            )
        expect_like(result, dtype=torch.int64, name=f"what {name} returns")
    return "the share that agrees under the best names is a measure that knows no order of the codes."
