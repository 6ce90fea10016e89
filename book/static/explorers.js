// The explorers of the page: controls and a picture, drawn by the browser itself, usable by keyboard alone.
//
// An element <div class="live" data-explorer="game"> becomes one; what stands in it is shown until then.
"use strict";

(() => {
  const N = CourseNumbers;
  const BASE = document.currentScript.src.replace(/[^/]*$/, "");
  // course_utils/plots/style.py; pictures are white in the dark too, like the notebooks' figures
  const COLORS = {
    data: "#0072B2",
    model: "#D55E00",
    discriminator: "#009E73",
    optimum: "#000000",
    highlight: "#6E4B00",
    second: "#3597F4",
    reference: "#666666",
    grid: "#E3E3E3",
  };
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;

  // --- elements ----------------------------------------------------------------------------------------------------

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }

  let counter = 0;

  function labelled(label, control, output) {
    control.id = `explorer-${++counter}`;
    return make("div", { class: "control" }, make("label", { for: control.id }, label), control, output ?? "");
  }

  const shown = (value) =>
    (typeof value === "number" && !Number.isInteger(value) ? value.toFixed(4) : String(value)).replace("-", "−");

  // A slider: {kind: "slider", label, value, min, max, step, show}
  function slider(spec, changed) {
    const show = spec.show ?? ((value) => value.toFixed(spec.step < 0.1 ? 2 : spec.step < 1 ? 1 : 0).replace("-", "−"));
    const { value, min, max, step } = spec;
    const input = make("input", { type: "range", value, min, max, step });
    input.value = value; // again: now that the limits are known
    const output = make("output", { for: `explorer-${counter + 1}` }, show(value));
    const renew = () => {
      output.textContent = show(input.valueAsNumber);
      input.setAttribute("aria-valuetext", output.textContent);
    };
    input.addEventListener("input", () => (renew(), changed()));
    renew();
    return {
      row: labelled(spec.label, input, output),
      get: () => input.valueAsNumber,
      set: (value) => ((input.value = value), renew()),
      input,
    };
  }

  function menu(spec, changed) {
    const options = spec.options.map((one) => (Array.isArray(one) ? one : [one, one]));
    const input = make(
      "select",
      { onchange: changed },
      ...options.map(([words, value]) => make("option", { value, selected: value === spec.value }, words)),
    );
    const number = typeof spec.value === "number";
    return {
      row: labelled(spec.label, input),
      get: () => (number ? Number(input.value) : input.value),
      set: (value) => (input.value = value),
      input,
    };
  }

  function tick(spec, changed) {
    const input = make("input", { type: "checkbox", checked: spec.value, onchange: changed });
    input.id = `explorer-${++counter}`;
    const row = make("div", { class: "control tick" }, input, make("label", { for: input.id }, spec.label));
    return { row, get: () => input.checked, set: (value) => (input.checked = value), input };
  }

  const CONTROLS = { slider, menu, tick };

  // The frame of every explorer. `draw(values)` draws and returns {numbers, alt}.
  function frame(place, { title, specs, canvases, draw, buttons = [] }) {
    const controls = {};
    let wanted = false;
    const changed = () => {
      if (wanted) return;
      wanted = true;
      requestAnimationFrame(() => ((wanted = false), update()));
    };
    for (const [name, spec] of Object.entries(specs)) controls[name] = CONTROLS[spec.kind](spec, changed);
    const values = () => Object.fromEntries(Object.entries(controls).map(([name, one]) => [name, one.get()]));
    const numbers = make("div", { class: "numbers", role: "status", "aria-live": "polite" });
    const problem = make("div", { class: "problem", role: "alert" });
    const reset = make("button", { type: "button", onclick: () => start() }, "Start again");
    const pictures = canvases.map(({ element }) => element);
    const box = make(
      "div",
      { class: "explorer", role: "group", "aria-label": title },
      make("div", { class: "controls" }, ...Object.values(controls).map((one) => one.row)),
      make("div", { class: "buttons" }, ...buttons, reset),
      problem,
      make("div", { class: "pictures" }, ...pictures),
      numbers,
    );

    function update() {
      if (canvases.some((canvas) => !canvas.fit())) return; // not laid out yet; the observer calls again
      try {
        const result = draw(values());
        problem.textContent = "";
        pictures[0].setAttribute("aria-label", result.alt);
        for (const other of pictures.slice(1)) other.setAttribute("aria-label", result.alts?.shift() ?? "see the first picture");
        numbers.replaceChildren(
          ...Object.entries(result.numbers).map(([label, value]) =>
            make("span", {}, `${label} `, make("strong", {}, shown(value))),
          ),
        );
      } catch (error) {
        problem.textContent = `The picture is out of date. ${error.message}`;
        throw error;
      }
    }

    function start() {
      for (const [name, spec] of Object.entries(specs)) controls[name].set(spec.value);
      api.onreset?.();
      update();
    }

    const api = { controls, values, update, changed, box };
    place.replaceChildren(box);
    new ResizeObserver(changed).observe(box);
    return api;
  }

  // --- pictures ------------------------------------------------------------------------------------------------------

  // A canvas with axes: data coordinates to pixels, as sharp as the screen allows.
  class Picture {
    constructor({ width, height, x, y, xlabel = "", ylabel = "", title = "", log = false, wide = false }) {
      Object.assign(this, { x, y, xlabel, ylabel, title, log });
      this.element = make("canvas", { role: "img", "aria-label": title || "picture" });
      this.element.style.maxWidth = `${width}px`;
      if (wide) this.element.style.flexBasis = "100%"; // a row of its own
      this.element.style.aspectRatio = `${width} / ${height}`;
      this.margins = { left: ylabel ? 52 : log ? 46 : 36, right: 16, top: title ? 30 : 10, bottom: xlabel ? 46 : 28 };
    }

    fit() {
      const width = this.element.clientWidth;
      const height = this.element.clientHeight;
      if (!width || !height) return false;
      const ratio = window.devicePixelRatio || 1;
      [this.width, this.height] = [width, height];
      if (this.element.width !== Math.round(width * ratio) || this.element.height !== Math.round(height * ratio)) {
        this.element.width = Math.round(width * ratio);
        this.element.height = Math.round(height * ratio);
      }
      this.context = this.element.getContext("2d");
      this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
      return true;
    }

    get area() {
      const { left, right, top, bottom } = this.margins;
      return { left, top, width: this.width - left - right, height: this.height - top - bottom };
    }

    at(x, y) {
      const { left, top, width, height } = this.area;
      const level = this.log ? Math.log10(Math.max(y, 1e-300)) : y;
      const [low, high] = this.log ? this.y.map(Math.log10) : this.y;
      return [
        left + (width * (x - this.x[0])) / (this.x[1] - this.x[0]),
        top + height * (1 - (level - low) / (high - low)),
      ];
    }

    // pixels of the element -> data coordinates
    from(px, py) {
      const { left, top, width, height } = this.area;
      return [
        this.x[0] + ((px - left) / width) * (this.x[1] - this.x[0]),
        this.y[0] + (1 - (py - top) / height) * (this.y[1] - this.y[0]),
      ];
    }

    axes(xticks, yticks) {
      const c = this.context;
      c.fillStyle = "white";
      c.fillRect(0, 0, this.width, this.height);
      const { left, top, width, height } = this.area;
      c.font = "13px system-ui, sans-serif";
      c.lineWidth = 1;
      for (const tick of xticks) {
        const [px] = this.at(tick, this.y[0]);
        this.stroke(COLORS.grid, [[px, top], [px, top + height]]);
        this.text(String(tick).replace("-", "−"), px, top + height + 15, "center");
      }
      for (const tick of yticks) {
        const [, py] = this.at(this.x[0], tick);
        this.stroke(COLORS.grid, [[left, py], [left + width, py]]);
        this.text(String(tick).replace("-", "−"), left - 6, py + 4, "right");
      }
      this.stroke("black", [[left, top], [left, top + height], [left + width, top + height]]);
      if (this.xlabel) this.text(this.xlabel, left + width / 2, this.height - 8, "center");
      if (this.title) this.text(this.title, left + width / 2, 18, "center", "600 14px system-ui, sans-serif");
      if (this.ylabel) {
        c.save();
        c.translate(13, top + height / 2);
        c.rotate(-Math.PI / 2);
        this.text(this.ylabel, 0, 0, "center");
        c.restore();
      }
    }

    text(words, px, py, align = "left", font = "13px system-ui, sans-serif", color = "black") {
      const c = this.context;
      [c.font, c.fillStyle, c.textAlign] = [font, color, align];
      c.fillText(words, px, py);
    }

    stroke(color, points, width = 1, dash = []) {
      const c = this.context;
      c.beginPath();
      points.forEach(([px, py], i) => (i ? c.lineTo(px, py) : c.moveTo(px, py)));
      [c.strokeStyle, c.lineWidth] = [color, width];
      c.setLineDash(dash);
      c.stroke();
      c.setLineDash([]);
    }

    within(draw) {
      const c = this.context;
      const { left, top, width, height } = this.area;
      c.save();
      c.beginPath();
      c.rect(left, top, width, height);
      c.clip();
      draw(c);
      c.restore();
    }

    line(color, xs, ys, width = 2, dash = []) {
      this.within(() => this.stroke(color, Array.from(xs, (x, i) => this.at(x, ys[i])), width, dash));
    }

    fill(color, xs, ys) {
      this.within((c) => {
        c.beginPath();
        c.moveTo(...this.at(xs[0], 0));
        for (let i = 0; i < xs.length; i++) c.lineTo(...this.at(xs[i], ys[i]));
        c.lineTo(...this.at(xs[xs.length - 1], 0));
        c.fillStyle = color;
        c.fill();
      });
    }

    dot(color, x, y, radius = 5) {
      this.within((c) => {
        c.beginPath();
        c.arc(...this.at(x, y), radius, 0, 2 * Math.PI);
        c.fillStyle = color;
        c.fill();
      });
    }

    arrow(color, from, to) {
      const [a, b] = [this.at(...from), this.at(...to)];
      const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
      const length = Math.hypot(dx, dy);
      if (length < 1) return;
      const size = Math.min(5, length / 2);
      const [ux, uy] = [dx / length, dy / length];
      this.within(() => {
        this.stroke(color, [a, b]);
        this.stroke(color, [
          [b[0] - size * (ux - 0.5 * uy), b[1] - size * (uy + 0.5 * ux)],
          b,
          [b[0] - size * (ux + 0.5 * uy), b[1] - size * (uy - 0.5 * ux)],
        ]);
      });
    }

    // [[colour, words, dash or "fill"]] at the top right
    legend(entries, where = "right") {
      const { left, top, width } = this.area;
      const size = 13;
      this.context.font = `${size}px system-ui, sans-serif`;
      const widest = Math.max(...entries.map(([, words]) => this.context.measureText(words).width));
      const start = where === "right" ? left + width - widest - 38 : left + 8;
      entries.forEach(([color, words, dash], i) => {
        const py = top + 14 + 19 * i;
        if (dash === "dot") {
          this.context.beginPath();
          this.context.arc(start + 13, py - 4, 4, 0, 2 * Math.PI);
          this.context.fillStyle = color;
          this.context.fill();
        } else this.stroke(color, [[start, py - 4], [start + 26, py - 4]], 2, dash ?? []);
        this.text(words, start + 33, py, "left");
      });
    }
  }

  // --- the optimal discriminator -----------------------------------------------------------------------------------------

  function discriminatorExplorer(place) {
    const above = new Picture({ wide: true, width: 700, height: 260, x: [-8, 8], y: [0, 1.05], ylabel: "density" });
    const below = new Picture({
      wide: true, width: 700, height: 190, x: [-8, 8], y: [-0.05, 1.05], xlabel: "x", ylabel: "says “real”",
    });
    const number = (label, value, min, max) => ({ kind: "slider", label, value, min, max, step: 0.1 });
    const specs = {
      data_mean: number("data: mean", -1.5, -4, 4),
      data_std: number("data: spread", 1, 0.4, 2),
      data_gap: number("data: hills apart", 0, 0, 6),
      model_mean: number("generator: mean", 1.5, -4, 4),
      model_std: number("generator: spread", 1, 0.4, 2),
    };
    const explorer = frame(place, {
      title: "Explorer of the optimal discriminator",
      specs,
      canvases: [above, below],
      draw(values) {
        const found = N.discriminator(values);
        const visible = found.x.map((x, i) => (Math.abs(x) <= 8 ? i : -1)).filter((i) => i >= 0);
        const pick = (all) => Array.from(visible, (i) => all[i]);
        const [x, pData, pModel, best] = [found.x, found.pData, found.pModel, found.best].map(pick);
        const ticks = [-8, -6, -4, -2, 0, 2, 4, 6, 8];
        above.axes(ticks, [0, 0.25, 0.5, 0.75, 1]);
        above.fill("rgba(0, 114, 178, 0.15)", x, pData);
        above.fill("rgba(213, 94, 0, 0.15)", x, pModel);
        above.line(COLORS.data, x, pData);
        above.line(COLORS.model, x, pModel, 2, [7, 4]);
        above.legend([[COLORS.data, "data"], [COLORS.model, "generator", [7, 4]]]);
        below.axes(ticks, [0, 0.5, 1]);
        below.line(COLORS.reference, [-8, 8], [0.5, 0.5], 1, [2, 3]);
        below.line(COLORS.discriminator, x, best);
        below.legend([[COLORS.discriminator, "D*(x)"]]);
        const v = values;
        const hills = v.data_gap ? `two hills ${v.data_gap} apart around ${v.data_mean}` : `one hill at ${v.data_mean}`;
        return {
          numbers: found.numbers,
          alt:
            `Two densities: the data's, ${hills}, spread ${v.data_std}; the generator's, one hill at ${v.model_mean}, ` +
            `spread ${v.model_std}. V(D*, G) = ${shown(found.numbers["V(D*, G)"])}, JS = ${shown(found.numbers.JS)}.`,
          alts: [
            "The optimal discriminator: near 1 where the data's density is the larger, near 0 where the generator's is, " +
              "½ where they cross.",
          ],
        };
      },
    });
    explorer.update();
  }

  // --- games of two numbers ----------------------------------------------------------------------------------------------

  function gameExplorer(place) {
    const MOST = 400;
    const plane = new Picture({
      width: 400, height: 400, x: [-2, 2], y: [-2, 2], xlabel: "θ (generator)", ylabel: "ψ (discriminator)",
      title: "the plane",
    });
    const curve = new Picture({
      width: 320, height: 400, x: [0, MOST], y: [1e-3, 10], xlabel: "steps", title: "distance to the equilibrium", log: true,
    });
    const specs = {
      game: { kind: "menu", label: "game", options: N.GAMES, value: "non-saturating Dirac-GAN" },
      rule: { kind: "menu", label: "update rule", options: N.RULES, value: "simultaneous" },
      step_size: { kind: "slider", label: "step size h", value: 0.2, min: 0.02, max: 1, step: 0.02 },
      r1: { kind: "slider", label: "R1 strength γ", value: 0, min: 0, max: 2, step: 0.05 },
      noise_std: { kind: "slider", label: "noise σ", value: 0, min: 0, max: 2, step: 0.05 },
      steps: { kind: "slider", label: "steps taken", value: 150, min: 0, max: MOST, step: 1 },
      average: { kind: "tick", label: "moving average (half-life 50 steps)", value: false },
    };
    let timer = null;
    const play = make("button", { type: "button", "aria-pressed": "false" }, "▶ Play");
    const once = make("button", { type: "button" }, "One step");
    const explorer = frame(place, {
      title: "Explorer of two-player games on the plane",
      specs,
      canvases: [plane, curve],
      buttons: [play, once],
      draw(values) {
        const linear = values.game === "bilinear";
        for (const name of ["r1", "noise_std"]) explorer.controls[name].input.disabled = linear;
        const found = N.game(values, courseData.plane.normalPoints);
        plane.axes([-2, -1, 0, 1, 2], [-2, -1, 0, 1, 2]);
        const ticks = N.linspace(-2, 2, 15);
        const places = [...ticks].flatMap((x) => [...ticks].map((y) => [x, y]));
        const arrows = places.map(found.field);
        const fastest = Math.max(...arrows.map(([x, y]) => Math.hypot(x, y)));
        arrows.forEach(([x, y], i) => {
          const scale = (0.9 * (4 / 14)) / Math.sqrt(fastest * Math.max(Math.hypot(x, y), 1e-12));
          plane.arrow("#8a8a8a", places[i], [places[i][0] + scale * x, places[i][1] + scale * y]);
        });
        const columns = (points) => [0, 1].map((axis) => points.map((point) => point[axis]));
        plane.line(COLORS.highlight, ...columns(found.run), 1.3);
        plane.dot(COLORS.highlight, ...found.run[found.run.length - 1]);
        plane.dot("black", 0, 0, 3);
        if (values.average) {
          const averaged = N.movingAverage(found.run, 50);
          plane.line(COLORS.second, ...columns(averaged), 1.3, [6, 4]);
          plane.dot(COLORS.second, ...averaged[averaged.length - 1]);
        }
        curve.axes([0, 100, 200, 300, 400], [0.001, 0.01, 0.1, 1, 10]);
        const distances = found.run.map(([theta, psi]) => Math.hypot(theta, psi));
        curve.line(COLORS.highlight, distances.map((_, i) => i), distances);
        const all = Array.from({ length: MOST + 1 }, (_, i) => i);
        curve.line(COLORS.optimum, all, all.map((i) => distances[0] * Math.min(found.growth ** i, 1e9)), 1.2, [2, 3]);
        const fate =
          Math.abs(found.growth - 1) < 1e-6 ? "circles" : found.growth > 1 ? "leaves" : "arrives";
        const words = `to first order it ${fate} (|μ| = ${found.growth.toFixed(4)})`;
        const { left, top, height } = curve.area;
        curve.text(`to first order it ${fate}`, left + 8, top + height - 26);
        curve.text(`(|μ| = ${found.growth.toFixed(4)}, dotted)`, left + 8, top + height - 9);
        return {
          numbers: found.numbers,
          alt:
            `The arrows of the ${values.game} game and ${found.run.length - 1} ${values.rule} steps of size ` +
            `${values.step_size}, from (1, 1) to (${found.numbers.θ.toFixed(2)}, ${found.numbers.ψ.toFixed(2)}).`,
          alts: [
            `The distance to the equilibrium, from ${distances[0].toFixed(2)} to ` +
              `${distances[distances.length - 1].toPrecision(2)}. Prediction: ${words}.`,
          ],
        };
      },
    });
    const advance = () => {
      const { steps } = explorer.controls;
      steps.set(Math.min(steps.get() + 1, MOST));
      explorer.update();
      if (steps.get() === MOST) pause();
    };
    const pause = () => {
      clearInterval(timer);
      timer = null;
      play.textContent = "▶ Play";
      play.setAttribute("aria-pressed", "false");
    };
    play.addEventListener("click", () => {
      if (timer) return pause();
      if (explorer.controls.steps.get() === MOST) explorer.controls.steps.set(0);
      timer = setInterval(advance, 60);
      play.textContent = "⏸ Pause";
      play.setAttribute("aria-pressed", "true");
    });
    once.addEventListener("click", advance);
    explorer.onreset = pause;
    explorer.update();
  }

  // --- a digit, steered -----------------------------------------------------------------------------------------------------

  function digitMaker() {
    const given = courseData.digits;
    const size = given.latentDim;
    const [starts, lines] = [N.floats(given.starts), N.floats(given.directions)];
    const directions = Array.from({ length: lines.length / size }, (_, k) => lines.subarray(k * size, (k + 1) * size));
    const [generator, classifier] = [N.network(given.generator), N.network(given.classifier)];
    return (start, steps) => {
      const z = N.steered(starts.subarray(start * size, (start + 1) * size), directions, steps);
      const image = generator({ values: z, channels: size, height: 1, width: 1 });
      return { z, image, probabilities: () => N.softmax(classifier(image).values) };
    };
  }

  // 28×28 numbers in [−1, 1] into a rectangle of a canvas
  function paint(context, { values, height, width }, left, top, size) {
    const pixels = context.createImageData(width, height);
    for (let i = 0; i < height * width; i++) {
      const grey = Math.round(255 * Math.min(1, Math.max(0, (values[i] + 1) / 2)));
      pixels.data.set([grey, grey, grey, 255], 4 * i);
    }
    const small = make("canvas");
    [small.width, small.height] = [width, height];
    small.getContext("2d").putImageData(pixels, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(small, left, top, size, size);
  }

  function latentSlider(place) {
    const makeDigit = digitMaker();
    const left = new Picture({ width: 300, height: 320, x: [0, 1], y: [0, 1], title: "G(z)" });
    const right = new Picture({
      width: 320, height: 320, x: [0, 1], y: [9.6, -0.6], xlabel: "probability", title: "what the classifier sees",
    });
    const number = (label) => ({ kind: "slider", label, value: 0, min: -4, max: 4, step: 0.1 });
    const specs = {
      start: { kind: "slider", label: "start", value: 0, min: 0, max: 99, step: 1 },
      step_1: number("direction 1"),
      step_2: number("direction 2"),
      step_3: number("direction 3"),
      step_4: number("direction 4"),
    };
    const explorer = frame(place, {
      title: "Latent slider: a generated digit, steered",
      specs,
      canvases: [left, right],
      draw({ start, ...steps }) {
        const along = Object.values(steps);
        const { z, image, probabilities } = makeDigit(start, along);
        const seen = probabilities();
        const confidence = Math.max(...seen);
        const name = seen.indexOf(confidence);
        const c = left.context;
        c.fillStyle = "white";
        c.fillRect(0, 0, left.width, left.height);
        left.text(left.title, left.width / 2, 18, "center", "600 14px system-ui, sans-serif");
        const size = Math.min(left.width - 16, left.height - 36);
        paint(c, image, (left.width - size) / 2, 28, size);
        right.axes([0, 0.5, 1], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        seen.forEach((probability, digit) => {
          const [x0, y0] = right.at(0, digit - 0.35);
          const [x1, y1] = right.at(probability, digit + 0.35);
          right.context.fillStyle = digit === name ? COLORS.highlight : COLORS.second;
          right.context.fillRect(x0, y0, x1 - x0, y1 - y0);
        });
        return {
          numbers: { "the classifier says": name, confidence, "length of z": Math.hypot(...z) },
          alt: `A generated digit, which the classifier takes for ${name} with probability ${confidence.toFixed(2)}. ` +
            `Start ${start}; steps along the four strongest directions: ${along.join(", ")}.`,
          alts: ["A bar for each digit's probability: " + seen.map((p, digit) => `${digit} ${p.toFixed(2)}`).join(", ") + "."],
        };
      },
    });
    explorer.update();
  }

  // --- the playground ---------------------------------------------------------------------------------------------------------

  const DRAWN = "your drawing";
  const BATCH = 256;

  // One game on the plane: networks, data, and how often each player has moved.
  class Playground {
    constructor({ packing = 1, seed = 0 } = {}) {
      const given = courseData.plane.networks[packing];
      const weights = Object.fromEntries(Object.entries(given).map(([name, all]) => [name, all.map(N.floats)]));
      this.gan = new N.PlaneGan(weights, packing);
      this.rng = N.random(seed);
      this.moves = { discriminator: 0, generator: 0 };
    }

    choose(data) {
      this.data = data;
      this.shownData = N.draw(data, 200, N.random(1));
    }

    move(player) {
      const real = N.draw(this.data, BATCH, this.rng);
      const latents = this.rng.normals(2 * BATCH);
      if (player === "discriminator") this.gan.moveDiscriminator(real, latents);
      else this.gan.moveGenerator(real, latents);
      this.moves[player] += 1;
    }

    // what the numbers and the picture need; the same latents each time, so that only the game moves
    look() {
      this.latents ??= N.random(2).normals(2 * 2000);
      const samples = this.gan.sample(this.latents);
      if (!samples.every(Number.isFinite))
        throw new Error("The networks' weights are no longer finite; lower the learning rates and start again.");
      return samples;
    }
  }

  const VERMILLION = [239, 181, 140];
  const BLUE = [156, 199, 228];

  // D as a heat map: pale vermillion for “generated”, white for “cannot tell”, pale blue for “real”
  function heat(picture, gan, resolution = 40) {
    const line = N.linspace(-N.RADIUS, N.RADIUS, resolution);
    const copies = gan.packing;
    const points = new Float32Array(2 * copies * resolution * resolution);
    for (let row = 0, i = 0; row < resolution; row++)
      for (let column = 0; column < resolution; column++)
        for (let copy = 0; copy < copies; copy++, i += 2) points.set([line[column], line[row]], i);
    const logits = gan.logits(points);
    const pixels = picture.context.createImageData(resolution, resolution);
    for (let row = 0; row < resolution; row++)
      for (let column = 0; column < resolution; column++) {
        const p = N.sigmoid(logits[row * resolution + column]);
        const [end, share] = p < 0.5 ? [VERMILLION, 1 - 2 * p] : [BLUE, 2 * p - 1];
        const color = end.map((value) => 255 + share * (value - 255));
        pixels.data.set([...color, 255], 4 * ((resolution - 1 - row) * resolution + column));
      }
    const small = make("canvas");
    [small.width, small.height] = [resolution, resolution];
    small.getContext("2d").putImageData(pixels, 0, 0);
    const { left, top, width, height } = picture.area;
    picture.context.imageSmoothingEnabled = true;
    picture.context.drawImage(small, left, top, width, height);
  }

  function drawPlane(picture, game, samples, { pulls = true, shown = 200 } = {}) {
    picture.axes([-2, 0, 2], [-2, 0, 2]);
    heat(picture, game.gan);
    const points = (values, count) => Array.from({ length: count }, (_, i) => [values[2 * i], values[2 * i + 1]]);
    for (const [x, y] of points(game.shownData, 200)) picture.dot(COLORS.data, x, y, 1.8);
    const generated = points(samples, shown);
    picture.within(() => {
      for (const point of generated) {
        const [px, py] = picture.at(...point);
        picture.stroke(COLORS.model, [[px - 3, py - 3], [px + 3, py + 3]], 1.4);
        picture.stroke(COLORS.model, [[px - 3, py + 3], [px + 3, py - 3]], 1.4);
      }
    });
    if (!pulls) return;
    const arrows = points(game.gan.pulls(samples.subarray(0, 2 * shown)), shown);
    const longest = 0.6;
    const chosen = [];
    generated.forEach(([x, y], i) => {
      if (chosen.some(([a, b]) => Math.hypot(a - x, b - y) < longest / 2)) return; // where points crowd
      chosen.push([x, y]);
      const [dx, dy] = arrows[i];
      const scale = longest / (1 + Math.hypot(dx, dy));
      picture.arrow("black", [x, y], [x + scale * dx, y + scale * dy]);
    });
  }

  function drawLatentGrid(picture, gan) {
    picture.axes([-2, 0, 2], [-2, 0, 2]);
    const latents = N.floats(courseData.plane.latentLines);
    const placed = gan.sample(latents);
    const perLine = 65;
    for (let start = 0; start < placed.length; start += 2 * perLine) {
      const line = Array.from({ length: perLine }, (_, i) => [placed[start + 2 * i], placed[start + 2 * i + 1]]);
      picture.within(() => picture.stroke(COLORS.model, line.map((point) => picture.at(...point)), 0.8));
    }
  }

  function ganPlayground(place) {
    const size = { width: 360, height: 360, x: [-3, 3], y: [-3, 3] };
    const plane = new Picture({ ...size, title: "D: blue for real, orange for generated" });
    const lattice = new Picture({ ...size, title: "G: the latent grid" });
    const rate = (label) => ({
      kind: "slider", label, value: Math.log10(2e-3), min: -5, max: -1.5, step: 0.1,
      show: (value) => (10 ** value).toExponential(1).replace("e-", "e−"),
    });
    const count = (label, value, min, max) => ({ kind: "slider", label, value, min, max, step: 1 });
    const specs = {
      data: { kind: "menu", label: "data", options: [...Object.keys(N.DATA), DRAWN], value: "ring of eight" },
      loss: { kind: "menu", label: "loss", options: Object.keys(N.LOSSES), value: "non_saturating" },
      packing: {
        kind: "menu", label: "D sees", value: 1,
        options: [["one sample at a time", 1], ["two samples at once", 2]],
      },
      rounds: count("rounds per frame", 4, 1, 25),
      discriminator_lr: rate("D learning rate"),
      generator_lr: rate("G learning rate"),
      discriminator_steps: count("D steps per round", 1, 0, 10),
      generator_steps: count("G steps per round", 1, 0, 20),
      pulls: { kind: "tick", label: "arrows: where D pulls", value: true },
    };
    let game = null;
    let running = false;
    let drawing = [];
    const button = (words, action) => make("button", { type: "button", onclick: action }, words);
    const play = button("▶ Play", () => run(!running));
    play.setAttribute("aria-pressed", "false");
    const buttons = [
      play,
      button("One D step", () => (game.move("discriminator"), explorer.update())),
      button("One G step", () => (game.move("generator"), explorer.update())),
      button("Clear drawing", () => ((drawing = []), explorer.update())),
    ];

    const explorer = frame(place, {
      title: "Playground: a GAN on the plane",
      specs,
      canvases: [plane, lattice],
      buttons,
      draw(values) {
        if (!game || game.gan.packing !== values.packing) begin(values);
        settle(values);
        const samples = game.look();
        drawPlane(plane, game, samples, { pulls: values.pulls });
        if (pen) plane.within(() => mark(plane, pen));
        drawLatentGrid(lattice, game.gan);
        const cells = N.cellFrequencies(samples);
        const numbers = {
          "D steps": game.moves.discriminator,
          "G steps": game.moves.generator,
          "JS on cells": N.discreteJs(game.cells, cells),
        };
        if (game.data.modes && values.data !== DRAWN) {
          const { covered, good } = N.modeCoverage(samples, game.data.modes, game.data.std);
          numbers["modes covered"] = `${covered} of ${game.data.modes.length}`;
          numbers["good samples"] = `${Math.round(100 * good)} %`;
        }
        const said = Object.entries(numbers).map(([label, value]) => `${label} ${shown(value)}`).join(", ");
        return {
          numbers,
          alt: `A GAN on the plane, data: ${values.data}: D as a heat map, data and generated points. ${said}. ` +
            "To draw data of your own: arrow keys move the pen, the space bar sets a point.",
          alts: ["Where the generator puts a lattice of latents."],
        };
      },
    });

    function begin(values) {
      game = new Playground({ packing: values.packing });
    }

    function settle(values) {
      game.gan.loss = values.loss;
      game.gan.rates = { generator: 10 ** values.generator_lr, discriminator: 10 ** values.discriminator_lr };
      const key = values.data === DRAWN ? `${DRAWN} ${drawing.length} ${drawing[drawing.length - 1]}` : values.data;
      if (game.key === key) return;
      game.key = key;
      if (values.data === DRAWN) {
        game.choose(N.mixture(drawing.length ? drawing : [[0, 0]], 0.08));
        game.cells = N.cellFrequencies(N.draw(game.data, 20000, N.random(4)));
      } else {
        game.choose(N.DATA[values.data]);
        game.cells = N.floats(courseData.plane.cells[values.data]);
      }
    }

    function run(on) {
      running = on;
      play.textContent = on ? "⏸ Pause" : "▶ Play";
      play.setAttribute("aria-pressed", String(on));
      if (on) requestAnimationFrame(turn);
    }

    function turn() {
      if (!running || !explorer.box.isConnected) return;
      const values = explorer.values();
      try {
        for (let round = 0; round < values.rounds; round++) {
          for (let i = 0; i < values.discriminator_steps; i++) game.move("discriminator");
          for (let i = 0; i < values.generator_steps; i++) game.move("generator");
        }
        explorer.update();
      } catch (error) {
        run(false);
        throw error;
      }
      requestAnimationFrame(turn);
    }

    // drawing data: with the pointer, or with the keys
    let pen = null;
    const element = plane.element;
    element.tabIndex = 0;
    element.setAttribute("role", "application");
    element.classList.add("drawable");
    const add = (x, y) => {
      if (Math.max(Math.abs(x), Math.abs(y)) > N.RADIUS) return;
      drawing = [...drawing, [x, y]].slice(-600);
      explorer.controls.data.set(DRAWN);
      explorer.changed();
    };
    const addPointer = (event) => {
      const box = element.getBoundingClientRect();
      add(...plane.from(event.clientX - box.left, event.clientY - box.top));
    };
    element.addEventListener("pointerdown", (event) => {
      element.setPointerCapture(event.pointerId);
      addPointer(event);
    });
    element.addEventListener("pointermove", (event) => event.buttons && addPointer(event));
    element.addEventListener("keydown", (event) => {
      const ways = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] };
      const way = ways[event.key];
      if (!way && event.key !== " ") return;
      event.preventDefault();
      pen ??= [0, 0];
      if (way) pen = pen.map((value, i) => Math.max(-N.RADIUS, Math.min(N.RADIUS, value + way[i])));
      else add(...pen);
      explorer.changed();
    });
    element.addEventListener("blur", () => ((pen = null), explorer.changed()));

    explorer.onreset = () => {
      run(false);
      game = null;
    };
    explorer.update();
  }

  function mark(picture, [x, y]) {
    const [px, py] = picture.at(x, y);
    picture.stroke("black", [[px - 9, py], [px + 9, py]], 2);
    picture.stroke("black", [[px, py - 9], [px, py + 9]], 2);
  }

  // --- small ones for the front page, which move by themselves -----------------------------------------------------------------

  // Calls `draw(time in seconds)` while the element is on the screen; once where motion is not wanted.
  function animate(element, draw) {
    let visible = false;
    const loop = (time) => {
      if (!visible || element.dataset.paused) return;
      draw(time / 1000);
      requestAnimationFrame(loop);
    };
    const go = () => requestAnimationFrame(loop);
    if (calm) return requestAnimationFrame(() => draw(0));
    new IntersectionObserver(([entry]) => {
      if (entry.isIntersecting && !visible) (visible = true), go();
      else visible = entry.isIntersecting;
    }).observe(element);
    return go;
  }

  // A button that stops what moves by itself (Web Content Accessibility Guidelines 2.2, 2.2.2)
  function pausable(element, go) {
    if (typeof go !== "function") return [];
    const button = make("button", { type: "button", class: "pause", "aria-pressed": "false" }, "Pause");
    button.addEventListener("click", () => {
      const paused = !element.dataset.paused;
      if (paused) element.dataset.paused = "yes";
      else delete element.dataset.paused, go();
      button.setAttribute("aria-pressed", String(paused));
      button.textContent = paused ? "Play" : "Pause";
    });
    return [button];
  }

  function steeredDigit(place) {
    const makeDigit = digitMaker();
    const picture = new Picture({ width: 280, height: 280, x: [0, 1], y: [0, 1] });
    picture.element.setAttribute("aria-label", "A handwritten digit that a network draws, slowly turning into others.");
    place.replaceChildren(picture.element);
    let last = -1;
    const go = animate(picture.element, (time) => {
      if (time - last < 0.06 && last >= 0) return;
      last = time;
      if (!picture.fit()) return;
      const steps = [0.9, 0.7, 0.55, 0.4].map((speed, i) => 3 * Math.sin(speed * time + i));
      paint(picture.context, makeDigit(7, steps).image, 0, 0, picture.width);
    });
    place.append(...pausable(picture.element, go));
  }

  function learningRing(place) {
    const picture = new Picture({ width: 280, height: 280, x: [-3, 3], y: [-3, 3] });
    picture.margins = { left: 0, right: 0, top: 0, bottom: 0 };
    picture.element.setAttribute(
      "aria-label",
      "A GAN on the plane that learns a ring of eight heaps: generated points wander onto the data.",
    );
    place.replaceChildren(picture.element);
    let game;
    const begin = () => {
      game = new Playground();
      game.choose(N.DATA["ring of eight"]);
    };
    begin();
    const go = animate(picture.element, () => {
      if (!picture.fit()) return;
      if (!calm) {
        const until = performance.now() + 12; // leaves the page its time
        do game.move("discriminator"), game.move("generator");
        while (performance.now() < until);
      }
      drawPlane(picture, game, game.look(), { pulls: false });
      if (game.moves.generator > 4000) begin();
    });
    place.append(...pausable(picture.element, go));
    if (!calm) return;
    const learn = () => {
      // in small parts, so that the page can be used meanwhile; the picture changes once, at the end
      game.move("discriminator");
      game.move("generator");
      if (game.moves.generator < 600) setTimeout(learn, 0);
      else if (picture.fit()) drawPlane(picture, game, game.look(), { pulls: false });
    };
    setTimeout(learn, 0);
  }

  // --- start ---------------------------------------------------------------------------------------------------------------------

  const EXPLORERS = {
    discriminator: [[], discriminatorExplorer],
    game: [["plane"], gameExplorer],
    latent: [["digits"], latentSlider],
    playground: [["plane"], ganPlayground],
    "steered-digit": [["digits"], steeredDigit],
    "learning-ring": [["plane"], learningRing],
  };

  const loading = {};

  // Data are scripts: a page that is opened as a file may not fetch.
  function load(name) {
    loading[name] ??= new Promise((resolve, reject) => {
      document.head.append(make("script", { src: `${BASE}data-${name}.js`, onload: resolve, onerror: reject }));
    });
    return loading[name];
  }

  function startAll() {
    for (const place of document.querySelectorAll("[data-explorer]")) {
      const [data, begin] = EXPLORERS[place.dataset.explorer];
      Promise.all(data.map(load)).then(() => begin(place));
    }
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", startAll);
  else startAll();
})();
