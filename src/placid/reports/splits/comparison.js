
(function () {
  const data = JSON.parse(document.getElementById("data").textContent).winners;
  document.documentElement.classList.add("js");
  const panels = Array.from(document.querySelectorAll(".panel"));

  // ---- required accuracy: one panel of a kind at a time; without scripts all stand one below the other ----
  function show(kind, level) {
    for (const p of panels) {
      if (p.dataset.kind === kind) p.classList.toggle("on", p.dataset.level === String(level));
    }
  }
  for (const chooser of document.querySelectorAll("select.required")) {
    chooser.addEventListener("change", () => show(chooser.dataset.kind, chooser.value));
    show(chooser.dataset.kind, chooser.value);
  }

  // ---- what the ways cost under the pointer ----
  const SHOWN = 5;
  function at(axis, part) {
    const step = Math.log(axis[1] / axis[0]) / (axis[2] - 1);
    return axis[0] * Math.exp((part * axis[2] - 0.5) * step);
  }
  function digits(v) { return String(Number(v.toPrecision(3))); }
  function scaled(v, units) {
    for (const [size, unit] of units) if (v >= size) return digits(v / size) + " " + unit;
    const [size, unit] = units[units.length - 1];
    return digits(v / size) + " " + unit;
  }
  const COUNT = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""]];
  const JOULE = [[1, "J"], [1e-3, "mJ"], [1e-6, "µJ"], [1e-9, "nJ"], [1e-12, "pJ"]];
  const SECOND = [[1, "s"], [1e-3, "ms"], [1e-6, "µs"]];
  function cost(kind, x, y) {
    const price = kind === "latency" ? [1 / y, 1 / x] : [y, x];
    return data[kind].terms.map((t) => t[0] + t[1] * price[0] + t[2] * price[1]);
  }
  function read(panel, x, y) {
    const kind = panel.dataset.kind, costs = cost(kind, x, y), reaching = data.reaching[panel.dataset.level];
    const order = costs.map((_, k) => k).filter((k) => reaching[k]).sort((a, b) => costs[a] - costs[b]);
    const box = panel.querySelector(".reading");
    box.replaceChildren();
    const where = document.createElement("b");
    where.textContent = kind === "latency"
      ? scaled(x, COUNT) + "bit/s, " + scaled(y, COUNT) + " multiply-adds/s"
      : scaled(x, JOULE) + " a byte, " + scaled(y, JOULE) + " a multiply-add";
    box.appendChild(where);
    const list = document.createElement("ol");
    for (const k of order.slice(0, SHOWN)) {
      const item = document.createElement("li");
      item.textContent = data.names[k] + " " + scaled(costs[k], kind === "latency" ? SECOND : JOULE);
      list.appendChild(item);
    }
    box.appendChild(list);
    const note = document.createElement("span");
    note.textContent = "modelled";
    box.appendChild(note);
  }
  for (const panel of panels) {
    const glass = panel.querySelector(".glass");
    const point = (e) => {
      const box = glass.getBoundingClientRect();
      const across = Math.min(1, Math.max(0, (e.clientX - box.left) / box.width));
      const up = Math.min(1, Math.max(0, 1 - (e.clientY - box.top) / box.height));
      read(panel, at(data[panel.dataset.kind].x, across), at(data[panel.dataset.kind].y, up));
    };
    glass.addEventListener("pointermove", point);
    glass.addEventListener("pointerdown", point);  // a finger does not hover
  }
})();
