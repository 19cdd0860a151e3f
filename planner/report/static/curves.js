/* More charts, by the same rules as charts.js: pure functions (data, width) -> {height, option}. Bars, bands and lines are drawn
   by one custom series each: that takes a fraction of the time that a series a part would when the page is built. */
(function () {
  "use strict";

  var tools = PlannerCharts.tools, TEXT = tools.TEXT, QUIET = tools.QUIET;

  function rect(x, y, width, height, style) {
    return { type: "rect", silent: false, shape: { x: Math.min(x, x + width), y: y, width: Math.max(Math.abs(width), 1), height: height, r: 2 }, style: style };
  }

  function text(x, y, value, style) {
    return { type: "text", silent: true, style: Object.assign({ text: value, x: x, y: y, fontSize: 12, fill: "var(--ink)", verticalAlign: "middle" }, style) };
  }

  /* Labels on the left of a row chart; above the row on a phone. */
  function rowLabel(row, phone, left, y, height) {
    return phone
      ? text(left, y - 20, row.label, { verticalAlign: "middle", fontWeight: row.choice ? "bold" : "normal", fill: row.choice ? "var(--accent)" : "var(--ink)" })
      : text(left - 12, y, row.label, Object.assign({ align: "right", fontWeight: row.choice ? "bold" : "normal", fill: row.choice ? "var(--accent)" : "var(--ink)" }, tools.cut(left)));
  }

  function rowsFrame(data, width, right) {
    var phone = width < 560, left = phone ? 8 : width > 800 ? 250 : 190;
    return { phone: phone, left: left, row: phone ? 50 : 32, grid: { left: left, right: phone ? (right > 100 ? 100 : 16) : right, top: 8, bottom: 46 } };
  }

  function rowsOption(data, frame, axis, draw) {
    var height = data.rows.length * frame.row + 56;
    return { height: height, option: {
      animation: false, backgroundColor: "none", grid: frame.grid, xAxis: axis,
      yAxis: { type: "value", min: 0, max: data.rows.length, inverse: true, show: false },
      series: [{ type: "custom", z: 3, emphasis: { disabled: true }, clip: false,
        data: data.rows.map(function (row, index) { return { value: [axis.min || 0, index + 0.5], tip: row.tip }; }),
        renderItem: function (params, api) {
          var row = data.rows[params.dataIndex], y = api.coord([0, params.dataIndex + 0.5])[1] + (frame.phone ? 8 : 0);
          var at = function (value) { return api.coord([value, 0])[0]; };
          return { type: "group", emphasisDisabled: true, children: draw(row, y, at, params).concat([rowLabel(row, frame.phone, frame.left, y, 18)]) };
        } }]
    } };
  }

  function valueAxis(data, low, high, phone) {
    return {
      type: "value", min: low, max: high, name: data.xname, nameLocation: "middle", nameGap: 28, nameTextStyle: QUIET, splitNumber: phone ? 3 : 5,
      splitLine: { lineStyle: { color: "var(--line)" } }, axisLine: { show: false }, axisTick: { show: false },
      axisLabel: Object.assign({ hideOverlap: true, showMinLabel: false, showMaxLabel: false,
        formatter: function (v) { return data.prefix + tools.compact(v); } }, QUIET)
    };
  }

  /* Cost as planned within the range that nine of ten draws lie in, and how often the option is the cheapest. */
  function bands(data, width) {
    var frame = rowsFrame(data, width, 116);
    var high = Math.max.apply(null, data.rows.map(function (r) { return r.high; })) * 1.02;
    return rowsOption(data, frame, valueAxis(data, 0, high, frame.phone), function (row, y, at) {
      var colour = row.choice ? "var(--accent)" : "var(--k-gpu)";
      return [
        rect(at(row.low), y - 8, at(row.high) - at(row.low), 16, { fill: colour, opacity: 0.28 }),
        rect(at(row.value) - 1.5, y - 10, 3, 20, { fill: colour }),
        text(at(row.high) + 8, y, row.end, { fontWeight: row.choice ? "bold" : "normal" })
      ];
    });
  }

  /* How far the cost of the choice moves; a hatched end stands where it breaks a limit. */
  function tornado(data, width) {
    var frame = rowsFrame(data, width, 24), known = [data.base];
    data.rows.forEach(function (r) { [r.low, r.high].forEach(function (v) { if (v !== null) known.push(v); }); });
    var low = Math.min.apply(null, known), high = Math.max.apply(null, known), pad = Math.max((high - low) * 0.22, data.base * 0.02);
    low = Math.max(0, low - pad); high = high + pad;
    var made = rowsOption(data, frame, valueAxis(data, low, high, frame.phone), function (row, y, at) {
      var parts = [], zero = at(data.base);
      [["low", "var(--s0)", row.lowText], ["high", "var(--s1)", row.highText]].forEach(function (side) {
        var value = row[side[0]];
        if (value === null) {
          var edge = side[0] === "low" ? at(low) : at(high);
          parts.push({ type: "rect", shape: { x: Math.min(edge, zero), y: y - 9, width: Math.abs(edge - zero), height: 18 },
            style: { fill: "none", stroke: "var(--bad)", lineWidth: 1, lineDash: [3, 3] } });
          parts.push(text(edge + (side[0] === "low" ? 5 : -5), y, frame.phone ? "limit" : "breaks a limit", { fill: "var(--bad)", fontSize: 11, align: side[0] === "low" ? "left" : "right" }));
        } else if (value !== data.base) {
          var end = at(value), right = end > zero;
          parts.push(rect(zero, y - 9, end - zero, 18, { fill: side[1] }));
          if (!frame.phone) parts.push(text(end + (right ? 6 : -6), y, side[2], { fill: "var(--soft)", fontSize: 11, align: right ? "left" : "right" }));
        }
      });
      parts.push({ type: "line", silent: true, shape: { x1: zero, y1: y - (frame.phone ? 11 : 15), x2: zero, y2: y + (frame.phone ? 11 : 15) }, style: { stroke: "var(--ink)", lineWidth: 1.5 } });
      return parts;
    });
    return made;
  }

  /* Lines over one lever, or of latency against throughput. Series names stand at the lines' ends. */
  function curves(data, width) {
    var phone = width < 560, xs = [], ys = [];
    data.lines.forEach(function (line) { line.points.forEach(function (p) { xs.push(p[0]); if (p[1] !== null) ys.push(p[1]); }); });
    if (data.mark) xs.push(data.mark.value);
    if (data.level) ys.push(data.level.value);
    var xb = tools.bounds(xs, 0.02), yb = tools.bounds(ys, 0.08);
    var log = function (p) { return [Math.log10(p[0]), p[1] === null ? NaN : Math.log10(p[1])]; };
    var series = [];
    data.lines.forEach(function (line) {
      var colour = "var(--s" + line.colour + ")";
      var dash = [undefined, [6, 4], [2, 3]][line.dash || 0];
      series.push(Object.assign(tools.lineSeries(line.points.map(log), { stroke: colour, lineWidth: line.choice ? 3 : 1.75, lineDash: dash }), { z: 3 }));
      if (PlannerCharts.still && !line.dots) return; // what only answers a pointer need not be drawn where there is none
      var known = line.points.filter(function (p) { return p[1] !== null; });
      series.push({
        type: "scatter", z: 4, symbol: "circle", symbolSize: line.dots ? 8 : 10, emphasis: { disabled: true },
        data: known.map(function (p) {
          var hollow = p[3] === false;
          var tip = [[line.label], [data.xname, tools.compact(p[0])], [data.yname, (data.yprefix || "") + tools.compact(p[1])]];
          if (p[2]) tip.push(["Batch", String(p[2])]);
          return { value: log(p), tip: tip, itemStyle: line.dots
            ? { color: hollow ? "var(--panel)" : colour, borderColor: colour, borderWidth: hollow ? 1.5 : 0 } : { color: "var(--panel)", opacity: 0 } };
        })
      });
    });
    var marks = [];
    if (data.mark) marks.push({ x: true, at: Math.log10(data.mark.value), text: data.mark.text });
    if (data.level) marks.push({ x: false, at: Math.log10(data.level.value), text: data.level.text });
    (data.crossings || []).forEach(function (c) { marks.push({ x: true, at: Math.log10(c), cross: true }); });
    if (marks.length) series.unshift({
      type: "custom", silent: true, z: 2, data: marks.map(function (m) { return m.x ? [m.at, yb[0]] : [xb[0], m.at]; }),
      renderItem: function (params, api) {
        var m = marks[params.dataIndex], box = params.coordSys, p = api.coord(m.x ? [m.at, yb[0]] : [xb[0], m.at]);
        var style = { stroke: m.cross ? "var(--line-strong)" : "var(--warn)", lineWidth: m.cross ? 1 : 1.5, lineDash: m.cross ? [2, 3] : [5, 4] };
        var shape = m.x ? { x1: p[0], y1: box.y, x2: p[0], y2: box.y + box.height } : { x1: box.x, y1: p[1], x2: box.x + box.width, y2: p[1] };
        var near = m.x && p[0] > box.x + box.width * 0.7;
        var parts = [{ type: "line", silent: true, shape: shape, style: style }];
        if (m.text) parts.push(m.x ? text(p[0] + (near ? -6 : 6), box.y + 8, m.text, { fill: "var(--warn)", align: near ? "right" : "left" })
          : text(box.x + 6, p[1] - 9, m.text, { fill: "var(--warn)" }));
        return { type: "group", children: parts };
      }
    });
    return { height: phone ? 330 : 390, option: {
      animation: false, backgroundColor: "none",
      grid: { left: phone ? 50 : 66, right: phone ? 12 : 22, top: 34, bottom: 50 },
      xAxis: tools.logAxis(data.xname, xb, width / 80, data.xprefix || "", { nameLocation: "middle", nameGap: 30 }),
      yAxis: tools.logAxis(data.yname, yb, 8, data.yprefix || "", { nameLocation: "end", nameGap: 14,
        nameTextStyle: { color: "var(--soft)", fontSize: 12, align: "left", padding: [0, 0, 0, phone ? -42 : -58] } }),
      series: series
    } };
  }

  /* Operators of a step under the roofs of their device: area of a point is its share of the step's time. */
  function roofline(data, width) {
    var phone = width < 560, xs = [], ys = [];
    data.devices.forEach(function (d) {
      d.points.forEach(function (p) { xs.push(p.x); ys.push(p.y); });
      xs.push(d.peak / d.bandwidth); ys.push(d.peak);
    });
    var xb = tools.bounds(xs, 0.08), yb = tools.bounds(ys, 0.06);
    var series = [];
    data.devices.forEach(function (d, k) {
      var ridge = Math.log10(d.peak / d.bandwidth), top = Math.log10(d.peak), slope = Math.log10(d.bandwidth), colour = "var(--s" + d.colour + ")";
      var from = Math.max(xb[0], yb[0] - slope);
      var roof = [[from, from + slope], [ridge, top], [Math.max(ridge, xb[1]), top]];
      series.push(tools.lineSeries(roof, { stroke: colour, lineWidth: 2, lineDash: k ? [6, 4] : undefined }));
      series.push({ type: "scatter", z: 4, emphasis: { disabled: true }, labelLayout: { hideOverlap: true },
        data: d.points.map(function (p) {
          return { value: [Math.log10(p.x), Math.log10(p.y)], tip: p.tip, symbol: k ? "diamond" : "circle", symbolSize: 8 + 34 * Math.sqrt(p.share),
            itemStyle: { color: colour, opacity: 0.75, borderColor: "var(--panel)", borderWidth: 1 },
            label: { show: !k && p.share > 0.02, formatter: function () { return p.name; }, position: "bottom", fontSize: 11, color: "var(--ink)", textBorderColor: "var(--panel)", textBorderWidth: 2 } };
        }) });
    });
    return { height: phone ? 350 : 420, option: {
      animation: false, backgroundColor: "none", grid: { left: phone ? 50 : 66, right: phone ? 12 : 22, top: 34, bottom: 50 },
      xAxis: tools.logAxis("FLOP a byte moved", xb, width / 75, "", { nameLocation: "middle", nameGap: 30 }),
      yAxis: tools.logAxis("FLOP/s of one device", yb, 8, "", { nameLocation: "end", nameGap: 14,
        nameTextStyle: { color: "var(--soft)", fontSize: 12, align: "left", padding: [0, 0, 0, phone ? -42 : -58] } }),
      series: series
    } };
  }

  Object.assign(PlannerCharts, { bands: bands, tornado: tornado, curves: curves, roofline: roofline });
})();
