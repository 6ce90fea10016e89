// What every page needs of the browser: what scrolls sideways can be reached by keyboard, launch buttons lead somewhere.
"use strict";

// Wide tables and long lines of code: whoever has no pointer scrolls them by the arrow keys, once they have the focus.
document.addEventListener("DOMContentLoaded", () => {
  const parts = document.querySelectorAll("pre, .table-wrapper, .output, div.math");
  const renew = () => {
    for (const part of parts) {
      if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
      else part.removeAttribute("tabindex");
    }
  };
  new ResizeObserver(renew).observe(document.body); // also when an answer unfolds, or formulas are set
  renew();
});

// An address is complete once the form says what stands for OWNER, REPO and HUB.

document.addEventListener("DOMContentLoaded", () => {
  for (const form of document.querySelectorAll("form.launch")) {
    const renew = () => {
      const given = (name) => form.elements[name].value.trim().replace(/^https?:\/\//, "").replace(/\/+$/, "");
      const repository = /^(?:github\.com\/)?([\w.-]+)\/([\w.-]+?)(?:\.git)?$/.exec(given("repository"));
      const hub = /^[\w.:-]+(?:\/[\w.~/-]*)?$/.exec(given("hub"));
      for (const link of form.querySelectorAll("a[data-address]")) {
        const address = link.dataset.address;
        if (repository && (hub || !address.includes("HUB"))) {
          link.href = address
            .replaceAll("OWNER", repository[1])
            .replaceAll("REPO", repository[2])
            .replaceAll("HUB", hub?.[0] ?? "");
        } else link.removeAttribute("href");
      }
    };
    form.addEventListener("input", renew);
    form.addEventListener("submit", (event) => event.preventDefault());
    renew();
  }
});
