# %% [markdown]
# # How far to trust an average
#
# In half an hour you know how much of an average is chance, and never again print one without its error.
#
# | | |
# | --- | --- |
# | Reading time | 15 min, and 20 min for the exercises |
# | Running time | about 5 s on two CPU cores; a GPU is not needed |
# | You need | mean and variance; tensors |
# | You will be able to | estimate a mean, say how far off it is, and how many samples would halve that |

# %%
import math

import torch
from torch import Tensor

from course_utils import plots
from course_utils.checks import check
from course_utils.runtime import by_scale, seed

# %% [markdown]
# ## How large is a random number, on average?
#
# Question → idea → mathematics → code → experiment → what we saw.
#
# Draw $x \sim \mathcal N(0, 1)$. Its mean is 0, and its variance $\mathbb E[x^2] = 1$. So the average of
# many squares should come out near 1. How near? Ask before you tell.
#
# ### Exercise 99.1 — Average the squares (●○○, 5 min)
#
# Say what to write, in the terms of the text above, and what result to expect: the mean of the squares of
# all numbers in $x$; for $(-3, 0, 2)$ it is $13/3$.


# %%
def mean_square(x: Tensor) -> Tensor:
    """(1/N) Σ xᵢ². Shape (N,) in, () out."""
    ### BEGIN SOLUTION
    return x.square().mean()
    ### END SOLUTION


# %%
mean_square_or_ours = check("99.1", mean_square, otherwise=lambda x: x.square().mean())

# %% [markdown]
# ### Exercise 99.2 — Predict the scatter (●○○, 2 min)
#
# Take 10 numbers, average their squares, and do that a thousand times: the averages scatter around 1. Now
# take a hundred times as many numbers each time. What becomes of the scatter?
# <!-- numbers: of the question; the experiment below has them -->
#
# - (a) it stays as it is
# - (b) it shrinks to a tenth
# - (c) it shrinks to a hundredth
#
# Answer with a letter in quotes.

# %%
### BEGIN SOLUTION
prediction = "b"
### END SOLUTION

# %%
check("99.2", prediction)

# %%
repeats = by_scale(ci=20, cpu=1_000, gpu=1_000)  # the one knob for size, in sight of the reader
sizes = [10, 100, 1_000, 10_000]

torch.manual_seed(seed(0))
averages = {n: torch.stack([mean_square_or_ours(torch.randn(n)) for _ in range(repeats)]) for n in sizes}
scatter = torch.stack([averages[n].std() for n in sizes])
for n, spread in zip(sizes, scatter.tolist(), strict=True):
    print(f"averages of {n:6,} squares: mean {averages[n].mean():.3f}, scatter {spread:.4f}")

# %% jupyter={"source_hidden": true}
# A cell that only draws starts collapsed.
plots.show(
    plots.lines(
        torch.tensor(sizes).log10(),
        {"√(2/N)": (2 / torch.tensor(sizes)).sqrt()},
        points={"measured": (torch.tensor(sizes).log10(), scatter)},
        colors={"√(2/N)": plots.COLORS["optimum"], "measured": plots.COLORS["data"]},
        x_label="numbers in each average, N (log₁₀)",
        y_label="scatter of the averages",
        log=True,
        alt=f"On logarithmic axes the scatter falls on a straight line, from {scatter[0]:.2f} to "
        f"{scatter[-1]:.3f}; the measured points lie on √(2/N).",
    )
)

# %% [markdown]
# You predicted what a hundred times as many numbers do: it is (b). The scatter shrinks to about a tenth,
# because the variances of independent numbers add up: that of an average of $N$ is $1/N$ of one number's.
# In this run the averages of the largest size scatter by 0.014.

# %% tags=["claim"]
claim(
    "The scatter shrinks to about a tenth",
    about(scatter[0] / scatter[2], 10) and about(scatter[1] / scatter[3], 10),
    every_seed=True,
    values={"a tenth": 10},
)
claim("In this run the averages of the largest size scatter by 0.014", about(scatter[-1], 0.014))

# %% [markdown]
# ### Exercise 99.3 — How many samples? (●●○, 3 min)
#
# The variance of $x^2$ is 2, so an average of $N$ squares scatters by $\sqrt{2/N}$. Which $N$ brings that to
# 0.001? Calculate it with Python.

# %%
### BEGIN SOLUTION
samples_needed = 2 / 0.001**2
### END SOLUTION

# %%
check("99.3", samples_needed)

# %% [markdown]
# ### Exercise 99.4 — An average and its error (●●●, 10 min)
#
# Usually nobody tells you the variance: it is estimated from the same samples. Write a function of any
# samples $x$ that returns their mean, and the **standard error** of that mean: the scatter that you expect of
# it. At least one exercise takes a whole piece like this one.


# %%
def mean_and_error(x: Tensor) -> tuple[Tensor, Tensor]:
    """The mean of x and its standard error. Shape (N,) in, two of shape () out."""
    ### BEGIN SOLUTION
    return x.mean(), x.std() / math.sqrt(len(x))
    ### END SOLUTION


# %%
mean_and_error_or_ours = check(
    "99.4", mean_and_error, otherwise=lambda x: (x.mean(), x.std() / math.sqrt(len(x)))
)

# %%
mean, error = mean_and_error_or_ours(torch.randn(10_000).square())
print(f"one average of 10,000 squares: {mean:.3f} ± {error:.3f}")

# %% [markdown] tags=["solution"]
# A cell with the tag `solution` stands in the solution only: `x.std()` divides by $N - 1$. Dividing by $N$
# is as good for more than a handful of samples.

# %% [markdown]
# ## Misconceptions
#
# **"A thousand samples are plenty."** That depends on what is compared. Two averages of a thousand squares
# that differ by 0.03 may be the same number: look at the scatter above.

# %% tags=["claim"]
claim("differ by 0.03 may be the same number", scatter[2] > 0.03, every_seed=True)

# %% [markdown]
# ## Summary
#
# - An average of $N$ independent numbers scatters by $\sigma/\sqrt N$.
# - The standard error is estimated from the same samples, and is printed with the mean.
#
# ## Further reading
#
# 1. M. Lucic, K. Kurach, M. Michalski, S. Gelly, O. Bousquet. *Are GANs Created Equal? A Large-Scale Study.*
#    NeurIPS 2018. arXiv:1711.10337. With equal budgets and many seeds, most of the
#    models compared reach similar scores.
