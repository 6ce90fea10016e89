"""Generators and discriminators, each written as the list of its layers. One file for each kind.

One convention for all of them: a generator maps latents (N, latent_dim) to samples (N, *shape), images in
[-1, 1], and knows its `latent_dim`; a discriminator maps samples to *logits* (N,), never to probabilities.
"""

from course_utils.models.bidirectional import EncodingGenerator, PairDiscriminator, point_encoder
from course_utils.models.conditional import (
    WAYS,
    AnsweringDiscriminator,
    ClassNormGenerator,
    CodedGenerator,
    ConcatenatedDiscriminator,
    ConcatenatedGenerator,
    ProjectionDiscriminator,
    conditional_dcgan,
    conditional_mlp,
    features_of,
    infogan_dcgan,
    with_labels,
)
from course_utils.models.dcgan import cifar10_dcgan, dcgan_discriminator, dcgan_generator, mnist_dcgan
from course_utils.models.diversity import MinibatchStd, with_minibatch_std
from course_utils.models.flow import Flow, GaussianCorrected, integrate, mlp_velocity
from course_utils.models.mixture import GaussianMixture
from course_utils.models.mlp import mlp_discriminator, mlp_generator, packed_discriminator
from course_utils.models.normalisation import (
    convolution_norm,
    initialised,
    largest_singular_value,
    pytorch_initialised,
    spectrally_normalised,
    weight_clipped,
)
from course_utils.models.patches import (
    PatchDiscriminator,
    TwoDiscriminators,
    convolution_sizes,
    gradient_window,
    receptive_field,
    receptive_window,
)
from course_utils.models.principal import PrincipalImages, PrincipalSpace, principal_space
from course_utils.models.projected import FEATURE_CHANNELS, ProjectedDiscriminator, feature_stages
from course_utils.models.residual import ResidualGenerator
from course_utils.models.sampling import (
    draw_latents,
    generate,
    rejection_sample,
    sample,
    slerp,
    truncated_latents,
)
from course_utils.models.shipped import (
    load_autoencoder,
    load_discriminator,
    load_feature_stages,
    load_generator,
    load_translator,
)
from course_utils.models.sizes import count_parameters
from course_utils.models.translation import Colouriser, CyclePair, Inpainter, UNet
from course_utils.models.upsampling import UPSAMPLING, transposed_by_convolution, upsampling_layer
from course_utils.models.vae import (
    Autoencoder,
    conv_decoder,
    conv_encoder,
    mlp_decoder,
    mlp_encoder,
    without_tanh,
)

__all__ = [
    "FEATURE_CHANNELS",
    "UPSAMPLING",
    "WAYS",
    "AnsweringDiscriminator",
    "Autoencoder",
    "ClassNormGenerator",
    "CodedGenerator",
    "Colouriser",
    "ConcatenatedDiscriminator",
    "ConcatenatedGenerator",
    "CyclePair",
    "EncodingGenerator",
    "Flow",
    "GaussianCorrected",
    "GaussianMixture",
    "Inpainter",
    "MinibatchStd",
    "PairDiscriminator",
    "PatchDiscriminator",
    "PrincipalImages",
    "PrincipalSpace",
    "ProjectedDiscriminator",
    "ProjectionDiscriminator",
    "ResidualGenerator",
    "TwoDiscriminators",
    "UNet",
    "cifar10_dcgan",
    "conditional_dcgan",
    "conditional_mlp",
    "conv_decoder",
    "conv_encoder",
    "convolution_norm",
    "convolution_sizes",
    "count_parameters",
    "dcgan_discriminator",
    "dcgan_generator",
    "draw_latents",
    "feature_stages",
    "features_of",
    "generate",
    "gradient_window",
    "infogan_dcgan",
    "initialised",
    "integrate",
    "largest_singular_value",
    "load_autoencoder",
    "load_discriminator",
    "load_feature_stages",
    "load_generator",
    "load_translator",
    "mlp_decoder",
    "mlp_discriminator",
    "mlp_encoder",
    "mlp_generator",
    "mlp_velocity",
    "mnist_dcgan",
    "packed_discriminator",
    "point_encoder",
    "principal_space",
    "pytorch_initialised",
    "receptive_field",
    "receptive_window",
    "rejection_sample",
    "sample",
    "slerp",
    "spectrally_normalised",
    "transposed_by_convolution",
    "truncated_latents",
    "upsampling_layer",
    "weight_clipped",
    "with_labels",
    "with_minibatch_std",
    "without_tanh",
]
