// Draws the charts of the statistics with uPlot. The server sends the figures, and the names of
// hours and days in the organization's time zone; colours are those of the key beside each chart.
(() => {
  const FONT = "11px system-ui, sans-serif";
  const HEIGHT = { outcomes: 220 };
  const plots = new Map();

  const count = new Intl.NumberFormat("en");
  const clock = (ms) => {
    const seconds = Math.round(ms / 1000);
    const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
    const two = (number) => String(number).padStart(2, "0");
    return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
  };
  const UNITS = {
    count: (value) => count.format(value),
    percent: (value) => `${count.format(value)}%`,
    duration: clock,
    hours: (value) => count.format(value),
  };
  // Steps that people read durations in, in milliseconds
  const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];

  const colour = (element, property = "color") => getComputedStyle(element)[property];
  const keyOf = (element, key) => element.closest(".panel").querySelector(`.key-${key}`);

  function stack(series) {
    const sums = series[0].values.map(() => 0);
    return series.map((one) => one.values.map((value, at) => (sums[at] += value || 0)));
  }

  function build(element) {
    const { kind, unit, labels, series } = JSON.parse(element.dataset.plot);
    const isBars = kind === "bars";
    const values = isBars ? stack(series) : series.map((one) => one.values);
    const write = UNITS[unit];
    const shown = series.map((one, at) => ({
      label: one.label,
      values: values[at],
      key: keyOf(element, one.key),
    }));
    // the whole stack is drawn first, and what is below it over it
    if (isBars) shown.reverse();
    const surface = colour(element.closest(".panel"), "backgroundColor");
    const axis = { stroke: colour(element), font: FONT, ticks: { show: false } };
    const grid = { stroke: colour(element, "borderTopColor"), width: 1 };
    const most = Math.max(0, ...values.flat().filter((value) => value !== null));
    const options = {
      width: element.clientWidth || 300,
      height: HEIGHT[element.id.replace("plot-", "")] || 168,
      padding: [8, 20, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false }, points: { show: !isBars } },
      scales: {
        x: { time: false, range: [-0.5, labels.length - 0.5] },
        y: { range: [0, unit === "percent" ? 100 : most * 1.08 || 1] },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          size: 28,
          splits: (plot) => ticks(labels.length, plot.bbox.width / devicePixelRatio),
          values: (plot, found) => found.map((at) => shorten(labels[at], labels.length)),
        },
        {
          ...axis,
          grid,
          size: 56,
          values: (plot, found) => found.map((value) => (value === null ? "" : write(value))),
          ...(unit === "duration" && { incrs: STEPS.map((seconds) => seconds * 1000) }),
        },
      ],
      series: [
        {},
        ...shown.map((one) => ({
          label: one.label,
          stroke: isBars ? surface : colour(one.key),
          // a gap between the parts of a bar, where bars are not as thin as a gap
          width: isBars ? Number(labels.length < 60) : 1.5,
          fill: isBars ? colour(one.key) : undefined,
          paths: isBars ? uPlot.paths.bars({ size: [0.62, 56] }) : undefined,
          points: { show: !isBars && labels.length < 40, size: 5, fill: colour(one.key) },
          spanGaps: false,
        })),
      ],
      hooks: { setCursor: [(plot) => read(element, plot.cursor.idx, labels, series, write)] },
    };
    const data = [labels.map((label, at) => at), ...shown.map((one) => one.values)];
    return new uPlot(options, data, element);
  }

  // As many labels as have room, each at its hour or day
  function ticks(length, width) {
    const room = length && labelWidth(length);
    const step = Math.max(1, Math.ceil((length * room) / Math.max(width, 1)));
    return Array.from({ length: Math.ceil(length / step) }, (none, at) => at * step);
  }
  const labelWidth = (length) => (length > MANY ? 64 : 80);
  const MANY = 45;
  function shorten(label, length) {
    const known = label.replace(/, so far$/, "");
    return length > MANY ? known.replace(/^\w{3} (\d+ \w{3})( \d{4})?$/, "$1") : known;
  }

  function read(element, at, labels, series, write) {
    const place = element.parentElement.querySelector(".plot-readout");
    const found = series.filter((one) => at !== null && at !== undefined && one.values[at] !== null);
    place.textContent = found.length
      ? `${labels[at]}: ${found.map((one) => `${one.label} ${write(one.values[at])}`).join(", ")}`
      : "";
  }

  function draw(element) {
    plots.get(element)?.destroy();
    element.replaceChildren();
    plots.set(element, build(element));
  }

  const all = () => [...document.querySelectorAll("[data-plot]")];
  const drawAll = () => {
    for (const element of plots.keys()) if (!element.isConnected) plots.delete(element);
    all().forEach(draw);
    for (const element of all()) sizes.observe(element);
  };
  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const plot = plots.get(target);
      if (plot && target.clientWidth && plot.width !== target.clientWidth)
        plot.setSize({ width: target.clientWidth, height: plot.height });
    }
  });

  drawAll();
  // a search replaces the figures, the theme the colours
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id === "results" || event.target.querySelector?.("#results")) drawAll();
  });
  new MutationObserver(drawAll).observe(document.documentElement, {
    attributeFilter: ["data-bs-theme"],
  });

  // A long table is asked for when it is opened
  document.addEventListener(
    "toggle",
    (event) => {
      const place = event.target.open && event.target.querySelector?.("[hx-trigger]");
      if (event.target.matches?.("[data-plot-table]") && place && !place.dataset.asked) {
        place.dataset.asked = "yes";
        htmx.trigger(place, "reelboard:open");
      }
    },
    true,
  );
})();
