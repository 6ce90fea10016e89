// The real-or-fake quiz: shows one picture for a given time, by the browser's own clock, and reports the answer.
// A kernel's clock would not do: a message takes longer to travel than the picture is to be seen.
const FIXATION = 500; // milliseconds of the cross that says where to look
const KEYS = { r: true, g: false };

function render({ model, el }) {
  const box = make("div", "display: inline-block; padding: 0.5em; outline-offset: 2px");
  box.tabIndex = 0;
  box.setAttribute("data-lm-suppress-shortcuts", "true"); // or JupyterLab would take r and g for commands of its own
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "Real or generated? Enter shows the next image, R says real, G says generated");
  const size = model.get("size");
  const stage = make("div", `width: ${size}px; height: ${size}px; background: #777; display: flex;` +
    "align-items: center; justify-content: center; color: white; font-size: 32px");
  const buttons = make("div", "margin-top: 0.5em; display: flex; gap: 0.5em");
  const next = button("Show (Enter)", show);
  const real = button("Real (R)", () => answer(true));
  const generated = button("Generated (G)", () => answer(false));
  const status = make("div", "margin-top: 0.5em");
  status.setAttribute("role", "status");
  buttons.append(next, real, generated);
  box.append(stage, buttons, status);
  el.append(box);

  let phase = "waiting"; // waiting for Enter → fixation → shown → hidden → answered, and so on
  let place = -1;
  let attempt = 0; // counts what is shown, so that a picture that was overtaken is not
  let appeared = 0;
  let vanished = 0;
  let timers = [];

  function make(kind, style) {
    const element = document.createElement(kind);
    element.style.cssText = style;
    return element;
  }

  function button(text, action) {
    const element = make("button", "padding: 0.3em 0.8em; font-size: 1em");
    element.type = "button";
    element.setAttribute("data-lm-suppress-shortcuts", "true");
    element.textContent = text;
    element.addEventListener("click", action);
    return element;
  }

  function update() {
    const done = model.get("place") >= model.get("total");
    next.disabled = done || phase !== "waiting";
    real.disabled = generated.disabled = done || !(phase === "shown" || phase === "hidden");
    status.textContent = model.get("message");
  }

  function enter(name) {
    phase = name;
    update();
  }

  async function show() {
    if (phase !== "waiting" || model.get("place") >= model.get("total")) return;
    place = model.get("place");
    const mine = ++attempt;
    const exposure = model.get("exposure");
    box.focus(); // so that the keys are heard
    enter("fixation");
    stage.textContent = "+";
    const picture = new Image(size, size);
    picture.alt = `Image ${place + 1} of ${model.get("total")}`;
    picture.style.imageRendering = "pixelated";
    const address = URL.createObjectURL(new Blob([model.get("png")], { type: "image/png" }));
    picture.src = address;
    await Promise.all([picture.decode(), new Promise((go) => timers.push(setTimeout(go, FIXATION)))]);
    URL.revokeObjectURL(address);
    if (mine !== attempt) return; // the quiz was started again in the meantime
    stage.replaceChildren(picture);
    requestAnimationFrame(() => { // the frame in which it is painted
      appeared = performance.now();
      enter("shown");
      if (exposure > 0) timers.push(setTimeout(hide, exposure));
    });
  }

  function hide() {
    stage.replaceChildren();
    stage.textContent = "?";
    requestAnimationFrame(() => {
      if (phase !== "shown") return;
      vanished = performance.now();
      enter("hidden");
    });
  }

  function answer(saidReal) {
    if (phase !== "shown" && phase !== "hidden") return;
    const now = performance.now();
    const shown = (phase === "hidden" ? vanished : now) - appeared;
    forget();
    stage.textContent = "";
    enter("answered");
    model.send({ place, said_real: saidReal, shown, response: now - appeared });
  }

  function forget() {
    timers.forEach(clearTimeout);
    timers = [];
    stage.replaceChildren();
  }

  function forward() { // the kernel has taken the answer, or begun a new quiz
    attempt += 1;
    forget();
    enter("waiting");
    if (place >= 0 && model.get("place") > 0) show(); // the first one waits for Enter, the others follow
  }

  box.addEventListener("keydown", (event) => {
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (key in KEYS) answer(KEYS[key]);
    else if (key === "enter" && event.target === box) show();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  model.on("change:place", forward);
  model.on("change:round", forward);
  model.on("change:message", update);
  update();
  return () => {
    forget();
    model.off("change:place", forward);
    model.off("change:round", forward);
    model.off("change:message", update);
  };
}

export default { render };
