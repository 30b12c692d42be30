"use strict";
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  // Dragging zooms and a double click resets without the bar, which would cover the legend.
  const options = { responsive: true, displayModeBar: false };

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

  const draw = () => {
    const style = getComputedStyle(document.documentElement);
    const narrow = window.innerWidth < 600;
    for (const [id, figure] of Object.entries(figures)) {
      const { data, layout } = coloured(figure, style);
      layout.font.size = narrow ? 11 : 13;
      Plotly.react(id, data, layout, options);
    }
  };

  draw();
  for (const query of ["(prefers-color-scheme: dark)", "print", "(max-width: 599px)"]) {
    window.matchMedia(query).addEventListener("change", draw);
  }
})();
