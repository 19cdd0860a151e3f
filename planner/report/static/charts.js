/* Charts as pure functions (data, width in pixels) -> {height, option}. The same code draws the static charts when the
   page is built and the live ones in the browser, so it touches no document. Colours are the page's CSS variables. */
var PlannerCharts = (function () {
  "use strict";

  /* What this returns; ``still`` is set where the drawing is one that nobody can point at. */
  var api = { still: false };

  var SYMBOLS = { measured: "circle", calibrated: "diamond", family: "triangle", datasheet: "rect" };
  var SIZES = { measured: 12, calibrated: 15, family: 13, datasheet: 11 };
  var TEXT = { color: "var(--ink)", fontSize: 12, textBorderColor: "none" };
  var QUIET = { color: "var(--soft)", fontSize: 12 };

  /* Style of a label that ends left of ``left``: what is drawn is measured in no font, and those of pages are wider. */
  function cut(left) {
    return { width: 0.88 * (left - 20), overflow: "truncate", ellipsis: "…" };
  }

  function compact(value) {
    var units = [[1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];
    for (var i = 0; i < units.length; i++) {
      if (Math.abs(value) >= units[i][0]) return String(+(value / units[i][0]).toPrecision(3)) + units[i][1];
    }
    return String(+value.toPrecision(3));
  }

  /* Exponents of round numbers between two exponents: the densest of a few ladders that has room. */
  function logTicks(low, high, room) {
    var ladders = [[1, 1.5, 2, 3, 4, 5, 6, 8], [1, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]];
    var ticks = [];
    for (var i = 0; i < ladders.length; i++) {
      ticks = [];
      for (var power = Math.floor(low); power <= Math.ceil(high); power++) {
        for (var j = 0; j < ladders[i].length; j++) {
          var at = power + Math.log10(ladders[i][j]);
          if (at >= low - 1e-9 && at <= high + 1e-9) ticks.push(at);
        }
      }
      if (ticks.length <= room) break;
    }
    return ticks;
  }

  function bounds(values, pad) {
    var known = values.filter(function (v) { return v !== null && v > 0; }).map(Math.log10);
    var low = Math.min.apply(null, known), high = Math.max.apply(null, known);
    var grow = Math.max((high - low) * pad, 0.08);
    return [low - grow, high + grow];
  }

  function logAxis(name, range, room, prefix, more) {
    var ticks = logTicks(range[0], range[1], room);
    return Object.assign({
      type: "value", min: range[0], max: range[1], name: name, nameTextStyle: QUIET,
      axisLine: { show: true, onZero: false, lineStyle: { color: "var(--line-strong)" } },
      axisTick: { show: true, customValues: ticks, lineStyle: { color: "var(--line-strong)" } },
      splitLine: { show: true, customValues: ticks, lineStyle: { color: "var(--line)" } },
      axisLabel: Object.assign({
        customValues: ticks, hideOverlap: true,
        formatter: function (at) { return prefix + compact(Math.pow(10, at)); }
      }, QUIET)
    }, more);
  }

  function segment(a, b, style) {
    return { type: "line", shape: { x1: a[0], y1: a[1], x2: b[0], y2: b[1] }, style: style, silent: true };
  }

  /* What is asked for: a dashed line, and a veil over what lies below it. */
  function demandSeries(data, xs, ys, phone) {
    var at = Math.log10(data.demand);
    return {
      type: "custom", silent: true, z: 1, clip: true, data: [[xs[0], at]],
      renderItem: function (params, api) {
        var left = api.coord([xs[0], at]), right = api.coord([xs[1], at]), floor = api.coord([xs[0], ys[0]]);
        return { type: "group", children: [
          { type: "rect", silent: true, style: { fill: "var(--veil)" },
            shape: { x: left[0], y: left[1], width: right[0] - left[0], height: Math.max(0, floor[1] - left[1]) } },
          segment(left, right, { stroke: "var(--warn)", lineWidth: 1.5, lineDash: [5, 4] }),
          { type: "text", silent: true, style: {
            text: phone ? "needed" : data.demandText, x: right[0] - 6, y: left[1] + 5, align: "right",
            verticalAlign: "top", fill: "var(--warn)", fontSize: 12 } }
        ] };
      }
    };
  }

  /* A line through points that are on the axes' scales; it breaks where a point's second figure is not a number. */
  function lineSeries(points, style) {
    var known = points.filter(function (p) { return p[1] === p[1]; });
    var highest = known.reduce(function (a, b) { return b[1] > a[1] ? b : a; }, known[0]);
    return { // one item draws the line; the others tell the axes how far it goes
      type: "custom", silent: true, z: 2, clip: true, data: known.length ? [known[0], highest] : points.length ? [[points[0][0], 0]] : [],
      renderItem: function (params, api) {
        if (params.dataIndex) return null;
        var runs = [[]];
        points.forEach(function (p) {
          if (p[1] === p[1]) runs[runs.length - 1].push(api.coord(p));
          else runs.push([]);
        });
        return { type: "group", children: runs.filter(function (run) { return run.length > 1; }).map(function (run) {
          return { type: "polyline", silent: true, shape: { points: run }, style: Object.assign({ fill: "none" }, style) };
        }) };
      }
    };
  }

  function steps(points) {
    var made = [];
    points.forEach(function (p, i) {
      if (i) made.push([p[0], points[i - 1][1]]);
      made.push(p);
    });
    return made;
  }

  function whiskerSeries(points) {
    return {
      type: "custom", silent: true, z: 2, clip: true,
      data: points.map(function (p) { return [p.x, p.y, p.xl, p.xh, p.yl, p.yh].map(Math.log10); }),
      renderItem: function (params, api) {
        var p = points[params.dataIndex];
        var style = { stroke: "var(--k-" + p.kind + ")", lineWidth: 1.25, opacity: p.rejected ? 0.18 : 0.45 };
        var at = function (x, y) { return api.coord([api.value(x), api.value(y)]); };
        return { type: "group", children: [segment(at(2, 1), at(3, 1), style), segment(at(0, 4), at(0, 5), style)] };
      }
    };
  }

  /* A label goes to the upper left of its point, where a front leaves room; beside the axis the choice's goes to the lower
     right and the others' to the upper right. */
  function pointLabel(p, roomLeft, phone) {
    var left = roomLeft > 6.6 * p.label.length + 14;
    return {
      show: phone ? p.choice : p.named, formatter: function () { return p.label; }, fontSize: 12, minMargin: 6, fontWeight: p.choice ? "bold" : "normal",
      color: p.choice ? "var(--ink)" : "var(--soft)", textBorderColor: "var(--panel)", textBorderWidth: 3,
      position: left ? [p.choice ? -8 : -3, p.choice ? -4 : -1] : p.choice ? [28, 16] : [16, -1],
      align: left ? "right" : "left", verticalAlign: left || !p.choice ? "bottom" : "top"
    };
  }

  function pointItem(p, roomLeft, phone) {
    var hollow = p.evidence === "datasheet";
    var colour = "var(--k-" + p.kind + ")";
    return {
      value: [Math.log10(p.x), Math.log10(p.y)], tip: p.tip.concat([["Evidence", p.evidence || "other"]]),
      symbol: SYMBOLS[p.evidence] || "circle", symbolSize: (SIZES[p.evidence] || 11) + (p.choice ? 4 : 0),
      itemStyle: {
        color: hollow ? "var(--panel)" : colour, borderColor: hollow ? colour : "var(--panel)",
        borderWidth: hollow ? 2 : 1, opacity: p.rejected ? 0.35 : 1
      },
      label: pointLabel(p, roomLeft, phone)
    };
  }

  function pareto(data, width) {
    var phone = width < 560, height = phone ? 360 : 430;
    var points = data.points;
    // Whiskers of what cannot be chosen may leave the frame: they should not squeeze what can.
    var xs = bounds([].concat.apply([], points.map(function (p) { return p.rejected ? [p.x] : [p.x, p.xl, p.xh]; })), 0.06);
    var ys = bounds([].concat.apply([data.demand], points.map(function (p) { return p.rejected ? [p.y] : [p.y, p.yl, p.yh]; })), 0.08);
    var front = points.filter(function (p) { return p.front; }).sort(function (a, b) { return a.x - b.x || a.y - b.y; });
    var whiskers = points.filter(function (p) { return p.xl > 0 && p.xh > 0 && p.yl > 0 && p.yh > 0 && (points.length <= 40 || p.front); });
    var choice = points.filter(function (p) { return p.choice; });
    var series = [
      lineSeries(steps(front.map(function (p) { return [Math.log10(p.x), Math.log10(p.y)]; })), { stroke: "var(--line-strong)", lineWidth: 1.5 }),
      whiskerSeries(whiskers),
      { type: "scatter", silent: true, z: 3, symbol: "circle", symbolSize: 24,
        itemStyle: { color: "none", borderColor: "var(--accent)", borderWidth: 2.5 },
        data: choice.map(function (p) { return [Math.log10(p.x), Math.log10(p.y)]; }) },
      { type: "scatter", z: 4, emphasis: { disabled: true }, data: points.map(function (p) {
        return pointItem(p, (width - 90) * (Math.log10(p.x) - xs[0]) / (xs[1] - xs[0]), phone);
      }),
        labelLayout: { hideOverlap: true } }
    ];
    if (data.demand > 0) series.unshift(demandSeries(data, xs, ys, phone));
    return { height: height, option: {
      animation: false, backgroundColor: "none",
      grid: { left: phone ? 48 : 64, right: phone ? 12 : 24, top: 34, bottom: 52, containLabel: false },
      xAxis: logAxis(data.xname, xs, width / 75, data.prefix, { nameLocation: "middle", nameGap: 32 }),
      yAxis: logAxis(data.yname, ys, 9, "", { nameLocation: "end", nameGap: 14,
        nameTextStyle: { color: "var(--soft)", fontSize: 12, align: "left", padding: [0, 0, 0, phone ? -40 : -56] } }),
      series: series
    } };
  }

  /* All parts of all rows in one series: drawn in a fraction of the time that a series a part takes. */
  function barSeries(data, phone) {
    var height = phone ? 16 : 18;
    return {
      type: "custom", z: 3, emphasis: { disabled: true },
      data: data.rows.map(function (row, index) { return { value: [0, index], tip: row.tip }; }),
      renderItem: function (params, api) {
        var row = data.rows[params.dataIndex], from = 0, children = [];
        row.parts.forEach(function (part, k) {
          if (!(part > 0)) return;
          var left = api.coord([from, params.dataIndex]), right = api.coord([from + part, params.dataIndex]);
          from += part;
          children.push({ type: "rect", shape: { x: left[0], y: left[1] - height / 2, width: Math.max(0.5, right[0] - left[0]), height: height },
            style: { fill: "var(--s" + data.parts[k].colour + ")", stroke: "var(--panel)", lineWidth: 1, opacity: row.faded ? 0.45 : 1 } });
        });
        return { type: "group", emphasisDisabled: true, children: children };
      }
    };
  }

  /* Text after the end of each bar, and its capacity: a pale track with an outline, red where the parts reach beyond it. */
  function endSeries(data, phone, over) {
    var height = phone ? 16 : 18;
    return {
      type: "custom", silent: true, z: over ? 4 : 1, data: data.rows.map(function (row, index) { return [0, index]; }),
      renderItem: function (params, api) {
        var row = data.rows[params.dataIndex], zero = api.coord([0, params.dataIndex]), children = [];
        if (data.track) {
          var edge = row.bad ? "var(--bad)" : "var(--line-strong)", end = api.coord([row.capacity, params.dataIndex]);
          children.push({ type: "rect", silent: true, shape: { x: zero[0], y: zero[1] - height / 2, width: end[0] - zero[0], height: height },
            style: over ? { fill: "none", stroke: edge, lineWidth: row.bad ? 1.5 : 1 } : { fill: row.faded ? "none" : "var(--track)" } });
        }
        if (over) {
          children.push({ type: "text", silent: true, style: { text: row.end, x: api.coord([row.reach, params.dataIndex])[0] + 8, y: zero[1],
            verticalAlign: "middle", fontSize: 12, fill: row.bad ? "var(--bad)" : "var(--ink)", fontWeight: row.choice ? "bold" : "normal" } });
        }
        return { type: "group", children: children };
      }
    };
  }

  function stack(data, width) {
    var phone = width < 560, left = phone ? 6 : width > 800 ? 270 : 200, rowHeight = phone ? 52 : 32;
    var height = data.rows.length * rowHeight + 58;
    var series = [barSeries(data, phone)];
    if (data.track) series.push(endSeries(data, phone, false));
    series.push(endSeries(data, phone, true));
    var label = phone
      ? { inside: true, margin: 0, verticalAlign: "bottom", padding: [0, 0, 18, 0], width: width - 40, overflow: "truncate" }
      : Object.assign({ margin: 12 }, cut(left));
    return { height: height, option: {
      animation: false, backgroundColor: "none",
      grid: { left: left, right: phone ? 116 : 150, top: phone ? 14 : 6, bottom: 48 },
      xAxis: {
        type: "value", min: 0, max: data.max || Math.max.apply(null, data.rows.map(function (row) { return row.reach; })) * 1.01, name: data.xname, nameLocation: "middle", nameGap: 30, nameTextStyle: QUIET,
        splitNumber: phone ? 3 : 5, splitLine: { lineStyle: { color: "var(--line)" } },
        axisLabel: Object.assign({ hideOverlap: true, showMaxLabel: !!data.max,
          formatter: function (value) { return data.prefix + compact(value) + data.suffix; } }, QUIET)
      },
      yAxis: {
        type: "category", inverse: true, z: 5, data: data.rows.map(function (row, index) { return String(index); }),
        axisTick: { show: false }, axisLine: { lineStyle: { color: "var(--line-strong)" } },
        axisLabel: Object.assign({ interval: 0, formatter: function (index) { return data.rows[index].label; } }, TEXT, label, {
          color: function (index) { return data.rows[index].choice ? "var(--accent)" : data.rows[index].faded ? "var(--soft)" : "var(--ink)"; } })
      },
      series: series
    } };
  }

  /* Lines over two plain scales from zero: how something goes on. Each point has a tip; points are not seen. */
  function course(data, width) {
    var phone = width < 560;
    var axis = function (name, prefix, suffix) {
      return {
        type: "value", min: 0, name: name, nameTextStyle: QUIET, splitNumber: phone ? 3 : 6, splitLine: { lineStyle: { color: "var(--line)" } },
        axisLine: { show: true, lineStyle: { color: "var(--line-strong)" } },
        axisLabel: Object.assign({ hideOverlap: true, formatter: function (v) { return prefix + compact(v) + suffix; } }, QUIET)
      };
    };
    var last = Math.max.apply(null, data.lines.map(function (line) { return line.points[line.points.length - 1].x; }));
    return { height: phone ? 340 : 400, option: {
      animation: false, backgroundColor: "none",
      grid: { left: phone ? 52 : 68, right: phone ? 14 : 26, top: 34, bottom: 52 },
      xAxis: Object.assign(axis(data.xname, "", data.suffix), { max: last, interval: data.step, nameLocation: "middle", nameGap: 32 }),
      yAxis: Object.assign(axis(data.yname, data.prefix, ""), { nameLocation: "end", nameGap: 14 }),
      series: [].concat.apply([], data.lines.map(function (line) {
        var colour = "var(--s" + line.colour + ")", z = line.strong ? 4 : 3;
        var drawn = [Object.assign(lineSeries(line.points.map(function (p) { return [p.x, p.y]; }),
          { stroke: colour, lineWidth: line.strong ? 3.4 : 1.8 }), { z: z })];
        return drawn.concat(api.still ? [] : [{ type: "scatter", z: z, symbolSize: 7, emphasis: { disabled: true }, itemStyle: { color: colour, opacity: 0 },
          data: line.points.map(function (p) { return { value: [p.x, p.y], tip: p.tip }; }) }]);
      }))
    } };
  }

  /* What is planned: a dashed upright line with its words. */
  function nowSeries(data, xs, ys, phone) {
    var at = Math.log10(data.now);
    return {
      type: "custom", silent: true, z: 1, clip: true, data: [[at, ys[0]]],
      renderItem: function (params, api) {
        var foot = api.coord([at, ys[0]]), head = api.coord([at, ys[1]]);
        return { type: "group", children: [
          segment(foot, head, { stroke: "var(--warn)", lineWidth: 1.5, lineDash: [5, 4] }),
          { type: "text", silent: true, style: { text: phone ? "planned" : data.nowText, x: head[0] - 6, y: head[1] + 6, align: "right",
            verticalAlign: "top", fill: "var(--warn)", fontSize: 12 } }
        ] };
      }
    };
  }

  function linearAxis(data, range) {
    return {
      type: "value", min: range[0], max: range[1], name: data.yname, axisLine: { show: true, lineStyle: { color: "var(--line-strong)" } },
      splitLine: { lineStyle: { color: "var(--line)" } },
      axisLabel: Object.assign({ hideOverlap: true, showMaxLabel: false,
        formatter: function (value) { return data.prefix + compact(value) + data.suffix; } }, QUIET)
    };
  }

  /* Lines over a logarithmic scale; each point has a tip, and is not seen itself. */
  function lines(data, width) {
    var phone = width < 560, height = phone ? 360 : 430;
    var every = [].concat.apply([], data.lines.map(function (line) { return line.points; }));
    var xs = bounds(every.map(function (p) { return p[0]; }), 0.01);
    var height_of = data.linear ? function (y) { return y; } : Math.log10;
    var tops = every.map(function (p) { return p[1]; });
    var ys = data.linear ? [0, Math.min(Math.max.apply(null, tops) * 1.05, 250)] : bounds(tops, 0.04);
    var at = function (p) { return [Math.log10(p[0]), height_of(p[1])]; };
    var series = data.lines.map(function (line) {
      return Object.assign(lineSeries(line.points.map(at), { stroke: "var(--s" + line.colour + ")", lineWidth: 2.2 }), { z: 3 });
    });
    if (!api.still) data.lines.forEach(function (line) {
      series.push({ type: "scatter", z: 4, clip: true, symbolSize: 12, emphasis: { disabled: true },
        itemStyle: { color: "var(--s" + line.colour + ")", opacity: 0 },
        data: line.said.map(function (said, i) {
          return { value: at(line.points[i * line.every]), tip: [[line.name], [data.xname, said[0]], ["Total", said[1]]] };
        }) });
    });
    series.push(nowSeries(data, xs, ys, phone));
    var title = { nameLocation: "end", nameGap: 14,
      nameTextStyle: { color: "var(--soft)", fontSize: 12, align: "left", padding: [0, 0, 0, phone ? -48 : -64] } };
    return { height: height, option: {
      animation: false, backgroundColor: "none",
      grid: { left: phone ? 56 : 72, right: phone ? 12 : 24, top: 34, bottom: 52, containLabel: false },
      xAxis: logAxis(data.xname, xs, width / 75, "", { nameLocation: "middle", nameGap: 32 }),
      yAxis: data.linear ? Object.assign(linearAxis(data, ys), title) : logAxis(data.yname, ys, 9, data.prefix, title),
      series: series
    } };
  }

  Object.assign(api, {
    pareto: pareto, stack: stack, course: course, lines: lines,
    tools: { SYMBOLS: SYMBOLS, TEXT: TEXT, QUIET: QUIET, cut: cut, compact: compact, bounds: bounds, logAxis: logAxis, lineSeries: lineSeries }
  });
  return api;
})();
