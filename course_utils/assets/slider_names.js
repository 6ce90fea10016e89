// Screen readers call a slider by the text of its label: ipywidgets gives its handle no name of its own. Nor has it
// names for the buttons of a player.
const ICONS = { "fa-play": "Play", "fa-pause": "Pause", "fa-stop": "Stop" };

function render({ el }) {
  const name = () => {
    const sliders = el.closest(".widget-vbox")?.querySelectorAll(".widget-slider") ?? [];
    for (const slider of sliders) {
      const label = slider.querySelector(".widget-label")?.textContent ?? "";
      slider.querySelector("[role=slider]")?.setAttribute("aria-label", label);
    }
    for (const [icon, words] of Object.entries(ICONS)) {
      for (const button of el.closest(".widget-vbox")?.querySelectorAll(`.widget-play button:has(.${icon})`) ?? []) {
        button.setAttribute("aria-label", words);
      }
    }
  };
  const timer = setInterval(name, 500); // the sliders may be drawn, and drawn again, later than this
  return () => clearInterval(timer);
}

export default { render };
