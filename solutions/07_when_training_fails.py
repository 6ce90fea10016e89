# %% [markdown]
# # When training fails: a field guide and a clinic
#
# You make GANs fail on purpose, read each failure off one page of curves, compare the cures for
# mode collapse, and then diagnose ten sick programs from their symptoms alone.
#
# | | |
# | --- | --- |
# | Reading time | 60 min, and 120 min for the exercises |
# | Running time | about 4 min on two CPU cores; not measured on a GPU |
# | You need | notebooks 03 and 05: a GAN's loop, mode collapse on the plane, a DCGAN on MNIST |
# | You will be able to | read a training's state off its dashboard; name the usual failures by their signatures; choose a cure for mode collapse on evidence; find a bug from its symptoms |

# %%
import torch
from torch import Tensor, nn

from course_utils import data, plots
from course_utils.checks import check
from course_utils.runtime import by_scale, pick_device, seed

device = pick_device()
print(f"computing on: {device}")

# %% [markdown]
# ## One page for every training

# %% [markdown]
# ## A field guide of failures

# %% [markdown]
# ## What cures mode collapse?

# %% [markdown]
# ## The clinic

# %% [markdown]
# ## Misconceptions

# %% [markdown]
# ## Summary
#
# ## Further reading
