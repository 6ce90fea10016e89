// What ipywidgets leaves undone for people who use no mouse or no screen, for all controls in the same box: sliders and
// the buttons of a player get the names that screen readers say, and keys pressed in a control are that control's.
const ICONS = { "fa-play": "Play", "fa-pause": "Pause", "fa-stop": "Stop" };

function render({ el }) {
  const mend = () => {
    const box = el.closest(".widget-vbox");
    if (!box) return;
    // In its command mode JupyterLab would take arrow keys and Enter for commands of its own, and the focus with them.
    // It looks for this mark on what has the focus, not on what that lies in.
    for (const control of box.querySelectorAll("select, button, input, [role=slider]")) {
      control.setAttribute("data-lm-suppress-shortcuts", "true");
    }
    for (const slider of box.querySelectorAll(".widget-slider")) {
      const handle = slider.querySelector("[role=slider]");
      handle?.setAttribute("aria-label", slider.querySelector(".widget-label")?.textContent ?? "");
      handle?.setAttribute("aria-valuetext", slider.querySelector(".widget-readout")?.textContent ?? ""); // all its digits
    }
    for (const [icon, name] of Object.entries(ICONS)) {
      for (const button of box.querySelectorAll(`.widget-play button:has(.${icon})`)) {
        button.setAttribute("aria-label", name);
      }
    }
  };
  const timer = setInterval(mend, 500); // the controls may be drawn, and drawn again, later than this
  return () => clearInterval(timer);
}

export default { render };
