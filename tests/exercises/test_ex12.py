"""The checkers of notebook 12: right answers pass in any form, each typical mistake gets its own message."""

import copy

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from torch import nn
from torch.nn import functional as F

from course_utils.checks import run_check
from course_utils.metrics import diversity_within
from course_utils.models import ProjectionDiscriminator, spectrally_normalised
from course_utils.theory import split_logit


def stub(*_arguments):
    raise NotImplementedError("your code here")


# --- 12.1: p and q, tables of log p(x, y) ---


def by_hand(p, q):
    log_p, log_q = (torch.logsumexp(table, dim=-1) for table in (p, q))
    return log_p - log_q, (p - log_p[:, None]) - (q - log_q[:, None])


def by_shifting(p, q):
    """The same without torch's function: the largest number is taken out before the exponential."""

    def total(table):
        top = table.max(1, keepdim=True).values
        return top + (table - top).exp().sum(1, keepdim=True).log()

    first = total(p) - total(q)
    return first[:, 0], (p - q) - first


def without_logarithms(p, q):
    one, other = p.exp().sum(1), q.exp().sum(1)
    return (one / other).log(), (p.exp() / one[:, None]).log() - (q.exp() / other[:, None]).log()


def first_part(change):
    return lambda p, q: (change(p, q), split_logit(p, q)[1])


def second_part(change):
    return lambda p, q: (split_logit(p, q)[0], change(p, q))


def questions_in_place(p, q):
    result = split_logit(p.clone(), q.clone())
    p -= p.logsumexp(1, keepdim=True)
    return result


def with_totals(total):
    """Both parts from p(x) as `total` works it out."""

    def answer(p, q):
        log_p, log_q = total(p), total(q)
        return log_p - log_q, (p - log_p[:, None]) - (q - log_q[:, None])

    return answer


def without_infinities(p, q):
    return tuple(part.nan_to_num(0, 0, 0) for part in without_logarithms(p, q))


# --- 12.3: f features, w width, k classes ---


class WithTable(nn.Module):
    def __init__(self, features, width, classes):
        super().__init__()
        self.features, self.real = features, nn.Linear(width, 1)
        self.table = nn.Embedding(classes, width)

    def forward(self, samples, labels):
        h = self.features(samples)
        return self.logit(h, labels)

    def logit(self, h, labels):
        return self.real(h).squeeze(1) + (self.table(labels) * h).sum(1)


class WithParameter(nn.Module):
    """Other layers for the same: a parameter, einsum, vectors that begin at 0."""

    def __init__(self, features, width, classes):
        super().__init__()
        self.phi = features
        self.w, self.b = nn.Parameter(torch.randn(width)), nn.Parameter(torch.zeros(()))
        self.v = nn.Parameter(torch.zeros(classes, width))

    def forward(self, x, y):
        phi = self.phi(x)
        return phi @ self.w + self.b + torch.einsum("nd,nd->n", self.v[y], phi)


class WithGather(WithTable):
    """All labels' products, of which one is taken; and a constant for each label, which does no harm."""

    def __init__(self, features, width, classes):
        super().__init__(features, width, classes)
        self.table = nn.Linear(width, classes)

    def logit(self, h, labels):
        return self.real(h).flatten() + self.table(h).gather(1, labels[:, None])[:, 0]


class WithNorm(WithTable):
    def __init__(self, features, width, classes):
        super().__init__(features, width, classes)
        spectrally_normalised(self.real)


class WithMarks(WithTable):
    """The samples' places are made with `arange`, on the labels' device."""

    def __init__(self, features, width, classes):
        super().__init__(features, width, classes)
        self.table = nn.Linear(width, classes, bias=False)

    def logit(self, h, labels):
        rows = torch.arange(len(labels), device=labels.device)
        return self.real(h).flatten() + self.table(h)[rows, labels]


class TwoLooks(WithTable):
    def forward(self, samples, labels):
        return self.real(self.features(samples)).flatten() + (
            self.table(labels) * self.features(samples)
        ).sum(1)


def logit(change, base=WithTable):
    """A discriminator whose logit is change(self, h, labels)."""

    class Changed(base):
        def logit(self, h, labels):
            return change(self, h, labels)

    return Changed


def right_logit(self, h, labels):
    return WithTable.logit(self, h, labels)


class NoBias(WithTable):
    def __init__(self, features, width, classes):
        super().__init__(features, width, classes)
        self.real = nn.Linear(width, 1, bias=False)


class Padded(WithTable):
    def __init__(self, features, width, classes):
        super().__init__(features, width, classes)
        self.table = nn.Embedding(classes, width, padding_idx=0)


class Sparse(WithTable):
    def __init__(self, features, width, classes):
        super().__init__(features, width, classes)
        self.table = nn.Embedding(classes, width, sparse=True)


class WithDropout(WithTable):
    def __init__(self, features, width, classes):
        super().__init__(features, width, classes)
        self.drop = nn.Dropout(0.3)

    def logit(self, h, labels):
        return super().logit(self.drop(h), labels)


class WithBatchNorm(WithTable):
    def __init__(self, features, width, classes):
        super().__init__(features, width, classes)
        self.norm = nn.BatchNorm1d(width)

    def logit(self, h, labels):
        return super().logit(self.norm(h), labels)


class ChangesSamples(WithTable):
    def forward(self, samples, labels):
        samples += 1
        return super().forward(samples, labels)


class BiasOnly(WithTable):
    def __init__(self, features, width, classes):
        super().__init__(features, width, classes)
        self.table = nn.Embedding(classes, 1)

    def logit(self, h, labels):
        return (self.real(h) + self.table(labels)).flatten()


class ConcatenatedAtTheEnd(WithTable):
    def __init__(self, features, width, classes):
        super().__init__(features, width, classes)
        self.classes, self.last = classes, nn.Linear(width + classes, 1)

    def logit(self, h, labels):
        return self.last(torch.cat([h, F.one_hot(labels, self.classes).to(h)], 1)).flatten()


class MoreLayers(ConcatenatedAtTheEnd):
    def __init__(self, features, width, classes):
        super().__init__(features, width, classes)
        self.last = nn.Sequential(nn.Linear(width + classes, 8), nn.Tanh(), nn.Linear(8, 1))


class NoShared(WithTable):
    def __init__(self, features, width, classes):
        super().__init__(features, width, classes)
        self.every = nn.Linear(width, classes)

    def logit(self, h, labels):
        return self.every(h).gather(1, labels[:, None])[:, 0]


class TenClasses(WithTable):
    def __init__(self, features, width, classes):
        super().__init__(features, width, 10)


class FixedVectors(WithTable):
    def __init__(self, features, width, classes):
        super().__init__(features, width, classes)
        del self.table
        self.register_buffer("vectors", torch.randn(classes, width))

    def logit(self, h, labels):
        return self.real(h).flatten() + (self.vectors[labels] * h).sum(1)


class CopyOfFeatures(WithTable):
    def __init__(self, features, width, classes):
        super().__init__(copy.deepcopy(features), width, classes)


class FreshFeatures(WithTable):
    def __init__(self, features, width, classes):
        super().__init__(features, width, classes)
        for weight in features.parameters():
            nn.init.normal_(weight)


class CutOff(WithTable):
    def forward(self, samples, labels):
        return self.logit(self.features(samples).detach(), labels)


class NoHistory(WithTable):
    def forward(self, samples, labels):
        with torch.no_grad():
            return super().forward(samples, labels)


class PixelsOnly(nn.Module):
    def __init__(self, features, width, classes):
        super().__init__()
        self.features, self.real, self.table = features, nn.LazyLinear(1), nn.Embedding(classes, width)
        self.real = nn.Linear(4 if width == 3 else 18, 1)

    def forward(self, samples, labels):
        return self.real(samples.flatten(1)).flatten()


class Frozen(WithTable):
    def __init__(self, features, width, classes):
        super().__init__(features, width, classes)
        self.table.requires_grad_(False)


class InEvaluation(WithTable):
    def __init__(self, features, width, classes):
        super().__init__(features, width, classes)
        self.eval()


# --- 12.5: f features, y labels, r real, ry their labels ---


def ratios(spread, total=torch.mean):
    def answer(f, y, r, ry):
        classes = sorted(set(y.tolist()))
        return total(torch.stack([spread(f[y == one]) / spread(r[ry == one]) for one in classes]))

    return answer


def population(rows):
    return (rows - rows.mean(0)).square().sum(1).mean()


def sample_variance(rows):
    return rows.var(0).sum()


def within_numpy(f, y, r, ry):
    f, y, r, ry = (part.numpy() for part in (f, y, r, ry))
    return np.mean([f[y == one].var(0).sum() / r[ry == one].var(0).sum() for one in np.unique(y)])


def within_in_place(f, y, r, ry):
    result = ratios(population)(f, y, r, ry)
    f -= f.mean(0)
    return result


def about(centre):
    """The generated features' distances from another point than their class's mean."""

    def answer(f, y, r, ry):
        return torch.stack(
            [
                (f[y == k] - centre(f, r[ry == k])).square().sum(1).mean() / population(r[ry == k])
                for k in y.unique()
            ]
        ).mean()

    return answer


def about_the_mean_of_all(f, y, r, ry):
    def spread(rows, centre):
        return (rows - centre).square().sum(1).mean()

    return torch.stack(
        [spread(f[y == k], f.mean(0)) / spread(r[ry == k], r.mean(0)) for k in y.unique()]
    ).mean()


def pooled(f, y, r, ry):
    def inside(rows, labels):
        return sum((rows[labels == k] - rows[labels == k].mean(0)).square().sum() for k in y.unique()) / len(
            rows
        )

    return inside(f, y) / inside(r[torch.isin(ry, y)], ry[torch.isin(ry, y)])


def by_frequency(f, y, r, ry):
    return sum((y == k).float().mean() * population(f[y == k]) / population(r[ry == k]) for k in y.unique())


def over(classes):
    return lambda f, y, r, ry: torch.stack(
        [population(f[y == k]) / population(r[ry == k]) for k in classes(y, ry)]
    ).mean()


# --- 12.7: c codes, d digits, k how many ---


def counted(c, d, k):
    return torch.bincount(c * k + d, minlength=k * k).reshape(k, k)


def assignment(c, d, k):
    _, columns = linear_sum_assignment(counted(c, d, k), maximize=True)
    return torch.tensor(columns)


def by_cost(c, d, k):
    table = np.zeros((k, k))
    np.add.at(table, (c.numpy(), d.numpy()), 1)
    rows, columns = linear_sum_assignment(-table)
    names = torch.zeros(k, dtype=torch.long)
    names[torch.as_tensor(rows)] = torch.as_tensor(columns)
    return names


def by_all_orders(c, d, k):
    from itertools import permutations

    table = counted(c, d, k)
    return torch.tensor(
        max(permutations(range(k)), key=lambda one: sum(table[i, j] for i, j in enumerate(one)))
    )


def in_turn(c, d, k):
    table, names = counted(c, d, k), []
    for code in range(k):
        names.append(int(table[code].argmax()))
        table[:, names[-1]] = -1
    return torch.tensor(names)


def best_of(table):
    return torch.tensor(linear_sum_assignment(table, maximize=True)[1])


def by_shares(axis):
    """The shares of a code's samples, or of a digit's, in place of the counts."""

    def answer(c, d, k):
        table = counted(c, d, k).double()
        return best_of(table / table.sum(axis, keepdim=True))

    return answer


def by_shares_kept_finite(c, d, k):
    table = counted(c, d, k).double()
    return best_of(table / table.sum(1, keepdim=True).clamp(min=1))


def by_luck(c, d, k):
    table, rng = counted(c, d, k), torch.Generator().manual_seed(1)
    tries = [torch.randperm(k, generator=rng) for _ in range(2_000)]
    return max(tries, key=lambda names: int(table[torch.arange(k), names].sum()))


def by_swaps(c, d, k):
    """Two codes change their names as long as that helps."""
    table, names, better = counted(c, d, k).tolist(), list(range(k)), True
    while better:
        better = False
        for i in range(k):
            for j in range(i):
                changed = table[i][names[j]] + table[j][names[i]]
                if changed > table[i][names[i]] + table[j][names[j]]:
                    names[i], names[j], better = names[j], names[i], True
    return torch.tensor(names)


def as_many_as_occur(c, d, k):
    return assignment(c, d, int(max(c.max(), d.max())) + 1)


def share(c, d, k):
    return (assignment(c, d, k)[c] == d).float().mean()


RIGHT = [
    ("12.1", split_logit),
    ("12.1", by_hand),
    ("12.1", by_shifting),
    ("12.2", 15 / 16),
    ("12.2", 0.9375),
    ("12.2", torch.tensor(0.94)),
    ("12.3", WithTable),
    ("12.3", WithParameter),
    ("12.3", WithGather),
    ("12.3", WithMarks),
    ("12.3", WithNorm),
    ("12.3", ProjectionDiscriminator),
    ("12.3", TwoLooks),
    ("12.4", "c"),
    ("12.4", " C "),
    ("12.5", ratios(population)),
    ("12.5", within_numpy),
    ("12.5", diversity_within),
    ("12.6", 0.55),
    ("12.6", torch.tensor(0.55)),
    ("12.7", assignment),
    ("12.7", by_cost),
]


def ten_classes(features, labels, real, real_labels):
    """Always ten, whatever the labels."""
    parts = [(features[labels == one], real[real_labels == one]) for one in range(10)]
    return torch.stack([drawn.var(0).sum() / true.var(0).sum() for drawn, true in parts]).mean()


WRONG = [
    ("12.1", without_logarithms, "stay with logarithms"),
    ("12.1", lambda p, q: split_logit(q, p), "wrong sign"),
    ("12.1", lambda p, q: split_logit(p, q)[::-1], "exchanged"),
    ("12.1", lambda p, q: p - q, "two things"),
    ("12.1", lambda p, q: (p.logsumexp(0) - q.logsumexp(0), split_logit(p, q)[1]), "over the points"),
    ("12.1", lambda p, q: (split_logit(p, q)[0][:, None], split_logit(p, q)[1]), "(6, 1)"),
    ("12.1", first_part(lambda p, q: (p.logsumexp(1) - q.logsumexp(1)).exp()), "ratio p(x)/q(x)"),
    ("12.1", first_part(lambda p, q: p.sum(1) - q.sum(1)), "adds up *logarithms*"),
    ("12.1", first_part(lambda p, q: p.mean(1) - q.mean(1)), "averages *logarithms*"),
    ("12.1", first_part(lambda p, q: p.max(1)[0] - q.max(1)[0]), "likeliest label"),
    ("12.1", first_part(lambda p, q: p.logsumexp(1)), "no part in it"),
    ("12.1", first_part(lambda p, q: (p - q).logsumexp(1)), "adds up ratios"),
    ("12.1", second_part(lambda p, q: p - q), "whole logit"),
    ("12.1", second_part(lambda p, q: p.softmax(1) - q.softmax(1)), "difference of *probabilities*"),
    ("12.1", second_part(lambda p, q: p.log_softmax(0) - q.log_softmax(0)), "along which axis"),
    ("12.1", second_part(lambda p, q: p.log_softmax(1)), "generator's labels"),
    ("12.1", second_part(lambda p, q: p.softmax(1) / q.softmax(1)), "ratio itself"),
    ("12.1", second_part(lambda p, q: q.log_softmax(1) - p.log_softmax(1)), "wrong sign"),
    ("12.1", questions_in_place, "in place"),
    ("12.1", lambda p, q: tuple(part.float() for part in split_logit(p, q)), "float32"),
    ("12.1", with_totals(lambda table: (table.exp().sum(1) + 1e-12).log()), "far from all"),
    ("12.1", with_totals(lambda table: table.exp().sum(1).clamp(min=1e-300).log()), "far from all"),
    ("12.1", without_infinities, "far from all"),
    ("12.1", lambda p, q: tuple(part / np.log(2) for part in split_logit(p, q)), "natural"),
    ("12.1", lambda p, q: tuple(part.sigmoid() for part in split_logit(p, q)), "sigmoid"),
    ("12.1", second_part(lambda p, q: p.log_softmax(1) + np.log(p.shape[1])), "equally often"),
    ("12.1", second_part(lambda p, q: (p - q).log_softmax(1)), "each density by itself"),
    ("12.1", second_part(lambda p, q: (p - q) - (p - q).mean(1, keepdim=True)), "average"),
    ("12.2", 8 / 9, "what the best d answers"),
    ("12.2", 0.5, "points alone"),
    ("12.2", 0.875, "real pairs"),
    ("12.2", 1.0, "by chance"),
    ("12.2", 93.75, "percent"),
    ("12.2", 0.7, "on the more frequent side"),
    ("12.3", logit(lambda s, h, y: s.real(h) + (s.table(y) * h).sum(1)), "broadcast"),
    ("12.3", logit(lambda s, h, y: s.real(h) + (s.table(y) * h).sum(1, keepdim=True)), "flatten"),
    ("12.3", logit(lambda s, h, y: s.real(h) + h @ s.table.weight.T), "for every class"),
    ("12.3", logit(lambda s, h, y: s.real(h) + s.table(y) * h), "for each feature"),
    ("12.3", logit(lambda s, h, y: right_logit(s, h, y).sum()), "whole batch"),
    ("12.3", logit(lambda s, h, y: s.real(h).sum() + (s.table(y) * h).sum(0)), "over the samples"),
    ("12.3", logit(lambda s, h, y: right_logit(s, h, y).sigmoid()), "probabilities"),
    ("12.3", logit(lambda s, h, y: F.logsigmoid(right_logit(s, h, y))), "negative"),
    ("12.3", logit(lambda s, h, y: right_logit(s, h, y).square()), "no logit is negative"),
    ("12.3", logit(lambda s, h, y: right_logit(s, h.relu(), y)), "no linear function"),
    ("12.3", logit(lambda s, h, y: right_logit(s, F.normalize(h), y)), "no linear function"),
    ("12.3", logit(lambda s, h, y: s.real(h).flatten()), "same whatever the label"),
    ("12.3", logit(lambda s, h, y: s.real(h).flatten() + (s.table(y) * h).mean(1)), "averaged"),
    ("12.3", logit(lambda s, h, y: s.real(h).flatten() + (s.table(y) * h).sum()), "which axis"),
    ("12.3", logit(lambda s, h, y: (s.table(y) * h).sum(1)), "no vector is shared"),
    ("12.3", logit(lambda s, h, y: right_logit(s, h - h.mean(0), y)), "which axis"),
    ("12.3", logit(lambda s, h, y: (s.real(h) + (s.table(y) * h).sum(1, keepdim=True)).squeeze()), "()"),
    ("12.3", logit(lambda s, h, y: s.real(h).flatten() + (s.table(y) * h.detach()).sum(1)), "part of the"),
    ("12.3", logit(lambda s, h, y: s.real(h.detach()).flatten() + (s.table(y) * h).sum(1)), "part of the"),
    ("12.3", logit(lambda s, h, y: s.real(h).flatten() + (s.table(y) * h).sum(1) / 2), "a number"),
    (
        "12.3",
        logit(lambda s, h, y: s.real(h).flatten() + (s.table(y) * h).sum(1) / h.shape[1] ** 0.5),
        "a number",
    ),
    ("12.3", logit(lambda s, h, y: s.real(h * s.table(y)).flatten()), "two terms"),
    ("12.3", NoBias, "where is b"),
    ("12.3", Padded, "label 0"),
    ("12.3", Sparse, "sparse"),
    ("12.3", WithDropout, "by chance"),
    ("12.3", WithBatchNorm, "over the batch"),
    ("12.3", ChangesSamples, "in place"),
    ("12.3", BiasOnly, "adds a number"),
    ("12.3", ConcatenatedAtTheEnd, "adds a number"),
    ("12.3", MoreLayers, "no linear function"),
    ("12.3", NoShared, "no vector is shared"),
    ("12.3", TenClasses, "how many are there"),
    ("12.3", FixedVectors, "do not learn"),
    ("12.3", CopyOfFeatures, "no copy"),
    ("12.3", FreshFeatures, "as they are"),
    ("12.3", CutOff, "cut off"),
    ("12.3", NoHistory, "lost their history"),
    ("12.3", PixelsOnly, "never asked"),
    ("12.3", Frozen, "frozen"),
    ("12.3", InEvaluation, "evaluation mode"),
    ("12.3", lambda f, w, k: f, "takes two things"),
    ("12.3", lambda f, w, k: "a network", "should make a network"),
    ("12.4", "a", "not at its least"),
    ("12.4", "b", "pay for that"),
    ("12.4", "d", "who would lose"),
    ("12.4", "e", "one of"),
    ("12.5", lambda f, y, r, ry: f.var(0).sum() / r.var(0).sum(), "all samples together"),
    ("12.5", ratios(lambda rows: rows.std(0).sum()), "standard deviations"),
    ("12.5", ratios(lambda rows: rows.var(0).sum().sqrt()), "roots"),
    ("12.5", ratios(lambda rows: (rows - rows.mean(0)).norm(dim=1).mean()), "mean distances"),
    ("12.5", ratios(lambda rows: rows.square().sum(1).mean()), "subtracted first"),
    ("12.5", ratios(lambda rows: (rows - rows.mean(0)).square().sum()), "added up, not averaged"),
    ("12.5", ratios(population, torch.sum), "sum over the classes"),
    ("12.5", ratios(population, torch.min), "least diverse"),
    ("12.5", lambda f, y, r, ry: ratios(sample_variance)(r, ry, f, y), "upside down"),
    ("12.5", lambda f, y, r, ry: torch.stack([f[y == k].var(0).sum() for k in y.unique()]).mean(), "alone"),
    ("12.5", lambda f, y, r, ry: torch.tensor(1.0), "same whatever"),
    ("12.5", within_in_place, "in place"),
    ("12.5", pooled, "how many samples"),
    ("12.5", by_frequency, "how many samples"),
    ("12.5", about(lambda f, own_real: f.mean(0)), "mean of all"),
    ("12.5", about_the_mean_of_all, "mean of all"),
    ("12.5", about(lambda f, own_real: own_real.mean(0)), "mean of the *real*"),
    ("12.5", ratios(lambda rows: (rows - rows.mean()).square().sum(1).mean()), "one number"),
    ("12.5", ratios(lambda rows: rows.var()), "one number"),
    ("12.5", ratios(lambda rows: rows.var(1).mean()), "features of a sample"),
    ("12.5", ratios(population, torch.median), "median"),
    ("12.5", ratios(population, torch.max), "most diverse"),
    ("12.5", ratios(sample_variance), "divided by n − 1"),
    ("12.6", 0.95, "wrong by chance"),
    ("12.6", 0.5, "now and then"),
    ("12.6", 0.45, "wrong"),
    ("12.6", 5 / 9, "nearly"),
    ("12.6", 1.0, "which labels are wrong"),
    ("12.6", 0.3, "labelled 7"),
    ("12.7", lambda c, d, k: counted(c, d, k).argmax(1), "two codes have one name"),
    ("12.7", in_turn, "greedy"),
    ("12.7", lambda c, d, k: assignment(d, c, k), "code of each digit"),
    ("12.7", lambda c, d, k: assignment(c, d, k)[c], "each *sample*"),
    ("12.5", ten_classes, "that has no sample"),
    ("12.7", share, "that agrees"),
    ("12.7", lambda c, d, k: torch.tensor(linear_sum_assignment(counted(c, d, k))[1]), "*worst*"),
    ("12.7", lambda c, d, k: assignment(c, d, k).numpy(), "PyTorch tensor"),
    ("12.7", lambda c, d, k: assignment(c, d, k).float(), "float32"),
    ("12.7", lambda c, d, k: torch.arange(k), "more could"),
    ("12.7", by_shares(1), "are not equally frequent"),
    ("12.7", by_shares_kept_finite, "are not equally frequent"),
    ("12.7", by_shares(0), "are not equally frequent"),
    ("12.7", by_luck, "more could"),
    ("12.7", by_swaps, "more could"),
    ("12.7", as_many_as_occur, "never occurs"),
    ("12.7", by_all_orders, "millions"),
]


@pytest.mark.parametrize(("number", "answer"), RIGHT)
def test_right_answers_pass(number, answer):
    verdict = run_check(number, answer)
    assert verdict.status == "right", verdict.message


@pytest.mark.parametrize(("number", "answer", "message"), WRONG)
def test_typical_mistakes_are_told_apart(number, answer, message):
    verdict = run_check(number, answer)
    assert verdict.status == "wrong", verdict.message
    assert message.lower() in verdict.message.lower()


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        *((number, ...) for number in ("12.2", "12.4", "12.6")),
        *((number, stub) for number in ("12.1", "12.3", "12.5", "12.7")),
    ],
)
def test_untouched_stubs_are_not_attempted(number, answer):
    assert run_check(number, answer).status == "not attempted"


def test_an_untouched_class_is_not_attempted():
    class Untouched(nn.Module):
        def __init__(self, features, width, classes):
            super().__init__()
            raise NotImplementedError("your code here")

    assert run_check("12.3", Untouched).status == "not attempted"


def test_what_is_not_wrong_but_odd_is_told():
    assert "more than once" in run_check("12.3", TwoLooks).message
    assert "how frequent" in run_check("12.3", WithGather).message
    assert "how frequent" not in run_check("12.3", WithTable).message


def test_the_best_accuracy_is_that_of_the_best_discriminator():
    """15/16: D* of a ring and a generator that does not listen, by its densities."""
    from course_utils.data import ring
    from course_utils.theory import log_joint

    modes, std = ring().modes.double(), 0.1
    rng = torch.Generator().manual_seed(0)
    labels, others = (torch.randint(8, (20_000,), generator=rng) for _ in range(2))
    noise = std * torch.randn(20_000, 2, generator=rng)
    right = []
    for shown_at, sign in ((labels, 1), (others, -1)):  # real pairs; fakes at modes of their own choice
        p = log_joint(modes[shown_at] + noise, modes, std)
        q = (p.logsumexp(1, keepdim=True) - np.log(8)).expand_as(p)
        logits = (p - q).gather(1, labels[:, None])[:, 0]
        right.append((sign * logits > 0).double().mean())
    assert sum(right) / 2 == pytest.approx(15 / 16, abs=0.005)
