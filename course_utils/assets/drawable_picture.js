// A picture that reports where the pointer draws on it, as fractions of its width and height from the top left corner.
const MILLISECONDS = 50; // between two reports of one stroke

function render({ model, el }) {
  const picture = document.createElement("img");
  picture.draggable = false;
  picture.decoding = "sync"; // or the page would flicker between two frames
  picture.width = model.get("width");
  picture.style.cssText = "max-width: 100%; height: auto; touch-action: none; cursor: crosshair";
  el.append(picture);

  function show() {
    const before = picture.src;
    picture.onload = () => before && URL.revokeObjectURL(before);
    picture.src = URL.createObjectURL(new Blob([model.get("jpeg")], { type: "image/jpeg" }));
    picture.alt = model.get("alt");
  }

  let stroke = null; // points that are not reported yet; null while no button is down
  let timer = null;

  function add(event) {
    const box = picture.getBoundingClientRect();
    stroke.push([(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]);
  }

  function report(done) {
    clearTimeout(timer);
    timer = null;
    model.send({ stroke: stroke.splice(0), done });
  }

  picture.addEventListener("pointerdown", (event) => {
    picture.setPointerCapture(event.pointerId);
    stroke = [];
    add(event);
  });
  picture.addEventListener("pointermove", (event) => {
    if (stroke === null) return;
    add(event);
    timer ??= setTimeout(() => report(false), MILLISECONDS);
  });
  for (const end of ["pointerup", "pointercancel"]) {
    picture.addEventListener(end, () => {
      if (stroke === null) return;
      report(true);
      stroke = null;
    });
  }

  model.on("change:jpeg", show);
  show();
  return () => model.off("change:jpeg", show);
}

export default { render };
