"""The exercises of notebook 07: reading a training, cures for mode collapse, and the clinic."""

import math

import torch

from course_utils.checks import (
    Wrong,
    as_tensor,
    call,
    call_unchanged,
    choose,
    exercise,
    expect_like,
    expect_shape,
    expect_varied,
    matches,
)
from course_utils.metrics import kl_to_uniform, sample_diversity
from course_utils.models import MinibatchStd


def _random(*shape, start: int = 0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(start))


@exercise(
    "7.1",
    title="How different are the samples?",
    difficulty=2,
    minutes=10,
    hints=[
        "First make a row of numbers of each sample, whatever its shape: `flatten(1)`.",
        "`torch.cdist(rows, rows)` holds the distance of every sample to every sample, (N, N). Which of "
        "these entries are no pair of two different samples?",
        "The diagonal is 0 and stands for no pair: divide the sum of all entries by N·(N − 1).",
    ],
)
def diversity(answer):
    alike = _random(5, 2)[[0, 1, 2, 3, 4, 0, 0]]  # three copies of one sample, as a collapsed generator has
    for start, samples in enumerate(
        (_random(7, 2), 0.3 * _random(5, 1, 4, 3, start=1) + 1, _random(2, 3), alike)
    ):
        right = sample_diversity(samples)
        found = call_unchanged(answer, samples, name="`diversity`")
        number = as_tensor(found, "the diversity")
        expect_shape(number, (), "the diversity", "one number for all samples together is asked for.")
        rows = samples.flatten(1).double()
        count = len(rows)
        distances = torch.cdist(rows, rows)
        mistakes = [
            (
                distances.mean(),
                "the mean over all N² entries: N of them are the distance of a sample to itself, which is 0. "
                "How many pairs of *different* samples are there?",
            ),
            (
                distances.square().sum() / (count * (count - 1)),
                "that is the mean of the *squared* distances; where is the root?",
            ),
            (
                (rows - rows.mean(0)).norm(dim=1).mean(),
                "that is the distance to the mean of the samples. Compare samples with each other.",
            ),
            (rows.std(0).mean(), "that is the standard deviation of each number. Take distances of samples."),
            (distances.sum(), "that is the sum over all pairs; divide by how many there are."),
            (distances.sum() / 2, "that is the sum over all pairs; divide by how many there are."),
            (
                2 * right,
                "twice as much as it should be: N·(N − 1) counts each pair twice. Does your sum, too?",
            ),
            (right / 2, "half of what it should be: does your sum count each pair once, or twice?"),
            (
                (distances.square().sum() / (count * (count - 1))).sqrt(),
                "that is the root of the mean square. Take the mean of the distances themselves.",
            ),
            (
                distances.sum() / count,
                "each sample's distances to all others are summed: divide by N − 1 as well.",
            ),
            (
                distances.sum() / (count * (count - 1)) / rows.shape[1] ** 0.5,
                "the distance is divided by the root of the number of coordinates. Leave it whole here; the "
                "data's own diversity is the scale.",
            ),
            (
                torch.cdist(rows, rows, p=1).sum() / (count * (count - 1)),
                "that adds up |xᵢ − xⱼ| over the coordinates. Take the length of the difference, ‖xᵢ − xⱼ‖.",
            ),
            *_other_spreads(samples, rows, distances),
        ]
        for mistake, message in mistakes:
            if not matches(mistake, right) and matches(number, mistake):
                raise Wrong(message)
        if samples is alike and not matches(number, right):
            raise Wrong(
                f"with three copies of a sample you find {number.item():.4g}, where it is {right:.4g}. Their "
                "pairs are 0 apart and count like all others: they are what tells of a collapse."
            )
        if start and not matches(number, right):
            expect_varied("the diversity")
            raise Wrong(
                f"right for points of the plane, but {count} samples of shape {tuple(samples.shape[1:])} "
                f"have {right:.4g}, and you find {number.item():.4g}."
            )
        if not matches(number, right):
            expect_varied("the diversity")
            if number == number.round():
                raise Wrong("the diversity is a whole number: is it rounded, or cut off, at the end?")
            raise Wrong(
                f"for {count} points of the plane you find {number.item():.4g}, and the mean distance of two "
                f"different ones is {right:.4g}."
            )
    return "0 for a generator that always draws the same; what it should be, only the data can say."


def _other_spreads(samples, rows, distances):
    """What says something of how samples differ, and is not their mean distance: (value, message)."""
    count = len(rows)
    others = distances[~torch.eye(count, dtype=torch.bool)].reshape(count, count - 1)
    in_lines = torch.cdist(samples.double(), samples.double())  # of images: between lines of pixels
    return [
        (others.median(), "that is the *median* distance. Take the mean."),
        (others.max(), "that is the largest distance of all. Take the mean over all pairs."),
        (others.min(), "that is the smallest distance of all. Take the mean over all pairs."),
        (others.amin(1).mean(), "that looks at each sample's nearest neighbour only. Take all pairs."),
        (others.amax(1).mean(), "that looks at each sample's farthest neighbour only. Take all pairs."),
        (others[0].mean(), "that compares the first sample with the others. Take all pairs."),
        (
            (rows[1:] - rows[:-1]).norm(dim=1).mean(),
            "that compares each sample with the next one in the list. Take all pairs.",
        ),
        (rows.norm(dim=1).mean(), "that is the distance from 0. Compare samples with each other."),
        (rows.var(0).mean(), "that is the variance of each number. Take distances of samples."),
        (rows.std(), "that is the spread of all numbers. Take distances of samples."),
        (rows.var(), "that is the variance of all numbers. Take distances of samples."),
        (
            torch.pdist(rows.T.contiguous()).mean(),
            "that compares the *coordinates* with each other: a sample is a row, not a column.",
        ),
        (
            (rows[:, None] - rows).abs().mean() * count / (count - 1),
            "that averages |xᵢ − xⱼ| over the coordinates. Take the length of the difference, ‖xᵢ − xⱼ‖.",
        ),
        (
            distances.square().sum() / (count * (count - 1)) / rows.shape[1],
            "that is the mean squared difference of single numbers. Take the length of the difference.",
        ),
        (distances.sum() / (count**2 - 1), "divided by N² − 1: of how many pairs is each sample a part?"),
        (
            distances.sum() / count**2 / 2,
            "each pair counts once in your sum: divide by N·(N − 1)/2, not by N².",
        ),
        (
            in_lines.sum() / (count * (count - 1)),
            "of images those are distances between *lines* of pixels. First make one row of each sample.",
        ),
        (
            in_lines.mean(),
            "of images those are distances between *lines* of pixels. First make one row of each sample.",
        ),
    ]


@exercise(
    "7.2",
    title="Predict which gradient vanishes",
    difficulty=1,
    minutes=4,
    hints=[
        "Which samples does each of the two losses listen to most, those that D believes or those that D "
        "rejects?",
        "In terms of a logit, the slopes are −D(G(z)) for minimax and −(1 − D(G(z))) for non-saturating.",
    ],
)
def which_gradient(answer):
    choose(
        answer,
        right="c",
        wrong={
            "a": "the two losses weigh a rejected sample differently: by D(G(z)) the one, by 1 − D(G(z)) the "
            "other. Where D is sure, what are these two numbers?",
            "b": "it is the other way round: look at the two weights where D(G(z)) is nearly 0.",
            "d": "a D that is always right does not by itself silence G. What does each loss make of a "
            "D(G(z)) near 0?",
        },
    )
    return "run the next cell, and compare the third panels."


@exercise(
    "7.3",
    title="Read a dashboard and decide",
    difficulty=2,
    minutes=6,
    hints=[
        "Go through the panels one by one, and note which of them look as in the healthy run.",
        "Look at the last row: have the samples the right *shape*? What is wrong with them, then, and which "
        "part of D could be blind to exactly that?",
        "Batch normalisation subtracts the mean of a batch and divides by its standard deviation. D sees one "
        "batch of data, and another one of fakes.",
    ],
)
def decide(answer):
    choose(
        answer,
        right="d",
        wrong={
            "a": "it has stood still for most of the run: the size of the ring hardly changes, though both "
            "gradients are alive. More of the same will not change it.",
            "b": "collapsed samples sit in few places. These form a ring, in all directions. What is wrong?",
            "c": "a D that is too strong is nearly always right. This one is right about half of the time.",
        },
    )
    return "D divides each batch by its own spread, so that a ring of any size looks the same to it."


@exercise(
    "7.4",
    title="Minibatch standard deviation",
    difficulty=3,
    minutes=25,
    hints=[
        "Make groups first: `features.unflatten(0, (-1, group))` has shape (N / group, group, C, H, W).",
        "`groups.var(dim=1, correction=0)` is the variance of each feature over its group; add ε, take the "
        "root, and average over everything but the groups.",
        "One number for each sample again: `repeat_interleave(group)`, `reshape(N, 1, 1, 1)`, `expand` to "
        "the size of the maps, and `torch.cat([features, spread], dim=1)`.",
    ],
)
def minibatch_std(answer):
    cases = [
        (_random(8, 3, 4, 4), 4),
        (_random(12, 3, 4, 4, start=2), 2),
        (_random(6, 2, 3, 5, start=1) * 2 + 1, 3),
        (_random(4, 5, 1, 1), 2),
    ]
    for features, group in cases:
        try:
            _check_spread(answer, features, group)
        except RuntimeError as error:
            if "must match except in dimension 1" in str(error):
                raise Wrong(
                    f"the new channel does not fit to maps of {features.shape[2]}×{features.shape[3]}: take "
                    "its size from the features."
                ) from error
            if "multiply up to" in str(error) or "is invalid for input of size" in str(error):
                raise Wrong(
                    f"{len(features)} samples do not go into your groups. Here `group` is {group}: is "
                    "another size of group, or of the batch, written into your function?"
                ) from error
            raise
    alike, features = torch.ones(4, 2, 3, 3), _random(4, 2, 3, 3)
    slope = _slope_of_the_spread(answer, features)
    if slope is None or not slope.any():
        raise Wrong(
            "the spread is cut off from the features, so that it tells the generator nothing: leave out "
            "`detach` and `no_grad`, and let its slope flow back to every sample."
        )
    slope = _slope_of_the_spread(answer, alike)  # `std` has the slope 0 there, `var` and a root have none
    if slope is not None and not slope.isfinite().all():
        raise Wrong(
            "right, but where all samples of a group are the same the slope is not finite: √ has an infinite "
            "slope at 0. What can you add under the root?"
        )
    return "one number, and a collapsed generator can no longer hide."


def _slope_of_the_spread(answer, features):
    """∂(sum of the new channel) / ∂features. The features are handed over as they are, not as a copy."""
    features = features.requires_grad_()
    found = call(lambda group: answer(features, group), 2, name="`minibatch_std`")
    expect_like(found, dtype=features.dtype, requires_grad=True, name="the result")
    return torch.autograd.grad(found[:, -1].sum(), features, allow_unused=True)[0]


def _check_spread(answer, features, group):
    count, channels, height, width = features.shape
    right = MinibatchStd(group)(features)
    result = call_unchanged(answer, features, group, name="`minibatch_std`")
    found = as_tensor(result, "the result")
    if tuple(found.shape) == (count, 1, height, width):
        raise Wrong("that is the new channel alone. Append it to the features: `torch.cat`, on which axis?")
    expect_shape(
        found,
        (count, channels + 1, height, width),
        "the result",
        f"the result has shape {tuple(found.shape)}; of features {tuple(features.shape)} it should be "
        f"{(count, channels + 1, height, width)}: one channel more.",
    )
    if not matches(found[:, :channels], features):
        if matches(found[:, 1:], features):
            raise Wrong("the new channel comes first; append it, as the last one.")
        expect_varied("the result")
        raise Wrong("the features themselves have changed: they pass as they are, and the spread comes last.")
    spread = found[:, -1]
    groups = features.double().unflatten(0, (-1, group))
    whole = features.double()

    def of(each_group):
        return each_group.repeat_interleave(group)[:, None, None].expand(count, height, width)

    variance = groups.var(dim=1, correction=0)
    ungrouped = whole.var(dim=0, correction=0).sqrt().mean().expand(count, height, width)
    strided = whole.reshape(group, -1, channels, height, width).var(dim=0, correction=0).sqrt()
    mistakes = [
        (of(groups.std(dim=1).flatten(1).mean(1)), "the variance is divided by group − 1; take the plain "
         "mean of the squared deviations (`correction=0`)."),
        (of(variance.flatten(1).mean(1)), "that is the mean of the variances; the root is missing."),
        (of(variance.flatten(1).mean(1).sqrt()), "first the root of each variance, then the mean. You "
         "averaged under the root."),
        (ungrouped, "that is the spread over the whole batch: take groups of `group` neighbours."),
        (of(variance.sqrt().flatten(1).sum(1)), "the standard deviations are summed; average them."),
        (strided.flatten(1).mean(1).repeat(group)[:, None, None].expand(count, height, width),
         "your groups hold samples that are far apart in the batch; here a group is `group` neighbours."),
        (of(strided.flatten(1).mean(1)),
         "your groups hold samples that are far apart in the batch; here a group is `group` neighbours."),
        (variance.sqrt().flatten(1).mean(1).repeat(group)[:, None, None].expand(count, height, width),
         "the numbers are right, and go to the wrong samples: `repeat` deals them out in turns. A group's "
         "number belongs to its own neighbours."),
        (variance.sqrt().mean(1).repeat_interleave(group, 0), "averaged over the channels only, so that "
         "every place has its own value. Average over the places, too: one number for each group."),
        (whole.flatten(1).std(dim=1, correction=0)[:, None, None].expand(count, height, width),
         "that is the spread *within* each sample, over its own numbers. Compare samples with each other."),
        (whole.flatten(1).std(dim=1)[:, None, None].expand(count, height, width),
         "that is the spread *within* each sample, over its own numbers. Compare samples with each other."),
        (of(groups.flatten(2).var(dim=2, correction=0).mean(1).sqrt()), "that is the spread *within* each "
         "sample, averaged over the group. Compare samples with each other."),
        *((of(groups.flatten(2).std(dim=2, correction=less).mean(1)), "that is the spread *within* each "
           "sample, averaged over the group. Compare samples with each other.") for less in (0, 1)),
        *((of(groups.mean(axes).flatten(2).var(dim=1, correction=less).sqrt().mean(1)), "each sample's "
           "features are averaged first, so that samples that differ only in *where* their strokes lie look "
           "alike. First the spread of each feature, then the mean.")
          for axes in ((3, 4), (2,)) for less in (0, 1)),
        *((of(groups.flatten(2).mean(2).var(dim=1, correction=less).sqrt()), "each sample's features are "
        "averaged "
           "first, so that samples that differ only in *where* their strokes lie look alike. First the "
           "spread "
           "of each feature, then the mean.") for less in (0, 1)),
        (of(variance.sqrt().flatten(1).median(1).values), "that is the *median* of the standard deviations. "
         "Average them."),
        (of(variance.sqrt().flatten(1).amin(1)), "that is the *smallest* standard deviation. Average them."),
        (of((groups.amax(1) - groups.amin(1)).flatten(1).mean(1)), "that is the *range* of each feature, "
         "largest minus smallest. The standard deviation is the root of the mean square deviation."),
        (of(variance.sqrt().flatten(1).mean(1)).mean().expand(count, height, width), "the groups' numbers "
         "are "
         "averaged over the batch. Each group keeps its own."),
        ((whole - groups.mean(1).repeat_interleave(group, 0)).abs().flatten(1).mean(1)[:, None, None]
         .expand(count, height, width), "each sample gets its own distance from the group's mean. One number "
         "for the group, the same for all of its samples."),
        (of(groups.flatten(1).std(dim=1, correction=0)), "that is one spread of *all* numbers of a group. "
         "Take that of each feature over the samples first, then the mean."),
        (of((groups - groups.mean(1, keepdim=True)).abs().flatten(1).mean(1)), "that is the mean *absolute* "
         "deviation. Square, average over the group, take the root."),
        (of(groups.abs().flatten(1).mean(1)), "that is the mean size of the features. How far are they from "
         "their mean over the group?"),
        (of(groups.mean(1).flatten(1).mean(1)), "that is the mean of the features. How far are they from "
         "it?"),
        (of(variance.sqrt().flatten(1).amax(1)), "that is the *largest* standard deviation. Average them."),
        (of((group * variance).sqrt().flatten(1).mean(1)), "the squared deviations are summed over the "
         "group; average them before the root."),
        (of((groups - groups.mean(1, keepdim=True)).flatten(1).mean(1)), "the deviations are averaged "
         "without a square, and cancel: the new channel is 0."),
        (whole.reshape(group, -1, *features.shape[1:]).var(dim=1, correction=0).sqrt().flatten(1).mean(1)
         .repeat_interleave(count // group)[:, None, None].expand(count, height, width), "there are `group` "
         "groups, of N / `group` samples each; a group should *hold* `group` samples."),
        (_spread_of_groups(whole, 4 if count % 4 == 0 else group), "your groups have 4 samples, whatever "
         "`group` is."),
    ]  # fmt: skip
    for mistake, message in mistakes:
        if not matches(mistake, right[:, -1]) and matches(spread, mistake):
            raise Wrong(message)
    if not matches(spread, right[:, -1], tolerance=2e-4):
        expect_varied("the new channel")
        _expect_small_epsilon(spread, variance, of)
        wanted = right[:, -1].double()
        _tell_by_few_samples(answer)
        worst = int((spread - wanted).abs().flatten(1).amax(1).argmax())
        got = spread[worst].flatten()[(spread - wanted)[worst].abs().flatten().argmax()].item()
        raise Wrong(
            f"the new channel is {got:.4g} for the sample with index {worst}, where the mean standard "
            f"deviation in its group of {group} is {wanted[worst, 0, 0].item():.4g}. Over which axis is the "
            "variance, over which ones the mean, and which samples get its number?"
        )


def _tell_by_few_samples(answer):
    """Raise Wrong: the first of a few simple batches that gets another number."""
    for rows, group, right, why in (
        ([[0.0], [2.0]], 2, [1.0, 1.0], "one feature, with the values 0 and 2, and a deviation of 1 each"),
        ([[0.0, 0.0], [2.0, 6.0]], 2, [2.0, 2.0], "the deviations of two features, 1 and 3, are averaged"),
        (
            [[0.0], [2.0], [9.0], [9.0]],
            2,
            [1.0, 1.0, 0.0, 0.0],
            "the first two are a group, the last two another",
        ),
        (
            [[0.0], [0.0], [0.0], [4.0]],
            4,
            [3**0.5] * 4,
            "a mean of 1, so squares of 1, 1, 1 and 9, whose mean is 3",
        ),
    ):
        try:
            found = answer(torch.tensor(rows)[:, :, None, None], group)[:, -1].flatten().tolist()
        except Exception:  # an answer may fail on a batch so small
            return
        if not matches(found, right, tolerance=1e-3):
            numbers, wanted = (", ".join(f"{one:.3g}" for one in side) for side in (found, right))
            raise Wrong(
                f"of the samples {rows}, in groups of {group}, the new channel should be {wanted}: {why}. "
                "Yours is "
                f"{numbers}."
            )


def _spread_of_groups(features, group):
    """The new channel, (N, H, W), for groups of any size."""
    count, _, height, width = features.shape
    spread = features.unflatten(0, (-1, group)).var(dim=1, correction=0).sqrt().flatten(1).mean(1)
    return spread.repeat_interleave(group)[:, None, None].expand(count, height, width)


def _expect_small_epsilon(spread, variance, of):
    """Raise Wrong where the spread would be right with an ε that is too large."""
    for epsilon in 10.0 ** torch.arange(-6, 1):
        inside = of((variance + epsilon).sqrt().flatten(1).mean(1))
        outside = of(variance.sqrt().flatten(1).mean(1) + epsilon)
        if matches(spread, inside) or matches(spread, outside):
            raise Wrong(f"your ε is {epsilon:.0e}, and changes the number itself; 1e-8 does not show.")
        if matches(spread, of(variance.clamp(min=epsilon).sqrt().flatten(1).mean(1))) or matches(
            spread, of(variance.sqrt().clamp(min=epsilon).flatten(1).mean(1))
        ):
            raise Wrong(
                f"spreads are cut off from below, at about {epsilon:.0e}: a collapse is where they are "
                "small. Add a small ε under the root in place of it."
            )


@exercise(
    "7.5",
    title="Modes and their balance",
    difficulty=2,
    minutes=12,
    hints=[
        "One number from three digits: 100·a + 10·b + c. Then `torch.bincount(codes, minlength=1000)`.",
        "With the fractions f = counts / N, log(1000·f) compares each with the fair 1/1000.",
        "0·log 0 is 0, not NaN: leave out the empty modes, or use `torch.special.xlogy`.",
    ],
)
def modes_and_kl(answer):
    rng = torch.Generator().manual_seed(0)
    skewed = torch.tensor([[1, 2, 3], [1, 2, 3], [3, 2, 1], [0, 0, 7]])
    for digits in (torch.randint(10, (3_000, 3), generator=rng), skewed, torch.full((5, 3), 9)):
        codes = digits @ torch.tensor([100, 10, 1])
        counts = torch.bincount(codes, minlength=1000)
        covered, kl = int((counts > 0).sum()), kl_to_uniform(counts)
        found = call_unchanged(answer, digits, name="`modes_and_kl`")
        if not isinstance(found, (tuple, list)) or len(found) != 2:
            raise Wrong("return two things: how many modes are covered, and the KL divergence.")
        number, divergence = as_tensor(found[0], "the count"), as_tensor(found[1], "the divergence")
        expect_shape(number, (), "the count")
        expect_shape(divergence, (), "the divergence")
        if matches(number, kl) and matches(divergence, covered):
            raise Wrong("the two are in the wrong order: first the count of modes, then the divergence.")
        if number == 1000 and covered < 1000 and _covers_all(answer):
            raise Wrong(
                "of five images you count 1,000 modes: is a small number added to the counts, lest a "
                "logarithm be of 0? Then nothing is ever missing. A missing mode has the term 0."
            )
        sums = len(digits.sum(1).unique())
        unordered = len((digits.sort(dim=1).values @ torch.tensor([100, 10, 1])).unique())
        for mistake, message in (
            (len(digits), "that is the number of images. Several of them may show the same three digits."),
            (sums, "1 + 2 + 3 and 3 + 2 + 1 have the same sum, and are two modes: the order counts."),
            (unordered, "123 and 321 are two modes: the order of the channels counts."),
            *(
                (
                    how(channels),
                    "each channel is counted by itself, as if all combinations of its digits "
                    "occurred. A mode is a number of *three* digits that come together.",
                )
                for channels in ([len(channel.unique()) for channel in digits.T],)
                for how in (math.prod, sum, max, min)
            ),
            *(
                (
                    len((codes % bits).unique()),
                    f"numbers of {bits} and more wrap round: a type of few bits, "
                    "such "
                    "as `uint8`, is too small for 1,000 modes. Take `long`.",
                )
                for bits in (128, 256, 512)
            ),
            (
                len((100 * digits[:, 0].byte() + 10 * digits[:, 1].byte() + digits[:, 2].byte()).unique()),
                "numbers beyond 255 wrap round: bytes are too small for 1,000 modes. Take `long`.",
            ),
            (covered - 1, "one mode is missing: is 000 left out, or the last one?"),
            (covered + 1, "one mode too many."),
            (
                int((torch.bincount(codes, minlength=1000) > counts.float().mean()).sum()),
                "a mode counts from its first image on.",
            ),
            (covered / 1000, "that is a fraction of the modes; return how many there are."),
            (1000 - covered, "that is how many modes are *missing*."),
            (int(counts.max()), "that is how many images the largest mode has. How many modes are there?"),
            (int((counts > 1).sum()), "a mode counts from its first image on."),
            (int((counts >= 3).sum()), "a mode counts from its first image on."),
            (len(digits.unique()), "that is how many *digits* occur. A mode is a number of three digits."),
            *(
                (
                    len((digits @ code).unique()),
                    "different triples get the same number from you, such as 1, 2, 3 "
                    "and another one. In which base do three digits make one number?",
                )
                for code in torch.tensor([[10, 1, 1], [1, 10, 1], [81, 9, 1], [10, 10, 1], [1, 2, 3]])
            ),
            *(
                (
                    len(digits[:, pair].unique(dim=0)),
                    "one of the three channels does not count in your number.",
                )
                for pair in ([0, 1], [0, 2], [1, 2])
            ),
        ):
            if not matches(mistake, covered) and matches(number, mistake):
                raise Wrong(message)
        if not matches(number, covered):
            expect_varied("the pair")
            raise Wrong(f"{len(digits):,} images cover {covered} modes, and you count {number.item():g}.")
        fractions = counts[counts > 0].double() / len(digits)
        entropy = -(fractions * fractions.log()).sum()
        there = torch.tensor(float(covered)).log()
        reverse = (1 / (1000 * fractions)).log().sum() / 1000
        for mistake, message in (
            (entropy, "that is the entropy of the frequencies, largest for a perfect generator. How far is "
             "it from the largest possible, log 1000?"),
            (kl / 1000, "that is the mean over the modes; a divergence is the sum."),
            (_sum_of_channels(digits), "that is the sum of the three channels' own divergences. Two digits "
             "that always come together would not be noticed: take the 1,000 modes."),
            (-kl, "the sign is turned: a divergence is never negative."),
            (kl / torch.tensor(2.0).log(), "that is in bits; take the natural logarithm."),
            (there - entropy, "that compares with the modes that are *there*; a missing mode has to count. "
             "Compare with all 1,000."),
            (reverse, "that is KL(uniform ‖ f), infinite where a mode is missing. Take KL(f ‖ uniform)."),
            *_other_divergences(counts),
        ):  # fmt: skip
            if not matches(mistake, kl) and matches(divergence, mistake):
                raise Wrong(message)
        if not matches(divergence, kl):
            expect_varied("the pair")
            raise Wrong(
                f"the count is right, but KL(f ‖ uniform) of these {len(digits):,} images is {kl:.4g}; you "
                f"find {divergence.item():.4g}."
            )
    return "log 1000 = 6.9 is the worst: all images in one mode."


def _covers_all(answer) -> bool:
    """Whether all modes are there for the answer, though a single one is."""
    number, _ = answer(torch.full((5, 3), 9))
    return matches(number, 1000)


def _other_divergences(counts):
    """What is not KL(f ‖ u): (value, message)."""
    f, u = counts.double() / counts.sum(), torch.full((1000,), 1e-3).double()
    kl = torch.special.xlogy(f, f / u).sum()
    upto = counts.nonzero().max() + 1  # what `bincount` gives without `minlength`
    middle = (f + u) / 2
    smoothed = [(f + epsilon, (f + epsilon) / (f + epsilon).sum()) for epsilon in (1e-3, 1e-4, 1e-5, 1e-6)]
    smoothing = (
        "is a small number added to the fractions, lest a logarithm be of 0? It moves the result. A "
        "missing mode has the term 0."
    )
    reverse = "that is KL(uniform ‖ f), infinite where a mode is missing, with a small number in its place."
    return [
        *(
            (
                torch.special.xlogy(f, modes * f).sum(),
                f"there are 1,000 modes, from 000 to 999; yours are {modes:,}.",
            )
            for modes in (999, 1_001, 900, 100, 720)
        ),
        *((torch.special.xlogy(one, one / u).sum(), smoothing) for pair in smoothed for one in pair),
        *((torch.special.xlogy(f, (f + e) / u).sum(), smoothing) for e in (1e-3, 1e-4, 1e-5, 1e-6)),
        *((torch.special.xlogy(f, f / u + e).sum(), smoothing) for e in (1e-1, 1e-2, 1e-3, 1e-4)),
        *(
            (torch.special.xlogy(u, u / (f + e)).sum(), reverse)
            for e in 10.0 ** -torch.arange(3, 15).double()
        ),
        *(
            (torch.special.xlogy(one, one / u).sum(), smoothing)
            for one in ((counts + more).double() / (counts + more).sum() for more in (1, 0.5, 0.1, 0.01))
        ),
        ((1000 * f.max()).log(), "that looks at the largest mode alone. All fractions have a term."),
        (
            torch.special.xlogy(counts / 3000, counts / 3).sum(),
            "the counts are divided by 3,000, however many images there are.",
        ),
        (torch.special.xlogy(f, f).sum(), "that compares with nothing: Σ f log f. What has become of u?"),
        (kl / torch.tensor(10.0).log(), "that is with the logarithm to base 10; take the natural one."),
        (kl / 2, "half of it: is that the divergence to a mixture? KL(f ‖ u) is asked for."),
        (2 * kl, "twice what it should be."),
        (
            (torch.special.xlogy(f, f / middle) + torch.special.xlogy(u, u / middle)).sum() / 2,
            "that is the Jensen–Shannon divergence. KL(f ‖ u) is asked for.",
        ),
        ((f - u).abs().sum() / 2, "that is the total variation. KL(f ‖ u) is asked for."),
        ((f - u).abs().sum(), "that adds up |f − u|. KL(f ‖ u) is asked for."),
        ((f - u).square().sum(), "that adds up squares, (f − u)². KL(f ‖ u) is asked for."),
        (((f - u).square() / u).sum(), "that is the χ² divergence. KL(f ‖ u) is asked for."),
        (
            torch.special.xlogy(counts.double(), counts / u).sum(),
            "those are counts. Divide by the number of images: fractions add up to 1.",
        ),
        (
            torch.special.xlogy(f, counts / u).sum(),
            "inside the logarithm stand counts. Divide by the number of images: fractions add up to 1.",
        ),
        (
            torch.special.xlogy(counts / counts.max(), counts / counts.max() / u).sum(),
            "the counts are divided by the largest of them. Divide by their sum: fractions add up to 1.",
        ),
        (
            torch.special.xlogy(f, upto * f).sum(),
            "the modes beyond the largest that occurs are left out: `bincount` needs `minlength=1000`.",
        ),
    ]


def _sum_of_channels(digits):
    return sum(kl_to_uniform(torch.bincount(channel, minlength=10)) for channel in digits.T)


# --- the clinic --------------------------------------------------------------------------------------------

import course_utils.exercises.clinic.exercises  # noqa: E402, F401  declares one for each patient
