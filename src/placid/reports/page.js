"use strict";
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);

  // ---- charts: one legend under each, all switching the same policies ----
  const views = {};
  const shown = new Set(data.shown);
  const embedded = Object.entries(data.specs).map(([name, spec]) => {
    const options = { renderer: "svg", actions: { export: true, source: false, compiled: false, editor: false },
      downloadFileName: data.slug + "-" + name };
    return vegaEmbed("#chart-" + name, spec, options).then((r) => { views[name] = r.view; });
  });
  function setAll(signal, value) {
    for (const name of data.switched) {
      if (views[name]) views[name].signal(signal, value).runAsync();
    }
  }
  const legendButtons = Array.from(document.querySelectorAll(".legend button"));
  function showLegends() {
    for (const b of legendButtons) b.setAttribute("aria-pressed", String(shown.has(b.dataset.policy)));
  }
  for (const b of legendButtons) {
    const policy = b.dataset.policy;
    b.addEventListener("click", () => {
      if (shown.has(policy)) shown.delete(policy); else shown.add(policy);
      setAll("shown", Array.from(shown));
      showLegends();
    });
    const point = (on) => () => setAll("hot", on && shown.has(policy) ? policy : "");
    b.addEventListener("mouseenter", point(true));
    b.addEventListener("mouseleave", point(false));
    b.addEventListener("focus", point(true));
    b.addEventListener("blur", point(false));
  }

  // ---- the table: sorted by the column clicked ----
  const table = document.querySelector("#table table");
  if (table) {
    const heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach((head, column) => {
      const button = head.querySelector("button");
      if (!button) return;
      button.addEventListener("click", () => {
        const falling = head.getAttribute("aria-sort") !== "descending";
        const rows = Array.from(table.tBodies[0].rows);
        const key = (row) => {
          const v = row.cells[column].dataset.value;
          return head.dataset.text !== undefined ? v : v === "" ? NaN : Number(v);
        };
        rows.sort((a, b) => {
          const x = key(a), y = key(b);
          if (typeof x === "string") return (falling ? -1 : 1) * x.localeCompare(y);
          if (isNaN(x) || isNaN(y)) return isNaN(x) - isNaN(y);  // what is not known comes last
          return falling ? y - x : x - y;
        });
        heads.forEach((h) => h.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", falling ? "descending" : "ascending");
        for (const row of rows) table.tBodies[0].appendChild(row);
      });
    });
  }

  // ---- the map ----
  const m = data.map;
  if (m) {
    const SVG = "http://www.w3.org/2000/svg";
    const V = m.variants.length, M = m.models.length, N = m.nodes.length;
    const groups = Array.from(document.querySelectorAll("#map-drawing .node"));
    const slider = byId("map-slot"), chooser = byId("map-policy"), play = byId("map-play");
    const radius = 0.82 * m.radius, around = 2 * Math.PI * radius;
    const held = new Uint8Array(N * M), models = new Int32Array(N * V), fill = new Float64Array(N * V);
    let policy = chooser.value, frame = -1, chosen = -1, timer = null;

    const arcs = groups.map((g) => {
      const ring = g.querySelector(".ring");
      const halo = document.createElementNS(SVG, "circle");
      halo.setAttribute("class", "halo");
      halo.setAttribute("r", m.radius + 3);
      g.insertBefore(halo, g.firstChild);
      if (!ring) return [];
      ring.replaceChildren();
      return m.colours.map((colour) => {
        const arc = document.createElementNS(SVG, "circle");
        arc.setAttribute("r", radius);
        arc.setAttribute("fill", "none");
        arc.setAttribute("stroke", colour);
        arc.setAttribute("stroke-width", 0.36 * m.radius);
        arc.setAttribute("transform", "rotate(-90)");
        ring.appendChild(arc);
        return arc;
      });
    });

    function apply(f) {
      let item = 0;
      for (const step of m.changes[policy][f]) {
        item += step;
        const sign = held[item] ? -1 : 1, model = item % M, at = Math.floor(item / M) * V + m.models[model][1];
        held[item] ^= 1;
        models[at] += sign;
        fill[at] += sign * (m.sized ? m.models[model][3] : 1);
      }
    }
    function seek(to) {
      if (to < frame || frame < 0) {
        held.fill(0); models.fill(0); fill.fill(0);
        frame = -1;
      }
      while (frame < to) apply(++frame);
      draw();
    }
    function draw() {
      for (let n = 0; n < N; n++) {
        let start = 0, total = 0;
        for (let v = 0; v < V; v++) {
          total += models[n * V + v];
          const arc = arcs[n][v];
          if (!arc) continue;
          // budgets may grow in mid-run: a ring is never more than full
          const length = m.nodes[n].full > 0 ? Math.min(around * fill[n * V + v] / m.nodes[n].full, around - start) : 0;
          arc.setAttribute("stroke-dasharray", length.toFixed(2) + " " + around.toFixed(2));
          arc.setAttribute("stroke-dashoffset", (-start).toFixed(2));
          arc.setAttribute("visibility", length > 0 ? "visible" : "hidden");
          start += length;
        }
        const count = groups[n].querySelector(".count");
        if (count && !m.nodes[n].repository) count.textContent = total;
      }
      const slot = m.frames[frame];
      // what stands still has captions where a run has time
      const parts = [m.captions ? m.captions[frame] : "slot " + slot + " (" + time(slot * m.slot_s) + ")"];
      const gain = m.gain[policy] && m.gain[policy][frame];
      if (gain !== null && gain !== undefined) parts.push("gain " + digits(gain * data.perUnit) + " " + data.unit + " per request");
      const loaded = m.loaded[policy] && m.loaded[policy][frame];
      if (loaded !== null && loaded !== undefined) parts.push(bytes(loaded) + " loaded per slot");
      byId("map-now").textContent = parts.join(" · ");
      slider.setAttribute("aria-valuetext", parts[0]);
      list();
    }
    function list() {
      const box = byId("held"), whole = chosen < 0;
      box.replaceChildren();
      const node = whole ? null : m.nodes[chosen];
      add(box, "h3", whole ? "The whole network" : node.name);
      const facts = add(box, "dl");
      const fact = (k, v) => { add(facts, "dt", k); add(facts, "dd", v); };
      const over = whole ? Array.from(m.nodes.keys()) : [chosen];
      let memory = 0, used = 0, count = 0;
      const perVariant = m.variants.map(() => [0, 0]);
      for (const n of over) {
        if (!m.nodes[n].repository) memory += m.nodes[n].memory;
        for (let v = 0; v < V; v++) {
          perVariant[v][0] += models[n * V + v];
          perVariant[v][1] += fill[n * V + v];
          used += fill[n * V + v];
          count += models[n * V + v];
        }
      }
      if (!whole) {
        fact("tier", node.tier);
        fact("processor", node.processor);
      } else {
        fact("nodes", String(N));
      }
      if (!whole && node.repository) {
        fact("holds", "every model: it is a repository");
        return;
      }
      fact("memory", m.sized ? bytes(used) + " of " + bytes(memory) + (memory > 0 ? " (" + digits(100 * used / memory) + " %)" : "") : bytes(memory));
      fact("models", String(count));
      if (!count) return;
      const t = add(add(box, "div", null, "scroll"), "table");
      const head = add(add(t, "thead"), "tr");
      add(head, "th", "variant"); add(head, "th", "models");
      if (m.sized) add(head, "th", "memory");
      const body = add(t, "tbody");
      for (let v = V - 1; v >= 0; v--) {
        if (!perVariant[v][0]) continue;
        const row = add(body, "tr");
        const name = add(row, "td");
        const key = add(name, "i", null, "key");
        key.style.cssText = "display:inline-block;width:10px;height:10px;border-radius:2px;margin-right:6px;background:" + m.colours[v];
        name.appendChild(document.createTextNode(m.variants[v]));
        add(row, "td", String(perVariant[v][0]));
        if (m.sized) add(row, "td", bytes(perVariant[v][1]));
        if (!whole) {
          const tasks = new Map();
          for (let k = 0; k < M; k++) {
            if (held[chosen * M + k] && m.models[k][1] === v) tasks.set(m.models[k][2], (tasks.get(m.models[k][2]) || 0) + 1);
          }
          const cell = add(add(body, "tr"), "td", Array.from(tasks, ([t, c]) => c > 1 ? t + " ×" + c : t).join(", "), "tasks");
          cell.colSpan = 3;
          cell.style.whiteSpace = "normal";
        }
      }
      if (!whole) {
        const back = add(add(box, "p", null, "no-print"), "button", "Show the whole network");
        back.addEventListener("click", () => choose(-1));
      }
    }
    function choose(n) {
      chosen = n;
      groups.forEach((g, k) => g.setAttribute("aria-pressed", String(k === n)));
      list();
    }
    groups.forEach((g, n) => {
      g.setAttribute("aria-pressed", "false");
      g.addEventListener("click", () => choose(chosen === n ? -1 : n));
      g.addEventListener("keydown", (e) => {
        if (e.key === "Enter" || e.key === " ") { e.preventDefault(); choose(chosen === n ? -1 : n); }
        if (e.key === "Escape") choose(-1);
      });
      // pointing at a node shows it for as long as one points, without choosing it
      g.addEventListener("mouseenter", () => { const was = chosen; chosen = n; list(); chosen = was; });
      g.addEventListener("mouseleave", list);
      g.addEventListener("focus", () => { const was = chosen; chosen = n; list(); chosen = was; });
      g.addEventListener("blur", list);
    });
    function stop() {
      clearInterval(timer);
      timer = null;
      play.textContent = "▶ Play";
    }
    play.addEventListener("click", () => {
      if (timer !== null) return stop();
      if (frame === m.frames.length - 1) { slider.value = 0; seek(0); }
      play.textContent = "❚❚ Pause";
      timer = setInterval(() => {
        if (frame >= m.frames.length - 1) return stop();
        slider.value = frame + 1;
        seek(frame + 1);
      }, 140);
    });
    slider.addEventListener("input", () => { if (timer !== null) stop(); seek(Number(slider.value)); });
    chooser.addEventListener("change", () => {
      policy = chooser.value;
      frame = -1;
      seek(Number(slider.value));
    });
    seek(Number(slider.value));
  }

  function add(parent, tag, text, cls) {
    const e = document.createElement(tag);
    if (text !== undefined && text !== null) e.textContent = text;
    if (cls) e.className = cls;
    parent.appendChild(e);
    return e;
  }
  function digits(v) {
    return v === 0 ? "0" : String(Number(v.toPrecision(3)));
  }
  function bytes(v) {
    for (const [size, unit] of [[1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "kB"]]) {
      if (v >= size) return digits(v / size) + " " + unit;
    }
    return digits(v) + " B";
  }
  function time(s) {
    if (s < 60) return digits(s) + " s";
    const min = Math.round(s / 60), h = Math.floor(min / 60), d = Math.floor(h / 24);
    if (d > 0) return d + " d " + (h % 24) + " h";
    return h > 0 ? h + " h " + String(min % 60).padStart(2, "0") + " min" : min + " min";
  }

  // opened to be printed, a page shows what it folds away
  window.addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((d) => { if (!d.closest(".chart")) d.open = true; }));
  Promise.all(embedded).then(() => document.documentElement.setAttribute("data-ready", "true"));
})();
