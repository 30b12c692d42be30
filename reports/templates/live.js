"use strict";
(() => {
  const every = 2000;
  const root = document.documentElement;
  const content = document.getElementById("content");
  const trouble = document.getElementById("trouble");
  const standing = document.getElementById("standing");
  let shown = null;

  const tell = (sentence) => {
    trouble.hidden = sentence === "";
    if (trouble.textContent !== sentence) trouble.textContent = sentence;
  };

  // What a person opened, scrolled and stands on stays so when the content is replaced.
  const show = (text) => {
    if (text === shown) return;
    shown = text;
    const opened = [...content.querySelectorAll("details[open]")].map((one) => one.id);
    const scrolled = [...content.querySelectorAll(".scroll, pre")].map((one) => [one.id, one.scrollLeft]);
    const focused = document.activeElement;
    const place = focused?.id || (focused?.tagName === "SUMMARY" ? `${focused.parentElement.id} summary` : "");
    content.innerHTML = text;
    for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
    for (const [id, left] of scrolled) if (document.getElementById(id)) document.getElementById(id).scrollLeft = left;
    if (place && !document.activeElement?.matches(`#${place}`)) {
      content.querySelector(`#${place}`)?.focus({ preventScroll: true });
    }
    // Figures change all the time; only how the test stands is read out.
    const said = document.getElementById("live")?.dataset.said ?? "";
    if (standing.textContent !== said) standing.textContent = said;
  };

  let waiting;
  const refresh = async () => {
    clearTimeout(waiting);
    try {
      const answer = await fetch("live", { cache: "no-store" });
      const text = await answer.text();
      if (!answer.ok) {
        tell(text);
      } else if (answer.redirected) {
        location.reload();
      } else {
        show(text);
        tell("");
      }
    } catch {
      tell("Locust doesn't answer any more. What is shown is the last that it said.");
    }
    look();
    clearTimeout(waiting);
    if (!document.hidden) waiting = setTimeout(refresh, every);
  };
  document.addEventListener("visibilitychange", () => !document.hidden && refresh());

  // In Locust's own page it looks as that does, and is as high as its content.
  const frame = window.frameElement;
  const look = () => {
    if (!frame) return;
    const around = getComputedStyle(window.parent.document.body).backgroundColor;
    const [red, green, blue] = around.match(/\d+/g) ?? [255, 255, 255];
    const dark = 0.3 * red + 0.59 * green + 0.11 * blue < 128;
    document.body.style.background = around;
    root.style.colorScheme = dark ? "dark" : "light";
    for (const sheet of document.styleSheets) {
      for (const rule of sheet.cssRules) {
        // The colours for the dark are the only ones that depend on what the system prefers.
        if (rule.cssRules?.[0]?.selectorText?.startsWith(":root:not")) {
          rule.media.mediaText = dark ? "screen" : "not all";
        }
      }
    }
  };
  if (frame) {
    root.dataset.framed = "";
    new ResizeObserver(() => {
      frame.style.height = `${Math.ceil(document.body.getBoundingClientRect().height) + 4}px`;
    }).observe(document.body);
    look();
  }
  shown = content.innerHTML;
  refresh();
})();
