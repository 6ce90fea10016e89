// A picture to draw on, with pointer or keyboard. It reports strokes as fractions of its width and height from the
// top left corner.
const MILLISECONDS = 50; // between two reports of one stroke
const STEP = 1 / 80; // of the picture's width: how far an arrow key moves the pen
const LEAP = 5; // times as far with Shift
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const HELP = "Drawing area. Arrow keys move the pen, with Shift in larger steps; " +
  "Space puts it down and lifts it; Enter makes a dot; Escape lifts the pen.";

function render({ model, el }) {
  const frame = document.createElement("div");
  frame.style.cssText = "position: relative; display: inline-block; max-width: 100%; outline-offset: 2px";
  frame.tabIndex = 0;
  frame.setAttribute("data-lm-suppress-shortcuts", "true"); // or JupyterLab would take keys for commands of its own
  frame.setAttribute("role", "application"); // screen readers hand the arrow keys on
  frame.setAttribute("aria-label", HELP);
  const picture = document.createElement("img");
  picture.draggable = false;
  picture.decoding = "sync"; // or the page would flicker between two frames
  picture.width = model.get("width");
  picture.style.cssText = "display: block; max-width: 100%; height: auto; touch-action: none; cursor: crosshair";
  const pen = document.createElement("div"); // black in white, so that it is seen on every colour
  pen.style.cssText = "position: absolute; width: 14px; height: 14px; margin: -9px 0 0 -9px; border-radius: 50%;" +
    "border: 2px solid black; outline: 2px solid white; pointer-events: none; display: none";
  const hint = document.createElement("div");
  hint.style.cssText = "font-size: 0.85em";
  hint.textContent = "Draw on the left panel with the pointer; or Tab to the picture, arrow keys and Space.";
  const status = document.createElement("div"); // heard, not seen
  status.setAttribute("role", "status");
  status.style.cssText = "position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%)";
  frame.append(picture, pen, status);
  el.append(frame, hint);

  function show() {
    const before = picture.src;
    picture.onload = () => before && URL.revokeObjectURL(before);
    picture.src = URL.createObjectURL(new Blob([model.get("jpeg")], { type: "image/jpeg" }));
    picture.alt = model.get("alt");
  }

  let stroke = null; // points that are not reported yet; null while nothing draws
  let timer = null;

  function report(done) {
    clearTimeout(timer);
    timer = null;
    model.send({ stroke: stroke.splice(0), done });
    if (done) stroke = null;
  }

  function add(point) {
    stroke.push(point);
    timer ??= setTimeout(() => report(false), MILLISECONDS);
  }

  // with the pointer

  function pointed(event) {
    const box = picture.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  picture.addEventListener("pointerdown", (event) => {
    picture.setPointerCapture(event.pointerId);
    lift();
    stroke = [];
    add(pointed(event));
  });
  picture.addEventListener("pointermove", (event) => {
    if (stroke !== null && !down) add(pointed(event));
  });
  for (const end of ["pointerup", "pointercancel"]) {
    picture.addEventListener(end, () => stroke !== null && !down && report(true));
  }

  // with the keyboard

  let place = model.get("start"); // of the pen, as fractions
  let down = false;

  function move([across, along], leap) {
    const box = picture.getBoundingClientRect();
    const step = STEP * (leap ? LEAP : 1);
    const [left, right, top, bottom] = model.get("area");
    place = [
      Math.min(right, Math.max(left, place[0] + across * step)),
      Math.min(bottom, Math.max(top, place[1] + along * step * box.width / box.height)), // as far on the screen
    ];
    if (down) add(place);
    draw();
  }

  function press() {
    down = true;
    stroke = [];
    add(place);
    draw();
    status.textContent = "Pen down.";
  }

  function lift() {
    if (!down) return;
    down = false;
    report(true);
    draw();
    status.textContent = "Pen up.";
  }

  function draw() {
    pen.style.left = `${100 * place[0]}%`;
    pen.style.top = `${100 * place[1]}%`;
    pen.style.background = down ? "black" : "transparent";
  }

  frame.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in ARROWS) move(ARROWS[event.key], event.shiftKey);
    else if (event.key === " " && !event.repeat) (down ? lift : press)();
    else if (event.key === "Enter" && !event.repeat) {
      if (!down) press();
      lift();
    } else if (event.key === "Escape" && down) lift();
    else if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault(); // the page would scroll
    event.stopPropagation();
  });
  frame.addEventListener("focus", () => {
    if (!frame.matches(":focus-visible")) return; // a pointer came: no need for a second pen
    pen.style.display = "block";
    draw();
  });
  frame.addEventListener("blur", () => {
    lift();
    pen.style.display = "none";
  });

  model.on("change:jpeg", show);
  show();
  return () => {
    clearTimeout(timer);
    model.off("change:jpeg", show);
  };
}

export default { render };
