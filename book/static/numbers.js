// The numbers behind the explorers: the same that course_utils computes (tests/test_book_numbers.py holds them against
// it). No page is needed: the tests run this file in Node.
"use strict";

const CourseNumbers = (() => {
  // --- small help ----------------------------------------------------------------------------------------------------

  function linspace(low, high, points) {
    return Float64Array.from({ length: points }, (_, i) => low + ((high - low) * i) / (points - 1));
  }

  function sum(values) {
    let total = 0;
    for (const value of values) total += value;
    return total;
  }

  // σ(t), as the slope of PyTorch's softplus: that is a straight line from 20 on
  const sigmoid = (t) => (t > 20 ? 1 : 1 / (1 + Math.exp(-t)));

  // --- two densities on a line: theory/divergences.py ----------------------------------------------------------------

  const X = linspace(-20, 20, 1601);
  const WEIGHTS = X.map((_, i) => (i === 0 || i === X.length - 1 ? 0.5 : 1) * (40 / (X.length - 1)));

  function hill(mean, std) {
    return X.map((x) => Math.exp(-0.5 * ((x - mean) / std) ** 2) / (std * Math.sqrt(2 * Math.PI)));
  }

  const integral = (values) => sum(values.map((value, i) => WEIGHTS[i] * value));
  const xlogy = (x, y) => (x === 0 ? 0 : x * Math.log(y));

  // p·log(probability), also where p is so rare that the probability is rounded to 0
  const timesLog = (p, probability, other) => (p > Number.EPSILON * other ? p * Math.log(probability) : 0);

  function kl(p, q) {
    return integral(p.map((value, i) => xlogy(value, value) - xlogy(value, q[i])));
  }

  function js(p, q) {
    const middle = p.map((value, i) => Math.max((value + q[i]) / 2, 5e-324));
    return 0.5 * kl(p, middle) + 0.5 * kl(q, middle);
  }

  // What the explorer of the optimal discriminator shows for five sliders.
  function discriminator({ data_mean, data_std, data_gap, model_mean, model_std }) {
    const left = hill(data_mean - data_gap / 2, data_std);
    const right = hill(data_mean + data_gap / 2, data_std);
    const pData = left.map((value, i) => 0.5 * value + 0.5 * right[i]);
    const pModel = hill(model_mean, model_std);
    const best = pData.map((value, i) => value / (value + pModel[i]));
    const value = integral(
      best.map((d, i) => timesLog(pData[i], d, pModel[i]) + timesLog(pModel[i], 1 - d, pData[i])),
    );
    const divergence = js(pData, pModel);
    const variation = 0.5 * integral(pData.map((p, i) => Math.abs(p - pModel[i])));
    let cumulative = 0;
    let wasserstein = 0;
    for (let i = 0; i < X.length - 1; i++) {
      cumulative += WEIGHTS[i] * (pData[i] - pModel[i]);
      wasserstein += Math.abs(cumulative) * (X[i + 1] - X[i]);
    }
    const numbers = {
      "V(D*, G)": value,
      JS: divergence,
      "2·JS − log 4": 2 * divergence - Math.log(4),
      Wasserstein: wasserstein,
      "accuracy of D*": (1 + variation) / 2,
    };
    return { x: X, pData, pModel, best, numbers };
  }

  // --- games of two numbers: theory/game_dynamics.py -------------------------------------------------------------------

  const GAMES = ["bilinear", "Dirac-WGAN", "minimax Dirac-GAN", "non-saturating Dirac-GAN"];
  const RULES = ["simultaneous", "alternating", "extragradient", "optimistic", "momentum 0.5"];

  // v(θ, ψ) = −(∂L_G/∂θ, ∂L_D/∂ψ), by hand. `points` are equally likely ones that stand for N(0, 1).
  function vectorField(game, r1, noiseStd, points) {
    if (game === "bilinear") return ([theta, psi]) => [-psi, theta];
    if (game === "Dirac-WGAN") return ([theta, psi]) => [psi, -theta - r1 * psi];
    const noise = noiseStd ? points.map((point) => noiseStd * point) : [0];
    const minimax = game === "minimax Dirac-GAN";
    return ([theta, psi]) => {
      let generator = 0;
      let critic = 0;
      for (const n of noise) {
        const fake = psi * (theta + n);
        generator += psi * (minimax ? sigmoid(fake) : sigmoid(-fake));
        critic += n * sigmoid(-psi * n) - (theta + n) * sigmoid(fake);
      }
      return [generator / noise.length, critic / noise.length - r1 * psi];
    };
  }

  // J = ∂v/∂(θ, ψ) at the equilibrium (0, 0), as [[a, b], [c, d]]
  function jacobian(game, r1, noiseStd) {
    if (game === "bilinear") return [[0, -1], [1, 0]];
    if (game === "Dirac-WGAN") return [[0, 1], [-1, -r1]];
    return [[0, 0.5], [-0.5, -(noiseStd ** 2) / 2 - r1]];
  }

  const plus = (a, b, scale = 1) => [a[0] + scale * b[0], a[1] + scale * b[1]];

  function step(rule, field, now, before, h) {
    if (rule === "simultaneous") return plus(now, field(now), h);
    if (rule === "alternating") {
      const answered = [now[0], now[1] + h * field(now)[1]];
      return [answered[0] + h * field(answered)[0], answered[1]];
    }
    if (rule === "extragradient") return plus(now, field(plus(now, field(now), h)), h);
    if (rule === "optimistic") return plus(plus(now, field(now), 2 * h), field(before), -h);
    const moved = plus(now, field(now), h);
    return plus(plus(moved, now, 0.5), before, -0.5);
  }

  function play(rule, field, h, steps, start) {
    const points = [start];
    let [now, before] = [start, start];
    for (let i = 0; i < steps; i++) {
      [now, before] = [step(rule, field, now, before, h), now];
      points.push(now);
    }
    return points;
  }

  const square = ([re, im]) => [re * re - im * im, 2 * re * im];
  const modulus = ([re, im]) => Math.hypot(re, im);

  function complexRoot([re, im]) {
    const size = Math.hypot(re, im);
    const real = Math.sqrt(Math.max((size + re) / 2, 0));
    const imaginary = Math.sqrt(Math.max((size - re) / 2, 0));
    return [real, im < 0 ? -imaginary : imaginary];
  }

  // both roots of μ² − p·μ − q = 0, all complex
  function roots(p, q) {
    const [re, im] = square(p);
    const root = complexRoot([re + 4 * q[0], im + 4 * q[1]]);
    return [
      [(p[0] + root[0]) / 2, (p[1] + root[1]) / 2],
      [(p[0] - root[0]) / 2, (p[1] - root[1]) / 2],
    ];
  }

  // of a real matrix: μ² − trace·μ + determinant = 0
  function eigenvalues([[a, b], [c, d]]) {
    return roots([a + d, 0], [-(a * d - b * c), 0]);
  }

  // max |μ| of one update at the equilibrium: the factor on the distance, to first order
  function predictedGrowth(rule, J, h) {
    const linear = ([theta, psi]) => [J[0][0] * theta + J[0][1] * psi, J[1][0] * theta + J[1][1] * psi];
    if (rule === "optimistic" || rule === "momentum 0.5") {
      // the update is a polynomial in J with a memory of one step: for each λ, μ² = p(λ)·μ + q(λ)
      const found = eigenvalues(J).flatMap(([re, im]) =>
        rule === "optimistic"
          ? roots([1 + 2 * h * re, 2 * h * im], [-h * re, -h * im])
          : roots([1.5 + h * re, h * im], [-0.5, 0]),
      );
      return Math.max(...found.map(modulus));
    }
    const [first, second] = [[1, 0], [0, 1]].map((basis) => step(rule, linear, basis, basis, h));
    return Math.max(...eigenvalues([[first[0], second[0]], [first[1], second[1]]]).map(modulus));
  }

  function movingAverage(points, halfLife) {
    const decay = 0.5 ** (1 / halfLife);
    const averages = [points[0]];
    for (const point of points.slice(1)) {
      const last = averages[averages.length - 1];
      averages.push([0, 1].map((i) => decay * last[i] + (1 - decay) * point[i]));
    }
    return averages;
  }

  // What the game explorer shows: the run until it has left, the field, and the numbers.
  function game({ game, rule, step_size, r1, noise_std, steps }, points, far = 10) {
    const field = vectorField(game, r1, noise_std, points);
    let run = play(rule, field, step_size, steps, [1, 1]);
    const left = run.findIndex(([theta, psi]) => Math.hypot(theta, psi) > far);
    if (left >= 0) run = run.slice(0, left + 1);
    const J = jacobian(game, r1, noise_std);
    const [slowest] = eigenvalues(J).sort((a, b) => b[0] - a[0] || b[1] - a[1]);
    const growth = predictedGrowth(rule, J, step_size);
    const [theta, psi] = run[run.length - 1];
    const numbers = {
      step: run.length - 1,
      θ: theta,
      ψ: psi,
      distance: Math.hypot(theta, psi),
      "Re λ": slowest[0],
      "Im λ": slowest[1],
      "growth per step, predicted": growth,
    };
    return { run, field, growth, numbers };
  }

  // --- trained networks: what load_generator and load_classifier compute ---------------------------------------------

  function bytes(base64) {
    if (typeof Buffer !== "undefined") return new Uint8Array(Buffer.from(base64, "base64"));
    return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  }

  const floats = (base64) => new Float32Array(bytes(base64).buffer.slice(0));

  // IEEE half precision, as the files of the course hold it
  function halves(base64) {
    const raw = bytes(base64);
    const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
    return Float32Array.from({ length: raw.byteLength / 2 }, (_, i) => {
      const half = view.getUint16(2 * i, true);
      const exponent = (half >> 10) & 31;
      const mantissa = half & 1023;
      const size = exponent === 0 ? mantissa * 2 ** -24 : (1 + mantissa / 1024) * 2 ** (exponent - 15);
      return half >> 15 ? -size : size;
    });
  }

  // A network as {layers, weights}: layers name their kind and sizes, and take their weights in turn.
  function network({ layers, weights }) {
    const all = weights.half ? halves(weights.half) : floats(weights.single);
    let place = 0;
    const take = (count) => all.subarray(place, (place += count));
    const functions = layers.map((layer) => LAYERS[layer.kind](layer, take));
    if (place !== all.length) throw new Error(`${all.length - place} weights are left over`);
    return (input) => functions.reduce((map, layer) => layer(map), input);
  }

  // Maps are Float32Arrays with a shape: {values, channels, height, width}.
  const LAYERS = {
    linear({ inputs, outputs, bias }, take) {
      const weight = take(inputs * outputs);
      const offset = bias ? take(outputs) : null;
      return ({ values }) => {
        const result = new Float32Array(outputs);
        for (let row = 0; row < outputs; row++) {
          let total = offset ? offset[row] : 0;
          for (let column = 0; column < inputs; column++) total += weight[row * inputs + column] * values[column];
          result[row] = total;
        }
        return { values: result, channels: outputs, height: 1, width: 1 };
      };
    },
    reshape({ channels, height, width }) {
      return ({ values }) => ({ values, channels, height, width });
    },
    norm({ channels, eps }, take) {
      const [scale, shift, mean, variance] = [0, 0, 0, 0].map(() => take(channels));
      return (map) => {
        const area = map.height * map.width;
        const values = map.values.map((value, i) => {
          const c = Math.floor(i / area);
          return ((value - mean[c]) / Math.sqrt(variance[c] + eps)) * scale[c] + shift[c];
        });
        return { ...map, values };
      };
    },
    relu: () => (map) => ({ ...map, values: map.values.map((value) => Math.max(value, 0)) }),
    tanh: () => (map) => ({ ...map, values: map.values.map(Math.tanh) }),
    maxpool: () => (map) => {
      const [height, width] = [map.height / 2, map.width / 2];
      const values = new Float32Array(map.channels * height * width);
      for (let c = 0, i = 0; c < map.channels; c++)
        for (let y = 0; y < height; y++)
          for (let x = 0; x < width; x++, i++) {
            const corner = (c * map.height + 2 * y) * map.width + 2 * x;
            const below = corner + map.width;
            values[i] = Math.max(map.values[corner], map.values[corner + 1], map.values[below], map.values[below + 1]);
          }
      return { values, channels: map.channels, height, width };
    },
    conv({ inputs, outputs }, take) {
      const weight = take(outputs * inputs * 9); // 3×3, padding 1
      return (map) => {
        const { height, width } = map;
        const values = new Float32Array(outputs * height * width);
        for (let o = 0; o < outputs; o++)
          for (let c = 0; c < inputs; c++)
            for (let ky = -1; ky <= 1; ky++)
              for (let kx = -1; kx <= 1; kx++) {
                const w = weight[(o * inputs + c) * 9 + (ky + 1) * 3 + kx + 1];
                const [first, last] = [Math.max(0, -kx), Math.min(width, width - kx)];
                for (let y = Math.max(0, -ky); y < Math.min(height, height - ky); y++) {
                  const to = (o * height + y) * width;
                  const from = (c * height + y + ky) * width + kx;
                  for (let x = first; x < last; x++) values[to + x] += w * map.values[from + x];
                }
              }
        return { values, channels: outputs, height, width };
      };
    },
    // 4×4, stride 2, padding 1: every input pixel stamps the kernel, two pixels apart
    transposed({ inputs, outputs, bias }, take) {
      const weight = take(inputs * outputs * 16);
      const offset = bias ? take(outputs) : null;
      return (map) => {
        const [height, width] = [2 * map.height, 2 * map.width];
        const values = new Float32Array(outputs * height * width);
        if (offset) values.forEach((_, i) => (values[i] = offset[Math.floor(i / (height * width))]));
        for (let c = 0; c < inputs; c++)
          for (let y = 0; y < map.height; y++)
            for (let x = 0; x < map.width; x++) {
              const value = map.values[(c * map.height + y) * map.width + x];
              if (value === 0) continue; // after a ReLU, about half of them
              for (let o = 0; o < outputs; o++)
                for (let ky = 0; ky < 4; ky++) {
                  const row = 2 * y + ky - 1;
                  if (row < 0 || row >= height) continue;
                  for (let kx = 0; kx < 4; kx++) {
                    const column = 2 * x + kx - 1;
                    if (column >= 0 && column < width)
                      values[(o * height + row) * width + column] +=
                        value * weight[((c * outputs + o) * 4 + ky) * 4 + kx];
                  }
                }
            }
        return { values, channels: outputs, height, width };
      };
    },
  };

  function softmax(logits) {
    const top = Math.max(...logits);
    const powers = Array.from(logits, (logit) => Math.exp(logit - top));
    const total = sum(powers);
    return powers.map((power) => power / total);
  }

  // z = z₀ + Σ stepᵢ·directionᵢ
  function steered(start, directions, steps) {
    return Float32Array.from(start, (value, i) => value + sum(steps.map((step, k) => step * directions[k][i])));
  }

  // --- a GAN on the plane: training/gan.py with the networks of toy_gan ------------------------------------------------

  // Layers of one network: weight (outputs × inputs) and bias; activations between them, none at the end.
  class Mlp {
    constructor(sizes, slope, weights) {
      this.sizes = sizes;
      this.slope = slope; // of the activation below 0: 0 is ReLU
      this.parameters = weights.map((values) => Float32Array.from(values));
      this.gradients = this.parameters.map((values) => new Float32Array(values.length));
      this.moments = this.parameters.map((values) => new Float32Array(values.length));
      this.steps = 0;
    }

    // input (n × sizes[0], row after row) -> the activations of all layers, the output last
    forward(input, n) {
      const activations = [input];
      for (let layer = 0; layer < this.sizes.length - 1; layer++) {
        const [inputs, outputs] = [this.sizes[layer], this.sizes[layer + 1]];
        const [weight, bias] = [this.parameters[2 * layer], this.parameters[2 * layer + 1]];
        const from = activations[layer];
        const to = new Float32Array(n * outputs);
        const last = layer === this.sizes.length - 2;
        for (let row = 0; row < n; row++)
          for (let o = 0; o < outputs; o++) {
            let total = bias[o];
            for (let i = 0, w = o * inputs, f = row * inputs; i < inputs; i++) total += weight[w + i] * from[f + i];
            to[row * outputs + o] = last || total > 0 ? total : this.slope * total;
          }
        activations.push(to);
      }
      return activations;
    }

    // Slopes of the output -> slopes of the input; with `learn`, those of the weights are added up.
    backward(activations, slopes, n, learn) {
      let above = slopes;
      for (let layer = this.sizes.length - 2; layer >= 0; layer--) {
        const [inputs, outputs] = [this.sizes[layer], this.sizes[layer + 1]];
        const [weight, from] = [this.parameters[2 * layer], activations[layer]];
        const [weightSlope, biasSlope] = [this.gradients[2 * layer], this.gradients[2 * layer + 1]];
        const below = new Float32Array(n * inputs);
        for (let row = 0; row < n; row++)
          for (let o = 0; o < outputs; o++) {
            const slope = above[row * outputs + o];
            if (slope === 0) continue;
            const [w, f] = [o * inputs, row * inputs];
            if (learn) {
              biasSlope[o] += slope;
              for (let i = 0; i < inputs; i++) weightSlope[w + i] += slope * from[f + i];
            }
            for (let i = 0; i < inputs; i++) below[f + i] += slope * weight[w + i];
          }
        if (layer > 0)
          for (let i = 0; i < below.length; i++) if (from[i] <= 0) below[i] *= this.slope;
        above = below;
      }
      return above;
    }

    forget() {
      for (const gradient of this.gradients) gradient.fill(0);
    }

    // Adam with β = (0, 0.99): the gradient, scaled by the root of its running mean square
    adam(rate) {
      this.steps += 1;
      const correction = Math.sqrt(1 - 0.99 ** this.steps);
      this.parameters.forEach((values, p) => {
        const [gradient, moment] = [this.gradients[p], this.moments[p]];
        for (let i = 0; i < values.length; i++) {
          moment[i] = 0.99 * moment[i] + 0.01 * gradient[i] * gradient[i];
          values[i] -= (rate * gradient[i]) / (Math.sqrt(moment[i]) / correction + 1e-8);
        }
      });
    }
  }

  // Slopes of the losses with respect to each logit (before the mean over the batch): losses.py, differentiated.
  const LOSSES = {
    minimax: {
      real: (t) => -sigmoid(-t),
      fake: (t) => sigmoid(t),
      generator: (t) => -sigmoid(t),
    },
    non_saturating: {
      real: (t) => -sigmoid(-t),
      fake: (t) => sigmoid(t),
      generator: (t) => -sigmoid(-t),
    },
    least_squares: { real: (t) => t - 1, fake: (t) => t, generator: (t) => t - 1 },
    hinge: { real: (t) => (t < 1 ? -1 : 0), fake: (t) => (t > -1 ? 1 : 0), generator: () => -1 },
    wasserstein: { real: () => -1, fake: () => 1, generator: () => -1 },
    relativistic: {
      pairs: true, // every logit is compared with its partner
      real: (t, fake) => -sigmoid(fake - t),
      fake: (t, real) => sigmoid(t - real),
      generator: (t, real) => -sigmoid(real - t),
    },
  };

  class PlaneGan {
    // weights: {generator: [...], discriminator: [...]}, in PyTorch's order; packing: samples that D sees at once
    constructor(weights, packing = 1) {
      this.packing = packing;
      this.generator = new Mlp([2, 64, 64, 2], 0, weights.generator);
      this.discriminator = new Mlp([2 * packing, 64, 64, 1], 0.2, weights.discriminator);
      this.loss = "non_saturating";
      this.rates = { generator: 2e-3, discriminator: 2e-3 };
    }

    sample(latents) {
      return this.generator.forward(latents, latents.length / 2).pop();
    }

    logits(points) {
      return this.discriminator.forward(points, points.length / (2 * this.packing)).pop();
    }

    moveDiscriminator(real, latents) {
      const [n, loss, D] = [real.length / (2 * this.packing), LOSSES[this.loss], this.discriminator];
      const fake = this.sample(latents);
      const [onReal, onFake] = [D.forward(real, n), D.forward(fake, n)];
      const [realLogits, fakeLogits] = [onReal[onReal.length - 1], onFake[onFake.length - 1]];
      D.forget();
      D.backward(onReal, realLogits.map((t, i) => loss.real(t, fakeLogits[i]) / n), n, true);
      D.backward(onFake, fakeLogits.map((t, i) => loss.fake(t, realLogits[i]) / n), n, true);
      D.adam(this.rates.discriminator);
    }

    moveGenerator(real, latents) {
      const [n, loss, D, G] = [latents.length / (2 * this.packing), LOSSES[this.loss], this.discriminator, this.generator];
      const made = G.forward(latents, latents.length / 2);
      const onFake = D.forward(made[made.length - 1], n);
      const realLogits = loss.pairs ? this.logits(real) : null;
      const slopes = onFake[onFake.length - 1].map((t, i) => loss.generator(t, realLogits?.[i]) / n);
      const pulls = D.backward(onFake, slopes, n, false);
      G.forget();
      G.backward(made, pulls, latents.length / 2, true);
      G.adam(this.rates.generator);
    }

    // −∂ℓ(D(x))/∂x at each point: where D would have it go; a loss of pairs is taken to meet real logits of 0
    pulls(points) {
      const [copies, loss, D] = [this.packing, LOSSES[this.loss], this.discriminator];
      const n = points.length / (2 * copies);
      const seen = D.forward(points, n);
      const logits = seen[seen.length - 1];
      const slopes = D.backward(seen, logits.map((t) => loss.generator(t, 0)), n, false);
      return slopes.map((slope) => -slope);
    }
  }

  // --- how close samples are to their data: metrics/cells.py and metrics/modes.py ---------------------------------------

  const CELLS = 30;
  const RADIUS = 3;

  // fraction of the points in each cell of the lattice, and outside
  function cellFrequencies(points) {
    const counts = new Float64Array(CELLS * CELLS + 1);
    const n = points.length / 2;
    for (let i = 0; i < n; i++) {
      const x = Math.floor(((points[2 * i] + RADIUS) * CELLS) / (2 * RADIUS));
      const y = Math.floor(((points[2 * i + 1] + RADIUS) * CELLS) / (2 * RADIUS));
      const inside = x >= 0 && x < CELLS && y >= 0 && y < CELLS;
      counts[inside ? x * CELLS + y : CELLS * CELLS] += 1 / n;
    }
    return counts;
  }

  function discreteJs(p, q) {
    let total = 0;
    for (let i = 0; i < p.length; i++) {
      const middle = Math.max((p[i] + q[i]) / 2, 5e-324);
      total += 0.5 * (xlogy(p[i], p[i]) - xlogy(p[i], middle) + xlogy(q[i], q[i]) - xlogy(q[i], middle));
    }
    return total;
  }

  // how many modes have a sample within 3σ, and the fraction of such samples
  function modeCoverage(points, modes, std) {
    const found = new Set();
    let good = 0;
    for (let i = 0; i < points.length; i += 2) {
      let [nearest, least] = [-1, Infinity];
      modes.forEach(([x, y], mode) => {
        const distance = Math.hypot(points[i] - x, points[i + 1] - y);
        if (distance < least) [nearest, least] = [mode, distance];
      });
      if (least <= 3 * std) {
        good += 1;
        found.add(nearest);
      }
    }
    return { covered: found.size, good: good / (points.length / 2) };
  }

  // --- random numbers ----------------------------------------------------------------------------------------------------

  // xoshiro128** (Blackman and Vigna), seeded by splitmix32: same seed, same game
  function random(seed) {
    let state = seed >>> 0;
    const s = Uint32Array.from({ length: 4 }, () => {
      state = (state + 0x9e3779b9) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
      return (mixed ^ (mixed >>> 15)) >>> 0;
    });
    const rotate = (x, k) => (x << k) | (x >>> (32 - k));
    const uniform = () => {
      const result = Math.imul(rotate(Math.imul(s[1], 5), 7), 9) >>> 0;
      const shifted = s[1] << 9;
      s[2] ^= s[0];
      s[3] ^= s[1];
      s[1] ^= s[2];
      s[0] ^= s[3];
      s[2] ^= shifted;
      s[3] = rotate(s[3], 11);
      return (result + 0.5) / 2 ** 32; // never 0
    };
    const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    return { uniform, normal, normals: (count) => Float32Array.from({ length: count }, normal) };
  }

  // --- data on the plane: data/toy.py ----------------------------------------------------------------------------------------

  const RING = Array.from({ length: 8 }, (_, k) => [2 * Math.cos((Math.PI * k) / 4), 2 * Math.sin((Math.PI * k) / 4)]);
  const GRID = Array.from({ length: 25 }, (_, k) => [Math.floor(k / 5) - 2, (k % 5) - 2]);

  function mixture(modes, std) {
    return {
      modes,
      std,
      draw: (rng) => {
        const [x, y] = modes[Math.floor(rng.uniform() * modes.length)];
        return [x + std * rng.normal(), y + std * rng.normal()];
      },
    };
  }

  const DATA = {
    "ring of eight": mixture(RING, 0.1),
    "5 × 5 grid": mixture(GRID, 0.05),
    "two moons": {
      draw: (rng) => {
        const t = Math.PI * rng.uniform();
        const side = rng.uniform() < 0.5 ? 1 : -1;
        return [side * (Math.cos(t) - 0.5) + 0.1 * rng.normal(), side * (Math.sin(t) - 0.25) + 0.1 * rng.normal()];
      },
    },
    spiral: {
      draw: (rng) => {
        const t = Math.sqrt(rng.uniform());
        const angle = 2 * Math.PI * (1.5 * t + (rng.uniform() < 0.5 ? 0 : 0.5));
        return [2 * t * Math.cos(angle) + 0.05 * rng.normal(), 2 * t * Math.sin(angle) + 0.05 * rng.normal()];
      },
    },
  };

  function draw(data, n, rng) {
    const points = new Float32Array(2 * n);
    for (let i = 0; i < n; i++) points.set(data.draw(rng), 2 * i);
    return points;
  }

  return {
    linspace, sigmoid, discriminator, GAMES, RULES, vectorField, jacobian, play, predictedGrowth, movingAverage,
    game, bytes, floats, halves, network, softmax, steered, PlaneGan, LOSSES, CELLS, RADIUS, cellFrequencies, discreteJs,
    modeCoverage, random, mixture, DATA, draw,
  };
})();

if (typeof module !== "undefined") module.exports = CourseNumbers;
