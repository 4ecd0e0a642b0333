
(function () {
  const f = JSON.parse(document.getElementById("data").textContent).front;
  const byId = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg";
  const K = f.objectives.length, P = f.points.length, KEYS = f.objectives.map((_, k) => k);
  const low = KEYS.map((k) => Math.min(...f.points.map((p) => p[k])));
  const high = KEYS.map((k) => Math.max(...f.points.map((p) => p[k])));
  const part = (v, k) => high[k] > low[k] ? (v - low[k]) / (high[k] - low[k]) : 0;
  const norm = f.points.map((p) => p.map(part));
  const slider = byId("map-slot");
  let shares = KEYS.map(() => 1 / K), current = -1;

  function draw(parent, tag, attributes, text) {
    const e = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
    if (text !== undefined) e.textContent = text;
    parent.appendChild(e);
    return e;
  }
  function stated(v, k) {
    const o = f.objectives[k], scaled = v / o.size;
    return (scaled === 0 ? "0" : String(Number(scaled.toPrecision(3)))) + (o.unit ? " " + o.unit : "");
  }

  // the point that is cheapest under the shares; none counts for nothing, or ties would end anywhere
  function pick(of) {
    let best = 0, least = Infinity;
    for (let p = 0; p < P; p++) {
      let cost = 0;
      for (let k = 0; k < K; k++) cost += Math.max(of[k], 1e-3) * norm[p][k];
      if (cost < least) { least = cost; best = p; }
    }
    return best;
  }

  // a point's colour: the more it is the best of one objective, the more of that objective's colour
  const rgb = f.objectives.map((o) => [1, 3, 5].map((i) => parseInt(o.colour.slice(i, i + 2), 16)));
  const colours = norm.map((at) => {
    const good = at.map((v) => Math.pow(1 - v, 3) + 1e-6), sum = good.reduce((a, b) => a + b, 0);
    return [0, 1, 2].map((c) => Math.round(KEYS.reduce((a, k) => a + rgb[k][c] * good[k] / sum, 0)));
  });

  // ---- what a point comes to ----
  const bars = byId("bars"), needles = [], values = [];
  for (const k of KEYS) {
    const box = bars.appendChild(document.createElement("div"));
    const what = box.appendChild(document.createElement("div"));
    what.className = "what";
    what.appendChild(document.createElement("span")).textContent = f.objectives[k].short;
    values.push(what.appendChild(document.createElement("b")));
    const bar = box.appendChild(document.createElement("div"));
    bar.className = "bar";
    const needle = bar.appendChild(document.createElement("i"));
    needle.style.background = f.objectives[k].colour;
    needles.push(needle);
    const ends = box.appendChild(document.createElement("div"));
    ends.className = "ends";
    ends.appendChild(document.createElement("span")).textContent = stated(low[k], k);
    ends.appendChild(document.createElement("span")).textContent = stated(high[k], k);
  }

  // ---- all points, over two objectives ----
  const scatter = byId("scatter"), chooseX = byId("axis-x"), chooseY = byId("axis-y");
  const LEFT = 58, RIGHT = 630, TOP = 8, BOTTOM = 288;
  let dots = [];
  chooseX.value = "0";
  chooseY.value = "1";
  function ticks(from, to) {
    const raw = (to - from) / 5 || 1, power = Math.pow(10, Math.floor(Math.log10(raw)));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw * 0.999);
    const found = [];
    for (let t = Math.ceil(from / step); t * step <= to * (1 + 1e-9); t++) found.push(t * step);
    return found;
  }
  function chart() {
    const x = Number(chooseX.value), y = Number(chooseY.value);
    const lines = K === 2 ? [...(f.bound || []), ...(f.exact || [])] : [];
    const range = (k) => {
      const all = [...f.points, ...lines].map((p) => p[k]), a = Math.min(...all), b = Math.max(...all), pad = (b - a || Math.abs(b) || 1) * 0.05;
      return [a - pad, b + pad];
    };
    const [x0, x1] = range(x), [y0, y1] = range(y);
    const at = (p) => [LEFT + (p[x] - x0) / (x1 - x0) * (RIGHT - LEFT), BOTTOM - (p[y] - y0) / (y1 - y0) * (BOTTOM - TOP)];
    scatter.replaceChildren();
    for (const t of ticks(x0 / f.objectives[x].size, x1 / f.objectives[x].size)) {
      const px = at({ [x]: t * f.objectives[x].size, [y]: y0 })[0];
      draw(scatter, "line", { x1: px, x2: px, y1: TOP, y2: BOTTOM, stroke: "#eceef0" });
      draw(scatter, "text", { x: px, y: BOTTOM + 16, "text-anchor": "middle" }, String(Number(t.toPrecision(6))));
    }
    for (const t of ticks(y0 / f.objectives[y].size, y1 / f.objectives[y].size)) {
      const py = at({ [x]: x0, [y]: t * f.objectives[y].size })[1];
      draw(scatter, "line", { x1: LEFT, x2: RIGHT, y1: py, y2: py, stroke: "#eceef0" });
      draw(scatter, "text", { x: LEFT - 6, y: py + 4, "text-anchor": "end" }, String(Number(t.toPrecision(6))));
    }
    draw(scatter, "path", { d: `M${LEFT} ${TOP}V${BOTTOM}H${RIGHT}`, fill: "none", stroke: "#9aa0a6" });
    const named = (k) => f.objectives[k].short + (f.objectives[k].unit ? ", " + f.objectives[k].unit : "");
    draw(scatter, "text", { x: RIGHT, y: BOTTOM + 34, "text-anchor": "end" }, named(x) + " →");
    draw(scatter, "text", { x: 14, y: TOP, "text-anchor": "end", transform: `rotate(-90 14 ${TOP})` }, named(y) + " →");
    if (K === 2 && f.bound) {
      const line = f.bound.map((p) => at(p).map((v) => v.toFixed(1)).join(" "));
      draw(scatter, "path", { d: "M" + line.join("L"), fill: "none", stroke: "#5f6368", "stroke-width": 1.4, "stroke-dasharray": "5 4" });
    }
    (K === 2 ? f.exact || [] : []).forEach((p, n) => {
      const [px, py] = at(p);
      draw(scatter, "path", { d: `M${px} ${py - 6}l6 6l-6 6l-6-6z`, fill: "none", stroke: f.proven[n] ? "#222" : "#a0a5aa", "stroke-width": 1.2 });
    });
    dots = f.points.map((p, n) => {
      const [px, py] = at(p);
      const dot = draw(scatter, "circle", { cx: px, cy: py, r: 4.5, fill: `rgb(${colours[n]})`, stroke: "#fff", "stroke-width": 0.8 });
      draw(dot, "title", {}, KEYS.map((k) => f.objectives[k].short + " " + stated(p[k], k)).join(", "));
      dot.addEventListener("click", () => choose(n));
      return dot;
    });
    mark();
  }
  function mark() {
    dots.forEach((dot, n) => {
      dot.setAttribute("r", n === current ? 8 : 4.5);
      dot.setAttribute("stroke", n === current ? "#222" : "#fff");
      dot.setAttribute("stroke-width", n === current ? 2 : 0.8);
    });
    if (dots[current]) scatter.appendChild(dots[current]);
  }
  for (const chooser of [chooseX, chooseY]) {
    chooser.addEventListener("change", () => {
      const other = chooser === chooseX ? chooseY : chooseX;
      if (other.value === chooser.value) other.value = String((Number(chooser.value) + 1) % K);
      chart();
    });
  }

  // ---- one point, everywhere ----
  const rows = Array.from(document.querySelectorAll("#table tr[data-point]"));
  function show(p) {
    current = p;
    KEYS.forEach((k) => {
      values[k].textContent = stated(f.points[p][k], k);
      needles[k].style.left = (100 * norm[p][k]).toFixed(1) + "%";
    });
    const led = pick(shares) === p;
    byId("about").textContent = f.about[p];
    byId("shares").textContent = led
      ? KEYS.map((k) => f.objectives[k].short + " " + Math.round(100 * shares[k]) + " %").join(" · ")
      : "Chosen by hand; the preference set here leads to another point.";
    for (const row of rows) row.classList.toggle("chosen", Number(row.dataset.point) === p);
    mark();
  }
  function choose(p) {
    slider.value = String(p);
    slider.dispatchEvent(new Event("input"));
  }
  slider.addEventListener("input", () => show(Number(slider.value)));
  for (const row of rows) row.addEventListener("click", () => choose(Number(row.dataset.point)));
  function prefer(wanted) {
    const sum = wanted.reduce((a, b) => a + b, 0);
    if (!(sum > 0)) return;
    shares = wanted.map((s) => s / sum);
    choose(pick(shares));
  }

  // ---- the preference: a slider for two, a triangle for three, sliders beyond ----
  const between = byId("between"), triangle = byId("triangle");
  if (between) {
    const read = () => { const t = Number(between.value) / 1000; prefer([1 - t, t]); };
    between.addEventListener("input", read);
    chart();
    read();
  } else if (triangle) {
    const W = 300, H = 262, corners = [[W / 2, 0], [0, H], [W, H]];
    const place = (s) => [0, 1].map((c) => KEYS.reduce((a, k) => a + s[k] * corners[k][c], 0));
    const inside = (px, py) => {
      const top = 1 - py / H, right = (px - W / 2 * top) / W, left = 1 - top - right;
      const cut = [top, left, right].map((s) => Math.max(0, s)), sum = cut.reduce((a, b) => a + b, 0);
      return cut.map((s) => s / sum);
    };
    // every point has its region: the preferences that lead to it
    const canvas = byId("regions"), paper = canvas.getContext("2d"), image = paper.createImageData(canvas.width, canvas.height);
    const region = new Int16Array(canvas.width * canvas.height).fill(-1);
    for (let y = 0; y < canvas.height; y++) {
      for (let x = 0; x < canvas.width; x++) {
        const top = 1 - (y + 0.5) / H, right = (x + 0.5 - W / 2 * top) / W, left = 1 - top - right;
        if (right < 0 || left < 0) continue;
        region[y * canvas.width + x] = pick([top, left, right]);
      }
    }
    for (let i = 0; i < region.length; i++) {
      if (region[i] < 0) continue;
      const edge = (region[i + 1] >= 0 && region[i + 1] !== region[i]) || (region[i + canvas.width] >= 0 && region[i + canvas.width] !== region[i]);
      for (let c = 0; c < 3; c++) image.data[4 * i + c] = edge ? 255 : 255 - 0.62 * (255 - colours[region[i]][c]);
      image.data[4 * i + 3] = 255;
    }
    paper.putImageData(image, 0, 0);
    draw(triangle, "path", { d: `M${W / 2} 0L0 ${H}L${W} ${H}Z`, fill: "none", stroke: "#80868b", "stroke-width": 1.2 });
    const label = (k, x, y, anchor) => draw(triangle, "text", { x, y, "text-anchor": anchor, class: "corner", style: "fill:" + f.objectives[k].colour }, f.objectives[k].best);
    label(0, W / 2, -9, "middle");
    label(1, -40, H + 20, "start");
    label(2, W + 40, H + 20, "end");
    const handle = draw(triangle, "circle", { id: "handle", r: 9, fill: "#222", stroke: "#fff", "stroke-width": 2.5, tabindex: 0, role: "slider", "aria-label": "preference" });
    const move = () => {
      const [x, y] = place(shares);
      handle.setAttribute("cx", x);
      handle.setAttribute("cy", y);
      handle.setAttribute("aria-valuetext", KEYS.map((k) => f.objectives[k].short + " " + Math.round(100 * shares[k]) + " %").join(", "));
    };
    const drag = (e) => {
      const point = new DOMPoint(e.clientX, e.clientY).matrixTransform(triangle.getScreenCTM().inverse());
      prefer(inside(point.x, point.y));
      move();
    };
    triangle.addEventListener("pointerdown", (e) => { triangle.setPointerCapture(e.pointerId); drag(e); e.preventDefault(); handle.focus({ preventScroll: true }); });
    triangle.addEventListener("pointermove", (e) => { if (triangle.hasPointerCapture(e.pointerId)) drag(e); });
    handle.addEventListener("keydown", (e) => {
      const step = { ArrowLeft: [-6, 0], ArrowRight: [6, 0], ArrowUp: [0, -6], ArrowDown: [0, 6] }[e.key];
      if (!step) return;
      e.preventDefault();
      const [x, y] = place(shares);
      prefer(inside(x + step[0], y + step[1]));
      move();
    });
    chart();
    prefer(shares);
    move();
  } else {
    const inputs = Array.from(document.querySelectorAll("input.share"));
    const read = () => prefer(inputs.map((i) => Number(i.value)));
    for (const input of inputs) input.addEventListener("input", read);
    chart();
    read();
  }
})();
