"use strict";
(async () => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  // Dragging zooms and a double click resets without the bar, which would cover the legend.
  const options = { responsive: true, displayModeBar: false };

  // Plotly is in the page compressed. The policy knows the digest of what comes out, and lets nothing else run.
  const unpack = async () => {
    const text = atob(document.getElementById("plotly").textContent);
    const packed = Uint8Array.from(text, (character) => character.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
  };

  // Colours are named in the data and defined by the style sheet, once for light, dark and print.
  const coloured = (value, style) => {
    if (typeof value === "string" && value.startsWith("var(")) {
      return style.getPropertyValue(value.slice(4, -1)).trim();
    }
    if (Array.isArray(value)) {
      return value.map((item) => coloured(item, style));
    }
    if (value !== null && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, coloured(item, style)]));
    }
    return value;
  };

  // A browser lays a page out for paper after all scripts have run: plots get the width that they will have there.
  const root = document.documentElement;
  const paper = { whole: { width: 670, height: 300 }, half: { width: 325, height: 270 } };
  const printing = () => "printing" in root.dataset || window.matchMedia("print").matches;

  const draw = () => {
    const style = getComputedStyle(root);
    for (const [id, figure] of Object.entries(figures)) {
      const place = document.getElementById(id);
      const { data, layout } = coloured(figure, style);
      if (printing()) {
        Object.assign(layout, place.closest(".pairs") ? paper.half : paper.whole);
      }
      layout.font.size = (layout.width ?? place.clientWidth) < 500 ? 11 : 13;
      Plotly.react(place, data, layout, options);
    }
  };

  let ready = false;
  const opened = new Set();
  window.addEventListener("beforeprint", () => {
    // What is folded up would not be printed; a long table that a plot shows too stays so.
    for (const one of document.querySelectorAll("details:not([open]):not([data-print=closed])")) {
      opened.add(one);
      one.open = true;
    }
    root.dataset.printing = "";
    if (ready) draw();
  });
  window.addEventListener("afterprint", () => {
    opened.forEach((one) => (one.open = false));
    opened.clear();
    delete root.dataset.printing;
    if (ready) draw();
  });

  if (Object.keys(figures).length === 0) {
    return;
  }
  try {
    await unpack();
    draw();
    ready = true;
  } catch {
    for (const plot of document.querySelectorAll(".plot")) {
      plot.classList.add("undrawn");
      plot.textContent = "This browser can't draw the plot; the tables hold its numbers.";
    }
    return;
  }
  for (const query of ["(prefers-color-scheme: dark)", "print", "(max-width: 599px)"]) {
    window.matchMedia(query).addEventListener("change", draw);
  }
})();
